//! What waits for one socket, and which orders it follows from where. Pure.
//!
//! The orders are rooms today; nothing here but the text of a `lagged` frame depends on that.
//!
//! Invariants
//! - Per order, frames leave in order of `seq`, each exactly once: every one is `next`, or it waits for a catch-up.
//! - At most `bytes_max` of events wait; past that, each order's are replaced by one `lagged`, and later events
//!   of that order are absorbed until it has left. Past `bytes_limit` the socket is to be closed.
//! - Before events, what is short-lived is shed: typing, then presence, then receipts. It takes no more than half of
//!   `bytes_max`, and of one key only the newest frame waits.
//! - Shedding never touches answers to commands, nor anything else that must arrive.
//! - Whoever leaves a room hears so: by its last event, or by a `room.lagged` upon which they ask and are told.
//! - Whoever has left a room hears nothing of it any more, also when they leave between the moment at which their greeting
//!   reads which rooms they are in and the one at which it follows them.

mod shed;
mod short;
#[cfg(test)]
mod short_tests;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytestring::ByteString;
use foldhash::fast::RandomState;

use self::short::Shorts;
use super::parcel::Parcel;
use crate::order::{OrderId, Page};
use crate::publish::{Frame, Grade};
use crate::rooms::wire::{RoomLagged, encode};
use crate::wire::close::{self, CloseCode};

/// How one order is followed.
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
    /// A `lagged` waits in the queue; live events advance `next` without being queued.
    Lagged,
}

impl Follow {
    /// The newest seq that is known of the order.
    fn heard(&self) -> i64 {
        match self.mode {
            Mode::CatchingUp { seen } => seen.max(self.next - 1),
            Mode::Live | Mode::Lagged => self.next - 1,
        }
    }
}

#[derive(Debug)]
enum Item {
    /// An answer, or something else that must arrive.
    Must(ByteString),
    /// What may be replaced or shed. Shared by all listeners of a thread.
    Short(Rc<Frame>),
    /// What the greeting came to; not counted.
    Ready(ByteString),
    /// An event out of a page.
    Event(OrderId, ByteString),
    /// Live events, without the first so many of the parcel.
    Parcel(OrderId, Rc<Parcel>, usize),
    /// A `lagged` up to wherever the order is when it leaves.
    Lagged(OrderId),
    /// A `lagged` up to there, for whoever has left the order or come back to it.
    LaggedTo(OrderId, i64),
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Must(frame) | Self::Event(_, frame) => frame.len(),
            Self::Short(frame) => frame.text.len(),
            Self::Parcel(_, parcel, skip) => parcel.bytes_after(*skip).len(),
            Self::Ready(_) | Self::Lagged(_) => 0,
            Self::LaggedTo(..) => LAGGED_BYTES,
        }
    }
}

/// About what one `lagged` takes. Those of [`Item::Lagged`] are few: one an order.
const LAGGED_BYTES: usize = 96;

/// How often something was shed since this was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shed {
    /// Backlogs of an order that were replaced by a `lagged`.
    pub lagged: u32,
    /// Short-lived frames, by [`Grade`].
    pub short: [u32; Grade::ALL.len()],
}

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
    /// Which of what waits is short-lived.
    shorts: Shorts,
    orders: HashMap<OrderId, Follow, RandomState>,
    /// Orders in [`Mode::CatchingUp`] for which nobody reads pages yet.
    behind: VecDeque<OrderId>,
    bytes_max: usize,
    bytes_limit: usize,
    closing: Option<CloseCode>,
    shed: Shed,
    /// Until the greeting is done: the orders that its user was heard to leave, which it may have read of before.
    left: Option<Vec<OrderId>>,
}

