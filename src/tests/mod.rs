//! User stories: a whole engine, real sockets, and nothing but its public API.

mod actor_crashes;
mod catching_up;
mod chat;
mod coming_back;
mod crash;
mod floods;
mod handshakes;
mod hostile;
mod hostile_http;
mod invitations;
mod limits;
mod many_rooms;
mod members;
mod once;
mod other_hands;
mod outages;
mod probes;
mod process;
mod receipts;
mod resuming;
mod rooms;
mod slow_readers;
mod sockets;
mod spaces;
mod token_life;
