//! All SQL of chat, by purpose.

mod cards;
mod create;
mod history;
mod load;
mod room_pages;
mod rooms;
mod spaces;

pub use cards::{cards, last_seqs, roster, unread};
pub use create::{NewRoom, create_room, direct_room_exists};
pub use history::{History, HistoryPage, events_after, message_is_in_room, messages};
pub use load::{change_of, load_room, sent_before};
pub use room_pages::{RoomsCursor, rooms_page};
pub use rooms::{channel_space, crowded, members, room_of, user_exists};
pub use spaces::{
    add_space_member, channels_of_space, create_space, describe_space, outsider, remove_space_member, space_members,
    space_of, space_role, spaces_of,
};
