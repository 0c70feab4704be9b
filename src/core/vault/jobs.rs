//! What the vault has done at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Vault, VaultError};
use crate::jobs::{Job, JobError, JobKind, Policy};

/// Entries of the audit that are old enough: how often they are removed.
const DELETE_OLD_AUDIT_EVERY: Duration = Duration::from_secs(3_600);

#[derive(Debug, Serialize, Deserialize)]
struct DeleteOldAudit;

impl Job for DeleteOldAudit {
    const KIND: &'static str = "vault.delete_old_audit";
}

/// The kinds of jobs of the vault.
pub fn kinds(vault: &Vault) -> Vec<JobKind> {
    let vault = vault.clone();
    let delete = move |_: DeleteOldAudit, _| {
        let vault = vault.clone();
        async move {
            let deleted = vault.delete_old_audit().await?;
            tracing::debug!(deleted, "old entries of the vault's audit removed");
            Ok(())
        }
    };
    vec![JobKind::new(Policy::upkeep(), delete).every(DELETE_OLD_AUDIT_EVERY)]
}

impl From<VaultError> for JobError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Database(error) => error.into(),
            other => Self::Retry(other.to_string()),
        }
    }
}
