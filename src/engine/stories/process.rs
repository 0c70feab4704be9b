//! The binary as an operator meets it: its commands, what it refuses and how it says so, and how it starts and stops.

mod accounts;
mod commands;
mod configuration;
mod escalation;
mod jobs;
mod limits;
mod log;
mod metrics;
mod refusals;
mod starting;
mod stopping;
mod vault;
