//! The persister's shell: the real queue discipline ([`Batch`]) and the real claims, over the model of Postgres.
//!
//! Mirrors `persistence/persister.rs`: one flush in flight, tries again until its deadline, recognises what an earlier
//! try committed, and writes one by one what was refused as a whole.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use parlance::ids::RoomId;
use parlance::persistence::batch::{Batch, Run};
use parlance::persistence::{Claim, Job, Outcome, QueueFull, TakesJobs, Write};
use uuid::Uuid;

use super::plan::Broken;
use super::postgres::{Key, Postgres, Refused, Statement, key};

/// What becomes of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Commits,
    FailsBefore,
    LosesItsAnswer,
    CommitsLater,
}

const ROWS_MAX: usize = 6;
const BYTES_MAX: usize = 4_096;
const QUEUE_ROWS_MAX: usize = 16;
const WRITE_TIMEOUT_MS: i64 = 400;
const RETRY_PAUSE_MS: i64 = 20;
const OUTAGE_PAUSE_MS: i64 = 200;

/// The door to a persister, as rooms hold it.
#[derive(Clone, Default)]
pub struct Queue(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Rows in `jobs` and in the flush under way.
    rows: usize,
    /// Of each room, the last row that was taken since it was loaded.
    last: HashMap<RoomId, Uuid>,
    beliefs: Beliefs,
}

/// For rows that were decided before the one before them was committed: which one that is.
pub type Beliefs = HashMap<Uuid, Uuid>;

impl Waiting {
    /// Takes note of what a room believes to be there when this is written.
    fn believe(&mut self, room: RoomId, job: &Job) {
        match job {
            Job::Write(write) => {
                for row in &write.rows {
                    match self.last.insert(room, row.id()) {
                        Some(before) => _ = self.beliefs.insert(row.id(), before),
                        None => _ = self.beliefs.remove(&row.id()),
                    }
                }
            }
            Job::Barrier(_) => _ = self.last.remove(&room),
            Job::Watermarks(..) => {}
        }
    }
}

impl Queue {
    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn len(&self) -> usize {
        self.with(|waiting| waiting.jobs.len())
    }

    /// Whose messages and changes of `room`, with their client ids, are among the jobs that came after the first `known`.
    pub fn sends_since(&self, known: usize, room: RoomId) -> Vec<Key> {
        let of_write = |write: &Write| write.rows.iter().filter_map(|row| key(row)).collect::<Vec<_>>();
        self.with(|waiting| {
            let new = waiting.jobs.iter().skip(known).filter_map(|job| match job {
                Job::Write(write) if write.room_id == room => Some(of_write(write)),
                _ => None,
            });
            new.flatten().collect()
        })
    }
}

impl TakesJobs for Queue {
    fn enqueue(&self, room: RoomId, job: Job) -> Result<(), QueueFull> {
        self.with(|waiting| {
            let rows = rows_of(&job);
            if waiting.rows + rows > QUEUE_ROWS_MAX && waiting.rows > 0 {
                return Err(QueueFull(job));
            }
            waiting.rows += rows;
            waiting.believe(room, &job);
            waiting.jobs.push_back(job);
            Ok(())
        })
    }
}

fn rows_of(job: &Job) -> usize {
    match job {
        Job::Write(write) => write.rows.len(),
        Job::Watermarks(_, marks) => marks.len(),
        Job::Barrier(_) => 1,
    }
}

/// See the module.
pub struct Persister {
    pub queue: Queue,
    flight: Option<Flight>,
    is_outage: bool,
    again_at: i64,
    broken: Option<Broken>,
}

struct Flight {
    batch: Batch,
    beliefs: Beliefs,
    stage: Stage,
    tries: u32,
    /// An earlier try of the same rows may have been committed.
    is_doubtful: bool,
    outcomes: Vec<Outcome>,
    deadline: i64,
    gave_up: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    Whole,
    Marks,
    Single(usize),
    Done,
}

