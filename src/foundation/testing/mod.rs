//! What the tests of all crates stand on: real databases, and links that can be cut. Compiled for tests only.

mod database;
mod defaults;
mod folder;
mod proxy;
mod template;
mod waiting;

pub use database::{READER_ROLE, TestDatabase, execute, postgres_program, succeed, test_server};
pub use defaults::defaults;
pub use folder::open_folder;
pub use proxy::Proxy;
pub use template::migrations;
pub use waiting::{PATIENCE, POLL, until};
