//! Password hashing: argon2id, on blocking threads of its own, a bounded number at a time.
//!
//! A password is hashed in NFC, so that it is the same on every keyboard; a hash of an earlier version, made of what was
//! typed, still fits and is made anew.
//!
//! Invariants: at most `hash_threads` hashes are computed and at most `hash_queue_max` wait; past that the
//! answer is [`AuthError::Busy`]. Checking a password takes as many hashes whether or not the account exists: one, or two
//! when it is wrong and was not typed in NFC.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::config::AuthConfig;
use super::error::AuthError;
use parlance_foundation::text::nfc;

/// Hashes and checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    params: Params,
    /// Compared with when there is no account, so that absence costs the same time as presence.
    nobodys_hash: String,
    /// One permit for each hash that is computed or waits.
    places: Arc<Semaphore>,
    /// One permit for each hash that is computed.
    threads: Arc<Semaphore>,
}

/// What checking a password found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Checked {
    Wrong,
    Right {
        /// The same password in NFC and under today's parameters, when the stored hash is of another form or has others.
        rehashed: Option<String>,
    },
}

impl Passwords {
    pub(super) fn new(config: &AuthConfig) -> anyhow::Result<Self> {
        let params = Params::new(config.argon2_memory_kib, config.argon2_passes, 1, None)
            .map_err(|error| anyhow::anyhow!("auth.argon2_memory_kib or auth.argon2_passes: {error}"))?;
        let threads = match config.hash_threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        // Nobody knows these 256 bits, so nothing that is typed matches.
        let nobodys_hash = hash(&params, &parlance_foundation::secret_file::random_text())
            .map_err(|error| anyhow::anyhow!("passwords cannot be hashed: {error}"))?;
        Ok(Self {
            params,
            nobodys_hash,
            places: Arc::new(Semaphore::new(threads + config.hash_queue_max)),
            threads: Arc::new(Semaphore::new(threads)),
        })
    }

    /// The PHC string to store for `password`.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AuthError> {
        let (params, password) = (self.params.clone(), password.to_owned());
        self.run(move || hash(&params, &password)).await?
    }

    /// Compares `password` with `stored`; without a stored hash it does the same work and finds it wrong.
    pub(super) async fn check(&self, password: &str, stored: Option<String>) -> Result<Checked, AuthError> {
        let (params, password) = (self.params.clone(), password.to_owned());
        let stored = stored.unwrap_or_else(|| self.nobodys_hash.clone());
        self.run(move || check(&params, &password, &stored)).await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AuthError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| AuthError::Busy)?;
        let closed = |_| AuthError::Internal("the hash threads are gone".into());
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(closed)?;
        // The permits go with the work: a client that hangs up must not make room for another hash.
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, thread);
            work()
        });
        done.await.map_err(|error| AuthError::Internal(format!("hashing a password failed: {error}")))
    }
}

fn hasher(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(params: &Params, password: &str) -> Result<String, AuthError> {
    let hash: PasswordHash = hasher(params)
        .hash_password(nfc(password).as_bytes())
        .map_err(|error| AuthError::Internal(format!("argon2: {error}")))?;
    Ok(hash.to_string())
}

fn check(params: &Params, password: &str, stored: &str) -> Result<Checked, AuthError> {
    let parsed = PasswordHash::new(stored)
        .map_err(|error| AuthError::Internal(format!("a stored password hash cannot be read: {error}")))?;
    // Verified under the parameters that the hash itself names.
    let fits = |password: &str| hasher(params).verify_password(password.as_bytes(), &parsed).is_ok();
    let normal = nfc(password);
    let is_normal = fits(&normal);
    if !is_normal && (normal == password || !fits(password)) {
        return Ok(Checked::Wrong);
    }
    let current = is_normal
        && Params::try_from(&parsed).is_ok_and(|stored| {
            (stored.m_cost(), stored.t_cost(), stored.p_cost()) == (params.m_cost(), params.t_cost(), params.p_cost())
        });
    let rehashed = if current { None } else { Some(hash(params, password)?) };
    Ok(Checked::Right { rehashed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(change: impl FnOnce(&mut AuthConfig)) -> Passwords {
        let mut config = parlance_foundation::testing::defaults::<AuthConfig>("auth");
        (config.argon2_memory_kib, config.argon2_passes) = (8, 1);
        change(&mut config);
        Passwords::new(&config).unwrap()
    }

    #[actix_web::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = passwords(|_| {});
        let stored = passwords.hash("пароль 🔑").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
        assert_eq!(
            passwords.check("пароль 🔑", Some(stored.clone())).await.unwrap(),
            Checked::Right { rehashed: None }
        );
        assert_eq!(passwords.check("пароль", Some(stored)).await.unwrap(), Checked::Wrong);
        assert_eq!(passwords.check("", None).await.unwrap(), Checked::Wrong, "nobody's hash matches nothing");
    }

    #[actix_web::test]
    async fn a_hash_with_other_parameters_is_made_anew() {
        let stored = passwords(|_| {}).hash("correct horse").await.unwrap();
        let stronger = passwords(|config| config.argon2_passes = 2);
        let Checked::Right { rehashed: Some(fresh) } = stronger.check("correct horse", Some(stored)).await.unwrap()
        else {
            panic!("not rehashed");
        };
        assert!(fresh.contains("t=2"));
        assert_eq!(stronger.check("correct horse", Some(fresh)).await.unwrap(), Checked::Right { rehashed: None });
    }

    #[actix_web::test]
    async fn one_password_typed_on_another_keyboard_is_the_same() {
        let (composed, apart) = ("pässwörter", "pa\u{308}sswo\u{308}rter");
        let passwords = passwords(|_| {});
        for (set, typed) in [(composed, apart), (apart, composed), (apart, apart)] {
            let stored = passwords.hash(set).await.unwrap();
            assert_eq!(passwords.check(typed, Some(stored)).await.unwrap(), Checked::Right { rehashed: None });
        }
        // As hashes were made before: of what was typed.
        let phc: PasswordHash = hasher(&passwords.params).hash_password(apart.as_bytes()).unwrap();
        let old = phc.to_string();
        assert_eq!(
            passwords.check(composed, Some(old.clone())).await.unwrap(),
            Checked::Wrong,
            "nobody knows the form"
        );
        let Checked::Right { rehashed: Some(fresh) } = passwords.check(apart, Some(old)).await.unwrap() else {
            panic!("not rehashed");
        };
        for typed in [composed, apart] {
            assert_eq!(passwords.check(typed, Some(fresh.clone())).await.unwrap(), Checked::Right { rehashed: None });
        }
        assert_eq!(passwords.check("pa\u{308}ss", Some(fresh)).await.unwrap(), Checked::Wrong);
    }

    #[actix_web::test]
    async fn a_full_queue_answers_busy_and_then_empties() {
        let passwords = passwords(|config| (config.hash_threads, config.hash_queue_max) = (1, 2));
        // Nothing is computed while this holds the only thread.
        let thread = Arc::clone(&passwords.threads).acquire_owned().await.unwrap();
        let hashes = (0..10).map(|_| passwords.hash("correct horse"));
        let (results, ()) = futures_util::future::join(futures_util::future::join_all(hashes), async {
            tokio::task::yield_now().await;
            drop(thread);
        })
        .await;
        let busy = results.iter().filter(|result| matches!(result, Err(AuthError::Busy))).count();
        assert_eq!((results.iter().filter(|result| result.is_ok()).count(), busy), (3, 7));
    }
}
