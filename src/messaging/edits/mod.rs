//! Editing and deleting messages, of any age.
//!
//! Receives: commands `message.edit` and `message.delete`, and the same over HTTP. Becomes: events `message.edited` and
//! `message.deleted` in the room's order. Persists: the message's present form (by the core) and, for moderators, what it
//! was before, in `message_versions`.
//!
//! Invariants
//! - Only its author edits a message. It is deleted by its author, or in a group or channel by an owner or admin who ranks
//!   above them.
//! - A deleted message keeps its place and has no content any more: not in memory, not in `messages`, and in a direct room,
//!   which has no moderators, nowhere.

mod actions;
pub mod commands;
mod error;
pub mod http;
mod metrics;
pub mod store;
pub mod wire;

pub use actions::{Delete, Edit};
pub use error::EditError;
pub use metrics::describe_metrics;
