//! A hub and its sockets: real outboxes, behind a mailbox that can be full.
//!
//! Mirrors `sessions/hub/` and `sessions/link.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytestring::ByteString;
use parlance::ids::{RoomId, UserId};
use parlance::order::Page;
use parlance::publish::{Delivery, Publication, Topic};
use parlance::rooms::error::ChatError;
use parlance::sessions::backlog::{Backlog, Next};
use parlance::sessions::outbox::{Outbox, Outgoing};
use parlance::sessions::parcel::Parcel;

use super::check::{Failure, Invariant};
use super::plan::Broken;
use super::postgres::Postgres;
use super::{index_of, room_index};

/// Room events that may wait for a socket, in bytes; small, so that slow readers are shed.
pub const OUTBOX_BYTES_MAX: usize = 2_500;
pub const OUTBOX_BYTES_LIMIT: usize = 8_000;
/// Frames that a connection takes before its client has read them.
const PIPE_FRAMES_MAX: usize = 12;
const AGAIN_AFTER_MS: i64 = 20;

/// What a hub is sent.
#[derive(Clone)]
pub enum ToHub {
    Deliver(Arc<Delivery>),
    Publish(Publication),
    Answer(u64, ByteString),
}

/// How far a session's greeting has come.
pub enum Greeting {
    Said,
    Listening,
    /// The rooms of its user.
    Listed(Vec<usize>),
    /// Where each of them is: its last seq.
    Read(Vec<(usize, i64)>),
    /// The same, and what Postgres says of those of which the client has more.
    Compared {
        listed: Vec<(usize, i64)>,
        followed: Vec<(RoomId, i64)>,
    },
    Ready,
}

/// A page that a session reads.
pub struct Reading {
    pub room: usize,
    pub after: i64,
    pub stage: Stage,
}

pub enum Stage {
    /// The room was asked.
    Asked,
    /// The room's memory does not reach so far.
    Deep,
    Read(Result<Page, ChatError>),
}

/// One connected socket, as the engine sees it.
pub struct Socket {
    pub device: usize,
    pub user: UserId,
    pub outbox: Outbox,
    pub greeting: Greeting,
    pub resume: BTreeMap<usize, i64>,
    pub listens: BTreeSet<usize>,
    pub reading: Option<Reading>,
    /// Pauses after a page that could not be read.
    pub read_at: i64,
    /// Pages that the client asked for: its number, the room, after which seq.
    pub asked: VecDeque<(u64, usize, i64)>,
    pub answering: Option<(u64, Reading)>,
    /// What has left the engine and not yet arrived.
    pub pipe: VecDeque<ByteString>,
    /// What the client has said and the engine has not heard.
    pub is_closed: bool,
}

/// See the module.
#[derive(Default)]
pub struct Hub {
    pub mailbox: VecDeque<ToHub>,
    backlog: Backlog<ToHub>,
    answers: Vec<(u64, ByteString)>,
    again_at: i64,
    pub sockets: BTreeMap<u64, Socket>,
    pub is_busy: bool,
}

impl Socket {
    pub fn new(device: usize, user: UserId, resume: BTreeMap<usize, i64>, broken: Option<Broken>) -> Self {
        let bytes_max = if broken == Some(Broken::NeverShed) { OUTBOX_BYTES_LIMIT } else { OUTBOX_BYTES_MAX };
        Self {
            device,
            user,
            outbox: Outbox::new(bytes_max, OUTBOX_BYTES_LIMIT),
            greeting: Greeting::Said,
            resume,
            listens: BTreeSet::new(),
            reading: None,
            read_at: 0,
            asked: VecDeque::new(),
            answering: None,
            pipe: VecDeque::new(),
            is_closed: false,
        }
    }

    /// Lets the connection take up to `bytes`.
    pub fn drain(&mut self, bytes: usize, broken: Option<Broken>) {
        // A session that greets does nothing else.
        if !self.is_ready() || self.pipe.len() >= PIPE_FRAMES_MAX {
            return;
        }
        let pipe = &mut self.pipe;
        let mut put = |frame: ByteString| {
            if broken == Some(Broken::DeliverTwice) && frame.contains("message.posted") {
                pipe.push_back(frame.clone());
            }
            pipe.push_back(frame);
        };
        self.outbox.take(bytes, |outgoing| match outgoing {
            Outgoing::Frame(frame) => put(frame),
            Outgoing::Parcel(parcel, skip) => {
                parcel.events_after(skip).for_each(|event| put(String::from_utf8_lossy(event).into_owned().into()));
            }
        });
        if self.outbox.closing().is_some() {
            self.is_closed = true;
        }
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.greeting, Greeting::Ready)
    }

    pub fn is_idle(&self) -> bool {
        self.is_ready()
            && self.outbox.is_empty()
            && !self.outbox.is_behind()
            && self.reading.is_none()
            && self.answering.is_none()
            && self.asked.is_empty()
            && self.pipe.is_empty()
    }

    pub fn check(&self, failures: &mut Vec<Failure>) {
        let bytes = self.outbox.bytes();
        if bytes > OUTBOX_BYTES_LIMIT || (self.outbox.is_empty() && bytes > 0) {
            failures.push(Failure::new(
                Invariant::OutboxIsBounded,
                format!("{bytes} bytes wait for device {}", self.device),
            ));
        }
    }
}

