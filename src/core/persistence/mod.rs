//! Group commit: rooms hand over rows, persisters commit them in batches, rooms hear how it went.
//!
//! Actors: [`Persister`] ×N (`persistence.shards`); a room always uses the same one. Receives: [`Job`]s from the
//! [`Tray`] of each room. Emits: one [`Outcome`] a write, to the write's [`Claim`], in the order of the writes of a room.
//! Persists: `messages`, `room_events`, `rooms.last_seq`, the watermarks of `room_members`, and through
//! their writers the effects of events, all in the transaction of the flush.
//!
//! Invariants
//! - The fence: a room's rows are written only while `rooms.last_seq` is what the writer thinks it is, in the same
//!   statement. A second owner of a room, or a write that arrives late, changes nothing and is told `Fenced`.
//! - One flush in flight a shard: a batch is whatever arrived meanwhile. A persister with little to do commits at once;
//!   under load it waits for company, about `flush_wait_ms_max` at most.
//! - What a room decided on a row that was not committed is not written either ([`batch::Adrift`]).
//! - A flush whose fate is unknown is tried again and recognised by the id of its last row, never repeated. A row that is
//!   written once more all the same, after its room was loaded anew, meets its own id.
//! - A write that Postgres refuses (a duplicate, say) does not take the rest of its batch with it.
//! - At most `queue_rows_max` rows wait in a shard; past that, [`Tray::enqueue`] answers busy.

pub mod batch;
mod company;
pub mod config;
mod flush;
mod persister;
pub mod store;
#[cfg(test)]
mod tests;
mod tray;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::order::{Row, Watermark};
use parlance_foundation::ids::RoomId;
use parlance_foundation::supervision::ActorHandle;
pub use persister::Persister;
pub use tray::Tray;

/// Rows of one room for the places `from_seq + 1 ..= from_seq + rows.len()`.
#[derive(Debug)]
pub struct Write {
    pub room_id: RoomId,
    /// The room's `last_seq` before this write.
    pub from_seq: i64,
    /// Never empty; shared with the room, which shows them once they are committed.
    pub rows: Vec<Arc<Row>>,
    pub claim: Claim,
}

impl Write {
    /// The room's `last_seq` after this write.
    pub fn to_seq(&self) -> i64 {
        self.from_seq + i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }
}

/// How a room hears of its commits. Not a mailbox, so that a room flooded with commands still hears; bounded by the
/// commands that the room lets wait (`chat.room_pending_max`), since each gets one outcome.
pub type CommitLane = mpsc::UnboundedSender<Vec<(u64, Outcome)>>;

/// A writer's right to one outcome. Invariant: every claim is answered once; one that is dropped, because its
/// persister crashed or its queue was full, is answered `Unavailable`.
#[derive(Debug)]
pub struct Claim {
    ticket: u64,
    lane: Option<CommitLane>,
}

impl Claim {
    /// A claim on `lane`; `ticket` is the writer's own number, given back with the outcome.
    pub fn new(ticket: u64, lane: CommitLane) -> Self {
        Self { ticket, lane: Some(lane) }
    }

    /// A claim that nobody waits for.
    pub fn waived() -> Self {
        Self { ticket: 0, lane: None }
    }

    /// Gives up the claim; the writer knows already.
    pub fn waive(mut self) {
        self.lane = None;
    }

    /// Answers all, one message a lane, in order.
    pub fn answer_all(claims: impl IntoIterator<Item = (RoomId, Self, Outcome)>) {
        let mut lanes: Vec<(CommitLane, Vec<(u64, Outcome)>)> = Vec::new();
        // A room that was given up and opened again in between has two lanes; the newest is the one that goes on.
        let mut newest: HashMap<RoomId, usize> = HashMap::new();
        for (room, mut claim, outcome) in claims {
            let Some(lane) = claim.lane.take() else { continue };
            let told = (claim.ticket, outcome);
            let known = newest.get(&room).and_then(|place| lanes.get_mut(*place));
            match known.filter(|(known, _)| known.same_channel(&lane)) {
                Some((_, outcomes)) => outcomes.push(told),
                None => {
                    newest.insert(room, lanes.len());
                    lanes.push((lane, vec![told]));
                }
            }
        }
        for (lane, outcomes) in lanes {
            // A room that is gone reads its state from Postgres when it comes back.
            let _ = lane.send(outcomes);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            let _ = lane.send(vec![(self.ticket, Outcome::Unavailable)]);
        }
    }
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Committed,
    /// A message with this sender and client id, or the row itself, is there already: nothing was written.
    Duplicate(FirstResult),
    /// The room has moved on without the writer: nothing was written; load it again.
    Fenced,
    /// Postgres stayed away: it may or may not have been written.
    Unavailable,
    /// Somebody was to come into a channel and is not in its space, or not any more: nothing was written.
    OutOfSpace,
    /// Postgres refuses these rows: nothing was written, and trying again will not help.
    Refused,
}

