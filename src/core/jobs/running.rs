//! The jobs that run here, each a task of its own under a lease. Who ends how, and who has to be extended.
//!
//! Invariant: a task watches its own lease and ends with it, whatever the [`Runner`](super::runner::Runner) is doing: no
//! handler runs on under a lease that another engine may have by now.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tracing::Instrument;

use super::kind::{Attempt, JobKind};
use super::metrics;
use super::state::JobError;
use super::store::Taken;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::JobId;
use parlance_foundation::supervision::panic_text;

/// A lease of ours, by its job and the number of its attempt.
pub(super) type Lease = (JobId, i32);

/// A job that runs.
struct Held {
    kind: JobKind,
    lease: Lease,
    run_at: chrono::DateTime<chrono::Utc>,
    /// On the monotonic clock.
    begun: Duration,
    /// The same, and shared with the task, which watches it.
    lease_ends: Rc<Cell<Duration>>,
    task: AbortHandle,
    /// Cancelled, because its lease is gone or the engine stops.
    cancelled: bool,
}

/// A job that ran to its end.
pub(super) struct Ended {
    pub kind: JobKind,
    pub lease: Lease,
    pub result: Result<(), JobError>,
}

/// How a task ended; `None`: with its lease.
type Outcome = Option<Result<(), JobError>>;
type Joined = Result<(Id, Outcome), JoinError>;

/// All of them. Dropped, it cancels them.
pub(super) struct Running {
    clock: Clock,
    tasks: JoinSet<Outcome>,
    held: HashMap<Id, Held>,
    of_kind: HashMap<&'static str, usize>,
}

impl Running {
    pub fn new(clock: Clock) -> Self {
        Self { clock, tasks: JoinSet::new(), held: HashMap::new(), of_kind: HashMap::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub fn counts(&self) -> &HashMap<&'static str, usize> {
        &self.of_kind
    }

    pub fn of_kind(&self, kind: &JobKind) -> usize {
        self.of_kind.get(kind.name).copied().unwrap_or(0)
    }

    /// The jobs of which a lease is known here.
    pub fn ids(&self) -> impl Iterator<Item = JobId> {
        self.held.values().map(|held| held.lease.0)
    }

    /// Begins an attempt; `lease_ends` is a reading of the monotonic clock.
    pub fn begin(&mut self, kind: &JobKind, job: Taken, lease_ends: Duration) {
        let number = u32::try_from(job.attempts).unwrap_or(u32::MAX);
        let attempt = Attempt { id: job.id, number, last: number >= kind.policy.attempts_max };
        let span = tracing::info_span!("job", kind = kind.name, job_id = %job.id, attempt = number);
        let (run, run_max) = (kind.clone(), kind.policy.run_max);
        let lease_ends = Rc::new(Cell::new(lease_ends));
        let over = until(self.clock.clone(), Rc::clone(&lease_ends));
        let work = async move {
            // The handler is called within, so that its panic is the job's, whenever it comes.
            let work = async move { run.run(&job.payload, attempt).await };
            let late = || Err(JobError::Retry(format!("the handler took longer than {} s", run_max.as_secs_f64())));
            tokio::select! {
                biased;
                () = over => None,
                ended = tokio::time::timeout(run_max, work) => Some(ended.unwrap_or_else(|_| late())),
            }
        };
        let task = self.tasks.spawn_local(work.instrument(span));
        let lease = (job.id, job.attempts);
        let id = task.id();
        let begun = self.clock.monotonic();
        let held = Held { kind: kind.clone(), lease, run_at: job.run_at, begun, lease_ends, task, cancelled: false };
        self.held.insert(id, held);
        self.count(kind.name, 1);
    }

    /// The next one that ends, in whatever way; `None` for one that was cancelled. Waits for ever while nothing runs.
    pub async fn next(&mut self) -> Option<Ended> {
        match self.tasks.join_next_with_id().await {
            Some(joined) => self.ended(joined),
            None => std::future::pending().await,
        }
    }

    /// Those that have ended already.
    pub fn drain(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            ended.extend(self.ended(joined));
        }
        ended
    }

    fn ended(&mut self, joined: Joined) -> Option<Ended> {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Some(Err(JobError::Retry(why(error))))),
        };
        let held = self.held.remove(&id)?;
        self.count(held.kind.name, -1);
        metrics::took(held.kind.name, self.clock.monotonic().saturating_sub(held.begun));
        if held.cancelled {
            return None;
        }
        if outcome.is_none() {
            held.say_lost();
        }
        Some(Ended { kind: held.kind, lease: held.lease, result: outcome? })
    }

    fn count(&mut self, kind: &'static str, by: isize) {
        let count = self.of_kind.entry(kind).or_default();
        *count = count.saturating_add_signed(by);
        metrics::running(kind, *count);
    }

    /// The leases of which a third has gone by, with how long the next one is to be.
    pub fn to_extend(&self) -> Vec<(Lease, Duration)> {
        let now = self.clock.monotonic();
        let due = self.held.values().filter(|held| !held.cancelled && now >= held.extend_at());
        due.map(|held| (held.lease, held.kind.policy.lease)).collect()
    }

    /// When the next lease is to be extended.
    pub fn next_extension(&self) -> Option<Duration> {
        self.held.values().filter(|held| !held.cancelled).map(Held::extend_at).min()
    }

    /// Of the leases that were `asked` for at `at`, only those of `extended` are ours still; the others are cancelled.
    pub fn extended(&mut self, asked: &[(Lease, Duration)], extended: &[JobId], at: Duration) {
        for held in self.held.values_mut() {
            let Some((_, length)) = asked.iter().find(|(lease, _)| *lease == held.lease) else { continue };
            if extended.contains(&held.lease.0) {
                held.lease_ends.set(at + *length);
            } else {
                held.lose();
            }
        }
    }

    /// Cancels everything that runs; the leases, with what the jobs were due at.
    pub fn cancel_all(&mut self) -> Vec<(Lease, chrono::DateTime<chrono::Utc>)> {
        let mut cancelled = Vec::new();
        for held in self.held.values_mut().filter(|held| !held.cancelled) {
            held.cancelled = true;
            held.task.abort();
            cancelled.push((held.lease, held.run_at));
        }
        cancelled
    }
}

/// Ends when a moment has come that may be moved meanwhile.
async fn until(clock: Clock, moment: Rc<Cell<Duration>>) {
    loop {
        let left = moment.get().saturating_sub(clock.monotonic());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

fn why(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => format!("the handler panicked: {}", panic_text(&*panic)),
        Err(_) => "cancelled".to_owned(),
    }
}

impl Held {
    fn extend_at(&self) -> Duration {
        self.lease_ends.get().saturating_sub(self.kind.policy.lease * 2 / 3)
    }

    fn lose(&mut self) {
        self.cancelled = true;
        self.task.abort();
        self.say_lost();
    }

    fn say_lost(&self) {
        metrics::lease_lost(self.kind.name);
        tracing::warn!(kind = self.kind.name, job_id = %self.lease.0, "a job lost its lease and was cancelled");
    }
}
