//! Those who write: a message is sent again, with the same `client_id`, until it is acknowledged or refused for good.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::client_id;
use super::history::{Record, RoomNo, SendNo, Who, digest};
use super::line::{Heard, Line};
use super::world::{Outcome, Tally, World, says_undone};

/// A writer's messages that wait for their acknowledgement; past it, it writes no new ones.
const OUTBOX_MAX: usize = 48;
/// Without an answer for so long, a message is sent again on the same connection.
const ANSWER_PATIENCE: Duration = Duration::from_secs(4);
const TICK: Duration = Duration::from_millis(20);
const BYTES_MAX: usize = 700;

/// A message that is not acknowledged yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub room: RoomNo,
    pub content: String,
    /// When to send it (again).
    due: Instant,
}

/// Someone who writes.
pub struct Writer {
    world: Rc<World>,
    me: Who,
    lane: usize,
    rng: StdRng,
    per_second: f64,
    begun: Instant,
    written: u64,
    outbox: BTreeMap<SendNo, Draft>,
    /// Sends at times on two connections at once.
    twin: bool,
}

impl Writer {
    pub fn new(world: &Rc<World>, me: Who, lane: usize, per_second: f64) -> Self {
        Self {
            world: Rc::clone(world),
            me,
            lane,
            rng: world.rng(&format!("writer {me}")),
            per_second,
            begun: Instant::now(),
            written: 0,
            outbox: BTreeMap::new(),
            twin: me % 4 == 1,
        }
    }

    /// Over a WebSocket, many at once. How many were never acknowledged nor refused.
    pub async fn over_socket(mut self) -> usize {
        while !self.is_done() {
            let Some(line) = Line::open(&self.world, self.lane, self.me, &[]).await else {
                self.world.pause(&mut self.rng, 200).await;
                continue;
            };
            for draft in self.outbox.values_mut() {
                draft.due = Instant::now();
            }
            self.talk(line).await;
        }
        self.outbox.len()
    }

    fn is_done(&self) -> bool {
        self.world.ends.get().is_some() || (self.world.quiet.get() && self.outbox.is_empty())
    }

    /// Until the connection ends.
    async fn talk(&mut self, mut line: Line) {
        let mut waiting: HashMap<u64, (SendNo, RoomNo)> = HashMap::new();
        let mut number = 1;
        while !self.is_done() {
            self.write_what_is_due();
            let now = Instant::now();
            let due: Vec<SendNo> =
                self.outbox.iter().filter(|(_, draft)| draft.due <= now).map(|(send, _)| *send).collect();
            for send in due {
                // At times twice in a row, as a client does that is too eager.
                for _ in 0..if self.rng.random_ratio(1, 50) { 2 } else { 1 } {
                    number += 1;
                    let Some((room, frame)) = self.frame(number, send) else { continue };
                    self.world.note_sent(&self.outbox, self.me, send);
                    waiting.insert(number, (send, room));
                    if !line.say(&frame).await {
                        return;
                    }
                }
                self.maybe_send_by_twin(send);
            }
            match line.hear_within(TICK).await {
                Heard::Frames(frames) => frames.iter().for_each(|frame| self.take_answer(frame, &mut waiting)),
                Heard::Nothing => {}
                Heard::End => return,
            }
        }
        line.close().await;
    }

    fn write_what_is_due(&mut self) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "messages of a run")]
        let due = (self.begun.elapsed().as_secs_f64() * self.per_second) as u64;
        while self.written < due {
            self.written += 1;
            if !self.world.quiet.get() && self.outbox.len() < OUTBOX_MAX {
                let (send, draft) = self.draft();
                Tally::count(&self.world.tally.written);
                self.outbox.insert(send, draft);
            }
        }
    }

    fn draft(&mut self) -> (SendNo, Draft) {
        let send = self.world.next_send();
        let rooms = u16::try_from(self.world.rooms.len()).unwrap_or(1).max(1);
        let filling = "x".repeat(self.rng.random_range(0..BYTES_MAX));
        let content = format!("{send} {:016x} {filling}", self.rng.random::<u64>());
        (send, Draft { room: self.rng.random_range(0..rooms), content, due: Instant::now() })
    }

    fn frame(&mut self, number: u64, send: SendNo) -> Option<(RoomNo, String)> {
        let draft = self.outbox.get_mut(&send)?;
        draft.due = Instant::now() + ANSWER_PATIENCE;
        Some((draft.room, post_frame(number, self.world.room(draft.room)?, send, &draft.content)))
    }

    fn maybe_send_by_twin(&mut self, send: SendNo) {
        if !self.twin || !self.rng.random_ratio(1, 3) {
            return;
        }
        let Some(draft) = self.outbox.get(&send).cloned() else { return };
        let (world, lane, me) = (Rc::clone(&self.world), self.lane, self.me);
        tokio::task::spawn_local(async move {
            world.post(lane, me, send, &draft).await;
        });
    }

    fn take_answer(&mut self, frame: &Value, waiting: &mut HashMap<u64, (SendNo, RoomNo)>) {
        let re = frame.get("re").and_then(Value::as_u64);
        let Some((send, room)) = re.and_then(|re| waiting.remove(&re)) else { return };
        match self.world.note_answer(self.me, send, room, frame) {
            Answered::Settled { kept } => self.settle(send, kept),
            Answered::Again(after) => {
                if let Some(draft) = self.outbox.get_mut(&send) {
                    draft.due = Instant::now() + after;
                }
            }
        }
    }

    fn settle(&mut self, send: SendNo, kept: bool) {
        if self.outbox.remove(&send).is_some() {
            let tally = &self.world.tally;
            Tally::count(if kept { &tally.settled } else { &tally.denied });
        }
    }

    /// Over HTTP, one after the other.
    pub async fn over_http(mut self) -> usize {
        while !self.is_done() {
            self.write_what_is_due();
            let Some((send, draft)) = self.outbox.first_key_value().map(|(send, draft)| (*send, draft.clone())) else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            self.world.note_sent(&self.outbox, self.me, send);
            match self.world.post_noted(self.lane, self.me, send, &draft).await {
                Answered::Settled { kept } => self.settle(send, kept),
                Answered::Again(after) => tokio::time::sleep(after.max(TICK)).await,
            }
        }
        self.outbox.len()
    }
}

