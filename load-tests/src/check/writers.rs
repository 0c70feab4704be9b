//! Those who write: a message is sent again, with the same `client_id`, until it is acknowledged or refused for good.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;
use uuid::Uuid;

use super::drafts::Draft;
use super::history::{RoomNo, SendNo, Who};
use super::line::{Heard, Line};
use super::posting::{ANSWERED_WITHIN, Answered};
use super::world::{Tally, World};
use crate::client::Kept;

/// A writer's messages that wait for their acknowledgement; past it, it writes no new ones.
const OUTBOX_MAX: usize = 48;
/// Without an answer for so long, a message is sent again on the same connection.
const ANSWER_PATIENCE: Duration = Duration::from_secs(4);
const TICK: Duration = Duration::from_millis(20);

/// A message that is not acknowledged yet.
#[derive(Clone, Debug)]
struct Unsettled {
    draft: Draft,
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
    outbox: BTreeMap<SendNo, Unsettled>,
    /// The last message of each room that was acknowledged to this writer.
    known: HashMap<RoomNo, Uuid>,
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
            known: HashMap::new(),
            twin: me % 4 == 1,
        }
    }

    /// Over a WebSocket, many at once. How many were never acknowledged nor refused.
    pub async fn over_socket(mut self) -> usize {
        while !self.is_done() {
            let Some(line) = Line::open(&self.world, self.lane, self.me, &Kept::default()).await else {
                self.world.pause(&mut self.rng, 200).await;
                continue;
            };
            for unsettled in self.outbox.values_mut() {
                unsettled.due = Instant::now();
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
                self.outbox.iter().filter(|(_, unsettled)| unsettled.due <= now).map(|(send, _)| *send).collect();
            for send in due {
                // At times twice in a row, as a client does that is too eager.
                for _ in 0..if self.rng.random_ratio(1, 50) { 2 } else { 1 } {
                    number += 1;
                    let Some((room, frame)) = self.frame(number, send) else { continue };
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
        if self.hear_out(&mut line, waiting).await {
            line.close().await;
        }
    }

    /// Takes the answers that are still to come; `false` when the connection has ended.
    async fn hear_out(&mut self, line: &mut Line, mut waiting: HashMap<u64, (SendNo, RoomNo)>) -> bool {
        let mut answered_at = Instant::now();
        while !waiting.is_empty() {
            let before = waiting.len();
            match line.hear_within(TICK).await {
                Heard::Frames(frames) => frames.iter().for_each(|frame| self.take_answer(frame, &mut waiting)),
                Heard::Nothing => {}
                Heard::End => return false,
            }
            if waiting.len() < before {
                answered_at = Instant::now();
            } else if answered_at.elapsed() > ANSWERED_WITHIN {
                self.world.note_unanswered(self.me, waiting.len());
                break;
            }
        }
        true
    }

    fn write_what_is_due(&mut self) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "messages of a run")]
        let due = (self.begun.elapsed().as_secs_f64() * self.per_second) as u64;
        while self.written < due {
            self.written += 1;
            if !self.world.quiet.get() && self.outbox.len() < OUTBOX_MAX {
                let (send, draft) = self.draft();
                Tally::count(&self.world.tally.written);
                self.outbox.insert(send, Unsettled { draft, due: Instant::now() });
            }
        }
    }

    fn draft(&mut self) -> (SendNo, Draft) {
        let send = self.world.next_send();
        let rooms = u16::try_from(self.world.rooms.len()).unwrap_or(1).max(1);
        let room = self.rng.random_range(0..rooms);
        let known = self.known.get(&room).copied();
        (send, Draft::any(&mut self.rng, room, send, known))
    }

    /// The command that leaves now, noted.
    fn frame(&mut self, number: u64, send: SendNo) -> Option<(RoomNo, String)> {
        let Unsettled { draft, due } = self.outbox.get_mut(&send)?;
        *due = Instant::now() + ANSWER_PATIENCE;
        let frame = draft.command(number, self.world.room(draft.room)?, send);
        self.world.note_try(self.me, send, draft);
        Some((draft.room, frame))
    }

    fn maybe_send_by_twin(&mut self, send: SendNo) {
        if !self.twin || !self.rng.random_ratio(1, 3) {
            return;
        }
        let Some(Unsettled { draft, .. }) = self.outbox.get(&send).cloned() else { return };
        let (world, lane, me) = (Rc::clone(&self.world), self.lane, self.me);
        tokio::task::spawn_local(async move {
            world.post(lane, me, send, &draft).await;
        });
    }

    fn take_answer(&mut self, frame: &Value, waiting: &mut HashMap<u64, (SendNo, RoomNo)>) {
        let Some(re) = frame.get("re").and_then(Value::as_u64) else { return };
        let Some((send, room)) = waiting.remove(&re) else { return self.world.note_answered_again(self.me, frame) };
        match self.world.note_answer(self.me, send, room, frame) {
            Answered::Kept(id) => self.settle(send, Some(id)),
            Answered::Denied => self.settle(send, None),
            Answered::Again(after) => {
                if let Some(unsettled) = self.outbox.get_mut(&send) {
                    unsettled.due = Instant::now() + after;
                }
            }
        }
    }

    fn settle(&mut self, send: SendNo, kept: Option<Uuid>) {
        let Some(Unsettled { draft, .. }) = self.outbox.remove(&send) else { return };
        let tally = &self.world.tally;
        Tally::count(if kept.is_some() { &tally.settled } else { &tally.denied });
        self.known.extend(kept.map(|id| (draft.room, id)));
    }

    /// Over HTTP, one after the other.
    pub async fn over_http(mut self) -> usize {
        while !self.is_done() {
            self.write_what_is_due();
            let first = self.outbox.first_key_value();
            let Some((send, draft)) = first.map(|(send, unsettled)| (*send, unsettled.draft.clone())) else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            match self.world.post(self.lane, self.me, send, &draft).await {
                Answered::Kept(id) => self.settle(send, Some(id)),
                Answered::Denied => self.settle(send, None),
                Answered::Again(after) => tokio::time::sleep(after.max(TICK)).await,
            }
        }
        self.outbox.len()
    }
}
