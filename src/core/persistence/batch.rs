//! Which of the waiting jobs go into the next commit. Pure.
//!
//! Invariants: the jobs of one room keep their order; a batch holds at most one contiguous run of a room, so that
//! one fence covers it; nothing overtakes a barrier; and what a room decided on a row that was not committed is not
//! written, even where the fence would let it pass ([`Adrift`]).

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, Utc};

use super::{Job, Outcome, Write};
use crate::order::{EffectWriter, Placed, Watermark};
use parlance_foundation::ids::RoomId;

/// What one commit holds.
#[derive(Debug, Default)]
pub struct Batch {
    pub writes: Vec<Write>,
    pub watermarks: Vec<(RoomId, Watermark)>,
    /// Of rooms that are adrift: to be answered `Fenced`, not to be written.
    pub adrift: Vec<Write>,
    /// Jobs taken, in the unit of the queue's bound.
    pub rows: usize,
}

/// Rooms of which a write was not committed. What they sent after it was decided as if it had been, and would pass the
/// fence if by chance another owner, or a try that had been given up, wrote just as many rows; so it waits for nothing and
/// is fenced here, up to the barrier that the room sends before it loads itself anew.
#[derive(Debug, Default)]
pub struct Adrift(HashSet<RoomId>);

impl Adrift {
    /// What became of a batch's writes.
    pub fn note<'a>(&mut self, told: impl IntoIterator<Item = (&'a Write, &'a Outcome)>) {
        let failed = told.into_iter().filter(|(_, outcome)| **outcome != Outcome::Committed);
        self.0.extend(failed.map(|(write, _)| write.room_id));
    }

    pub fn has(&self, room: RoomId) -> bool {
        self.0.contains(&room)
    }

    /// The room has sent a barrier: what follows is decided on what is committed.
    pub fn end(&mut self, room: RoomId) {
        self.0.remove(&room);
    }
}

/// One room's part of a batch: the fence to move, and which writes it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub room_id: RoomId,
    pub from_seq: i64,
    pub to_seq: i64,
    /// When its newest row happened.
    pub at: Option<DateTime<Utc>>,
}

impl Run {
    /// Of one write.
    pub fn of(write: &Write) -> Self {
        let at = write.rows.last().map(|row| row.at);
        Self { room_id: write.room_id, from_seq: write.from_seq, to_seq: write.to_seq(), at }
    }
}

impl Batch {
    /// Takes jobs from the front of `queue` until a limit or a barrier; jobs that must wait keep their order.
    pub fn take(queue: &mut VecDeque<Job>, adrift: &Adrift, rows_max: usize, bytes_max: usize) -> Self {
        let mut batch = Self::default();
        let mut ends: HashMap<RoomId, i64> = HashMap::new();
        let mut later = VecDeque::new();
        let mut bytes = 0;
        while let Some(job) = queue.pop_front() {
            let full = batch.rows > 0 && (batch.rows + job.rows() > rows_max || bytes >= bytes_max);
            match job {
                // Watermarks may overtake: they only grow and depend on nothing.
                Job::Watermarks(room, marks) if !full => {
                    batch.rows += marks.len();
                    batch.watermarks.extend(marks.into_iter().map(|mark| (room, mark)));
                }
                Job::Write(write) if adrift.has(write.room_id) => batch.adrift.push(write),
                Job::Write(write) if !full && fits(&mut ends, &write) => {
                    batch.rows += write.rows.len();
                    bytes += write.rows.iter().map(|row| row.bytes()).sum::<usize>();
                    batch.writes.push(write);
                }
                job => {
                    let stop = full || matches!(job, Job::Barrier(..));
                    later.push_back(job);
                    if stop {
                        break;
                    }
                }
            }
        }
        while let Some(job) = later.pop_back() {
            queue.push_front(job);
        }
        batch
    }

