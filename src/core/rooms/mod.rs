//! Chat: rooms of every kind, their members, their one order, and reading it.
//!
//! Actors: `RoomDirectory` (one a room thread) opens a `Room` on demand.
//! Receives commands through [`Rooms`], the one door for people, agents, bridges and jobs (`compose` and `post`, `page_after`,
//! `plan` and `create`, `act`); emits deliveries to the [`Audience`](crate::publish::Audience), which is the hubs; persists through
//! `persistence/` (the order and all that hangs on it) and `store` (making rooms and spaces, reading).
//!
//! Invariants
//! - Every durable change of a room takes the room's next `seq`, and is committed before anyone sees it.
//! - Permissions are decided by the room, from the one table in `permissions.rs`; reads of the past are bounded by row
//!   level security in Postgres.
//! - Whoever comes in is told of their rooms by [`Lobby`], from what is in memory where it is sure to be right. Members that
//!   come or go by another hand, an operator's SQL say, are noticed at once; a name that is changed so when the room is
//!   opened anew.
//! - A team that is a member brings its people, and the room follows it by itself (`follow`).
//! - A room's id tells a stranger nothing: rooms of others and rooms that are not there answer alike.

pub mod action;
mod card;
pub mod commands;
mod compose;
pub mod config;
mod create;
mod directory;
mod doors;
pub mod error;
pub mod facts;
pub mod follow;
mod heard;
pub mod http;
pub mod jobs;
pub mod kinds;
mod lobby;
pub mod mailbox;
mod memory;
mod missed;
pub mod permissions;
mod posting;
mod room;
mod space;
mod space_news;
pub mod state;
pub mod store;
mod strangers;
mod succession;
#[cfg(test)]
mod tests;
mod unread;
mod window;
pub mod wire;

pub use action::{RoomAction, Scene, Target, WantedAction};
pub use compose::{check_client_id, compose, contents, plain_text};
pub use create::CreateRoom;
pub use directory::Rooms;
pub use facts::{Member, RoomFacts};
pub use heard::InvitationNews;
pub use lobby::{Entrance, ListingMax, Lobby};
pub use memory::{LiveCard, RoomMemory};
pub use missed::PageWanted;
pub use room::{Around, LatestSeq, NOT_LOADED, Outcomes, RoomLife, RoomParts, Wish};
pub use space_news::SpaceNews;
pub use state::{Change, Departure, Right, Snapshot, WantedChange};
pub use strangers::Acquainted;
