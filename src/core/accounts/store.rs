//! All SQL of accounts.
//!
//! Functions take a connection, so that the caller chooses under which rights they run: those that answer a
//! user run in [`Storage::read_as`](parlance_foundation::storage::Storage::read_as), the rest as the engine.

pub mod accounts;
pub mod devices;
pub mod families;
pub mod passwords;
pub mod users;
