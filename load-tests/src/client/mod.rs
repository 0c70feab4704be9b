//! The lean client: one task a connection at most, no JSON tree where a scan will do.
//!
//! It has to cost well under half of what the server costs, since both share a machine: frames are read into one buffer
//! a thread, recognised by their first bytes, and never copied unless a connection delivers half a frame.

mod accounts;
mod crowd;
mod device;
mod frame;
#[cfg(test)]
mod handshake;
mod installation;
mod keep_alive;
mod reading;
mod session;
mod socket;
mod town;
mod visitors;

pub use accounts::{Accounts, Person, Reached};
pub use crowd::{Crowd, connect_all};
pub use device::{Answer, Device, Watcher};
pub use frame::{Heard, RoomKey, hear, text_field};
pub use installation::{Installation, InstalledRoom};
pub use reading::{ANSWER_PATIENCE, CaughtUp, History, Listener, Page, Placed, fetch_page};
pub use session::{Kept, Ready, Session, post_frame, run_name};
pub use socket::{Message, Socket};
pub use town::{Town, made_by_one_in_town, needs_of_town};
pub use visitors::{Visitors, take_leave};
