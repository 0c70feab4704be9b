//! The laws, by what they are about. Each function returns what breaks its law, and nothing for a right history.

pub mod answers;
pub mod changes;
pub mod edits;
pub mod forms;
pub mod lists;
pub mod marks;
pub mod messages;
pub mod outsiders;
pub mod own_rooms;
pub mod readers;
pub mod refusals;
pub mod replay;
pub mod resumed;
pub mod surely;
