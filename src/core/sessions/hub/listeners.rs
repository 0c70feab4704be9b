//! The sessions of a worker thread: which of them listens to what, and how many there are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::super::config::SessionsConfig;
use super::super::link::Link;
use super::super::parcel::Parcel;
use super::topics::{Listener, Listeners, TooManyTopics, Topics};
use super::{ConnectedDevice, Whose};
use crate::accounts::Admitted;
use crate::order::OrderId;
use crate::publish::{Delivery, Frame, Publication, Topic};
use crate::rooms::wire::encode;
use crate::wire::Heartbeat;
use crate::wire::close::{self, CloseCode};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{SessionId, UserId};

/// The sessions of one thread, by room, by user, and by what else they asked to be told of.
#[derive(Default)]
pub struct HubState {
    links: Listeners<Link>,
    topics: Topics<Link>,
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
        self.topics.listen(link, Topic::User(user));
    }

    /// From here on, the events of an order reach this socket's outbox, which must follow the order as well.
    pub fn listen(&mut self, link: &Rc<Link>, order: OrderId) {
        self.topics.listen(link, topic_of(order));
    }

    pub fn unlisten(&mut self, key: u64, order: OrderId) {
        self.topics.unlisten(key, topic_of(order));
    }

    /// From here on, what is said to those who watch somebody, or look at a list, reaches this socket. The door for commands
    /// that ask for it; rooms and one's own user need none.
    pub fn subscribe(&mut self, link: &Rc<Link>, topic: Topic) -> Result<(), TooManyTopics> {
        self.topics.subscribe(link, topic, link.parts.config.subscriptions_max)
    }

    pub fn unsubscribe(&mut self, link: &Rc<Link>, topic: Topic) {
        self.topics.unsubscribe(link, topic);
    }

    /// The socket is gone.
    pub fn disconnect(&mut self, link: &Rc<Link>) {
        self.links.remove(&link.key);
        let orders: Vec<OrderId> = link.with(|outbox| outbox.orders().collect());
        for order in orders {
            self.unlisten(link.key, order);
        }
        if let Some(user) = link.user.get() {
            self.topics.unlisten(link.key, Topic::User(user));
        }
        self.topics.unsubscribe_all(link);
    }

    pub fn deliver(&mut self, delivery: &Delivery) {
        let order = delivery.order;
        if let Some(listeners) = self.topics.listeners(topic_of(order)) {
            let parcels = Parcel::pack(delivery.first_seq, &delivery.frames);
            for link in listeners.values() {
                link.with(|outbox| match parcels.as_slice() {
                    [] => outbox.announce(order, delivery.last_seq()),
                    parcels => parcels.iter().for_each(|parcel| outbox.offer(order, parcel)),
                });
            }
        }
        for (user, frame) in &delivery.joined {
            self.join(*user, order, delivery.last_seq() + 1, frame);
        }
        for user in &delivery.left {
            for link in self.links_of(*user) {
                link.with(|outbox| outbox.unfollow(order));
                self.unlisten(link.key, order);
            }
        }
    }

    /// The user is in the order now: all of their sockets here hear so, and follow it from `next`.
    pub fn join(&mut self, user: UserId, order: OrderId, next: i64, frame: &ByteString) {
        for link in self.links_of(user) {
            link.with(|outbox| outbox.join(order, next, frame.clone()));
            self.listen(&link, order);
        }
    }

    fn links_of(&self, user: UserId) -> Vec<Rc<Link>> {
        self.topics.of(Topic::User(user)).cloned().collect()
    }

    /// Whoever listens to its topic hears it.
    pub fn publish(&self, publication: &Publication) {
        self.topics.publish(publication);
    }

    /// What the user is connected with here.
    pub fn devices_of(&self, user: UserId) -> Vec<ConnectedDevice> {
        let device = |link: &Rc<Link>| ConnectedDevice {
            session: link.session,
            family: link.family(),
            id: link.device().and_then(|device| device.id.clone()),
            name: link.device().and_then(|device| device.name.clone()),
        };
        self.topics.of(Topic::User(user)).map(device).collect()
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
            "users": self.topics.count(|topic| matches!(topic, Topic::User(_))),
            "rooms": self.topics.count(|topic| matches!(topic, Topic::Room(_))),
            "subscriptions": self.links.values().map(|link| link.subscriptions.borrow().len()).sum::<usize>(),
            "named_devices": self.links.values().filter(|link| link.device().is_some()).count(),
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
                // Whatever waits says as much.
                if link.with_quietly(|outbox| outbox.is_empty()) {
                    link.with(|outbox| outbox.push(frame.clone()));
                }
            }
        }
    }
}

impl Listener for Link {
    fn key(&self) -> u64 {
        self.key
    }

    fn session(&self) -> SessionId {
        self.session
    }

    fn subscriptions(&self) -> &RefCell<Vec<Topic>> {
        &self.subscriptions
    }

    fn hear(self: &Rc<Self>, frame: &Rc<Frame>) {
        self.with(|outbox| outbox.publish(frame));
    }
}

/// Where the events of an order are told.
fn topic_of(order: OrderId) -> Topic {
    match order {
        OrderId::Room(room) => Topic::Room(room),
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
