//! The proof: every law on the history of every room. Pure.

use std::fmt;

use serde::Serialize;

use super::history::{Cast, Entry, History, NOWHERE, RoomNo};
use super::laws::{
    answers, changes, edits, forms, lists, marks, messages, outsiders, own_rooms, readers, refusals, resumed,
};
use super::tale::Tale;

/// What an engine promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// What was acknowledged is there.
    AcknowledgedIsKept,
    /// An acknowledgement names the place and id that the message has.
    AcknowledgementIsTrue,
    /// However often it was sent, and on however many connections, it is one message.
    ExactlyOnce,
    /// Nothing is there that nobody sent or asked for.
    NothingFromNowhere,
    /// What was only ever answered with "nothing was done" is not there.
    RefusedIsAbsent,
    /// Whoever is a member is not refused for good, and others only as such.
    MembersMayWrite,
    /// A room's seq goes 1, 2, 3, … to its `last_seq`.
    WithoutHoles,
    /// What was sent after something else was acknowledged stands behind it.
    RealTimeOrder,
    /// The list of messages and the room's order are the same.
    ListIsTheOrder,
    /// A reader is shown 1, 2, 3, …: no gap, nothing twice, nothing out of order.
    SeenInOrder,
    /// Whoever comes back goes on from where they were in each room, or hears a true reason why not.
    ResumedOrNamed,
    /// Nobody saw what is not there, or is there differently.
    SeenIsKept,
    /// What a place says, wherever and whenever it is read, is what the order and the changes until then make of it.
    PresentForm,
    /// Whatever two readers were shown at one place is the same.
    ReadersAgree,
    /// Whoever is a member in the end was shown everything.
    SeenToTheEnd,
    /// A room shows nothing to those who are not in it.
    MembersOnly,
    /// A change that was granted is in the order, as often as it was granted.
    GrantedIsKept,
    /// The order, replayed from the beginning, gives the members, roles, name and topic that the engine shows.
    ReplayIsState,
    /// Everybody's own list has the rooms that they are in, and shows of each what the order gives.
    OwnRoomsAreTheOrder,
    /// Marks never go back, and are told and end as they were set.
    MarksOnlyGrow,
    /// Every command is answered once.
    AnsweredOnce,
    /// An engine that starts again has what it had before.
    RestartKeepsAll,
}

/// A law that a history breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub invariant: Invariant,
    pub room: RoomNo,
    /// What breaks it, in figures that stay the same when unrelated records are left out.
    pub what: String,
}

type Law = fn(&Tale<'_>) -> Vec<String>;

/// Each invariant and the function that finds what breaks it.
pub const LAWS: &[(Invariant, Law)] = &[
    (Invariant::AcknowledgedIsKept, messages::lost),
    (Invariant::AcknowledgedIsKept, edits::lost),
    (Invariant::AcknowledgementIsTrue, messages::untrue),
    (Invariant::ExactlyOnce, messages::doubled),
    (Invariant::ExactlyOnce, edits::doubled),
    (Invariant::NothingFromNowhere, messages::phantoms),
    (Invariant::NothingFromNowhere, changes::phantoms),
    (Invariant::NothingFromNowhere, edits::phantoms),
    (Invariant::RefusedIsAbsent, messages::refused_and_kept),
    (Invariant::RefusedIsAbsent, edits::refused_and_kept),
    (Invariant::MembersMayWrite, refusals::of_members),
    (Invariant::MembersMayWrite, edits::wrongly_refused),
    (Invariant::WithoutHoles, messages::holes),
    (Invariant::RealTimeOrder, messages::overtaken),
    (Invariant::ListIsTheOrder, lists::listed_differently),
    (Invariant::MembersOnly, readers::strangers),
    (Invariant::MembersOnly, marks::told_outside),
    (Invariant::MembersOnly, outsiders::leaks),
    (Invariant::MembersOnly, outsiders::open_doors),
    (Invariant::SeenInOrder, readers::out_of_order),
    (Invariant::ResumedOrNamed, resumed::wrongly),
    (Invariant::SeenIsKept, readers::unkept),
    (Invariant::PresentForm, forms::unmade),
    (Invariant::PresentForm, forms::folded_differently),
    (Invariant::PresentForm, forms::kept_differently),
    (Invariant::ReadersAgree, readers::disagreeing),
    (Invariant::SeenToTheEnd, readers::behind),
    (Invariant::GrantedIsKept, changes::forgotten),
    (Invariant::ReplayIsState, changes::replayed_differently),
    (Invariant::ReplayIsState, lists::members_twice),
    (Invariant::OwnRoomsAreTheOrder, own_rooms::shown_differently),
    (Invariant::MarksOnlyGrow, marks::shrinking),
    (Invariant::MarksOnlyGrow, marks::invented),
    (Invariant::AnsweredOnce, answers::not_once),
    (Invariant::RestartKeepsAll, lists::restarted_differently),
];

/// Everything that breaks a law, in the order of [`LAWS`].
pub fn check(history: &History) -> Vec<Violation> {
    let rooms = 0..RoomNo::try_from(history.cast.rooms.len()).unwrap_or(RoomNo::MAX);
    rooms.chain([NOWHERE]).flat_map(|room| check_room(&history.cast, room, &history.entries, None)).collect()
}

/// What breaks laws in one room; `only` this one, if it is given.
pub fn check_room(cast: &Cast, room: RoomNo, entries: &[Entry], only: Option<Invariant>) -> Vec<Violation> {
    let Some(tale) = Tale::of(cast, room, entries.iter()) else { return Vec::new() };
    let wanted = LAWS.iter().filter(|(invariant, _)| only.is_none_or(|only| only == *invariant));
    let broken = |(invariant, law): &(Invariant, Law)| {
        let invariant = *invariant;
        law(&tale).into_iter().map(move |what| Violation { invariant, room, what })
    };
    wanted.flat_map(broken).collect()
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcknowledgedIsKept => "what is acknowledged is kept",
            Self::AcknowledgementIsTrue => "an acknowledgement is true",
            Self::ExactlyOnce => "one send is one message",
            Self::NothingFromNowhere => "nothing comes from nowhere",
            Self::RefusedIsAbsent => "what is refused is absent",
            Self::MembersMayWrite => "a member may write",
            Self::WithoutHoles => "the order has no holes",
            Self::RealTimeOrder => "later sends stand later",
            Self::ListIsTheOrder => "the list of messages is the order",
            Self::SeenInOrder => "readers see the order without gap or repetition",
            Self::ResumedOrNamed => "a room is resumed, or named with a true reason",
            Self::SeenIsKept => "what is seen is kept",
            Self::PresentForm => "a place tells its present form",
            Self::ReadersAgree => "readers agree",
            Self::SeenToTheEnd => "members see everything",
            Self::MembersOnly => "strangers see nothing",
            Self::GrantedIsKept => "what is granted is kept",
            Self::ReplayIsState => "the replayed order is the state",
            Self::OwnRoomsAreTheOrder => "a list of rooms is what the order gives",
            Self::MarksOnlyGrow => "marks only grow",
            Self::AnsweredOnce => "every command is answered once",
            Self::RestartKeepsAll => "a restart changes nothing",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.room {
            NOWHERE => write!(f, "\"{}\" is broken outside the rooms of this run: {}", self.invariant, self.what),
            room => write!(f, "\"{}\" is broken in room {room}: {}", self.invariant, self.what),
        }
    }
}
