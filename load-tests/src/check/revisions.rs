//! Editing and deleting messages: what people make of what was said, and how it is put, over both ways in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::client_id;
use super::history::{Record, RoomNo, SendNo, Text, Who, digest};
use super::posting::{Answered, Failure};
use super::world::{Outcome, Tally, World, says_undone};

const BYTES_MAX: usize = 400;
/// Of the messages that somebody may think of, these are the newest: memory has them. The others come from Postgres.
const NEWEST: usize = 12;

/// An edit or a deletion that is to be made.
#[derive(Clone, Debug)]
pub struct Revision {
    pub room: RoomNo,
    pub message: Uuid,
    /// What the message is to say, with its parts; a deletion has none.
    text: Option<(String, Option<Value>)>,
}

/// What was acknowledged, and by whom it was written.
#[derive(Debug, Default)]
pub struct Posted(RefCell<HashMap<RoomNo, Vec<(Who, Uuid)>>>);

impl Posted {
    pub fn add(&self, room: RoomNo, by: Who, message: Uuid) {
        self.0.borrow_mut().entry(room).or_default().push((by, message));
    }

    /// One of them: of `by` alone, or of others as well; as often one of the newest as any.
    fn choose(&self, rng: &mut StdRng, room: RoomNo, by: Option<Who>) -> Option<Uuid> {
        let posted = self.0.borrow();
        let all = posted.get(&room)?;
        let from = if rng.random() { all.len().saturating_sub(NEWEST) } else { 0 };
        let mine = all.iter().skip(from).filter(|(who, _)| by.is_none_or(|by| by == *who));
        mine.choose(rng).map(|(_, message)| *message)
    }
}

impl Revision {
    /// Of one's own message most often; of others' it is to be refused, but to whoever rules over them.
    pub fn any(rng: &mut StdRng, posted: &Posted, room: RoomNo, by: Who, send: SendNo) -> Option<Self> {
        let whose = rng.random_ratio(4, 5).then_some(by);
        let message = posted.choose(rng, room, whose)?;
        if rng.random_ratio(1, 5) {
            return Some(Self { room, message, text: None });
        }
        let filling = "y".repeat(rng.random_range(0..BYTES_MAX));
        let parts = rng.random_ratio(1, 4).then(|| json!([{ "type": "note", "of": send }]));
        Some(Self { room, message, text: Some((format!("edit {send} {filling}"), parts)) })
    }

    /// Somebody's message goes: as whoever rules the room has it.
    fn removal(rng: &mut StdRng, posted: &Posted, room: RoomNo) -> Option<Self> {
        let message = posted.choose(rng, room, None)?;
        Some(Self { room, message, text: None })
    }

    fn text(&self) -> Option<Text> {
        let (content, parts) = self.text.as_ref()?;
        Some(Text { content: digest(content), parts: parts.as_ref().map(|parts| digest(&parts.to_string())) })
    }

    /// The command that makes it.
    pub fn command(&self, number: u64, room: Uuid, send: SendNo) -> String {
        let client_id = client_id(send);
        let about = json!({ "id": number, "room_id": room, "message_id": self.message, "client_id": client_id });
        let (kind, text) = match &self.text {
            Some((content, Some(parts))) => ("message.edit", json!({ "content": content, "parts": parts })),
            Some((content, None)) => ("message.edit", json!({ "content": content })),
            None => ("message.delete", json!({})),
        };
        let mut command = json!({ "type": kind });
        for fields in [about, text] {
            if let (Some(command), Value::Object(fields)) = (command.as_object_mut(), fields) {
                command.extend(fields);
            }
        }
        command.to_string()
    }

    /// The call that makes it.
    fn call(&self, room: Uuid, send: SendNo) -> (Method, String, Option<Value>) {
        let path = format!("/api/v1/rooms/{room}/messages/{}", self.message);
        match &self.text {
            Some((content, parts)) => {
                let body = json!({ "client_id": client_id(send), "content": content, "parts": parts });
                (Method::PATCH, path, Some(body))
            }
            None => (Method::DELETE, path, None),
        }
    }
}

impl World {
    /// Notes that an edit or a deletion leaves.
    pub fn note_revising(&self, by: Who, send: SendNo, revision: &Revision) {
        let revising = Record::Revising { by, send, message: revision.message, text: revision.text() };
        self.recorder.note(revision.room, revising);
    }

    /// Notes the answer to the command that makes it.
    pub fn note_revised(&self, by: Who, send: SendNo, room: RoomNo, frame: &Value) -> Answered {
        if frame.get("type").is_some_and(|kind| kind == "ok") {
            let seq = frame.get("seq").and_then(Value::as_u64);
            return self.revised(room, by, send, seq, seq.is_none());
        }
        let failure = Failure::of(frame);
        self.unrevised(room, by, send, &failure);
        if failure.for_good { Answered::Denied } else { Answered::Again(failure.after) }
    }

    fn revised(&self, room: RoomNo, by: Who, send: SendNo, seq: Option<u64>, settled: bool) -> Answered {
        Tally::count(&self.tally.revised);
        self.recorder.note(room, Record::Revised { by, send, seq, settled });
        Answered::Made
    }

    fn unrevised(&self, room: RoomNo, by: Who, send: SendNo, failure: &Failure<'_>) {
        let Failure { code, undone, for_good, .. } = *failure;
        if for_good {
            Tally::count(&self.tally.unrevised);
        }
        self.recorder.note(room, Record::Unrevised { by, send, undone, for_good, code: code.to_owned() });
    }

    /// One try over HTTP, where a deletion has no client id: it is so, or it is not.
    pub async fn revise(&self, lane: usize, by: Who, send: SendNo, revision: &Revision) -> Answered {
        self.note_revising(by, send, revision);
        let Some(id) = self.room(revision.room) else { return Answered::Denied };
        let room = revision.room;
        let (method, path, body) = revision.call(id, send);
        match self.call(lane, by, method, &path, body).await {
            Outcome::Done(_) => self.revised(room, by, send, None, false),
            Outcome::Refused(code) => {
                let failure = Failure { code: &code, undone: true, for_good: true, after: Duration::ZERO };
                self.unrevised(room, by, send, &failure);
                Answered::Denied
            }
            Outcome::Later { code, after, .. } => {
                let failure = Failure { code: &code, undone: says_undone(&code), for_good: false, after };
                self.unrevised(room, by, send, &failure);
                Answered::Again(after)
            }
            Outcome::Lost => Answered::Again(Duration::from_millis(50)),
        }
    }

    /// Whoever rules a room takes somebody's message out of it; so often it is tried.
    pub async fn moderate(self: &Rc<Self>, rng: &mut StdRng, lane: usize, by: Who, room: RoomNo, tries_max: usize) {
        let Some(revision) = Revision::removal(rng, &self.posted, room) else { return };
        let send = self.next_send();
        for _ in 0..tries_max {
            match self.revise(lane, by, send, &revision).await {
                Answered::Again(after) => tokio::time::sleep(after).await,
                _ => return,
            }
        }
    }
}