impl Persister {
    pub fn new(broken: Option<Broken>) -> Self {
        Self { queue: Queue::default(), flight: None, is_outage: false, again_at: 0, broken }
    }

    pub fn is_idle(&self) -> bool {
        self.flight.is_none() && self.queue.len() == 0
    }

    /// When a crash interrupts a flush, Postgres may commit it all the same.
    pub fn under_way(&self) -> Option<Statement> {
        self.flight.as_ref().map(|flight| Statement::of(&flight.batch, &flight.beliefs))
    }

    /// Its actor panics: what it held is dropped, and with it every claim.
    pub fn crash(&mut self) {
        let queue = self.queue.clone();
        let jobs = queue.with(|waiting| {
            waiting.rows = 0;
            std::mem::take(&mut waiting.jobs)
        });
        drop(jobs);
        *self = Self { queue, ..Self::new(self.broken) };
    }

    /// Begins a flush, or makes the next try of the one under way.
    pub fn step(&mut self, postgres: &mut Postgres, now: i64, fate: Fate) {
        if now < self.again_at {
            return;
        }
        let Some(mut flight) = self.flight.take() else { return self.begin(now) };
        let fate = if postgres.is_away { Fate::FailsBefore } else { fate };
        if self.broken == Some(Broken::ForgetMarks) {
            flight.batch.watermarks.truncate(0);
        }
        let wait = flight.advance(postgres, now, fate);
        self.again_at = now + wait;
        if matches!(flight.stage, Stage::Done) { self.finish(flight, now) } else { self.flight = Some(flight) }
    }

    fn begin(&mut self, now: i64) {
        let batch = self.queue.with(|waiting| {
            while let Some(job) = waiting.jobs.pop_front() {
                let Job::Barrier(reply) = job else {
                    waiting.jobs.push_front(job);
                    break;
                };
                waiting.rows -= 1;
                let _ = reply.send(());
            }
            Batch::take(&mut waiting.jobs, ROWS_MAX, BYTES_MAX)
        });
        if batch.is_empty() {
            return;
        }
        let deadline = if self.is_outage { now } else { now + WRITE_TIMEOUT_MS };
        let rows = batch.writes.iter().flat_map(|write| &write.rows).map(|row| row.id());
        let beliefs = self.queue.with(|waiting| rows.filter_map(|id| Some((id, *waiting.beliefs.get(&id)?))).collect());
        let mut flight = Flight {
            batch,
            beliefs,
            stage: Stage::Whole,
            tries: 0,
            is_doubtful: false,
            outcomes: Vec::new(),
            deadline,
            gave_up: false,
        };
        if self.broken == Some(Broken::AcknowledgeBeforeCommit) {
            let early =
                flight.batch.writes.iter_mut().map(|write| {
                    (write.room_id, std::mem::replace(&mut write.claim, Claim::waived()), Outcome::Committed)
                });
            Claim::answer_all(early.collect::<Vec<_>>());
        }
        self.flight = Some(flight);
    }

    fn finish(&mut self, flight: Flight, now: i64) {
        let Flight { batch, outcomes, gave_up, .. } = flight;
        self.is_outage = gave_up;
        self.queue.with(|waiting| {
            waiting.rows -= batch.rows;
            if gave_up {
                // Nobody sends read marks again: they stay for the next flush.
                waiting.rows += batch.watermarks.len();
                let kept = batch.watermarks.iter().map(|(room, mark)| Job::Watermarks(*room, vec![*mark]));
                waiting.jobs.extend(kept);
            }
        });
        let told = batch.writes.into_iter().zip(outcomes);
        Claim::answer_all(told.map(|(write, outcome)| (write.room_id, write.claim, outcome)));
        if gave_up {
            self.again_at = now + OUTAGE_PAUSE_MS;
        }
    }
}

