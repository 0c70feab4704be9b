//! What people ask of the engine, and how sessions and devices get on with it.

use std::ops::ControlFlow::{self, Break, Continue};

use parlance::chat::error::ChatError;
use parlance::chat::messages::{CatchUp, ChangeRoom, Command, MarkReceipt, PostMessage};
use parlance::chat::permissions::Role;
use parlance::chat::{Change, Page};
use parlance::ids::{MessageId, UserId};
use parlance::persistence::MessageRow;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use uuid::Uuid;

use super::check::{Failure, Invariant};
use super::hub::{Greeting, OUTBOX_BYTES_MAX, Reading, Stage};
use super::plan::Broken;
use super::rooms::Answered;
use super::world::{Ask, World};
use super::{HUBS, ROOMS, room_id};

/// A client sends again when it had no answer for this long.
const PATIENCE_MS: i64 = 3_000;
/// A session that could not read a page waits this long.
const READ_AGAIN_MS: i64 = 500;

impl World {
    /// Somebody changes a room or who is in it; most of it is refused.
    pub fn change(&mut self, rng: &mut ChaCha8Rng) {
        let mut somebody = || self.users[rng.random_range(0..self.users.len())];
        let (by, user_id) = (somebody(), somebody());
        let roles = [Role::Guest, Role::Member, Role::Admin, Role::Owner];
        let role = roles[rng.random_range(0..roles.len())];
        let text = || Some(format!("n{}", self.now));
        let change = match rng.random_range(0..10) {
            0..4 => Change::AddMember { user_id, role, of_space: false },
            4..7 => Change::RemoveMember { user_id },
            7 => Change::SetRole { user_id, role },
            8 => Change::Describe { name: text(), topic: None },
            _ => Change::Describe { name: None, topic: text() },
        };
        let room = rng.random_range(0..ROOMS);
        let ask = self.number();
        self.note(|| format!("{} asks room {room} (#{ask}): {change:?}", short(by)));
        self.asks.insert(ask, Ask::Change { room });
        let reply = self.engine.voice.reply(ask, Answered::Changed);
        self.engine.send(room, Command::Change(ChangeRoom { by, change, reply }));
    }

    /// A device has read what it has.
    pub fn mark(&mut self, rng: &mut ChaCha8Rng) {
        let device = &self.devices[rng.random_range(0..self.devices.len())];
        let (Some(from), by) = (device.place, device.user) else { return };
        let room = rng.random_range(0..ROOMS);
        let Some(view) = device.views.get(&room) else { return };
        let (delivered_seq, read_seq) =
            (Some(view.last), rng.random_bool(0.6).then(|| rng.random_range(0..=view.last)));
        let ask = self.number();
        self.note(|| format!("{} marks room {room} {delivered_seq:?} {read_seq:?}", short(by)));
        self.asks.insert(ask, Ask::Mark { from });
        let reply = self.engine.voice.reply(ask, Answered::Marked);
        self.engine.send(room, Command::Mark(MarkReceipt { by, delivered_seq, read_seq, reply }));
    }

    /// The same message again, to an engine that should not have the room.
    pub fn send_to_rival(&mut self, device: usize) -> bool {
        let Some(sending) = self.devices[device].sendings.front().cloned() else { return false };
        self.post(device, sending.room, sending.client_id, None);
        true
    }

    fn post(&mut self, device: usize, room: usize, client_id: String, from: Option<(usize, u64)>) -> u64 {
        let (ask, user) = (self.number(), self.devices[device].user);
        let whose = if from.is_some() { "room" } else { "the other owner of room" };
        self.note(|| format!("device {device} posts {client_id} to {whose} {room} (#{ask})"));
        self.asks.insert(ask, Ask::Post { room, user, client_id: client_id.clone(), from });
        let message = MessageRow {
            id: MessageId(Uuid::from_u128(u128::from(ask))),
            sender: user,
            client_id: Some(client_id),
            kind: "text".into(),
            content: "x".repeat(usize::try_from(ask % 97).unwrap_or(0)),
            parts: None,
            reply_to: None,
        };
        let engine = if from.is_some() { &mut self.engine } else { &mut self.rival };
        let reply = engine.voice.reply(ask, Answered::Posted);
        engine.send(room, Command::Post(PostMessage { by: user, message, reply }));
        ask
    }