impl Hub {
    /// A delivery, as `Hubs` passes it on.
    pub fn deliver(&mut self, delivery: Arc<Delivery>, now: i64) {
        if !delivery.joined.is_empty() || !delivery.left.is_empty() {
            return self.send(ToHub::Deliver(delivery), now);
        }
        if self.is_late() {
            self.backlog.keep_news(delivery.order, delivery.last_seq());
            self.again_at = now + AGAIN_AFTER_MS;
        } else {
            self.mailbox.push_back(ToHub::Deliver(delivery));
        }
    }

    /// Anything that must arrive, late if need be.
    pub fn send(&mut self, message: ToHub, now: i64) {
        if self.is_late() {
            self.backlog.keep(message);
            self.again_at = now + AGAIN_AFTER_MS;
        } else {
            self.mailbox.push_back(message);
        }
    }

    /// Something that is not worth waiting for.
    pub fn publish(&mut self, publication: Publication) {
        if !self.is_late() {
            self.mailbox.push_back(ToHub::Publish(publication));
        }
    }

    /// An answer of a room: not part of what keeps its order.
    pub fn answer(&mut self, key: u64, frame: ByteString) {
        if self.is_busy { self.answers.push((key, frame)) } else { self.mailbox.push_back(ToHub::Answer(key, frame)) }
    }

    fn is_late(&self) -> bool {
        self.is_busy || !self.backlog.is_empty()
    }

    /// What had to wait is tried again; of answers any, since each has a task of its own.
    pub fn try_again(&mut self, now: i64, pick: usize) {
        if self.is_busy || now < self.again_at {
            return;
        }
        match self.backlog.take_next() {
            Some(Next::Must(message)) => self.mailbox.push_back(message),
            Some(Next::News(order, seq)) => {
                self.mailbox.push_back(ToHub::Deliver(Arc::new(Delivery::announcement(order, seq))));
            }
            None => {}
        }
        if !self.answers.is_empty() {
            let (key, frame) = self.answers.swap_remove(pick % self.answers.len());
            self.mailbox.push_back(ToHub::Answer(key, frame));
        }
    }

    pub fn is_idle(&self) -> bool {
        self.mailbox.is_empty()
            && self.backlog.is_empty()
            && self.answers.is_empty()
            && self.sockets.values().all(Socket::is_idle)
    }

    /// Handles the next message.
    pub fn step(&mut self, postgres: &mut Postgres) {
        match self.mailbox.pop_front() {
            Some(ToHub::Deliver(delivery)) => self.tell(&delivery, postgres),
            Some(ToHub::Publish(publication)) => {
                // Rooms speak to their own topic only.
                let Topic::Room(room) = publication.topic else { return };
                let room = room_index(room);
                for frame in publication.frames.iter().cloned().map(Rc::new) {
                    for socket in self.sockets.values_mut().filter(|socket| socket.listens.contains(&room)) {
                        socket.outbox.publish(&frame);
                    }
                }
            }
            Some(ToHub::Answer(key, frame)) => {
                if let Some(socket) = self.sockets.get_mut(&key) {
                    socket.outbox.push(frame);
                }
            }
            None => {}
        }
    }

    fn tell(&mut self, delivery: &Delivery, postgres: &mut Postgres) {
        let room = index_of(delivery.order);
        let parcels = Parcel::pack(delivery.first_seq, &delivery.frames);
        for socket in self.sockets.values_mut().filter(|socket| socket.listens.contains(&room)) {
            let before = socket.outbox.bytes();
            match parcels.as_slice() {
                [] => socket.outbox.announce(delivery.order, delivery.last_seq()),
                parcels => parcels.iter().for_each(|parcel| socket.outbox.offer(delivery.order, parcel)),
            }
            // One that catches up only takes note, and a page tells it no more than it may know.
            let bytes = socket.outbox.bytes();
            let is_told = bytes > before;
            if is_told && bytes > OUTBOX_BYTES_MAX {
                let detail = format!("{bytes} bytes wait for device {}, live events among them", socket.device);
                postgres.failures.push(Failure::new(Invariant::OutboxIsBounded, detail));
            }
            for seq in (delivery.first_seq..=delivery.last_seq()).filter(|_| is_told) {
                if !postgres.rooms[room].may_see(socket.user, seq) {
                    let detail = format!("device {} is told of {seq} of room {room}", socket.device);
                    postgres.failures.push(Failure::new(Invariant::MembersOnly, detail));
                }
            }
        }
        let next = delivery.last_seq() + 1;
        for (user, frame) in &delivery.joined {
            for socket in self.greeted(*user) {
                socket.outbox.join(delivery.order, next, frame.clone());
                socket.listens.insert(room);
            }
        }
        if postgres.broken == Some(Broken::KeepTellingWhoLeft) {
            return;
        }
        for user in &delivery.left {
            for socket in self.greeted(*user) {
                socket.outbox.unfollow(delivery.order);
                socket.listens.remove(&room);
            }
        }
    }

    /// The sockets of a user from the moment on at which they listen.
    fn greeted(&mut self, user: UserId) -> impl Iterator<Item = &mut Socket> {
        let hears = move |socket: &&mut Socket| socket.user == user && !matches!(socket.greeting, Greeting::Said);
        self.sockets.values_mut().filter(hears)
    }
}
