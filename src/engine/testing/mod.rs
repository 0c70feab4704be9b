//! What tests stand on: a whole engine on a database of its own, clients that speak only the public protocol, and time
//! that moves by hand. Compiled for tests only.

mod api;
mod app;
mod changes;
mod client;
mod data_folder;
mod dba;
mod document;
mod issuer;
pub mod process;
mod screen;
mod verify;

pub use api::Api;
pub use app::{PASSWORD, Person, TestApp};
pub use client::{WsClient, contents, seqs};
pub use data_folder::DataFolder;
pub use dba::Dba;
pub use document::Document;
pub use issuer::OutsideIssuer;
pub use parlance_foundation::testing::{Proxy, READER_ROLE, TestDatabase, defaults};
