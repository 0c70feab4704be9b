//! A device as an app keeps one: connected, knowing where each of its rooms is, coming back with what it has.
//!
//! It checks what the protocol promises: per room, `seq` rises by exactly one; what is shed is announced, and caught up; a
//! room is followed from where `ready` or `room.joined` says. When the engine ends its connection, it says so and comes
//! back.

mod catching_up;
mod place;
mod resuming;
mod returning;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use place::Place;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::accounts::Person;
use super::frame::{Heard, RoomKey, hear};
use super::session::{Kept, Session, hello_fields};
use super::socket::{Message, Socket};

/// What devices of a run have in common.
pub trait Watcher {
    /// A message arrived, or what was edited or deleted; its frame.
    fn arrived(&self, frame: &[u8], at: Instant);
    /// A room's order had a gap or a repetition.
    fn out_of_order(&self, room: RoomKey, seq: u64, expected: u64);
    /// A connection ended that the device had not ended itself; the close code, if one came.
    fn ended(&self, code: Option<u16>);
    /// Something else went wrong that the protocol rules out, in words.
    fn broken(&self, what: String);
}

/// One device.
pub struct Device {
    pub person: Person,
    address: SocketAddr,
    watcher: Rc<dyn Watcher>,
    connection: RefCell<Option<Connection>>,
    rooms: RefCell<HashMap<RoomKey, Place>>,
    /// Of what it has; `None` before its first `ready`.
    epoch: Cell<Option<Uuid>>,
    answers: RefCell<HashMap<u64, oneshot::Sender<Answer>>>,
    next_id: Cell<u64>,
    /// How often it has connected: what was begun on an earlier connection ends with that.
    connections: Cell<u64>,
    /// It said good-bye, and does not come back.
    has_left: Cell<bool>,
}

struct Connection {
    socket: Rc<Socket>,
    reader: JoinHandle<()>,
}

/// The engine's answer to a command.
#[derive(Debug)]
pub enum Answer {
    Ok(Value),
    /// It asks to come later.
    Later,
    Never(String),
    /// The connection ended before it came.
    Gone,
}

const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

impl Device {
    pub fn new(person: Person, address: SocketAddr, watcher: Rc<dyn Watcher>) -> Rc<Self> {
        Rc::new(Self {
            person,
            address,
            watcher,
            connection: RefCell::default(),
            rooms: RefCell::default(),
            epoch: Cell::default(),
            answers: RefCell::default(),
            next_id: Cell::new(2),
            connections: Cell::default(),
            has_left: Cell::default(),
        })
    }

