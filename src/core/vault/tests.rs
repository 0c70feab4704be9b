//! The vault on a real Postgres. What is pure is tested beside its code.

mod bench;
mod envelope;
mod locked;
mod rotation;
mod secrets;