/// What the first write of a message or of a change produced.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstResult {
    pub row: Arc<Row>,
}

/// What a persister does, in order.
#[derive(Debug)]
pub enum Job {
    Write(Write),
    /// Read marks; committed with the next flush.
    Watermarks(RoomId, Vec<Watermark>),
    /// Answered when every job before it is done. The room decides nothing between this and its next load.
    Barrier(RoomId, oneshot::Sender<()>),
}

impl Job {
    fn rows(&self) -> usize {
        match self {
            Self::Write(write) => write.rows.len(),
            Self::Watermarks(_, marks) => marks.len(),
            Self::Barrier(..) => 1,
        }
    }
}

/// The job was not taken; it comes back.
#[derive(Debug, thiserror::Error)]
#[error("the persister's queue is full")]
pub struct QueueFull(pub Job);

/// Where rooms hand their jobs: their trays, or a simulation of persisters. Implementations must not block.
pub trait TakesJobs: Send + Sync + 'static {
    /// Hands a job of the room over, or gives it back at once.
    fn enqueue(&self, room: RoomId, job: Job) -> Result<(), QueueFull>;
}

/// The way to all persisters. Cheap to clone.
#[derive(Clone)]
pub struct Persisters {
    shards: Arc<[Shard]>,
    queue_rows_max: usize,
}

struct Shard {
    persister: ActorHandle<Persister>,
    queued: QueuedRows,
}

/// Rows waiting in one shard: counted by the senders before they send, so that the bound holds at the door. And whether
/// they wait in vain.
#[derive(Clone, Debug, Default)]
pub struct QueuedRows {
    rows: Arc<AtomicUsize>,
    failing: Arc<AtomicBool>,
}

/// A place in the queue for some rows; given back when it is dropped, also with the mailbox of a persister that crashed.
#[derive(Debug)]
struct Places {
    queued: QueuedRows,
    rows: usize,
}

impl QueuedRows {
    fn reserve(&self, rows: usize, max: usize) -> Option<Places> {
        let before = self.rows.fetch_add(rows, Ordering::AcqRel);
        let places = Places { queued: self.clone(), rows };
        // A job larger than the bound may pass alone.
        if before + rows > max && before > 0 { None } else { Some(places) }
    }

    fn get(&self) -> usize {
        self.rows.load(Ordering::Acquire)
    }
}

impl Places {
    /// Parts with `rows` of these places.
    fn split_off(&mut self, rows: usize) -> Self {
        self.rows -= rows;
        Self { queued: self.queued.clone(), rows }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        self.queued.rows.fetch_sub(self.rows, Ordering::AcqRel);
    }
}

impl Persisters {
    /// One door to the given shards.
    pub fn new(shards: Vec<(ActorHandle<Persister>, QueuedRows)>, queue_rows_max: usize) -> Self {
        let shards = shards.into_iter().map(|(persister, queued)| Shard { persister, queued }).collect();
        Self { shards, queue_rows_max }
    }

    fn shard(&self, room: RoomId) -> Option<&Shard> {
        // The low half of a UUIDv7 is random: rooms spread evenly.
        let (_, low) = room.0.as_u64_pair();
        self.shards.get(usize::try_from(low % self.shards.len() as u64).unwrap_or(0))
    }

    /// Places for so many rows of the room, unless its persister has as many as it may.
    fn reserve(&self, room: RoomId, rows: usize) -> Option<Places> {
        self.shard(room)?.queued.reserve(rows, self.queue_rows_max)
    }

    /// Sends jobs to the room's persister, or gives them back at once.
    fn send(&self, room: RoomId, jobs: Vec<(Job, Places)>) -> Result<(), Vec<(Job, Places)>> {
        let Some(shard) = self.shard(room) else { return Err(jobs) };
        shard.persister.send(persister::Enqueue(jobs)).map_err(|refused| refused.into_message().0)
    }

    /// Returns when every job of the room that was handed over so far is done, or its persister is gone.
    pub async fn settle(&self, room: RoomId) -> Result<(), QueueFull> {
        let (sender, receiver) = oneshot::channel();
        let barrier = Job::Barrier(room, sender);
        let Some(places) = self.reserve(room, barrier.rows()) else { return Err(QueueFull(barrier)) };
        if let Err(mut back) = self.send(room, vec![(barrier, places)])
            && let Some((barrier, _)) = back.pop()
        {
            return Err(QueueFull(barrier));
        }
        // A persister that crashed meanwhile has dropped its jobs: they are done, too.
        let _ = receiver.await;
        Ok(())
    }

    /// Whether the last flush of a shard failed, and since then nothing shows that the next would not.
    pub fn are_failing(&self) -> bool {
        self.shards.iter().any(|shard| shard.queued.failing.load(Ordering::Relaxed))
    }

    /// Rows waiting in all shards.
    pub fn queued_rows(&self) -> usize {
        self.shards.iter().map(|shard| shard.queued.get()).sum()
    }
}
