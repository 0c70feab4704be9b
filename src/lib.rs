//! Parlance
pub mod auth;
pub mod chat;
pub mod clock;
pub mod config;
pub mod error;
pub mod ids;
pub mod persistence;
pub mod sessions;
pub mod storage;
pub mod telemetry;
