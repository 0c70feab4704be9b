//! A device as an app keeps one: connected, knowing where each of its rooms is, coming back with what it has.
//!
//! It checks what the protocol promises: per room, `seq` rises by exactly one; what is shed is announced, and caught up.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::accounts::Person;
use super::frame::{Heard, RoomKey, hear};
use super::session::Session;
use super::socket::{Message, Socket};

/// What devices of a run have in common.
pub trait Watcher {
    /// A message arrived; its frame.
    fn arrived(&self, frame: &[u8], at: Instant);
    /// A room's order had a gap or a repetition.
    fn out_of_order(&self, room: RoomKey, seq: u64, expected: u64);
    /// The engine shed a backlog.
    fn lagged(&self);
}

/// One device.
pub struct Device {
    pub person: Person,
    address: SocketAddr,
    watcher: Rc<dyn Watcher>,
    connection: RefCell<Option<Connection>>,
    /// By room: the newest seq that it has.
    rooms: RefCell<HashMap<RoomKey, u64>>,
    answers: RefCell<HashMap<u64, oneshot::Sender<Answer>>>,
    next_id: Cell<u64>,
    spoke_at: Cell<Instant>,
}

struct Connection {
    socket: Rc<Socket>,
    reader: JoinHandle<()>,
}

/// The engine's answer to a command.
#[derive(Debug)]
pub enum Answer {
    Ok(Value),
    /// It asks to come later, or did not answer.
    Later,
    Never(String),
}

const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// The protocol asks for a word every 50 s.
const SPEAK_EVERY: Duration = Duration::from_secs(20);
const PAGE_ITEMS: usize = 200;

impl Device {
    pub fn new(person: Person, address: SocketAddr, watcher: Rc<dyn Watcher>) -> Rc<Self> {
        Rc::new(Self {
            person,
            address,
            watcher,
            connection: RefCell::default(),
            rooms: RefCell::default(),
            answers: RefCell::default(),
            next_id: Cell::new(2),
            spoke_at: Cell::new(Instant::now()),
        })
    }

