//! What every test here starts from: an empty, migrated database of its own, accounts on it, and a clock to move.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use chrono::DateTime;

use crate::accounts::config::AuthConfig;
use crate::accounts::wire::SignedIn;
use crate::accounts::{Auth, AuthError, ClientAddress, SignUp, SignedOut};
use parlance_foundation::clock::Clock;
use parlance_foundation::testing::{TestDatabase, defaults};

/// Accounts under test.
pub struct Bench {
    pub auth: Auth,
    pub clock: Clock,
    pub config: AuthConfig,
    pub folder: tempfile::TempDir,
    pub database: TestDatabase,
    signed_out: Arc<Mutex<Vec<SignedOut>>>,
}

pub const PASSWORD: &str = "correct horse battery";

impl Bench {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With the cheapest hashes and no limits to speak of, unless `change` says otherwise.
    pub async fn with(change: impl FnOnce(&mut AuthConfig)) -> Self {
        let mut config: AuthConfig = defaults("auth");
        (config.argon2_memory_kib, config.argon2_passes, config.hash_threads) = (8, 1, 2);
        config.login_per_address_per_minute = 100_000;
        config.login_per_account_and_address_per_minute = 100_000;
        config.login_per_account_per_minute = 100_000;
        config.register_per_address_per_hour = 100_000;
        config.refresh_per_address_per_minute = 100_000;
        change(&mut config);
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::create().await;
        let auth = Auth::new(&config, database.storage.clone(), clock.clone(), folder.path()).await.unwrap();
        let signed_out = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&signed_out);
        auth.on_signed_out(move |event| seen.lock().unwrap().push(event));
        Self { auth, clock, config, folder, database, signed_out }
    }

    /// Another engine, or the same one after a restart: same database, folder and clock.
    pub async fn restarted(&self) -> Auth {
        let storage = self.database.storage.clone();
        Auth::new(&self.config, storage, self.clock.clone(), self.folder.path()).await.unwrap()
    }

    pub async fn register(&self, username: &str) -> SignedIn {
        self.try_register(username).await.unwrap()
    }

    pub async fn try_register(&self, username: &str) -> Result<SignedIn, AuthError> {
        let email = format!("{username}@example.com");
        let (username, email) = (username, email.as_str());
        let sign_up = SignUp { username, email, password: PASSWORD, full_name: None, device: None };
        self.auth.register(sign_up, somewhere()).await
    }

    pub async fn login(&self, login: &str, password: &str) -> Result<SignedIn, AuthError> {
        self.auth.login(login, password, None, somewhere()).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn, AuthError> {
        self.auth.refresh(refresh_token, somewhere()).await
    }

    /// Who was signed out since the last time this was asked.
    pub fn signed_out(&self) -> Vec<SignedOut> {
        std::mem::take(&mut self.signed_out.lock().unwrap())
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.database.storage.engine()).await.unwrap()
    }
}

pub fn somewhere() -> ClientAddress {
    IpAddr::from([192, 0, 2, 1]).into()
}