    /// The fences of this batch, one a room.
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut places: HashMap<RoomId, usize> = HashMap::new();
        for write in &self.writes {
            match places.get(&write.room_id).and_then(|place| runs.get_mut(*place)) {
                Some(run) => *run = Run { from_seq: run.from_seq, ..Run::of(write) },
                None => {
                    places.insert(write.room_id, runs.len());
                    runs.push(Run::of(write));
                }
            }
        }
        // In the order in which whoever leaves a space locks its channels, so that two who lock rooms rarely make a circle:
        // Postgres mostly follows the order that it is given. Where it does not, it ends one of them, which tries again.
        runs.sort_unstable_by_key(|run| run.room_id);
        runs
    }

    /// Whether an event in it changes more than the order.
    pub fn has_effects(&self) -> bool {
        self.writes
            .iter()
            .flat_map(|write| &write.rows)
            .filter_map(|row| row.event())
            .any(|event| !event.effects.is_empty())
    }

    /// What the events of these rooms change besides, by writer.
    pub fn effects(&self, held: &HashSet<RoomId>) -> Vec<(&'static dyn EffectWriter, Vec<Placed<'_>>)> {
        let mut by_writer: Vec<(&'static dyn EffectWriter, Vec<Placed<'_>>)> = Vec::new();
        for write in self.writes.iter().filter(|write| held.contains(&write.room_id)) {
            for (row, event) in write.rows.iter().filter_map(|row| Some((row, row.event()?))) {
                for effect in &event.effects {
                    let placed = Placed::new(write.room_id, row, event, effect.as_ref());
                    let writer = placed.writer();
                    match by_writer.iter_mut().find(|(known, _)| known.name() == writer.name()) {
                        Some((_, effects)) => effects.push(placed),
                        None => by_writer.push((writer, vec![placed])),
                    }
                }
            }
        }
        by_writer
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.watermarks.is_empty()
    }
}

