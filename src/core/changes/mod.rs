//! What was changed in Postgres, by whatever hand: another engine, `parlance users`, an operator's SQL, or this engine.
//!
//! Triggers of the migrations say `TOPIC REST` on one channel. Whoever keeps something of Postgres in memory, or tells people
//! what became of it, [`Hears`] the topics that are about it; `engine/app.rs` lists them all. A topic that nobody hears is
//! nobody's business here.
//!
//! Actor: one [`ChangeListener`]. Receives what the triggers say (`parlance_tell_of_…`). Emits to those who hear it. Persists
//! nothing.
//!
//! Invariants
//! - Nothing is kept in memory that changed before it was read or while nobody listened: the listener first listens, then
//!   lets others keep what they read; when it is lost, for whatever reason, a panic included, they forget everything.
//! - A database that is not the one that it was (`storage::epoch`) is noticed before anything of it is kept: all who hear
//!   begin anew.
//! - What ended while nobody listened, or in a way that is said in no more than a word, is made up for: see
//!   [`Hears::make_up`].
//! - What this engine changes, it forgets by itself, after the commit and before it answers. Hearing of it again costs
//!   at most another read.
//! - A transaction that notifies takes a lock of the whole server when it commits: nothing on the way of a message, a
//!   reaction, an assignment or a run says anything here.

mod hears;
mod listener;

pub use hears::{Hears, Known, Later, NotNow, list, now};
pub use listener::ChangeListener;
