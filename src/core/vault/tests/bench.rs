//! What every test here starts from: a vault on a migrated database of its own, and a clock to move.

use std::path::PathBuf;

use chrono::DateTime;
use uuid::Uuid;

use crate::vault::config::VaultConfig;
use crate::vault::{AuditQuery, By, FirstKey, Secret, SecretName, Vault, VaultError};
use parlance_foundation::clock::Clock;
use parlance_foundation::testing::TestDatabase;

pub struct Bench {
    pub vault: Vault,
    pub clock: Clock,
    pub config: VaultConfig,
    pub folder: tempfile::TempDir,
    pub database: TestDatabase,
}

pub const ENGINE: By = By::Engine("tests");

pub fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

pub fn name(name: &str) -> SecretName {
    SecretName::new("test.kind", name).unwrap()
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut VaultConfig)) -> Self {
        let mut config: VaultConfig = parlance_foundation::testing::defaults("vault");
        change(&mut config);
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let (folder, database) = (tempfile::tempdir().unwrap(), TestDatabase::create().await);
        let storage = database.storage.clone();
        let vault = Vault::open(&config, storage, clock.clone(), folder.path(), FirstKey::Make).await.unwrap();
        Self { vault, clock, config, folder, database }
    }

    /// Another engine, or the same one after a restart.
    pub async fn another(&self) -> Vault {
        self.open(&self.config, FirstKey::Make).await
    }

    pub async fn open(&self, config: &VaultConfig, first_key: FirstKey) -> Vault {
        let storage = self.database.storage.clone();
        Vault::open(config, storage, self.clock.clone(), self.folder.path(), first_key).await.unwrap()
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("vault.key")
    }

    /// The keys in the file, as text.
    pub fn keys(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.key_file()).unwrap();
        let keys = text.lines().filter_map(|line| line.split('#').next()).map(str::trim);
        keys.filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }

    pub async fn put(&self, of: &str, value: &str) -> Uuid {
        self.vault.put(&name(of), "a label", &secret(value), &ENGINE).await.unwrap().id
    }

    pub async fn sql(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(self.database.storage.engine()).await.unwrap();
    }

    pub async fn count(&self, query: &str) -> i64 {
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned()));
        query.fetch_one(self.database.storage.engine()).await.unwrap()
    }

    /// What the audit has, the oldest first: what, and of which secret.
    pub async fn audited(&self) -> Vec<(String, String)> {
        let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
        let mut entries = self.vault.audit(&query).await.unwrap();
        entries.sort_by_key(|entry| entry.at);
        entries.into_iter().map(|entry| (entry.what, entry.name)).collect()
    }
}

/// What it says, or why not.
pub async fn value(vault: &Vault, of: &str) -> Result<String, VaultError> {
    let secret = vault.get(&name(of), &ENGINE).await?;
    Ok(secret.reveal_text().unwrap().to_owned())
}