impl Outbox {
    pub fn new(bytes_max: usize, bytes_limit: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            shorts: Shorts::default(),
            orders: HashMap::default(),
            behind: VecDeque::new(),
            bytes_max,
            bytes_limit,
            closing: None,
            shed: Shed::default(),
            left: Some(Vec::new()),
        }
    }

    /// Follows an order that the greeting has read of, live from `next` on, unless its user was heard to leave it since.
    /// Whether it is followed.
    pub fn follow(&mut self, order: OrderId, next: i64) -> bool {
        if self.left.as_ref().is_some_and(|left| left.contains(&order)) {
            return false;
        }
        self.orders.entry(order).or_insert(Follow { next, mode: Mode::Live });
        true
    }

    /// All orders of the greeting are followed.
    pub fn greeted(&mut self) {
        self.left = None;
    }

    /// Follows an order from `next` on, of which some is past already: pages come first. What waits of it already, heard
    /// from a coming while its session greeted, or shed since, comes with them: else it would come twice, or its
    /// `lagged` would end the catch-up.
    pub fn follow_behind(&mut self, order: OrderId, next: i64) {
        let heard = self.orders.get(&order).map_or(next, Follow::heard);
        let bytes = &mut self.bytes;
        self.queue.retain(|item| {
            let comes_again = match item {
                Item::Event(of, _) | Item::Parcel(of, ..) | Item::Lagged(of) => *of == order,
                Item::Must(_) | Item::Short(_) | Item::Ready(_) | Item::LaggedTo(..) => false,
            };
            if comes_again {
                *bytes -= item.bytes();
            }
            !comes_again
        });
        self.shorts.moved();
        self.orders.insert(order, Follow { next, mode: Mode::CatchingUp { seen: heard.max(next) } });
        self.behind.push_back(order);
    }

    /// `frame` tells that the user is in an order now, and its events follow from `next` on. It is followed first: what this
    /// frame sheds of an earlier stay is then replaced by a `lagged` that reaches up to `next`.
    ///
    /// A greeting may have told of the order before: of this stay, when the frame comes late, or of an earlier one, whose
    /// pages may yet be denied. Either way, a `lagged` says from where on events follow.
    pub fn join(&mut self, order: OrderId, next: i64, frame: ByteString) {
        if let Some(left) = &mut self.left {
            left.retain(|of| *of != order);
        }
        let follow = self.orders.entry(order).or_insert(Follow { next, mode: Mode::Live });
        let is_elsewhere = follow.next > next || matches!(follow.mode, Mode::CatchingUp { .. });
        if follow.mode != Mode::Live {
            follow.next = follow.next.max(next);
        }
        if let Mode::CatchingUp { seen } = follow.mode {
            if seen < follow.next {
                follow.mode = Mode::Live;
            } else {
                self.behind.push_back(order);
            }
        }
        self.push(frame);
        if let Some(Follow { next, mode: Mode::Live | Mode::CatchingUp { .. } }) = self.orders.get(&order)
            && is_elsewhere
        {
            let last_seq = next - 1;
            self.enqueue(Item::LaggedTo(order, last_seq));
        }
    }

    /// Forgets an order whose last event was offered; what waits of it still leaves.
    pub fn unfollow(&mut self, order: OrderId) {
        if let Some(left) = &mut self.left {
            left.push(order);
        }
        let Some(follow) = self.orders.remove(&order) else { return };
        if follow.mode == Mode::Live {
            return;
        }
        self.queue.retain(|item| !matches!(item, Item::Lagged(of) if *of == order));
        self.shorts.moved();
        self.enqueue(Item::LaggedTo(order, follow.heard()));
    }

    /// What is followed.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.orders.keys().copied()
    }

    /// Notes that an order's newest committed seq is `last_seq`: if that is more than this socket got, it catches up.
    pub fn announce(&mut self, order: OrderId, last_seq: i64) {
        let Some(follow) = self.orders.get_mut(&order) else { return };
        match &mut follow.mode {
            Mode::Live if last_seq >= follow.next => {
                follow.mode = Mode::CatchingUp { seen: last_seq };
                self.behind.push_back(order);
            }
            Mode::Live => {}
            Mode::CatchingUp { seen } => *seen = last_seq.max(*seen),
            Mode::Lagged => follow.next = follow.next.max(last_seq + 1),
        }
    }

    /// Live events of an order.
    pub fn offer(&mut self, order: OrderId, parcel: &Rc<Parcel>) {
        if self.closing.is_some() {
            return;
        }
        let Some(follow) = self.orders.get_mut(&order) else { return };
        if follow.mode != Mode::Live || parcel.first_seq > follow.next {
            return self.announce(order, parcel.last_seq());
        }
        let known = usize::try_from(follow.next - parcel.first_seq).unwrap_or(usize::MAX);
        if known >= parcel.len() {
            return;
        }
        follow.next = parcel.last_seq() + 1;
        self.enqueue(Item::Parcel(order, Rc::clone(parcel), known));
    }

    /// A page of what came after `after` in an order that catches up. Postgres may have more than the order has shown: that
    /// comes live. Else a `lagged` could name a seq that the order does not answer with yet, and never offers again.
    pub fn page(&mut self, order: OrderId, after: i64, page: &Page) {
        let Some(follow) = self.orders.get_mut(&order) else { return };
        let (&Mode::CatchingUp { seen }, None) = (&follow.mode, self.closing) else { return };
        // A page asked for before the backlog was shed belongs to no place any more.
        if after + 1 != follow.next {
            return self.behind.push_front(order);
        }
        let shown = usize::try_from(seen - after).unwrap_or(0);
        for frame in page.frames.iter().take(shown) {
            self.bytes += frame.len();
            self.queue.push_back(Item::Event(order, frame.clone()));
        }
        follow.next = follow.next.max(page.next_after.min(seen) + 1);
        if follow.next > seen {
            follow.mode = Mode::Live;
        } else {
            // In front: one order's pages follow each other.
            self.behind.push_front(order);
        }
        // Pages are read only while there is room: they are not shed.
    }

    /// The page could not be read now: its order waits for another try.
    pub fn page_failed(&mut self, order: OrderId) {
        if self.orders.contains_key(&order) {
            self.behind.push_back(order);
        }
    }

    /// The page after `after` is not for this socket's user: forgets the order, as `unfollow` does, unless it is followed
    /// from elsewhere by now, because they left and came back meanwhile. Whether it is forgotten.
    pub fn page_denied(&mut self, order: OrderId, after: i64) -> bool {
        let Some(follow) = self.orders.get_mut(&order).filter(|follow| follow.next == after + 1) else { return false };
        let Mode::CatchingUp { seen } = &mut follow.mode else { return false };
        // How they left may be past all that was heard of, and the client has to ask to learn of it.
        *seen += 1;
        self.unfollow(order);
        true
    }

    /// The next order to read a page of, and after which seq; `None` while there is no room for more, or no need.
    pub fn next_behind(&mut self) -> Option<(OrderId, i64)> {
        if self.bytes > self.bytes_max / 2 || self.closing.is_some() {
            return None;
        }
        while let Some(order) = self.behind.pop_front() {
            if let Some(Follow { next, mode: Mode::CatchingUp { .. } }) = self.orders.get(&order) {
                return Some((order, next - 1));
            }
        }
        None
    }

    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// An answer, or something else that must arrive.
    pub fn push(&mut self, frame: ByteString) {
        self.enqueue(Item::Must(frame));
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
        self.shorts.moved();
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
        self.shorts = Shorts::default();
    }

    /// Hands up to about `bytes_max` bytes to `put`, in order.
    pub fn take(&mut self, bytes_max: usize, mut put: impl FnMut(Outgoing)) {
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(item) = self.queue.pop_front() else { break };
            self.shorts.popped(&item);
            let waited = item.bytes();
            let outgoing = match item {
                Item::Must(frame) | Item::Ready(frame) | Item::Event(_, frame) => Outgoing::Frame(frame),
                Item::Short(frame) => Outgoing::Frame(frame.text.clone()),
                Item::Parcel(_, parcel, skip) => Outgoing::Parcel(parcel, skip),
                Item::Lagged(order) => {
                    let Some(follow) = self.orders.get_mut(&order) else { continue };
                    follow.mode = Mode::Live;
                    Outgoing::Frame(lagged(order, follow.next - 1))
                }
                Item::LaggedTo(order, last_seq) => Outgoing::Frame(lagged(order, last_seq)),
            };
            self.bytes -= waited;
            bytes += waited;
            put(outgoing);
        }
        if self.queue.is_empty() && self.queue.capacity() > ITEMS_KEPT {
            self.queue = VecDeque::new();
            self.shorts.moved();
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

    /// What was shed since this was last asked.
    pub fn take_shed(&mut self) -> Shed {
        std::mem::take(&mut self.shed)
    }
}

/// The one place where kinds of orders differ.
fn lagged(order: OrderId, last_seq: i64) -> ByteString {
    match order {
        OrderId::Room(room_id) => encode(&RoomLagged { room_id, last_seq }),
    }
}
