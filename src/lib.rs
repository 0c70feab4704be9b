//! Parlance
pub mod app;
pub mod auth;
pub mod chat;
pub mod clock;
pub mod config;
pub mod docs;
pub mod edge;
pub mod error;
pub mod ids;
pub mod persistence;
pub mod sessions;
pub mod storage;
pub mod supervision;
pub mod telemetry;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod web;
pub mod wire;
