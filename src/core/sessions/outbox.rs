//! What waits for one socket, and which rooms it follows from where. Pure.
//!
//! Invariants
//! - Per room, frames leave in order of `seq`, each exactly once: every one is `next`, or it waits for a catch-up.
//! - At most `bytes_max` of room events wait; past that, each room's are replaced by one `room.lagged`, and later events
//!   of that room are absorbed until it has left. Past `bytes_limit` the socket is to be closed.
//! - Shedding never touches answers to commands.
//! - Whoever leaves a room hears so: by its last event, or by a `room.lagged` upon which they ask and are told.
//! - Whoever has left a room hears nothing of it any more, also when they leave between the moment at which their greeting
//!   reads which rooms they are in and the one at which it follows them.

mod shed;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytestring::ByteString;
use foldhash::fast::RandomState;

use super::parcel::Parcel;
use crate::rooms::Page;
use crate::rooms::wire::{RoomLagged, encode};
use crate::wire::close::{self, CloseCode};
use parlance_foundation::ids::RoomId;

/// How one room is followed.
#[derive(Debug)]
struct Follow {
    /// The seq that this socket gets next.
    next: i64,
    mode: Mode,
}

#[derive(Debug, PartialEq, Eq)]
enum Mode {
    Live,
    /// Pages are being read; live events are only noted by their newest seq.
    CatchingUp {
        seen: i64,
    },
    /// A `room.lagged` waits in the queue; live events advance `next` without being queued.
    Lagged,
}

impl Follow {
    /// The newest seq that is known of the room.
    fn heard(&self) -> i64 {
        match self.mode {
            Mode::CatchingUp { seen } => seen.max(self.next - 1),
            Mode::Live | Mode::Lagged => self.next - 1,
        }
    }
}

#[derive(Debug)]
enum Item {
    /// An answer, or something short-lived.
    Frame(ByteString),
    /// What the greeting came to; not counted.
    Ready(ByteString),
    /// An event out of a page.
    Event(RoomId, ByteString),
    /// Live events, without the first so many of the parcel.
    Parcel(RoomId, Rc<Parcel>, usize),
    /// A `room.lagged` up to wherever the room is when it leaves.
    Lagged(RoomId),
    /// A `room.lagged` up to there, for whoever has left the room or come back to it.
    LaggedTo(RoomId, i64),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) | Self::Event(_, frame) => frame.len(),
            Self::Parcel(_, parcel, skip) => parcel.bytes_after(*skip).len(),
            Self::Ready(_) | Self::Lagged(_) => 0,
            Self::LaggedTo(..) => LAGGED_BYTES,
        }
    }
}

/// About what one `room.lagged` takes. Those of [`Item::Lagged`] are few: one a room.
const LAGGED_BYTES: usize = 96;

/// What leaves.
#[derive(Clone, Debug)]
pub enum Outgoing {
    Frame(ByteString),
    /// Without the first so many of its frames.
    Parcel(Rc<Parcel>, usize),
}

/// A queue that grew beyond this is given back once it is empty: most sockets are idle most of the time.
const ITEMS_KEPT: usize = 16;

/// What this socket will be sent.
#[derive(Debug)]
pub struct Outbox {
    queue: VecDeque<Item>,
    bytes: usize,
    rooms: HashMap<RoomId, Follow, RandomState>,
    /// Rooms in [`Mode::CatchingUp`] for which nobody reads pages yet.
    behind: VecDeque<RoomId>,
    bytes_max: usize,
    bytes_limit: usize,
    closing: Option<CloseCode>,
    lagged: u64,
    /// Until the greeting is done: the rooms that its user was heard to leave, which it may have read of before.
    left: Option<Vec<RoomId>>,
}

