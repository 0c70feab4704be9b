//! All SQL of chat, by purpose.

mod cards;
mod create;
mod effects;
mod forms;
mod heir;
mod history;
mod invitations;
mod load;
mod remove;
mod room_pages;
mod rooms;
mod space_members;
mod spaces;
mod teams;

pub use cards::{cards, last_seqs, roster, unread};
pub use create::{Made, NewRoom, create_room, was_made};
pub use effects::WriteChange;
pub use forms::WriteForm;
pub use heir::heir;
pub use history::{History, HistoryPage, events_after, message_is_in_room, messages, target};
pub use invitations::{
    Bounds, Place, decline, delete_forgotten, in_direct_room, invitation_of, invitations_of, invite_again, invite_to,
    invited_to, revoke, strangers,
};
pub use load::{load_room, sent_before};
pub use remove::{delete_rooms, delete_spaces, others_in};
pub use room_pages::{RoomsCursor, rooms_page};
pub use rooms::{channel_space, crowded, is_member, members, room_of, user_exists};
pub use space_members::{
    add_space_member, leave_space, outsider, role_in_space_of, set_space_role, space_role, untold_departures,
};
pub use spaces::{
    NewSpace, channels_of_space, create_space, describe_space, members_space, space_members, space_of, space_was_made,
    spaces_of,
};
pub use teams::{TeamsHere, absent, came_with, teams_here};
