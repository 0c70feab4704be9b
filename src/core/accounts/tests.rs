//! Accounts on a real Postgres: the tables' own rules, the flows, and the HTTP API.

pub(super) mod bench;
mod demo;
mod families;
mod http;
mod limits;
mod new_passwords;
mod outside;
mod public_keys;
mod recent;
mod rights;
mod rotation;
