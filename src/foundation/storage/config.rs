//! `[storage]`: where the data is.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::checks::Complaints;

/// Where Postgres is and how the engine uses it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    pub data_dir: PathBuf,
    /// `None`: the embedded Postgres.
    #[serde(deserialize_with = "empty_is_none")]
    pub database_url: Option<String>,
    #[serde(deserialize_with = "empty_is_none")]
    pub postgres_bin_dir: Option<String>,
    /// `None`: one that is named after the database.
    #[serde(deserialize_with = "empty_is_none")]
    pub reader_role: Option<String>,
    pub postgres_shared_buffers_mb: u32,
    pub start_timeout_ms: u64,
    pub pool_connections_max: u32,
    pub acquire_timeout_ms: u64,
    pub statement_timeout_ms: u64,
}

impl StorageConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        complaints.require(!self.data_dir.as_os_str().is_empty(), "storage.data_dir", "a folder, such as \"data\"");
        let url_is_ours = self
            .database_url
            .as_deref()
            .is_none_or(|url| url.starts_with("postgres://") || url.starts_with("postgresql://"));
        complaints.require(
            url_is_ours,
            "storage.database_url (DATABASE_URL)",
            "empty or of the form postgres://user:password@host:5432/database",
        );
        complaints.require(
            self.reader_role.as_ref().is_none_or(|role| role.len() <= 63 && !role.starts_with("pg_")),
            "storage.reader_role",
            "empty or the name of a role: at most 63 bytes, not beginning with pg_",
        );
        complaints.require(
            (16..=65_536).contains(&self.postgres_shared_buffers_mb),
            "storage.postgres_shared_buffers_mb",
            "between 16 and 65536",
        );
        complaints.require(
            self.start_timeout_ms <= 3_600_000,
            "storage.start_timeout_ms",
            "at most 3600000 (0: one try)",
        );
        complaints.require(
            (2..=500).contains(&self.pool_connections_max),
            "storage.pool_connections_max",
            "between 2 and 500",
        );
        complaints.require(
            (100..=60_000).contains(&self.acquire_timeout_ms),
            "storage.acquire_timeout_ms",
            "between 100 and 60000",
        );
        complaints.require(
            (100..=600_000).contains(&self.statement_timeout_ms),
            "storage.statement_timeout_ms",
            "between 100 and 600000",
        );
    }

    pub fn mask(&mut self) {
        if let Some(url) = &mut self.database_url {
            *url = mask_password(url);
        }
    }
}

/// An empty string in a file or variable means "not set": TOML has no null.
pub fn empty_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// `postgres://ada:secret@host/db` without the secret. A URL that does not parse is hidden whole.
pub fn mask_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "***".into();
    };
    // A password may itself hold an @: the last one ends the credentials.
    let Some((credentials, host)) = rest.rsplit_once('@') else {
        // Without credentials a password may still hide in the query.
        return url.split('?').next().unwrap_or_default().to_owned();
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{}", host.split('?').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_wherever_they_hide() {
        assert_eq!(mask_password("postgres://ada:p@ss@db:1/x?sslmode=require"), "postgres://ada:***@db:1/x");
        assert_eq!(mask_password("postgres://db/x?password=p"), "postgres://db/x");
        assert_eq!(mask_password("nonsense"), "***");
    }
}
