//! What people do with messages beside sending them.
//!
//! | folder | what |
//! |---|---|
//! | [`edits`] | changing and deleting what was said; earlier versions for moderators |
//!
//! A feature here says what it wants of a room as a [`parlance_core::rooms::RoomAction`], and writes its own tables as
//! effects of the event that comes of it. No folder names another.

pub mod edits;
