//! Which local session listens to which room or user. One hub a worker thread.
//!
//! [`Hub`] is the actor that other threads send to; [`HubState`] is what it shares with the sessions of its thread.
//! A hub that panics loses the state: all of its sockets are closed with 4001 and come back.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message};
use bytestring::ByteString;
use serde_json::json;

use super::config::SessionsConfig;
use super::link::Link;
use crate::chat::messages::Delivery;
use crate::chat::wire::encode;
use crate::clock::Clock;
use crate::ids::{FamilyId, RoomId, UserId};
use crate::supervision::Supervised;
use crate::wire::Heartbeat;
use crate::wire::close::{self, CloseCode};

type Links = HashMap<u64, Rc<Link>>;

/// The sessions of one thread, by room and by user.
#[derive(Default)]
pub struct HubState {
    links: Links,
    rooms: HashMap<RoomId, Links>,
    users: HashMap<UserId, Links>,
    next_key: u64,
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

    fn deliver(&mut self, delivery: &Delivery) {
        let room = delivery.room_id;
        if let Some(links) = self.rooms.get(&room) {
            for link in links.values() {
                link.with(|outbox| outbox.offer(room, delivery.first_seq, &delivery.frames));
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
    fn join(&mut self, user: UserId, room: RoomId, next: i64, frame: &ByteString) {
        let Some(links) = self.users.get(&user) else { return };
        for link in links.values().cloned().collect::<Vec<_>>() {
            link.with(|outbox| {
                outbox.push(frame.clone(), false);
                outbox.follow(room, next);
            });
            self.listen(&link, room);
        }
    }

    fn whisper(&self, room: RoomId, frames: &[ByteString]) {
        let Some(links) = self.rooms.get(&room) else { return };
        for link in links.values() {
            link.with(|outbox| {
                for frame in frames {
                    outbox.push(frame.clone(), true);
                }
            });
        }
    }

    fn close_all(&self, code: CloseCode) {
        for link in self.links.values() {
            link.close(code);
        }
    }

    /// Heartbeats to those who heard nothing, and an end to those who say nothing.
    fn sweep(&self, config: &SessionsConfig, clock: &Clock) {
        let now = Instant::now();
        let heartbeat = Duration::from_millis(config.heartbeat_ms);
        let frame = encode(&Heartbeat { at: clock.now() });
        for link in self.links.values() {
            if !link.ready.get() {
                if !link.heard_hello.get()
                    && now.duration_since(link.since) > Duration::from_millis(config.hello_timeout_ms)
                {
                    link.close(close::HELLO_MISSING);
                }
            } else if now.duration_since(link.heard_at.get()) > heartbeat * 2 {
                link.close(close::HEARTBEAT_MISSED);
            } else if now.duration_since(link.spoke_at.get()) >= heartbeat {
                link.spoke_at.set(now);
                link.with(|outbox| outbox.push(frame.clone(), true));
            }
        }
    }
}

/// The door to a thread's sessions.
pub struct Hub {
    state: LocalHub,
    config: Arc<SessionsConfig>,
    clock: Clock,
}

impl Hub {
    /// A hub over `state`; what a former life left in it is closed.
    pub fn new(state: LocalHub, config: Arc<SessionsConfig>, clock: Clock) -> Self {
        state.borrow().close_all(close::RESTARTING);
        Self { state, config, clock }
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let tick = (self.config.heartbeat_ms.min(self.config.hello_timeout_ms) / 8).clamp(20, 1_000);
        ctx.run_interval(Duration::from_millis(tick), |hub, _| hub.state.borrow().sweep(&hub.config, &hub.clock));
    }
}

impl Supervised for Hub {
    /// Closes every socket with 4001.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        use actix::ActorContext;
        self.state.borrow().close_all(close::RESTARTING);
        ctx.stop();
    }

    fn report(&self) -> serde_json::Value {
        let state = self.state.borrow();
        let queued_bytes: usize = state.links.values().map(|link| link.with_quietly(|outbox| outbox.bytes())).sum();
        json!({
            "sockets": state.links.len(),
            "users": state.users.len(),
            "rooms": state.rooms.len(),
            "queued_bytes": queued_bytes,
        })
    }
}

crate::supervised!(Hub);

/// Event: rows were committed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Arc<Delivery>);

/// Something short-lived for a room's listeners.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Whisper {
    pub room_id: RoomId,
    pub frames: Arc<[ByteString]>,
}

/// These users are in a room now, made just then: each with the frame that tells them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join {
    pub room_id: RoomId,
    pub next_seq: i64,
    pub users: Arc<[(UserId, ByteString)]>,
}

/// The answer to a command of one session.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Answer {
    pub session: u64,
    pub frame: ByteString,
}

/// Which sockets to close.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    Everyone,
    Family(FamilyId),
    User(UserId),
}

/// Command: close these sockets.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Close {
    pub whose: Whose,
    pub code: CloseCode,
}

impl Handler<Deliver> for Hub {
    type Result = ();
    fn handle(&mut self, message: Deliver, _: &mut Self::Context) {
        self.state.borrow_mut().deliver(&message.0);
    }
}

impl Handler<Whisper> for Hub {
    type Result = ();
    fn handle(&mut self, message: Whisper, _: &mut Self::Context) {
        self.state.borrow().whisper(message.room_id, &message.frames);
    }
}

impl Handler<Join> for Hub {
    type Result = ();
    fn handle(&mut self, message: Join, _: &mut Self::Context) {
        let mut state = self.state.borrow_mut();
        for (user, frame) in message.users.iter() {
            state.join(*user, message.room_id, message.next_seq, frame);
        }
    }
}

impl Handler<Answer> for Hub {
    type Result = ();
    fn handle(&mut self, message: Answer, _: &mut Self::Context) {
        if let Some(link) = self.state.borrow().links.get(&message.session) {
            link.answer(message.frame);
        }
    }
}

impl Handler<Close> for Hub {
    type Result = ();
    fn handle(&mut self, message: Close, _: &mut Self::Context) {
        let state = self.state.borrow();
        for link in state.links.values() {
            let meant = match message.whose {
                Whose::Everyone => true,
                Whose::Family(family) => link.family.get() == Some(family),
                Whose::User(user) => link.user.get() == Some(user),
            };
            if meant {
                link.close(message.code);
            }
        }
    }
}