/// What an answer means for its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Acknowledged (`kept`), or refused for good.
    Settled {
        kept: bool,
    },
    Again(Duration),
}

/// An answer that is an error.
struct Failure<'a> {
    code: &'a str,
    /// It says that nothing was done.
    undone: bool,
    for_good: bool,
}

/// The command that posts a message.
pub fn post_frame(number: u64, room: Uuid, send: SendNo, content: &str) -> String {
    let client_id = client_id(send);
    json!({ "type": "message.post", "id": number, "room_id": room, "client_id": client_id, "content": content })
        .to_string()
}

impl World {
    fn note_sent(&self, outbox: &BTreeMap<SendNo, Draft>, by: Who, send: SendNo) {
        if let Some(draft) = outbox.get(&send) {
            self.note_try(draft.room, by, send, &draft.content);
        }
    }

    /// Notes that a message leaves.
    pub fn note_try(&self, room: RoomNo, by: Who, send: SendNo, content: &str) {
        Tally::count(&self.tally.sent);
        self.recorder.note(room, Record::Sent { by, send, content: digest(content) });
    }

    /// Notes the answer to a `message.post` to `room`.
    pub fn note_answer(&self, by: Who, send: SendNo, room: RoomNo, frame: &Value) -> Answered {
        let said = frame.get("room_id").and_then(|id| self.numbers().room(id));
        if frame.get("type").is_some_and(|kind| kind == "ok") {
            // An acknowledgement that names another room is one of a message that is not there.
            let room = said.unwrap_or(room);
            self.note_ack(room, by, send, frame.get("seq"), frame.get("message_id"));
            return Answered::Settled { kept: true };
        }
        let code = frame.get("code").and_then(Value::as_str).unwrap_or_default();
        let never = frame.get("retry").is_some_and(|retry| retry == "never");
        self.note_failure(room, by, send, &Failure { code, undone: never || says_undone(code), for_good: never });
        if never {
            return Answered::Settled { kept: false };
        }
        let after = frame.get("retry_after_ms").and_then(Value::as_u64).unwrap_or(10);
        Answered::Again(Duration::from_millis(after.max(10)))
    }

    fn note_ack(&self, room: RoomNo, by: Who, send: SendNo, seq: Option<&Value>, id: Option<&Value>) {
        Tally::count(&self.tally.acked);
        let seq = seq.and_then(Value::as_u64).unwrap_or(0);
        let id = id.and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_default();
        self.recorder.note(room, Record::Acked { by, send, seq, id });
    }

    fn note_failure(&self, room: RoomNo, by: Who, send: SendNo, failure: &Failure<'_>) {
        let Failure { code, undone, for_good } = *failure;
        if for_good {
            Tally::count(&self.tally.refused);
        } else {
            self.tally.count_again(undone);
        }
        self.recorder.note(room, Record::Failed { by, send, undone, for_good, code: code.to_owned() });
    }

    /// One try over HTTP, noted.
    async fn post(&self, lane: usize, by: Who, send: SendNo, draft: &Draft) -> Answered {
        self.note_try(draft.room, by, send, &draft.content);
        self.post_noted(lane, by, send, draft).await
    }

    /// One try over HTTP that has been noted as sent already.
    async fn post_noted(&self, lane: usize, by: Who, send: SendNo, draft: &Draft) -> Answered {
        let Some(room) = self.room(draft.room) else { return Answered::Settled { kept: false } };
        let path = format!("/api/v1/rooms/{room}/messages");
        let body = json!({ "client_id": client_id(send), "content": draft.content });
        match self.call(lane, by, Method::POST, &path, Some(body)).await {
            Outcome::Done(message) => {
                self.note_ack(draft.room, by, send, message.get("seq"), message.get("id"));
                Answered::Settled { kept: true }
            }
            Outcome::Refused(code) => {
                self.note_failure(draft.room, by, send, &Failure { code: &code, undone: true, for_good: true });
                Answered::Settled { kept: false }
            }
            Outcome::Later { code, undone, after } => {
                self.note_failure(draft.room, by, send, &Failure { code: &code, undone, for_good: false });
                Answered::Again(after)
            }
            Outcome::Lost => Answered::Again(Duration::from_millis(50)),
        }
    }
}
