//! User stories: a whole engine, real sockets, and nothing but its public API.

mod chat;
mod crash;
mod process;
