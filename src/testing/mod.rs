//! What tests stand on: a whole engine on a database of its own, clients that speak only the public protocol, and time
//! that moves by hand. Compiled for tests only.

mod app;
mod client;
mod database;

pub use app::{Person, TestApp};
pub use client::{WsClient, seqs};
pub use database::TestDatabase;