impl Outbox {
    pub fn new(bytes_max: usize, bytes_limit: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            rooms: HashMap::default(),
            behind: VecDeque::new(),
            bytes_max,
            bytes_limit,
            closing: None,
            lagged: 0,
            left: Some(Vec::new()),
        }
    }

    /// Follows a room that the greeting has read of, live from `next` on, unless its user was heard to leave it since.
    /// Whether it is followed.
    pub fn follow(&mut self, room: RoomId, next: i64) -> bool {
        if self.left.as_ref().is_some_and(|left| left.contains(&room)) {
            return false;
        }
        self.rooms.entry(room).or_insert(Follow { next, mode: Mode::Live });
        true
    }

    /// All rooms of the greeting are followed.
    pub fn greeted(&mut self) {
        self.left = None;
    }

    /// Follows a room from `next` on, of which some is past already: pages come first. What waits of it already, heard
    /// from a coming while its session greeted, or shed since, comes with them: else it would come twice, or its
    /// `room.lagged` would end the catch-up.
    pub fn follow_behind(&mut self, room: RoomId, next: i64) {
        let heard = self.rooms.get(&room).map_or(next, Follow::heard);
        let bytes = &mut self.bytes;
        self.queue.retain(|item| {
            let comes_again = match item {
                Item::Event(of, _) | Item::Parcel(of, ..) | Item::Lagged(of) => *of == room,
                Item::Frame(_) | Item::Ready(_) | Item::LaggedTo(..) => false,
            };
            if comes_again {
                *bytes -= item.bytes();
            }
            !comes_again
        });
        self.rooms.insert(room, Follow { next, mode: Mode::CatchingUp { seen: heard.max(next) } });
        self.behind.push_back(room);
    }

    /// `frame` tells that the user is in a room now, and its events follow from `next` on. It is followed first: what this
    /// frame sheds of an earlier stay is then replaced by a `room.lagged` that reaches up to `next`.
    ///
    /// A greeting may have told of the room before: of this stay, when the frame comes late, or of an earlier one, whose
    /// pages may yet be denied. Either way, a `room.lagged` says from where on events follow.
    pub fn join(&mut self, room: RoomId, next: i64, frame: ByteString) {
        if let Some(left) = &mut self.left {
            left.retain(|of| *of != room);
        }
        let follow = self.rooms.entry(room).or_insert(Follow { next, mode: Mode::Live });
        let is_elsewhere = follow.next > next || matches!(follow.mode, Mode::CatchingUp { .. });
        if follow.mode != Mode::Live {
            follow.next = follow.next.max(next);
        }
        if let Mode::CatchingUp { seen } = follow.mode {
            if seen < follow.next {
                follow.mode = Mode::Live;
            } else {
                self.behind.push_back(room);
            }
        }
        self.push(frame, false);
        if let Some(Follow { next, mode: Mode::Live | Mode::CatchingUp { .. } }) = self.rooms.get(&room)
            && is_elsewhere
        {
            let last_seq = next - 1;
            self.enqueue(Item::LaggedTo(room, last_seq));
        }
    }

    /// Forgets a room whose last event was offered; what waits of it still leaves.
    pub fn unfollow(&mut self, room: RoomId) {
        if let Some(left) = &mut self.left {
            left.push(room);
        }
        let Some(follow) = self.rooms.remove(&room) else { return };
        if follow.mode == Mode::Live {
            return;
        }
        self.queue.retain(|item| !matches!(item, Item::Lagged(of) if *of == room));
        self.enqueue(Item::LaggedTo(room, follow.heard()));
    }

    pub fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().copied()
    }

    /// Notes that a room's newest committed seq is `last_seq`: if that is more than this socket got, it catches up.
    pub fn announce(&mut self, room: RoomId, last_seq: i64) {
        let Some(follow) = self.rooms.get_mut(&room) else { return };
        match &mut follow.mode {
            Mode::Live if last_seq >= follow.next => {
                follow.mode = Mode::CatchingUp { seen: last_seq };
                self.behind.push_back(room);
            }
            Mode::Live => {}
            Mode::CatchingUp { seen } => *seen = last_seq.max(*seen),
            Mode::Lagged => follow.next = follow.next.max(last_seq + 1),
        }
    }

    /// Live events of a room.
    pub fn offer(&mut self, room: RoomId, parcel: &Rc<Parcel>) {
        if self.closing.is_some() {
            return;
        }
        let Some(follow) = self.rooms.get_mut(&room) else { return };
        if follow.mode != Mode::Live || parcel.first_seq > follow.next {
            return self.announce(room, parcel.last_seq());
        }
        let known = usize::try_from(follow.next - parcel.first_seq).unwrap_or(usize::MAX);
        if known >= parcel.len() {
            return;
        }
        follow.next = parcel.last_seq() + 1;
        self.enqueue(Item::Parcel(room, Rc::clone(parcel), known));
    }

    /// A page of what came after `after` in a room that catches up. Postgres may have more than the room has shown: that
    /// comes live. Else a `room.lagged` could name a seq that the room does not answer with yet, and never offers again.
    pub fn page(&mut self, room: RoomId, after: i64, page: &Page) {
        let Some(follow) = self.rooms.get_mut(&room) else { return };
        let (&Mode::CatchingUp { seen }, None) = (&follow.mode, self.closing) else { return };
        // A page asked for before the backlog was shed belongs to no place any more.
        if after + 1 != follow.next {
            return self.behind.push_front(room);
        }
        let shown = usize::try_from(seen - after).unwrap_or(0);
        for frame in page.frames.iter().take(shown) {
            self.bytes += frame.len();
            self.queue.push_back(Item::Event(room, frame.clone()));
        }
        follow.next = follow.next.max(page.next_after.min(seen) + 1);
        if follow.next > seen {
            follow.mode = Mode::Live;
        } else {
            // In front: one room's pages follow each other.
            self.behind.push_front(room);
        }
        // Pages are read only while there is room: they are not shed.
    }

    /// The page could not be read now: its room waits for another try.
    pub fn page_failed(&mut self, room: RoomId) {
        if self.rooms.contains_key(&room) {
            self.behind.push_back(room);
        }
    }

    /// The page after `after` is not for this socket's user: forgets the room, as `unfollow` does, unless it is followed
    /// from elsewhere by now, because they left and came back meanwhile. Whether it is forgotten.
    pub fn page_denied(&mut self, room: RoomId, after: i64) -> bool {
        let Some(follow) = self.rooms.get_mut(&room).filter(|follow| follow.next == after + 1) else { return false };
        let Mode::CatchingUp { seen } = &mut follow.mode else { return false };
        // How they left may be past all that was heard of, and the client has to ask to learn of it.
        *seen += 1;
        self.unfollow(room);
        true
    }

    /// The next room to read a page of, and after which seq; `None` while there is no room for more, or no need.
    pub fn next_behind(&mut self) -> Option<(RoomId, i64)> {
        if self.bytes > self.bytes_max / 2 || self.closing.is_some() {
            return None;
        }
        while let Some(room) = self.behind.pop_front() {
            if let Some(Follow { next, mode: Mode::CatchingUp { .. } }) = self.rooms.get(&room) {
                return Some((room, next - 1));
            }
        }
        None
    }

    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// An answer, or something short-lived when `may_drop`: that is not worth closing a socket for.
    pub fn push(&mut self, frame: ByteString, may_drop: bool) {
        if !may_drop || self.bytes <= self.bytes_max / 2 {
            self.enqueue(Item::Frame(frame));
        }
    }

    fn enqueue(&mut self, item: Item) {
        if self.closing.is_some() {
            return;
        }
        self.bytes += item.bytes();
        self.queue.push_back(item);
        if self.bytes > self.bytes_max {
            self.shed();
        }
    }

    /// `ready` goes before everything that waits. It has a bound of its own (`sessions.ready_bytes_max`) and may be longer
    /// than what makes a reader slow: whoever is in many rooms would else be closed for it, each time they come.
    pub fn push_ready(&mut self, frame: ByteString) {
        self.queue.push_front(Item::Ready(frame));
    }

    /// What was said before still leaves, then the close code, and nothing after it.
    pub fn close(&mut self, code: CloseCode) {
        if self.closing.is_none() {
            self.closing = Some(code);
        }
        if code == close::TOO_SLOW {
            self.clear();
        }
    }

    /// Drops everything that waits.
    pub fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.bytes = 0;
    }

    /// Hands up to about `bytes_max` bytes to `put`, in order.
    pub fn take(&mut self, bytes_max: usize, mut put: impl FnMut(Outgoing)) {
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(item) = self.queue.pop_front() else { break };
            let waited = item.bytes();
            let outgoing = match item {
                Item::Frame(frame) | Item::Ready(frame) | Item::Event(_, frame) => Outgoing::Frame(frame),
                Item::Parcel(_, parcel, skip) => Outgoing::Parcel(parcel, skip),
                Item::Lagged(room_id) => {
                    let Some(follow) = self.rooms.get_mut(&room_id) else { continue };
                    follow.mode = Mode::Live;
                    Outgoing::Frame(lagged(room_id, follow.next - 1))
                }
                Item::LaggedTo(room_id, last_seq) => Outgoing::Frame(lagged(room_id, last_seq)),
            };
            self.bytes -= waited;
            bytes += waited;
            put(outgoing);
        }
        if self.queue.is_empty() && self.queue.capacity() > ITEMS_KEPT {
            self.queue = VecDeque::new();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the socket is to be closed, perhaps after what still waits.
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// The code to close with, once everything before it has left.
    pub fn closing(&self) -> Option<CloseCode> {
        self.closing.filter(|_| self.queue.is_empty())
    }

    /// How often a backlog was replaced since this was last asked.
    pub fn take_lagged(&mut self) -> u64 {
        std::mem::take(&mut self.lagged)
    }
}

fn lagged(room_id: RoomId, last_seq: i64) -> ByteString {
    encode(&RoomLagged { room_id, last_seq })
}