    /// Connects, and resumes what it knows.
    pub async fn connect(self: &Rc<Self>) -> anyhow::Result<()> {
        self.rooms.borrow_mut().retain(|_, place| !place.is_denied);
        // What was shed and not read yet is resumed with the rest.
        self.rooms.borrow_mut().values_mut().for_each(Place::go_back);
        let early = RefCell::new(Vec::new());
        let note = |heard: Heard<'_>, frame: &[u8]| {
            if let Heard::Event { .. } | Heard::Lagged { .. } | Heard::Other = heard {
                early.borrow_mut().push(frame.to_vec());
            }
        };
        let kept = self.kept();
        let (session, ready) = Session::start_with(self.address, &self.hello_with(&kept), note).await?;
        self.connections.set(self.connections.get() + 1);
        self.epoch.set(ready.epoch);
        self.judge(&kept, &ready);
        {
            let mut rooms = self.rooms.borrow_mut();
            // A room that it had and that is not there any more: it was removed from it while it was away. Whether that
            // is true shows when its rooms are compared with those that the engine lists.
            rooms.retain(|known, _| ready.rooms.iter().any(|room| room.id.as_u128() == *known));
            for room in &ready.rooms {
                rooms.entry(room.id.as_u128()).or_insert(Place::at(room.last_seq));
            }
        }
        for frame in early.take() {
            self.understand(hear(&frame), &frame);
        }
        let socket = session.socket;
        let (device, reading) = (Rc::clone(self), Rc::clone(&socket));
        let reader = tokio::task::spawn_local(async move { device.read(&reading).await });
        if let Some(former) = self.connection.replace(Some(Connection { socket, reader })) {
            former.reader.abort();
        }
        Ok(())
    }

    /// The fields of its next hello, without the braces: it resumes what it knows.
    pub fn hello(&self) -> String {
        self.hello_with(&self.kept())
    }

    fn hello_with(&self, kept: &Kept) -> String {
        hello_fields(&self.person.token, Some(self.person.id), kept)
    }

    fn kept(&self) -> Kept {
        Kept { epoch: self.epoch.get(), resume: self.places().into_iter().collect() }
    }

    /// Loses the connection, as in a tunnel.
    pub fn cut(&self) {
        if let Some(connection) = self.connection.take() {
            connection.socket.cut_on_drop();
            connection.reader.abort();
        }
        self.answers.borrow_mut().clear();
    }

    /// Says good-bye.
    pub async fn leave(&self) {
        self.has_left.set(true);
        if let Some(connection) = self.connection.take() {
            // One that is gone already needs no good-bye.
            let _ = connection.socket.close().await;
            let _ = tokio::time::timeout(Duration::from_secs(5), connection.reader).await;
        }
    }

    pub fn is_connected(&self) -> bool {
        self.connection.borrow().is_some()
    }

    /// The newest seq that it has heard of a room.
    pub fn last_seq(&self, room: Uuid) -> Option<u64> {
        self.rooms.borrow().get(&room.as_u128()).map(|place| place.seq)
    }

    /// Up to where it has everything, by room.
    pub fn places(&self) -> HashMap<Uuid, u64> {
        let rooms = self.rooms.borrow();
        let known = rooms.iter().filter(|(_, place)| !place.is_denied);
        known.map(|(room, place)| (Uuid::from_u128(*room), place.whole())).collect()
    }

    pub fn rooms(&self) -> Vec<Uuid> {
        self.places().into_keys().collect()
    }

    /// Sends a command, whose fields are `body` without the braces, and waits for its answer.
    pub async fn command(&self, kind: &str, body: &str) -> anyhow::Result<Answer> {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let (sender, answer) = oneshot::channel();
        self.answers.borrow_mut().insert(id, sender);
        let comma = if body.is_empty() { "" } else { "," };
        if !self.send(format!("{{\"type\":\"{kind}\",\"id\":{id}{comma}{body}}}").as_bytes()).await {
            self.answers.borrow_mut().remove(&id);
            return Ok(Answer::Gone);
        }
        match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
            Ok(answer) => Ok(answer.unwrap_or(Answer::Gone)),
            Err(_) => {
                self.answers.borrow_mut().remove(&id);
                bail!("{kind} was not answered within {} s", ANSWER_PATIENCE.as_secs())
            }
        }
    }

    /// Whether it could be sent; whatever ended the connection is its reader's to notice.
    async fn send(&self, text: &[u8]) -> bool {
        let socket = self.connection.borrow().as_ref().map(|connection| Rc::clone(&connection.socket));
        match socket {
            Some(socket) => socket.send(text).await.is_ok(),
            None => false,
        }
    }

    async fn read(self: Rc<Self>, socket: &Rc<Socket>) {
        let mut code = None;
        loop {
            let mut heartbeat = false;
            let each = |message: Message<'_>| match message {
                Message::Text(frame) => match hear(frame) {
                    Heard::Heartbeat => heartbeat = true,
                    heard => self.understand(heard, frame),
                },
                Message::Close(reason) => code = Some(reason),
                Message::Other => {}
            };
            let open = socket.read(each).await.unwrap_or(false);
            if !open || code.is_some() {
                break;
            }
            if heartbeat {
                socket.speak().await;
            }
        }
        self.lose(socket, code);
    }

    fn understand(self: &Rc<Self>, heard: Heard<'_>, frame: &[u8]) {
        match heard {
            Heard::Event { kind, room, seq } => self.take_event(kind, room, seq, frame),
            Heard::Ok { re } => self.answer(re, || Answer::Ok(serde_json::from_slice(frame).unwrap_or_default())),
            Heard::Error { re: Some(re), code, retry, .. } => {
                self.answer(re, || if retry == "never" { Answer::Never(code) } else { Answer::Later });
            }
            Heard::Lagged { room, last_seq } => self.fall_behind(room, last_seq),
            Heard::Other => self.take_other(frame),
            Heard::Error { .. } | Heard::Ready | Heard::Heartbeat => {}
        }
    }

    fn take_event(&self, kind: &[u8], room: RoomKey, seq: u64, frame: &[u8]) {
        let expected = self.rooms.borrow_mut().entry(room).or_insert(Place::UNKNOWN).take(seq);
        match expected {
            Some(expected) if seq == expected => {}
            Some(expected) => self.watcher.out_of_order(room, seq, expected),
            // Coming back to a room that it left a moment ago may stand in the room's order before `room.joined`.
            None if kind == b"member.added" && self.is_named_in(frame) => {}
            None => self.watcher.broken(format!(
                "room {}: seq {seq} came, of a room that {} was not told to be in",
                Uuid::from_u128(room),
                self.person.id
            )),
        }
        match kind {
            b"message.posted" | b"message.edited" | b"message.deleted" => self.watcher.arrived(frame, Instant::now()),
            b"member.removed" if self.is_named_in(frame) => self.forget_if_removed(room, frame),
            _ => {}
        }
    }

    fn is_named_in(&self, frame: &[u8]) -> bool {
        memchr::memmem::find(frame, self.person.id.to_string().as_bytes()).is_some()
    }

    fn forget_if_removed(&self, room: RoomKey, frame: &[u8]) {
        let event: Value = serde_json::from_slice(frame).unwrap_or_default();
        if event.get("user_id").and_then(Value::as_str) == Some(&self.person.id.to_string()) {
            self.rooms.borrow_mut().remove(&room);
        }
    }

    fn take_other(&self, frame: &[u8]) {
        let other: Value = serde_json::from_slice(frame).unwrap_or_default();
        let text = |path: &str| other.pointer(path).and_then(Value::as_str);
        match text("/type") {
            Some("room.joined") => {
                let room = text("/room/id").and_then(|id| Uuid::parse_str(id).ok());
                let last_seq = other.pointer("/room/last_seq").and_then(Value::as_u64);
                if let (Some(room), Some(last_seq)) = (room, last_seq) {
                    self.rooms.borrow_mut().insert(room.as_u128(), Place::at(last_seq));
                }
            }
            Some("pong") => {
                if let Some(re) = other.get("re").and_then(Value::as_u64) {
                    self.answer(re, || Answer::Ok(Value::Null));
                }
            }
            _ => {}
        }
    }

    fn answer(&self, re: u64, answer: impl FnOnce() -> Answer) {
        if let Some(waiting) = self.answers.borrow_mut().remove(&re) {
            // Whoever asked may have given up.
            let _ = waiting.send(answer());
        }
    }
}
