//! All SQL of chat, by purpose.

mod cards;
mod create;
mod history;
mod load;
mod rooms;
mod spaces;

pub use cards::{cards, roster, unread};
pub use create::{NewRoom, create_room};
pub use history::{History, HistoryPage, events_after, message_is_in_room, messages};
pub use load::{change_of, load_room, sent_before};
pub use rooms::{channel_space, members, room_of, rooms_of, user_exists};
pub use spaces::{
    add_space_member, channels_of_space, create_space, describe_space, outsider, remove_space_member, space_members,
    space_of, space_role, spaces_of,
};
