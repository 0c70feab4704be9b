//! Parties: teams and their people, and the profile of whoever a party is.
//!
//! A team is a group of people who come into rooms together. This folder says who is in a team; rooms follow it by
//! themselves: triggers enqueue a job a room (`team.follow`) in the transaction that changes a team, whoever changes it, and
//! `rooms/follow.rs` has the room make what differs.
//!
//! Doors: [`Teams`] for changes and for rooms that ask, [`Profiles`] for names and avatars of parties of every kind.
//! Persists: `teams`, `team_members`.
//!
//! Invariants
//! - Owners run a team. Every team has an owner: the last one cannot leave or step down while others are there, and when an
//!   account is deleted the longest member inherits (a trigger). A team without people is deleted.
//! - A team that is being deleted is in nobody's list any more; its row goes when its last room has taken it out. So it is
//!   when another hand deletes the row: a trigger keeps it for as long.
//! - Whoever shares no room or space with the one who adds them cannot be added where `chat.strangers` is `invite`: a team
//!   brings its people into rooms without asking them, so nobody may be in one by the will of a stranger.

pub mod config;
mod error;
pub mod http;
mod profiles;
mod state;
mod store;
mod teams;
#[cfg(test)]
mod tests;
pub mod wire;

pub use error::TeamError;
pub use http::{ApiDoc, PartiesParts, routes};
pub use profiles::{ProfileSource, Profiles, ProfilesFuture};
pub use store::TeamPeople;
pub use teams::{Acquaintances, StrangersFuture, Teams};
