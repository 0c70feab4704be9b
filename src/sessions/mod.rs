//! Sessions: connected devices, and the hubs that reach them.
//!
//! Actors: one [`Hub`] an HTTP worker thread; one `UserSession` a socket, on the
//! thread of its hub. Receives frames from clients, deliveries and answers from rooms (through [`Hubs`]); emits commands
//! to rooms and frames to sockets; persists nothing.
//!
//! Invariants
//! - A room sends one message to each hub, whatever the number of listeners; a hub reaches its own sessions on its own
//!   thread, through their `Outbox`, and wakes each at most once until it has drained.
//! - What waits for a socket is bounded in bytes; a slow reader costs nobody else anything.
//! - A session that greets is told of every event after the state in its `ready`: it follows first and reads second.

pub mod config;
mod hub;
mod hubs;
mod link;
mod meter;
pub mod outbox;
mod resume;
mod session;
mod socket;

pub use hub::{Hub, HubState, LocalHub};
pub use hubs::Hubs;
pub use session::SessionParts;
pub use socket::{LocalParts, prepare_connection, upgrade};
