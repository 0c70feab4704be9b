//! Those who write, and change what they wrote: a command is sent again, with the same `client_id`, until it is
//! acknowledged or refused for good.

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
use super::revisions::Revision;
use super::world::{Tally, World};
use crate::client::Kept;

/// A writer's messages that wait for their acknowledgement; past it, it writes no new ones.
const OUTBOX_MAX: usize = 48;
/// Without an answer for so long, a message is sent again on the same connection.
const ANSWER_PATIENCE: Duration = Duration::from_secs(4);
const TICK: Duration = Duration::from_millis(20);
/// Of so many things that somebody says, one is a change of what was said.
const REVISION_ONE_IN: u32 = 5;

/// Something to be brought to the engine.
#[derive(Clone, Debug)]
enum Errand {
    Post(Draft),
    Revise(Revision),
}

/// A command that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    send: SendNo,
    room: RoomNo,
    is_post: bool,
}

/// One that is not acknowledged yet.
#[derive(Clone, Debug)]
struct Unsettled {
    errand: Errand,
    /// When to send it (again).
    due: Instant,
}

impl Errand {
    /// One try over HTTP.
    async fn run(&self, world: &World, lane: usize, by: Who, send: SendNo) -> Answered {
        match self {
            Self::Post(draft) => world.post(lane, by, send, draft).await,
            Self::Revise(revision) => world.revise(lane, by, send, revision).await,
        }
    }
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
        let mut waiting: HashMap<u64, Asked> = HashMap::new();
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
                    let Some((asked, frame)) = self.frame(number, send) else { continue };
                    waiting.insert(number, asked);
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
    async fn hear_out(&mut self, line: &mut Line, mut waiting: HashMap<u64, Asked>) -> bool {
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
                let (send, errand) = self.errand();
                if matches!(errand, Errand::Post(_)) {
                    Tally::count(&self.world.tally.written);
                }
                self.outbox.insert(send, Unsettled { errand, due: Instant::now() });
            }
        }
    }

    fn errand(&mut self) -> (SendNo, Errand) {
        let send = self.world.next_send();
        let rooms = u16::try_from(self.world.rooms.len()).unwrap_or(1).max(1);
        let room = self.rng.random_range(0..rooms);
        if self.rng.random_ratio(1, REVISION_ONE_IN)
            && let Some(revision) = Revision::any(&mut self.rng, &self.world.posted, room, self.me, send)
        {
            return (send, Errand::Revise(revision));
        }
        let known = self.known.get(&room).copied();
        (send, Errand::Post(Draft::any(&mut self.rng, room, send, known)))
    }

    /// The command that leaves now, noted.
    fn frame(&mut self, number: u64, send: SendNo) -> Option<(Asked, String)> {
        let Unsettled { errand, due } = self.outbox.get_mut(&send)?;
        *due = Instant::now() + ANSWER_PATIENCE;
        let (room, is_post) = match errand {
            Errand::Post(draft) => (draft.room, true),
            Errand::Revise(revision) => (revision.room, false),
        };
        let id = self.world.room(room)?;
        let frame = match errand {
            Errand::Post(draft) => {
                self.world.note_try(self.me, send, draft);
                draft.command(number, id, send)
            }
            Errand::Revise(revision) => {
                self.world.note_revising(self.me, send, revision);
                revision.command(number, id, send)
            }
        };
        Some((Asked { send, room, is_post }, frame))
    }

    fn maybe_send_by_twin(&mut self, send: SendNo) {
        if !self.twin || !self.rng.random_ratio(1, 3) {
            return;
        }
        let Some(Unsettled { errand, .. }) = self.outbox.get(&send).cloned() else { return };
        let (world, lane, me) = (Rc::clone(&self.world), self.lane, self.me);
        tokio::task::spawn_local(async move {
            errand.run(&world, lane, me, send).await;
        });
    }

    fn take_answer(&mut self, frame: &Value, waiting: &mut HashMap<u64, Asked>) {
        let Some(re) = frame.get("re").and_then(Value::as_u64) else { return };
        let Some(Asked { send, room, is_post }) = waiting.remove(&re) else {
            return self.world.note_answered_again(self.me, frame);
        };
        let answered = match is_post {
            true => self.world.note_answer(self.me, send, room, frame),
            false => self.world.note_revised(self.me, send, room, frame),
        };
        match answered {
            Answered::Kept(id) => self.settle(send, Some(id)),
            Answered::Made | Answered::Denied => self.settle(send, None),
            Answered::Again(after) => {
                if let Some(unsettled) = self.outbox.get_mut(&send) {
                    unsettled.due = Instant::now() + after;
                }
            }
        }
    }

    fn settle(&mut self, send: SendNo, kept: Option<Uuid>) {
        let Some(Unsettled { errand: Errand::Post(draft), .. }) = self.outbox.remove(&send) else { return };
        let tally = &self.world.tally;
        Tally::count(if kept.is_some() { &tally.settled } else { &tally.denied });
        if let Some(id) = kept {
            self.known.insert(draft.room, id);
            self.world.posted.add(draft.room, self.me, id);
        }
    }

    /// Over HTTP, one after the other.
    pub async fn over_http(mut self) -> usize {
        while !self.is_done() {
            self.write_what_is_due();
            let first = self.outbox.first_key_value();
            let Some((send, errand)) = first.map(|(send, unsettled)| (*send, unsettled.errand.clone())) else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            match errand.run(&self.world, self.lane, self.me, send).await {
                Answered::Kept(id) => self.settle(send, Some(id)),
                Answered::Made | Answered::Denied => self.settle(send, None),
                Answered::Again(after) => tokio::time::sleep(after.max(TICK)).await,
            }
        }
        self.outbox.len()
    }
}
