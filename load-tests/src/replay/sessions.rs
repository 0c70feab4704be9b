//! What sessions do: greet, read what their outbox lacks, answer with pages.
//!
//! Mirrors `sessions/session.rs` and `resume.rs`, and of `rooms/lobby.rs` where a room's place is read from: its card while
//! it is open, else Postgres. Which rooms are resumed is decided by the engine's own `sessions/resumption.rs`.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};

use parlance::ids::{RoomId, UserId};
use parlance::order::Page;
use parlance::rooms::commands::caught_up;
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{CatchUp, Command};
use parlance::sessions::resumption::{self, Resumption};
use parlance::wire::Resume;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::actions::short;
use super::check::Invariant;
use super::hub::{Greeting, OUTBOX_BYTES_MAX, Reading, Socket, Stage};
use super::plan::Broken;
use super::voice::Answered;
use super::world::{Ask, World};
use super::{ROOMS, index_of, room_id, room_index};

/// A session that could not read a page waits this long.
const READ_AGAIN_MS: i64 = 500;
/// Less than there are rooms, so that some have to be read anew.
const RESUME_ROOMS_MAX: usize = ROOMS - 1;
/// After a page that brought nothing: Postgres has more than the room has heard of.
const NEWS_AFTER_MS: i64 = 50;

impl World {
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

    /// Listens first, reads second, and then follows. Which rooms, where each of them is, and the rest are steps of their
    /// own, between which anything may happen.
    fn greet(&mut self, (hub, key): (usize, u64)) {
        let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { return };
        let user = socket.user;
        let next = match std::mem::replace(&mut socket.greeting, Greeting::Ready) {
            Greeting::Said => Some(Greeting::Listening),
            Greeting::Listening if self.postgres.is_away => None,
            Greeting::Listening => Some(Greeting::Listed(self.postgres.rooms_of(user))),
            Greeting::Listed(rooms) => self.look(user, &rooms).map(Greeting::Read),
            Greeting::Read(listed) => {
                let asked = asked(&socket.resume);
                let followed = listed.iter().map(|(room, last_seq)| (room_id(*room), *last_seq)).collect();
                match self.compare(&asked, followed) {
                    Some((followed, true)) => Some(Greeting::Compared { listed, followed }),
                    Some((followed, false)) => return self.become_ready((hub, key), listed, followed),
                    None => None,
                }
            }
            Greeting::Compared { listed, followed } => return self.become_ready((hub, key), listed, followed),
            Greeting::Ready => return,
        };
        self.with_socket((hub, key), |socket| match next {
            Some(next) => socket.greeting = next,
            None => socket.is_closed = true,
        });
    }

    /// Where those of the rooms are that the user is in; `None` when Postgres is away and has to be asked.
    fn look(&self, user: UserId, rooms: &[usize]) -> Option<Vec<(usize, i64)>> {
        let mut found = Vec::new();
        for room in rooms {
            let last_seq = match self.engine.seen_by(*room, user) {
                Some(seen) => seen,
                None if self.postgres.is_away => return None,
                None => self.postgres.rooms[*room].seen_by(user),
            };
            found.extend(last_seq.map(|last_seq| (*room, last_seq)));
        }
        Some(found)
    }

    /// Where the rooms are of which the client has more than was read, and whether that had to be asked; `None` when it had
    /// to be and Postgres is away.
    fn compare(&self, asked: &Resume, mut followed: Vec<(RoomId, i64)>) -> Option<(Vec<(RoomId, i64)>, bool)> {
        let ahead: Vec<RoomId> = resumption::ahead(asked, &followed).collect();
        // A broken engine moves those back in silence.
        if ahead.is_empty() || self.plan.is_broken(Broken::MoveBack) {
            return Some((followed, false));
        }
        if self.postgres.is_away {
            return None;
        }
        for (room, last_seq) in followed.iter_mut().filter(|(room, _)| ahead.contains(room)) {
            *last_seq = self.postgres.rooms[room_index(*room)].last_seq().max(*last_seq);
        }
        Some((followed, true))
    }