    /// What a device does next: connect, listen, ask for what it lacks, send what it has.
    pub fn advance_device(&mut self, device: usize, rng: &mut ChaCha8Rng) {
        let Some((hub, key)) = self.devices[device].place else {
            return self.connect(device, rng.random_range(0..HUBS));
        };
        let frames = if self.devices[device].is_slow { usize::from(rng.random_bool(0.2)) } else { 8 };
        for _ in 0..frames {
            let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { break };
            let Some(frame) = socket.pipe.pop_front() else { break };
            self.note(|| format!("device {device} hears {}", told(&frame)));
            match self.devices[device].hear(&frame, &self.postgres) {
                Ok(answered) => answered.into_iter().for_each(|ask| self.answered(device, ask)),
                Err(failure) => {
                    let detail = format!("device {device}: {}", failure.detail);
                    return self.postgres.failures.push(Failure { detail, ..failure });
                }
            }
        }
        let Some(socket) = self.hubs[hub].sockets.get(&key) else { return };
        if socket.is_closed && socket.pipe.is_empty() {
            self.disconnect(device);
        } else if socket.is_ready() && !self.devices[device].is_slow {
            self.ask_for_more(device, (hub, key));
            self.send_due(device, (hub, key));
        }
    }

    fn answered(&mut self, device: usize, ask: u64) {
        let is_over = self.is_over.remove(&ask).unwrap_or(false);
        let device = &mut self.devices[device];
        if let Some((_, room, _)) = device.paging.filter(|(paging, ..)| *paging == ask) {
            device.paging = None;
            if is_over {
                device.denied(room);
            }
        }
        if is_over {
            device.sendings.retain(|sending| sending.asked.is_none_or(|(asked, _)| asked != ask));
        }
        for sending in device.sendings.iter_mut().filter(|sending| sending.asked.is_some_and(|(asked, _)| asked == ask))
        {
            sending.asked = None;
        }
    }

    fn ask_for_more(&mut self, device: usize, (hub, key): (usize, u64)) {
        let Some((room, after)) = self.devices[device].behind() else { return };
        let ask = self.number();
        self.note(|| format!("device {device} asks for a page of room {room} after {after} (#{ask})"));
        self.devices[device].paging = Some((ask, room, after));
        if let Some(socket) = self.hubs[hub].sockets.get_mut(&key) {
            socket.asked.push_back((ask, room, after));
        }
    }

    fn send_due(&mut self, device: usize, place: (usize, u64)) {
        let now = self.now;
        let is_due = |asked: Option<(u64, i64)>| asked.is_none_or(|(_, at)| now - at > PATIENCE_MS);
        for index in 0..self.devices[device].sendings.len() {
            let sending = self.devices[device].sendings[index].clone();
            if is_due(sending.asked) {
                let ask = self.post(device, sending.room, sending.client_id, Some(place));
                self.devices[device].sendings[index].asked = Some((ask, now));
            }
        }
    }

    /// What a device's session does next.
    pub fn advance_socket(&mut self, device: usize, rng: &mut ChaCha8Rng) {
        let Some(place) = self.devices[device].place else { return };
        match rng.random_range(0..4) {
            0 => self.greet(place),
            1 => self.read_missed(place),
            2 => self.answer_page(place),
            _ => {
                let bytes = rng.random_range(1..2_000);
                let broken = self.plan.broken;
                if let Some(socket) = self.hubs[place.0].sockets.get_mut(&place.1) {
                    socket.drain(bytes, broken);
                }
            }
        }
    }

