//! What can go wrong with secrets, and the one table from there to what a client sees.
//!
//! Invariant: no error holds a secret or a key.

use super::SecretName;
use parlance_foundation::problem::Problem;

/// Why something could not be done with a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("there is no secret of this name; `parlance vault list` shows which there are")]
    NotFound,
    #[error("there is a secret of this name already: replace it instead")]
    Taken,
    #[error("{0}")]
    InvalidName(String),
    #[error("a label has at most 200 characters, none of them a control character")]
    InvalidLabel,
    #[error("the secret is empty: nothing was kept")]
    Empty,
    #[error("a secret has at most {bytes_max} bytes (vault.secret_bytes_max)")]
    TooLarge { bytes_max: usize },
    #[error("the vault holds {secrets_max} secrets, and no more (vault.secrets_max)")]
    Full { secrets_max: i64 },
    /// A master key is not here. Says which, where it was looked for, and what to do; for the operator, not for clients.
    #[error("the vault is locked: {0}")]
    Locked(String),
    /// The key is here and the row is not what was written: changed, or put into another's place.
    #[error("the secret {0} was changed in the database by somebody else and does not open: replace or delete it")]
    Damaged(SecretName),
    #[error("another rotation is under way")]
    Rotating,
    /// Nothing was deleted.
    #[error("{unreadable} secrets are under master keys that are not here, and not {expected}: nothing was deleted")]
    OtherCount { unreadable: usize, expected: usize },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Our fault, or the disk's; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl VaultError {
    /// A stable word for the `outcome` of a metric.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Taken | Self::InvalidName(_) | Self::InvalidLabel | Self::Empty | Self::TooLarge { .. } => "invalid",
            Self::Full { .. } => "full",
            Self::Locked(_) => "locked",
            Self::Damaged(_) => "damaged",
            Self::Rotating | Self::OtherCount { .. } | Self::Database(_) | Self::Internal(_) => "error",
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let said = error.to_string();
        match error {
            VaultError::NotFound => Self::not_found("vault.not_found", "There is no secret with this id or name."),
            VaultError::Taken => Self::conflict("vault.taken", "There is a secret of this name already. Replace it."),
            VaultError::InvalidName(wanted) => Self::invalid("vault.invalid_name", wanted),
            VaultError::InvalidLabel => Self::invalid("vault.invalid_label", said),
            VaultError::Empty => Self::invalid("vault.empty", "The secret is empty. Nothing was kept."),
            VaultError::TooLarge { .. } => Self::too_large("vault.too_large", said),
            VaultError::Full { .. } => Self::conflict("vault.full", said),
            VaultError::Locked(why) => {
                tracing::error!(%why, "the vault is locked");
                Self::conflict(
                    "vault.locked",
                    "A master key of the vault is not here, so that nothing can be kept in it. The engine's log says which and what to do.",
                )
            }
            VaultError::Damaged(_) => Self::conflict("vault.damaged", said),
            VaultError::Rotating => Self::conflict("vault.rotating", said),
            VaultError::OtherCount { .. } => Self::conflict("vault.other_count", said),
            VaultError::Database(error) => error.into(),
            VaultError::Internal(error) => {
                tracing::error!(%error, "unexpected error in the vault");
                Self::internal()
            }
        }
    }
}
