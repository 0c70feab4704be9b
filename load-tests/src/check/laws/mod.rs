//! The laws, by what they are about. Each function returns what breaks its law, and nothing for a right history.

pub mod changes;
pub mod marks;
pub mod messages;
pub mod readers;