/// Whether the write follows what the batch already holds of its room; a room that once did not is closed.
fn fits(ends: &mut HashMap<RoomId, i64>, write: &Write) -> bool {
    const CLOSED: i64 = i64::MIN;
    let end = ends.entry(write.room_id).or_insert(write.from_seq);
    let fits = *end == write.from_seq;
    *end = if fits { write.to_seq() } else { CLOSED };
    fits
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tokio::sync::{mpsc, oneshot};
    use uuid::Uuid;

    use super::*;
    use crate::order::{MessageRow, Row, RowBody};
    use crate::persistence::Claim;
    use parlance_foundation::ids::MessageId;

    fn room(n: u128) -> RoomId {
        RoomId(Uuid::from_u128(n))
    }

    fn write(room_id: RoomId, from_seq: i64, rows: usize, ticket: u64) -> Write {
        let rows = (1..=rows)
            .map(|n| {
                let message = MessageRow {
                    id: MessageId(Uuid::from_u128(u128::from(ticket))),
                    sender: None,
                    client_id: None,
                    kind: "text".into(),
                    content: "hello".into(),
                    parts: None,
                    reply_to: None,
                    edited_at: None,
                    deleted_at: None,
                };
                Arc::new(Row { seq: from_seq + n as i64, at: Default::default(), body: RowBody::Message(message) })
            })
            .collect();
        Write { room_id, from_seq, rows, claim: Claim::new(ticket, mpsc::unbounded_channel().0) }
    }

    #[test]
    fn contiguous_writes_of_a_room_share_one_fence() {
        let mut queue = VecDeque::from([Job::Write(write(room(1), 5, 1, 0)), Job::Write(write(room(1), 6, 2, 1))]);
        let batch = Batch::take(&mut queue, &Adrift::default(), 100, 1 << 20);
        assert_eq!(batch.runs(), [Run { room_id: room(1), from_seq: 5, to_seq: 8, at: Some(Default::default()) }]);
    }

    #[test]
    fn a_run_that_does_not_follow_waits_with_all_behind_it() {
        let mut queue = VecDeque::from([
            Job::Write(write(room(1), 5, 1, 0)),
            Job::Write(write(room(1), 5, 1, 1)),
            Job::Write(write(room(1), 6, 1, 2)),
            Job::Write(write(room(2), 0, 1, 3)),
        ]);
        let batch = Batch::take(&mut queue, &Adrift::default(), 100, 1 << 20);
        assert_eq!(batch.writes.iter().map(|write| write.claim.ticket).collect::<Vec<_>>(), [0, 3]);
        let batch = Batch::take(&mut queue, &Adrift::default(), 100, 1 << 20);
        assert_eq!(batch.writes.iter().map(|write| write.claim.ticket).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn nothing_overtakes_a_barrier() {
        let mut queue =
            VecDeque::from([Job::Barrier(room(1), oneshot::channel().0), Job::Write(write(room(1), 0, 1, 0))]);
        let batch = Batch::take(&mut queue, &Adrift::default(), 100, 1 << 20);
        assert!(batch.is_empty() && matches!(queue.front(), Some(Job::Barrier(..))));
    }

    #[test]
    fn what_was_decided_on_a_row_that_was_not_committed_is_not_written_up_to_the_barrier() {
        let mut adrift = Adrift::default();
        adrift.note([(&write(room(1), 5, 1, 0), &Outcome::Fenced), (&write(room(2), 0, 1, 1), &Outcome::Committed)]);
        let mut queue = VecDeque::from([
            Job::Write(write(room(1), 6, 1, 2)),
            Job::Write(write(room(2), 1, 1, 3)),
            Job::Barrier(room(1), oneshot::channel().0),
            Job::Write(write(room(1), 6, 1, 4)),
        ]);
        let tickets = |writes: &[Write]| writes.iter().map(|write| write.claim.ticket).collect::<Vec<_>>();
        let batch = Batch::take(&mut queue, &adrift, 100, 1 << 20);
        assert_eq!((tickets(&batch.writes), tickets(&batch.adrift)), (vec![3], vec![2]));
        assert!(matches!(queue.pop_front(), Some(Job::Barrier(..))));
        adrift.end(room(1));
        assert_eq!(tickets(&Batch::take(&mut queue, &adrift, 100, 1 << 20).writes), [4]);
    }

    #[test]
    fn one_write_larger_than_the_limit_still_goes() {
        let mut queue = VecDeque::from([Job::Write(write(room(1), 0, 10, 0)), Job::Write(write(room(2), 0, 1, 1))]);
        assert_eq!(Batch::take(&mut queue, &Adrift::default(), 3, 1 << 20).writes.len(), 1);
        assert_eq!(queue.len(), 1);
    }

    proptest! {
        /// Whatever arrives in whatever order: every write leaves once, in its room's order, under the limits.
        #[test]
        fn every_write_leaves_once_and_in_order(
            jobs in prop::collection::vec((0_u128..4, 0_i64..3, 1_usize..4), 0..60),
            rows_max in 1_usize..12,
        ) {
            let mut queue: VecDeque<Job> = jobs
                .iter()
                .enumerate()
                .map(|(ticket, (r, from, rows))| Job::Write(write(room(*r), *from, *rows, ticket as u64)))
                .collect();
            let mut left: HashMap<RoomId, Vec<u64>> = HashMap::new();
            while !queue.is_empty() {
                let batch = Batch::take(&mut queue, &Adrift::default(), rows_max, 1 << 20);
                prop_assert!(!batch.is_empty());
                prop_assert!(batch.rows <= rows_max || batch.writes.len() == 1);
                for run in batch.runs() {
                    let mut at = run.from_seq;
                    for write in batch.writes.iter().filter(|write| write.room_id == run.room_id) {
                        prop_assert_eq!(write.from_seq, at);
                        at = write.to_seq();
                    }
                    prop_assert_eq!(run.to_seq, at);
                }
                for write in batch.writes {
                    left.entry(write.room_id).or_default().push(write.claim.ticket);
                }
            }
            prop_assert_eq!(left.values().map(Vec::len).sum::<usize>(), jobs.len());
            for tickets in left.values() {
                prop_assert!(tickets.is_sorted());
            }
        }
    }
}
