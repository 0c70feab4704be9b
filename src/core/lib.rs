//! The engine's core: everything that a conversation needs, whichever product it belongs to.
//!
//! | where | what |
//! |---|---|
//! | [`rooms`] | one order, members, permissions; spaces; history |
//! | [`order`] | what stands in a room's order, and what the core reads of it |
//! | [`publish`] | saying something to a topic: a room's listeners, a user's devices, who watches, a list |
//! | [`persistence`] | group commit, and the fence that makes a second owner harmless |
//! | [`sessions`] | sockets, [`sessions::Hub`], what waits for a slow reader, reading what was missed |
//! | [`commands`] | what clients ask for: lists that features export, and what a command sees of its session |
//! | [`wire`] | the client protocol: envelope, codec, close codes |
//! | [`accounts`] | accounts, tokens, limits of addresses |
//! | [`parties`] | teams and their people; who anybody is |
//! | [`jobs`] | what follows a commit, and what is due at a time |
//! | [`administration`] | what administrators ask for that no feature above has a door for |
//! | [`limits`] | what one account may do: messages, rooms made, people added, sockets |
//! | [`changes`] | hearing what changes in Postgres |
//! | [`vault`] | secrets of others, under master keys outside the database |
//! | [`tree`] | how each actor is kept |

pub mod accounts;
pub mod administration;
pub mod changes;
pub mod commands;
pub mod jobs;
pub mod limits;
pub mod order;
pub mod parties;
pub mod persistence;
pub mod publish;
pub mod rooms;
pub mod sessions;
mod text_enum;
pub mod tree;
pub mod vault;
pub mod wire;
