//! What was changed in Postgres, by whatever hand: another engine, `parlance users`, an operator's SQL, or this engine.
//!
//! Actor: one [`ChangeListener`]. Receives what the triggers of the migrations tell (`tell_of_…`). Emits to those who keep
//! something of Postgres in memory (`accounts::recent`, `rooms::memory`) that it changed, to rooms that members came or went,
//! to the hubs whose sockets end, and to the devices of a space's members what became of it. Persists nothing.
//!
//! Invariants
//! - Nothing is kept in memory that changed before it was read or while nobody listened: the listener first listens, then
//!   lets others keep what they read; when it is lost, for whatever reason, a panic included, they forget everything.
//! - A database that is not the one that it was (`storage::epoch`) is noticed before anything of it is kept: memory and
//!   rooms are dropped, and every socket is closed to come back.
//! - Nobody stays connected whose account or sign-in ended while nobody listened, or in a way that is told of in no more
//!   than a word: then every session's is looked up again.
//! - What this engine changes, it forgets by itself, after the commit and before it answers. Hearing of it again costs
//!   at most another read.

mod change;
mod listener;
mod space_news;

pub use change::{Change, SpaceChange};
pub use listener::{ChangeListener, Reactions};