    /// Listens first, reads second, and then follows.
    fn greet(&mut self, (hub, key): (usize, u64)) {
        let is_away = self.postgres.is_away;
        let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { return };
        match std::mem::replace(&mut socket.greeting, Greeting::Ready) {
            Greeting::Said => socket.greeting = Greeting::Listening,
            Greeting::Listening if is_away => socket.is_closed = true,
            Greeting::Listening => {
                let user = socket.user;
                let mine =
                    self.postgres.rooms.iter().enumerate().filter(|(_, table)| table.members.contains_key(&user));
                socket.greeting = Greeting::Read(mine.map(|(room, table)| (room, table.last_seq())).collect());
            }
            Greeting::Read(rooms) => self.become_ready((hub, key), rooms),
            Greeting::Ready => {}
        }
    }

    fn become_ready(&mut self, (hub, key): (usize, u64), mut rooms: Vec<(usize, i64)>) {
        let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { return };
        rooms.retain(|(room, last_seq)| socket.outbox.follow(room_id(*room), last_seq + 1));
        socket.outbox.greeted();
        let mut behind = Vec::new();
        for (room, last_seq) in &rooms {
            let known = socket.resume.get(room).copied().unwrap_or(*last_seq).clamp(0, *last_seq);
            if known < *last_seq {
                behind.push((*room, known + 1));
            }
            socket.listens.insert(*room);
        }
        let shown =
            rooms.iter().map(|(room, last_seq)| serde_json::json!({ "id": room_id(*room), "last_seq": last_seq }));
        let ready = serde_json::json!({ "type": "ready", "rooms": shown.collect::<Vec<_>>() });
        socket.outbox.push_first(ready.to_string().into());
        for (room, next) in behind {
            socket.outbox.follow_behind(room_id(room), next);
        }
        for (room, _) in rooms {
            if let Some(latest) = self.engine.latest_seq(room) {
                socket.outbox.announce(room_id(room), latest);
            }
        }
    }

    /// The session's own reading of what its outbox lacks.
    fn read_missed(&mut self, place: (usize, u64)) {
        let now = self.now;
        let Some(socket) = self.hubs[place.0].sockets.get_mut(&place.1) else { return };
        if !socket.is_ready() || now < socket.read_at {
            return;
        }
        let user = socket.user;
        let Some(reading) = socket.reading.take() else {
            if let Some((room, after)) = socket.outbox.next_behind() {
                let room = super::room_index(room);
                socket.reading = Some(Reading { room, after, stage: Stage::Asked });
                self.ask_page(room, after, Ask::Resume { place, user, room });
            }
            return;
        };
        let (room, after) = (reading.room, reading.after);
        match self.read_on(user, reading) {
            Continue(reading) => self.with_socket(place, |socket| socket.reading = Some(reading)),
            Break(Ok(mut page)) => {
                if self.plan.is_broken(Broken::SkipAPage) && page.more {
                    page.frames.clear();
                }
                let is_empty = page.frames.is_empty();
                self.with_socket(place, |socket| {
                    socket.outbox.page(room_id(room), after, &page);
                    // Postgres has more than the room has heard of: it will hear.
                    socket.read_at = if is_empty { now + READ_AGAIN_MS } else { now };
                });
            }
            Break(Err(ChatError::RoomNotFound)) => self.with_socket(place, |socket| {
                if socket.outbox.page_denied(room_id(room), after) {
                    socket.listens.remove(&room);
                }
            }),
            Break(Err(_)) => self.with_socket(place, |socket| {
                socket.outbox.page_failed(room_id(room));
                socket.read_at = now + READ_AGAIN_MS;
            }),
        }
    }

