//! Sessions: connected devices, and the hubs that reach them.
//!
//! Actors: one [`Hub`] an HTTP worker thread; one `UserSession` a socket, on the
//! thread of its hub. Receives frames from clients, deliveries and answers from rooms (through [`Hubs`]); emits commands
//! to rooms and frames to sockets; persists nothing.
//!
//! Invariants
//! - A room sends one message to each hub, whatever the number of listeners; a hub reaches its own sessions on its own
//!   thread, through their `Outbox`, without a message to them, and flushes each once for all that came meanwhile.
//! - An idle session has no buffer and no timer of its own, and nothing of the HTTP server: with 20 rooms followed it was
//!   measured at 5 KiB of resident memory (8 000 sockets, mimalloc), where one under `actix-web-actors` took 22.
//! - A session lives by a token: it ends a moment after that expires (`token_grace_s`) unless another of the same person
//!   came (`renewal.rs`), and with the sign-in of the token that came last.
//! - What waits for a socket is bounded in bytes; a slow reader costs nobody else anything.
//! - A session that greets is told of every event after the state in its `ready`: it follows first and reads second.
//! - It follows every room of its user, also those that `ready` leaves out.

pub mod backlog;
pub mod config;
mod desk;
mod endings;
mod flusher;
mod hub;
mod incoming;
mod link;
pub mod outbox;
pub mod parcel;
mod reader;
mod renewal;
mod resume;
pub mod resumption;
mod session;
mod socket;
mod upgrade;
pub mod wire;

pub use desk::COMMANDS;
pub use endings::Endings;
pub use flusher::Flusher;
pub use hub::{ConnectedDevice, Hub, HubState, Hubs, LocalHub, TooManyTopics};
pub use reader::ReadBuffer;
pub use session::{SessionParts, hellos};
pub use upgrade::{LocalParts, prepare_connection, upgrade, upgrades};
