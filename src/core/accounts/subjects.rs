//! Subjects of outside issuers become users.
//!
//! Invariants: a pair of issuer and subject is one user, also when many connections bring it at once; a user is
//! never found by email or name, because an outside issuer could claim anybody's; the role is ours to give.

use super::error::AuthError;
use super::external::Subject;
use super::handle::Auth;
use super::input;
use super::store::accounts::{self, NewAccount};
use parlance_foundation::ids::UserId;

/// Tries to find a free username; the suffix has 24 bits, so the second one is as good as certain.
const NAMING_TRIES_MAX: u32 = 8;

impl Auth {
    /// The user that a subject is here, created on first sight where the issuer's configuration allows it. One who was
    /// here lately is known without asking Postgres. Says nothing of whether the account is enabled.
    pub(super) async fn user_of_subject(&self, subject: &Subject) -> Result<UserId, AuthError> {
        let recent = &self.0.recent.subjects;
        let key = (subject.issuer.clone(), subject.subject.clone());
        if let Some(user) = recent.get(&key) {
            return Ok(user);
        }
        let token = recent.read_token(&key);
        let mut conn = self.0.storage.engine_read("subject").acquire().await?;
        let known = accounts::user_of_subject(&mut conn, &subject.issuer, &subject.subject).await?;
        drop(conn);
        let user = match known {
            Some(user) => user,
            None if subject.create_user => self.create_user(subject).await?,
            None => return Err(AuthError::TokenInvalid),
        };
        recent.fill(key, token, user);
        Ok(user)
    }

    async fn create_user(&self, subject: &Subject) -> Result<UserId, AuthError> {
        let base = input::username_like(subject.nickname.as_deref().unwrap_or_default());
        let full_name = subject.full_name.as_deref().and_then(|name| input::full_name(name).ok());
        let avatar_url = subject.picture.as_deref().and_then(|url| input::avatar_url(url).ok());
        for attempt in 0..NAMING_TRIES_MAX {
            let username = match attempt {
                0 => base.clone(),
                _ => format!("{base}-{:06x}", rand::random::<u32>() >> 8),
            };
            let account = NewAccount {
                id: UserId::new(&self.0.clock),
                username: &username,
                full_name: full_name.as_deref(),
                avatar_url: avatar_url.as_deref(),
                email: None,
                password_hash: None,
                now: self.0.clock.now(),
            };
            if let Some(user) = self.try_create(subject, &account).await? {
                return Ok(user);
            }
        }
        Err(AuthError::Internal(format!("no free username like {base:?}")))
    }

    /// `None` when the username is taken.
    async fn try_create(&self, subject: &Subject, account: &NewAccount<'_>) -> Result<Option<UserId>, AuthError> {
        let (issuer, id) = (&subject.issuer, &subject.subject);
        let mut transaction = self.0.storage.engine().begin().await?;
        accounts::lock_subject(&mut transaction, issuer, id).await?;
        if let Some(user) = accounts::user_of_subject(&mut transaction, issuer, id).await? {
            return Ok(Some(user));
        }
        if !accounts::create_account(&mut transaction, account).await? {
            return Ok(None);
        }
        accounts::bind_subject(&mut transaction, issuer, id, account.id, account.now).await?;
        transaction.commit().await?;
        tracing::info!(user_id = %account.id, %issuer, "an account was created for a subject of an outside issuer");
        Ok(Some(account.id))
    }
}
