//! User stories: a whole engine, real sockets, and nothing but its public API.

mod catching_up;
mod chat;
mod crash;
mod floods;
mod hostile;
mod members;
mod once;
mod process;
mod receipts;
mod rooms;
mod slow_readers;
mod sockets;
