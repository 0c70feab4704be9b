//! Which session of a worker thread listens to which room or user, and how many there are.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use foldhash::fast::RandomState;

use super::super::config::SessionsConfig;
use super::super::link::Link;
use super::super::parcel::Parcel;
use super::Whose;
use crate::accounts::Admitted;
use crate::rooms::messages::Delivery;
use crate::rooms::wire::encode;
use crate::wire::Heartbeat;
use crate::wire::close::{self, CloseCode};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{RoomId, UserId};

type Links = HashMap<u64, Rc<Link>, RandomState>;

/// The sessions of one thread, by room and by user.
#[derive(Default)]
pub struct HubState {
    links: Links,
    rooms: HashMap<RoomId, Links, RandomState>,
    users: HashMap<UserId, Links, RandomState>,
    next_key: u64,
    /// Sockets, and requests that are about to become one.
    seats_taken: Rc<Cell<usize>>,
    /// The engine stops: whoever is here is told to go, and nobody else is let in.
    stopping: bool,
}

/// The state, shared by the sessions of one thread.
pub type LocalHub = Rc<RefCell<HubState>>;

impl HubState {
    pub fn next_key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    pub fn connect(&mut self, link: &Rc<Link>) {
        self.links.insert(link.key, Rc::clone(link));
        if self.stopping {
            link.close(close::RESTARTING);
        }
    }

    /// Whether no socket is left, nor a request that is about to become one.
    pub fn is_empty(&self) -> bool {
        self.seats_taken.get() == 0
    }