    /// The pages that a client asked for, one at a time, and only while there is room for one.
    fn answer_page(&mut self, place: (usize, u64)) {
        let Some(socket) = self.hubs[place.0].sockets.get_mut(&place.1) else { return };
        let user = socket.user;
        let Some((ask, reading)) = socket.answering.take() else {
            if socket.outbox.bytes() <= OUTBOX_BYTES_MAX / 2
                && let Some((ask, room, after)) = socket.asked.pop_front()
            {
                socket.answering = Some((ask, Reading { room, after, stage: Stage::Asked }));
                self.ask_page(room, after, Ask::Page { place, user, room });
            }
            return;
        };
        match self.read_on(user, reading) {
            Continue(reading) => self.with_socket(place, |socket| socket.answering = Some((ask, reading))),
            Break(result) => {
                let frame = match &result {
                    Ok(page) => parlance::chat::wire::caught_up(Some(ask), page),
                    Err(_) => format!("{{\"type\":\"error\",\"re\":{ask}}}").into(),
                };
                self.is_over.insert(ask, result.is_err_and(|error| error == ChatError::RoomNotFound));
                self.with_socket(place, |socket| socket.outbox.push(frame, false));
            }
        }
    }

    fn with_socket(&mut self, (hub, key): (usize, u64), act: impl FnOnce(&mut super::hub::Socket)) {
        if let Some(socket) = self.hubs[hub].sockets.get_mut(&key) {
            act(socket);
        }
    }

    fn ask_page(&mut self, room: usize, after: i64, asked: Ask) {
        let by = match asked {
            Ask::Resume { user, .. } | Ask::Page { user, .. } => user,
            Ask::Post { .. } | Ask::Change { .. } | Ask::Mark { .. } => return,
        };
        let number = self.number();
        self.asks.insert(number, asked);
        let reply = self.engine.voice.reply(number, Answered::Page);
        let items_max = self.config.page_items_max;
        self.engine.send(room, Command::CatchUp(CatchUp { by, after, items_max, reply }));
    }

    /// One more step of reading a page: still under way, or over.
    fn read_on(&self, user: UserId, reading: Reading) -> ControlFlow<Result<Page, ChatError>, Reading> {
        let Reading { room, after, stage } = reading;
        match stage {
            Stage::Asked => Continue(Reading { room, after, stage }),
            Stage::Deep if self.postgres.is_away => Break(Err(ChatError::Unavailable)),
            Stage::Deep => {
                let (items, bytes) = (self.config.page_items_max, self.config.page_bytes_max);
                Break(self.postgres.events_after(user, room, after, items, bytes).ok_or(ChatError::RoomNotFound))
            }
            Stage::Read(result) => Break(result),
        }
    }

    /// Whether `user` may have what a page holds.
    pub fn check_page(&mut self, user: UserId, room: usize, page: &Page) {
        let first = page.next_after + 1 - page.frames.len() as i64;
        for seq in first..=page.next_after {
            if !page.frames.is_empty() && !self.postgres.rooms[room].may_see(user, seq) {
                self.fail(Invariant::MembersOnly, format!("{} reads {seq} of room {room}", short(user)));
            }
        }
    }
}

/// A frame in a few words.
fn told(frame: &str) -> String {
    let frame: serde_json::Value = serde_json::from_str(frame).unwrap_or_default();
    let text = |key: &str| frame[key].as_str().unwrap_or_default().to_owned();
    let room = |value: &serde_json::Value| {
        let id = value.as_str().and_then(|id| id.parse().ok());
        id.map_or_else(String::new, |id| format!(" room {}", super::room_index(id)))
    };
    let rooms: Vec<String> = frame["rooms"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(frame.get("room"))
        .map(|summary| format!("{} at {}", room(&summary["id"]), summary["last_seq"]))
        .collect();
    let place = |key: &str| frame.get(key).map_or_else(String::new, |value| format!(" {key} {value}"));
    format!(
        "{}{}{}{}{}{}",
        text("type"),
        room(&frame["room_id"]),
        rooms.join(","),
        place("seq"),
        place("last_seq"),
        place("re")
    )
}

pub fn short(user: UserId) -> String {
    format!("user {}", user.0.as_u128() & 0xff)
}
