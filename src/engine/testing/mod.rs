//! What tests stand on: a whole engine on a database of its own, clients that speak only the public protocol, and time
//! that moves by hand. Compiled for tests only.

mod api;
mod app;
mod changes;
mod client;
mod data_folder;
mod database;
mod dba;
mod defaults;
mod issuer;
pub mod process;
mod proxy;
mod template;

pub use api::Api;
pub use app::{PASSWORD, Person, TestApp};
pub use client::{WsClient, contents, seqs};
pub use data_folder::DataFolder;
pub use database::{READER_ROLE, TestDatabase};
pub use dba::Dba;
pub use defaults::defaults;
pub use issuer::OutsideIssuer;
pub use proxy::Proxy;
pub use template::migrations;
