//! `[vault]`: where the master keys are, and what the vault holds.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Secret;
use super::keys::Keyring;
use parlance_foundation::checks::Complaints;
use parlance_foundation::storage::config::empty_is_none;

/// The vault; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    #[serde(deserialize_with = "empty_is_none")]
    pub master_key_file: Option<String>,
    /// Masked from the start: it is printed by nothing, not even for debugging.
    #[serde(deserialize_with = "secret_or_none", serialize_with = "masked")]
    pub master_key: Option<Secret>,
    pub secret_bytes_max: usize,
    pub secrets_max: i64,
    pub audit_days: u32,
    pub audit_reads_every_s: u64,
    pub rotation_rows_max: i64,
}

impl VaultConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        if let Some(Err(error)) = self.master_key.as_ref().map(Keyring::parse) {
            c.require(
                false,
                "vault.master_key (PARLANCE__VAULT__MASTER_KEY)",
                &format!("empty or a list of keys: {error}"),
            );
        }
        c.require(
            self.master_key.is_none() || self.master_key_file.is_none(),
            "vault.master_key_file",
            "empty when vault.master_key is given: the keys come from one place",
        );
        c.require((1..=1_048_576).contains(&self.secret_bytes_max), "vault.secret_bytes_max", "between 1 and 1048576");
        c.require((1..=1_000_000).contains(&self.secrets_max), "vault.secrets_max", "between 1 and 1000000");
        c.require((1..=36_500).contains(&self.audit_days), "vault.audit_days", "between 1 and 36500");
        c.require((1..=86_400).contains(&self.audit_reads_every_s), "vault.audit_reads_every_s", "between 1 and 86400");
        c.require((1..=10_000).contains(&self.rotation_rows_max), "vault.rotation_rows_max", "between 1 and 10000");
    }
}

fn secret_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(empty_is_none(deserializer)?.map(Secret::from))
}

fn masked<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.is_some() { "***" } else { "" })
}