    /// Closes every socket with 4001, and each that still comes.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.close_all(close::RESTARTING);
    }

    /// From here on, what concerns the user reaches this socket.
    pub fn greet(&mut self, link: &Rc<Link>, user: UserId) {
        link.user.set(Some(user));
        self.users.entry(user).or_default().insert(link.key, Rc::clone(link));
    }

    /// From here on, the room's events reach this socket's outbox, which must follow the room as well.
    pub fn listen(&mut self, link: &Rc<Link>, room: RoomId) {
        self.rooms.entry(room).or_default().insert(link.key, Rc::clone(link));
    }

    pub fn unlisten(&mut self, key: u64, room: RoomId) {
        if let Some(links) = self.rooms.get_mut(&room) {
            links.remove(&key);
            if links.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// The socket is gone.
    pub fn disconnect(&mut self, link: &Rc<Link>) {
        self.links.remove(&link.key);
        let rooms: Vec<RoomId> = link.with(|outbox| outbox.rooms().collect());
        for room in rooms {
            self.unlisten(link.key, room);
        }
        if let Some(user) = link.user.get()
            && let Some(links) = self.users.get_mut(&user)
        {
            links.remove(&link.key);
            if links.is_empty() {
                self.users.remove(&user);
            }
        }
    }

    pub fn deliver(&mut self, delivery: &Delivery) {
        let room = delivery.room_id;
        if let Some(links) = self.rooms.get(&room) {
            let parcels = Parcel::pack(delivery.first_seq, &delivery.frames);
            for link in links.values() {
                link.with(|outbox| match parcels.as_slice() {
                    [] => outbox.announce(room, delivery.last_seq()),
                    parcels => parcels.iter().for_each(|parcel| outbox.offer(room, parcel)),
                });
            }
        }
        let next = delivery.first_seq + i64::try_from(delivery.frames.len()).unwrap_or(0);
        for (user, frame) in &delivery.joined {
            self.join(*user, room, next, frame);
        }
        for user in &delivery.left {
            let Some(links) = self.users.get(user) else { continue };
            for link in links.values().cloned().collect::<Vec<_>>() {
                link.with(|outbox| outbox.unfollow(room));
                self.unlisten(link.key, room);
            }
        }
    }

    /// The user is in the room now: all of their sockets here hear so, and follow it from `next`.
    pub fn join(&mut self, user: UserId, room: RoomId, next: i64, frame: &ByteString) {
        let Some(links) = self.users.get(&user) else { return };
        for link in links.values().cloned().collect::<Vec<_>>() {
            link.with(|outbox| outbox.join(room, next, frame.clone()));
            self.listen(&link, room);
        }
    }

    /// All sockets of the user here hear this.
    pub fn tell(&self, user: UserId, frame: &ByteString) {
        for link in self.users.get(&user).into_iter().flat_map(Links::values) {
            link.with(|outbox| outbox.push(frame.clone(), false));
        }
    }

    pub fn whisper(&self, room: RoomId, frames: &[ByteString]) {
        let Some(links) = self.rooms.get(&room) else { return };
        for link in links.values() {
            link.with(|outbox| {
                for frame in frames {
                    outbox.push(frame.clone(), true);
                }
            });
        }
    }

    pub fn close_all(&self, code: CloseCode) {
        self.close(Whose::Everyone, code);
    }

    /// Closes the sockets that are meant.
    pub fn close(&self, whose: Whose, code: CloseCode) {
        for link in self.links.values() {
            let meant = match whose {
                Whose::Everyone => true,
                Whose::Family(family) => link.family() == Some(family),
                Whose::User(user) => link.user.get() == Some(user),
                Whose::Outside(user) => link.user.get() == Some(user) && link.family().is_none(),
            };
            if meant {
                link.close(code);
            }
        }
    }

    pub fn answer(&self, session: u64, frame: ByteString) {
        if let Some(link) = self.links.get(&session) {
            link.answer(frame);
        }
    }

    /// Whoever was greeted here, and the sign-ins that sessions live by.
    pub fn admitted(&self) -> Admitted {
        let greeted = || self.links.values().filter_map(|link| Some((link.user.get()?, link.family())));
        Admitted {
            users: greeted().map(|(user, _)| user).collect(),
            families: greeted().filter_map(|(_, family)| family).collect(),
            outside: greeted().filter(|(_, family)| family.is_none()).map(|(user, _)| user).collect(),
        }
    }

    /// What an operator sees of this thread.
    pub fn report(&self) -> serde_json::Value {
        let queued_bytes: usize = self.links.values().map(|link| link.with_quietly(|outbox| outbox.bytes())).sum();
        serde_json::json!({
            "sockets": self.links.len(),
            "users": self.users.len(),
            "rooms": self.rooms.len(),
            "queued_bytes": queued_bytes,
        })
    }

    /// Heartbeats to those who heard nothing, and an end to those who say nothing, whose token ran out, or who do not go.
    pub fn sweep(&self, config: &SessionsConfig, clock: &Clock) {
        let now = Instant::now();
        let heartbeat = Duration::from_millis(config.heartbeat_ms);
        let monotonic = clock.monotonic();
        let frame = encode(&Heartbeat { at: clock.now() });
        for link in self.links.values() {
            if link.is_overdue(now) {
                link.end();
            } else if !link.ready.get() {
                if !link.heard_hello.get()
                    && now.duration_since(link.since) > Duration::from_millis(config.hello_timeout_ms)
                {
                    link.close(close::HELLO_MISSING);
                }
            } else if link.has_outlived_its_token(monotonic) {
                link.close(close::BAD_TOKEN);
            } else if now.duration_since(link.heard_at.get()) > heartbeat * 2 {
                link.close(close::HEARTBEAT_MISSED);
            } else if now.duration_since(link.spoke_at.get()) >= heartbeat {
                link.spoke_at.set(now);
                link.with(|outbox| outbox.push(frame.clone(), true));
            }
        }
    }
}

/// The right of one socket to be here. Given back when dropped.
pub struct Seat(Rc<Cell<usize>>);

impl Seat {
    /// None when `seats_max` are taken, or when the engine stops.
    pub fn take(hub: &LocalHub, seats_max: usize) -> Option<Self> {
        let hub = hub.borrow();
        let taken = hub.seats_taken.get();
        if hub.stopping || taken >= seats_max {
            return None;
        }
        hub.seats_taken.set(taken + 1);
        Some(Self(Rc::clone(&hub.seats_taken)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
