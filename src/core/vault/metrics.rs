//! What the vault counts, with its meaning.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::VaultError;

/// Tells `/metrics` what these mean, and lets them begin at 0; for the start of the engine.
pub fn describe_metrics() {
    describe_counter!(
        "parlance_vault_operations_total",
        Unit::Count,
        "What was done with secrets, by what and outcome"
    );
    describe_gauge!(
        "parlance_vault_secrets_unreadable",
        Unit::Count,
        "Secrets under a master key that this engine does not have"
    );
    for what in ["put", "get", "replace", "delete"] {
        for outcome in ["ok", "locked", "damaged"] {
            counter!("parlance_vault_operations_total", "what" => what, "outcome" => outcome).increment(0);
        }
    }
    unreadable(0);
}

/// Counts what was done, by its outcome.
pub(super) fn counted<T>(what: &'static str, done: Result<T, VaultError>) -> Result<T, VaultError> {
    let outcome = done.as_ref().err().map_or("ok", VaultError::outcome);
    counter!("parlance_vault_operations_total", "what" => what, "outcome" => outcome).increment(1);
    done
}

pub(super) fn unreadable(secrets: i64) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    gauge!("parlance_vault_secrets_unreadable").set(secrets as f64);
}