impl Flight {
    /// One try; returns for how long to pause.
    fn advance(&mut self, postgres: &mut Postgres, now: i64, fate: Fate) -> i64 {
        self.tries += 1;
        let statement = self.statement();
        match attempt(postgres, &statement, fate) {
            Some(Ok(held)) => self.committed(postgres, &statement, held),
            Some(Err(Refused)) => self.refused(postgres),
            None => {
                let pause = RETRY_PAUSE_MS << self.tries.min(5);
                if now + pause <= self.deadline {
                    return pause;
                }
                self.out_of_time();
            }
        }
        0
    }

    fn statement(&self) -> Statement {
        let all = Statement::of(&self.batch, &self.beliefs);
        match self.stage {
            Stage::Whole | Stage::Done => all,
            Stage::Marks => Statement { marks: all.marks, ..Statement::default() },
            Stage::Single(index) => {
                let Some(write) = self.batch.writes.get(index) else { return Statement::default() };
                let rows = write.rows.iter().map(|row| (write.room_id, Arc::clone(row))).collect();
                Statement { runs: vec![Run::of(write)], rows, marks: Vec::new(), beliefs: all.beliefs }
            }
        }
    }

    fn committed(&mut self, postgres: &Postgres, statement: &Statement, held: std::collections::HashSet<RoomId>) {
        let ours = if self.tries == 1 && !self.is_doubtful {
            Default::default()
        } else {
            postgres.recognise(statement, &held)
        };
        let outcome = |room: &RoomId| match held.contains(room) || ours.contains(room) {
            true => Outcome::Committed,
            false => Outcome::Fenced,
        };
        match self.stage {
            Stage::Whole => {
                self.outcomes = self.batch.writes.iter().map(|write| outcome(&write.room_id)).collect();
                self.stage = Stage::Done;
            }
            Stage::Single(_) => {
                let outcome = statement.runs.first().map_or(Outcome::Unavailable, |run| outcome(&run.room_id));
                self.next_single(outcome);
            }
            Stage::Marks => self.begin_single(0),
            Stage::Done => {}
        }
    }

    fn refused(&mut self, postgres: &Postgres) {
        match self.stage {
            Stage::Whole => {
                self.is_doubtful = self.tries > 1;
                self.tries = 0;
                if self.batch.watermarks.is_empty() { self.begin_single(0) } else { self.stage = Stage::Marks }
            }
            Stage::Single(index) => {
                let first = self.batch.writes.get(index).and_then(|write| match &write.rows.as_slice() {
                    [row] => postgres.first_result(write.room_id, row),
                    _ => None,
                });
                self.next_single(first.map_or(Outcome::Refused, Outcome::Duplicate));
            }
            Stage::Marks | Stage::Done => self.begin_single(0),
        }
    }

    fn out_of_time(&mut self) {
        match self.stage {
            Stage::Whole => {
                self.gave_up = true;
                self.outcomes = vec![Outcome::Unavailable; self.batch.writes.len()];
                self.stage = Stage::Done;
            }
            Stage::Marks => self.begin_single(0),
            Stage::Single(_) => self.next_single(Outcome::Unavailable),
            Stage::Done => {}
        }
    }

    fn next_single(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
        self.begin_single(self.outcomes.len());
    }

    fn begin_single(&mut self, index: usize) {
        self.tries = 0;
        self.stage = if index < self.batch.writes.len() { Stage::Single(index) } else { Stage::Done };
    }
}

/// `None`: the try failed, or nobody knows.
fn attempt(
    postgres: &mut Postgres,
    statement: &Statement,
    fate: Fate,
) -> Option<Result<std::collections::HashSet<RoomId>, Refused>> {
    match fate {
        Fate::Commits => Some(postgres.commit(statement)),
        Fate::FailsBefore => None,
        Fate::LosesItsAnswer => {
            let _ = postgres.commit(statement);
            None
        }
        Fate::CommitsLater => {
            postgres.late.push_back(statement.clone());
            None
        }
    }
}
