//! Sessions: connected devices, and the hubs that reach them.
//!
//! Actors: one [`Hub`] an HTTP worker thread; one `UserSession` a socket, on the
//! thread of its hub. Receives frames from clients, deliveries and answers from rooms (through [`Hubs`]); emits commands
//! to rooms and frames to sockets; persists nothing.
//!
//! Invariants
//! - A room sends one message to each hub, whatever the number of listeners; a hub reaches its own sessions on its own
//!   thread, through their `Outbox`, without a message to them, and flushes each once for all that came meanwhile.
//! - An idle session is a task and a few hundred bytes a room: no buffer, no timer and no part of the HTTP server is its
//!   own.
//! - What waits for a socket is bounded in bytes; a slow reader costs nobody else anything.
//! - A session that greets is told of every event after the state in its `ready`: it follows first and reads second.

pub mod config;
mod flusher;
mod hub;
mod hubs;
mod link;
mod local_hub;
pub mod outbox;
mod reader;
mod resume;
mod session;
mod socket;
mod upgrade;

pub use flusher::Flusher;
pub use hub::Hub;
pub use hubs::Hubs;
pub use local_hub::{HubState, LocalHub};
pub use reader::ReadBuffer;
pub use session::SessionParts;
pub use upgrade::{LocalParts, prepare_connection, upgrade, upgrades};