    fn become_ready(
        &mut self,
        (hub, key): (usize, u64),
        mut listed: Vec<(usize, i64)>,
        mut followed: Vec<(RoomId, i64)>,
    ) {
        let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { return };
        followed.retain(|(room, last_seq)| socket.outbox.follow((*room).into(), last_seq + 1));
        socket.outbox.greeted();
        socket.listens.extend(followed.iter().map(|(room, _)| room_index(*room)));
        listed.retain(|(room, _)| socket.listens.contains(room));
        let mut asked = asked(&socket.resume);
        if self.plan.is_broken(Broken::MoveBack) {
            for (room, last_seq) in &followed {
                asked.rooms.entry(*room).and_modify(|known| *known = (*known).min(*last_seq));
            }
        }
        let Resumption { behind, mut refused } = Resumption::plan(asked, followed.iter().copied(), RESUME_ROOMS_MAX);
        if self.plan.is_broken(Broken::RefuseInSilence) {
            refused.clear();
        }
        let rooms: Vec<Value> =
            listed.iter().map(|(room, last_seq)| json!({ "id": room_id(*room), "last_seq": last_seq })).collect();
        let ready = json!({ "type": "ready", "rooms": rooms, "resume_refused": refused });
        socket.outbox.push_ready(ready.to_string().into());
        for (room, next) in behind {
            socket.outbox.follow_behind(room.into(), next);
        }
        for (room, _) in followed {
            if let Some(latest) = self.engine.latest_seq(room_index(room)) {
                socket.outbox.announce(room.into(), latest);
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
                let room = index_of(room);
                socket.reading = Some(Reading { room, after, stage: Stage::Asked });
                self.ask_page(room, after, Ask::Resume { place, user, room });
            }
            return;
        };
        let (room, after) = (reading.room, reading.after);
        match self.read_on(user, reading) {
            Continue(reading) => self.with_socket(place, |socket| socket.reading = Some(reading)),
            Break(Ok(mut page)) => {
                self.check_forms(room, &page);
                if self.plan.is_broken(Broken::SkipAPage) && page.more {
                    page.frames.clear();
                }
                let is_empty = page.frames.is_empty();
                self.with_socket(place, |socket| {
                    socket.outbox.page(room_id(room).into(), after, &page);
                    socket.read_at = if is_empty { now + NEWS_AFTER_MS } else { now };
                });
            }
            Break(Err(ChatError::RoomNotFound)) => self.with_socket(place, |socket| {
                if socket.outbox.page_denied(room_id(room).into(), after) {
                    socket.listens.remove(&room);
                }
            }),
            Break(Err(error @ ChatError::Ahead { .. })) => self.fail(Invariant::ResumedOrNamed, error.to_string()),
            Break(Err(_)) => self.with_socket(place, |socket| {
                socket.outbox.page_failed(room_id(room).into());
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
        let room = reading.room;
        match self.read_on(user, reading) {
            Continue(reading) => self.with_socket(place, |socket| socket.answering = Some((ask, reading))),
            Break(Err(error @ ChatError::Ahead { .. })) => self.fail(Invariant::ResumedOrNamed, error.to_string()),
            Break(result) => {
                if let Ok(page) = &result {
                    self.check_forms(room, page);
                }
                let frame = match &result {
                    Ok(page) => caught_up(Some(ask), page),
                    Err(_) => format!("{{\"type\":\"error\",\"re\":{ask}}}").into(),
                };
                self.is_over.insert(ask, result.is_err_and(|error| error == ChatError::RoomNotFound));
                self.with_socket(place, |socket| socket.outbox.push(frame));
            }
        }
    }

    fn with_socket(&mut self, (hub, key): (usize, u64), act: impl FnOnce(&mut Socket)) {
        if let Some(socket) = self.hubs[hub].sockets.get_mut(&key) {
            act(socket);
        }
    }

    fn ask_page(&mut self, room: usize, after: i64, asked: Ask) {
        let by = match asked {
            Ask::Resume { user, .. } | Ask::Page { user, .. } => user,
            Ask::Post { .. } | Ask::Change { .. } | Ask::Act(_) | Ask::Mark { .. } => return,
        };
        let number = self.number();
        self.asks.insert(number, asked);
        let reply = self.engine.voice.reply(number, Answered::Page);
        let items_max = self.config.page_items_max;
        self.engine.send(room, Command::CatchUp(CatchUp { by: by.into(), after, items_max, reply }));
    }

    /// One more step of reading a page: still under way, or over.
    fn read_on(&self, user: UserId, reading: Reading) -> ControlFlow<Result<Page, ChatError>, Reading> {
        let Reading { room, after, stage } = reading;
        match stage {
            Stage::Asked => Continue(Reading { room, after, stage }),
            Stage::Deep if self.postgres.is_away => Break(Err(ChatError::Unavailable)),
            Stage::Deep => {
                let (items, bytes) = (self.config.page_items_max, self.config.page_bytes_max);
                Break(self.postgres.events_after(user, room, after, items, bytes))
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

/// What the client says that it has.
fn asked(resume: &BTreeMap<usize, i64>) -> Resume {
    let rooms = resume.iter().map(|(room, known)| (room_id(*room), *known)).collect();
    Resume { rooms, malformed: Vec::new() }
}
