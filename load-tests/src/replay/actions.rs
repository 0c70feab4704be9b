//! What people ask of the engine, and how devices get on with it.

use parlance::ids::{MessageId, TeamId, UserId};
use parlance::order::MessageRow;
use parlance::party::Party;
use parlance::rooms::mailbox::{ChangeRoom, Command, MarkReceipt, PostMessage};
use parlance::rooms::permissions::Role;
use parlance::rooms::{Change, Right, WantedChange};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use uuid::Uuid;

use super::check::Failure;
use super::client::Sending;
use super::edits::{Wish, text};
use super::voice::Answered;
use super::world::{Ask, World};
use super::{HUBS, ROOMS};

/// A client sends again when it had no answer for this long.
const PATIENCE_MS: i64 = 3_000;

impl World {
    /// Somebody changes a room or who is in it; most of it is refused.
    pub fn change(&mut self, rng: &mut ChaCha8Rng) {
        let mut somebody = || self.users[rng.random_range(0..self.users.len())];
        let (by, user_id) = (somebody(), somebody());
        let roles = [Role::Guest, Role::Member, Role::Admin, Role::Owner];
        let role = roles[rng.random_range(0..roles.len())];
        let text = || Some(format!("n{}", self.now));
        let party = Party::Team(TeamId(Uuid::from_u128(0x900)));
        let mut people = || self.users.iter().copied().filter(|_| rng.random_bool(0.5)).collect::<Vec<_>>();
        let (come, held) = (people(), Vec::new());
        let change = match rng.random_range(0..13) {
            0..4 => Change::add(user_id, role),
            4..7 => Change::remove(user_id),
            7 => Change::set_role(user_id, role),
            8 => Change::Describe { name: text(), topic: None },
            // A team with whomever it has at the moment; of one that is there, more of its people come.
            9 => Change::AddMember { party, role, people: come },
            10 => Change::RemoveMember { party, held },
            11 => Change::SetRole { party, role },
            _ => Change::Describe { name: None, topic: text() },
        };
        let room = rng.random_range(0..ROOMS);
        let ask = self.number();
        self.note(|| format!("{} asks room {room} (#{ask}): {change:?}", short(by)));
        self.asks.insert(ask, Ask::Change { room });
        let reply = self.engine.voice.reply(ask, Answered::Changed);
        let wanted = WantedChange { by: by.into(), right: Right::Own, client_id: None, change };
        self.engine.send(room, Command::Change(ChangeRoom { wanted, reply }));
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
        self.engine.send(room, Command::Mark(MarkReceipt { by: by.into(), delivered_seq, read_seq, reply }));
    }

    /// The same again, to an engine that should not have the room.
    pub fn send_to_rival(&mut self, device: usize) -> bool {
        let sendings = self.devices[device].sendings.clone();
        let is_any = !sendings.is_empty();
        for sending in sendings {
            self.send(device, sending, None);
        }
        is_any
    }

    fn send(&mut self, device: usize, sending: Sending, from: Option<(usize, u64)>) -> u64 {
        match sending.wish.clone() {
            Wish::Post => self.post(device, sending.room, sending.client_id, from),
            Wish::Act(deed) => self.act(device, sending, deed, from),
        }
    }

    fn post(&mut self, device: usize, room: usize, client_id: String, from: Option<(usize, u64)>) -> u64 {
        let (ask, user) = (self.number(), self.devices[device].user);
        let whose = if from.is_some() { "room" } else { "the other owner of room" };
        self.note(|| format!("device {device} posts {client_id} to {whose} {room} (#{ask})"));
        self.asks.insert(ask, Ask::Post { room, user, client_id: client_id.clone(), from });
        let message = MessageRow {
            id: MessageId(Uuid::from_u128(u128::from(ask))),
            sender: Some(user.into()),
            content: text(&client_id, ask),
            client_id: Some(client_id),
            kind: "text".into(),
            parts: None,
            reply_to: None,
            edited_at: None,
            deleted_at: None,
        };
        let engine = if from.is_some() { &mut self.engine } else { &mut self.rival };
        let reply = engine.voice.reply(ask, Answered::Posted);
        engine.send(room, Command::Post(PostMessage { by: Some(user.into()), message, reply }));
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
                let ask = self.send(device, sending, Some(place));
                self.devices[device].sendings[index].asked = Some((ask, now));
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