    /// Connects, and resumes what it knows.
    pub async fn connect(self: &Rc<Self>) -> anyhow::Result<()> {
        let resume: Vec<(Uuid, u64)> =
            self.rooms.borrow().iter().map(|(room, seq)| (Uuid::from_u128(*room), *seq)).collect();
        let early = RefCell::new(Vec::new());
        let note = |heard: Heard<'_>, frame: &[u8]| {
            if let Heard::Event { .. } | Heard::Lagged { .. } | Heard::Other = heard {
                early.borrow_mut().push(frame.to_vec());
            }
        };
        let (session, ready) = Session::start(self.address, &self.person.token, &resume, note).await?;
        self.spoke_at.set(Instant::now());
        {
            let mut rooms = self.rooms.borrow_mut();
            // A room that it had and that is not there any more: it was removed from it while it was away.
            rooms.retain(|known, _| ready.rooms.iter().any(|room| room.id.as_u128() == *known));
            for room in &ready.rooms {
                rooms.entry(room.id.as_u128()).or_insert(room.last_seq);
            }
        }
        for frame in early.take() {
            self.understand(&frame);
        }
        let socket = Rc::new(session.socket);
        let (device, reading) = (Rc::clone(self), Rc::clone(&socket));
        let reader = tokio::task::spawn_local(async move { device.read(&reading).await });
        if let Some(former) = self.connection.replace(Some(Connection { socket, reader })) {
            former.reader.abort();
        }
        Ok(())
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
        if let Some(connection) = self.connection.take() {
            // One that is gone already needs no good-bye.
            let _ = connection.socket.close().await;
            let _ = tokio::time::timeout(Duration::from_secs(5), connection.reader).await;
        }
    }

    pub fn is_connected(&self) -> bool {
        self.connection.borrow().is_some()
    }

    /// The newest seq that it has of a room.
    pub fn last_seq(&self, room: Uuid) -> Option<u64> {
        self.rooms.borrow().get(&room.as_u128()).copied()
    }

    pub fn rooms(&self) -> Vec<Uuid> {
        self.rooms.borrow().keys().map(|room| Uuid::from_u128(*room)).collect()
    }

    /// Sends a command, whose fields are `body` without the braces, and waits for its answer.
    pub async fn command(&self, kind: &str, body: &str) -> anyhow::Result<Answer> {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let (sender, answer) = oneshot::channel();
        self.answers.borrow_mut().insert(id, sender);
        let comma = if body.is_empty() { "" } else { "," };
        self.send(format!("{{\"type\":\"{kind}\",\"id\":{id}{comma}{body}}}").as_bytes()).await?;
        match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Ok(Answer::Later),
            Err(_) => bail!("{kind} was not answered within {} s", ANSWER_PATIENCE.as_secs()),
        }
    }

    async fn send(&self, text: &[u8]) -> anyhow::Result<()> {
        let socket = self.connection.borrow().as_ref().map(|connection| Rc::clone(&connection.socket));
        self.spoke_at.set(Instant::now());
        socket.context("not connected")?.send(text).await
    }

    /// Says something if it has been silent for long.
    pub async fn keep_alive(&self) {
        let socket = self.connection.borrow().as_ref().map(|connection| Rc::clone(&connection.socket));
        if let Some(socket) = socket
            && self.spoke_at.get().elapsed() > SPEAK_EVERY
        {
            self.spoke_at.set(Instant::now());
            // Its reader notices when it is gone.
            let _ = socket.pong().await;
        }
    }

    async fn read(self: Rc<Self>, socket: &Socket) {
        loop {
            let mut open = true;
            let each = |message: Message<'_>| match message {
                Message::Text(frame) => self.understand(frame),
                Message::Close(_) => open = false,
                Message::Other => {}
            };
            let read = socket.read(each).await.unwrap_or(false);
            if !read || !open {
                break;
            }
        }
        self.answers.borrow_mut().clear();
        self.connection.borrow_mut().take();
    }

    fn understand(self: &Rc<Self>, frame: &[u8]) {
        match hear(frame) {
            Heard::Event { kind, room, seq } => self.take_event(kind, room, seq, frame),
            Heard::Ok { re } => self.answer(re, || Answer::Ok(serde_json::from_slice(frame).unwrap_or_default())),
            Heard::Error { re: Some(re), code, retry, .. } => {
                self.answer(re, || if retry == "never" { Answer::Never(code) } else { Answer::Later });
            }
            Heard::Lagged { room, last_seq } => {
                self.watcher.lagged();
                let device = Rc::clone(self);
                tokio::task::spawn_local(async move { device.catch_up(room, last_seq).await });
            }
            Heard::Other => self.take_other(frame),
            Heard::Error { .. } | Heard::Ready | Heard::Heartbeat => {}
        }
    }

    fn take_event(&self, kind: &[u8], room: RoomKey, seq: u64, frame: &[u8]) {
        let mut rooms = self.rooms.borrow_mut();
        let known = rooms.entry(room).or_insert(seq.saturating_sub(1));
        let expected = *known + 1;
        *known = seq.max(*known);
        drop(rooms);
        if seq != expected {
            self.watcher.out_of_order(room, seq, expected);
        }
        match kind {
            b"message.posted" => self.watcher.arrived(frame, Instant::now()),
            b"member.removed" if memchr::memmem::find(frame, self.person.id.to_string().as_bytes()).is_some() => {
                self.forget_if_removed(room, frame);
            }
            _ => {}
        }
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
                    self.rooms.borrow_mut().insert(room.as_u128(), last_seq);
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

    /// Reads what was shed, up to `last_seq`.
    async fn catch_up(&self, room: RoomKey, last_seq: u64) {
        let id = Uuid::from_u128(room);
        let Some(mut after) = self.last_seq(id) else { return };
        // Live events go on after it.
        self.rooms.borrow_mut().insert(room, last_seq);
        while after < last_seq {
            let body = format!("\"room_id\":\"{id}\",\"after\":{after},\"limit\":{PAGE_ITEMS}");
            let Ok(Answer::Ok(page)) = self.command("room.catch_up", &body).await else { return };
            let Some(events) = page.get("events").and_then(Value::as_array) else { return };
            for event in events {
                let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
                if seq != after + 1 {
                    self.watcher.out_of_order(room, seq, after + 1);
                }
                after = after.max(seq);
            }
            if events.is_empty() {
                return;
            }
        }
    }
}
