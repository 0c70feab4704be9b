//! The vault: secrets of others that features keep, such as keys of AI providers, tokens of bridges, keys of push.
//!
//! [`Vault`] is the only door; there are no actors here. A feature names its secret by what it is for ([`SecretName`]), says
//! who asks ([`By`]), and gets a [`Secret`], which shows itself to nobody by accident:
//!
//! ```ignore
//! let name = SecretName::new("ai.provider", provider_id.to_string())?;
//! vault.put(&name, "OpenAI", &Secret::from(api_key), &By::User(caller.user_id)).await?;
//! let key = vault.get(&name, &By::Engine("ai.providers")).await?;
//! request.bearer_auth(key.reveal_text().unwrap_or_default());
//! ```
//!
//! - **Envelopes** (`envelope.rs`). Each value is encrypted under a data key of its own, and that under a master key, which
//!   is not in the database: a copy of the database opens nothing.
//! - **Master keys** (`keys.rs`, `key_source.rs`) are in a file beside the engine's other keys, or in its configuration. A
//!   row names its key by a fingerprint, so that a key that is not here is told from a row that was changed.
//! - **Locked.** While a key that some secret is under is not here (a restored database with another machine's data folder),
//!   the engine runs, says what to do, opens the secrets that it can, and puts none in.
//! - **Rotation** (`rotation.rs`) goes on beside running engines.
//! - **Audit.** Who made, used, replaced, deleted or rotated what. A use is written down before the secret is given out;
//!   uses within a minute are one entry.
//! - **Persists** `vault_secrets` and `vault_audit`, which nobody's read reaches.
//!
//! Invariants: no secret or key is printed, logged, or answered over HTTP; a row that was changed or put into another's
//! place does not open; no value is written under a key that is not on disk.

mod audit;
pub mod config;
mod envelope;
mod error;
mod handle;
mod http;
pub mod jobs;
mod key_source;
mod keys;
mod metrics;
mod name;
mod rotation;
mod secret;
mod store;
#[cfg(test)]
mod tests;
pub mod wire;

pub use audit::{AuditEntry, AuditQuery, By};
pub use error::VaultError;
pub use handle::{FirstKey, Vault};
pub use http::{ApiDoc, routes};
pub use keys::KeyId;
pub use metrics::describe_metrics;
pub use name::SecretName;
pub use rotation::Rotated;
pub use secret::Secret;
