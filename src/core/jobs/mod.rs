//! What follows a commit, and what is due at a time: jobs in Postgres, run at least once.
//!
//! A feature hands in [`JobKind`]s, each with its handler, its [`Policy`] and perhaps a schedule; `app.rs` has them in one
//! list. A job is enqueued in the transaction that causes it ([`store::enqueue`]), so that a crash loses neither or both,
//! or alone ([`JobsHandle::enqueue`]). One actor a node, [`Jobs`], takes what is due under a lease and runs it beside its
//! mailbox.
//!
//! Receives: [`JobsHandle::wake`], the next due time, a slow poll (`jobs.poll_ms`) for what other engines enqueued.
//! Persists: `jobs` (a row until it is done), `job_schedules`.
//!
//! Invariants
//! - **At least once.** A job is gone only when its handler said that it did it. A crash between the two runs it again, so
//!   handlers do what they do in a way that may be repeated: an upsert, a fence, an id of [`Attempt::id`].
//! - **Order a key.** Of jobs of one kind and key, one runs at a time, in the order in which they were enqueued, and the
//!   next one begins when it is done or dead. While one waits for its next attempt, those behind it wait. **A dead letter
//!   blocks nobody**: the next one goes on without it, and one that an admin tries again stands at the end of its key.
//! - **Leases.** A running job has a lease that is extended for as long as it runs. What loses its lease, because Postgres
//!   was away for too long, is cancelled at that moment; another engine may have it by then. An engine that is gone keeps its jobs until
//!   their leases run out. The clocks of engines on one database have to agree within a small part of a lease.
//! - **Dedupe** holds while a job waits, never while it runs: what it is about may have changed after it looked.
//! - A handler that panics has failed an attempt, and nothing else ends. One that dies of its last attempt, or says that
//!   no attempt can help, leaves a dead letter, which is kept for `jobs.dead_days`.
//! - A schedule enqueues one job for all engines, in its rhythm, and none for what it missed while no engine ran.
//! - **A kind that this version does not run** stays where it is: another version, before or after this one, may run it.
//!   Lists mark such jobs, and `parlance_jobs_of_unknown_kinds` counts them.
//! - Deliberately absent: results, workflows, priorities. A job that has to tell something enqueues another.

mod actor;
pub mod config;
mod error;
mod kind;
mod metrics;
mod runner;
mod running;
mod state;
pub mod store;
#[cfg(test)]
mod tests;
pub mod upkeep;
mod wire;

use std::sync::Arc;

use tokio::sync::Notify;
use uuid::Uuid;

pub use actor::Jobs;
pub use error::JobsError;
pub use kind::{Attempt, InvalidJob, Job, JobKind, NewJob, PAYLOAD_BYTES_MAX, Registry};
pub use metrics::describe_metrics;
pub use state::{JobError, Policy};
pub use wire::{JobPage, JobState, ListedJob};

use crate::changes::{Hears, Known};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::JobId;
use parlance_foundation::requests::one_more;
use parlance_foundation::storage::{Storage, is_outage};

/// The way to the jobs. Cheap to clone.
#[derive(Clone)]
pub struct JobsHandle {
    storage: Storage,
    clock: Clock,
    /// Who we are in leases: another one at each start.
    node: Uuid,
    woken: Arc<Notify>,
    /// The names of all kinds that this version runs, if they are known.
    kinds: Option<&'static [&'static str]>,
}

impl JobsHandle {
    /// A way to jobs that nobody runs here until [`Jobs`] starts with it.
    pub fn new(storage: Storage, clock: Clock) -> Self {
        Self { storage, node: clock.uuid(), clock, woken: Arc::default(), kinds: None }
    }

    /// The same, and lists tell which jobs are of no kind that this version runs.
    pub fn knowing(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds: Some(kinds), ..self }
    }

    /// Enqueues one job in a transaction of its own, and has it run. Whether it was taken: not, where one with its dedupe
    /// waits already.
    pub async fn enqueue<J: Job>(&self, job: &J) -> Result<bool, JobsError> {
        Ok(self.enqueue_all(&[NewJob::of(job, &self.clock)?]).await? == 1)
    }

    /// The same for several, all or none; how many were taken.
    pub async fn enqueue_all(&self, jobs: &[NewJob]) -> Result<u64, JobsError> {
        let taken = store::enqueue(&mut *self.storage.engine().acquire().await?, jobs).await?;
        self.wake();
        Ok(taken)
    }

    /// Something was enqueued and committed: without this it would wait for the next poll. Costs next to nothing.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Whether other jobs of the same kind and key wait: behind `own`, if that is the one that runs.
    pub async fn others_wait<J: Job>(&self, job: &J, own: JobId) -> Result<bool, JobsError> {
        let Some(key) = job.key() else { return Ok(false) };
        let mut connection = self.storage.engine_read("jobs").acquire().await?;
        Ok(store::others_wait(&mut connection, J::KIND, &key, own).await?)
    }

    /// A page of jobs, the newest first.
    pub async fn page(
        &self,
        state: Option<JobState>,
        kind: Option<&str>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, JobsError> {
        let mut connection = self.storage.engine_read("jobs").acquire().await?;
        let mut items = store::list(&mut connection, state, kind, before, one_more(limit)).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|job| job.id);
        let runs = |kind: &str| self.kinds.is_none_or(|kinds| kinds.contains(&kind));
        let items = items.into_iter().map(|job| ListedJob { unknown_kind: !runs(&job.kind), ..job.into() }).collect();
        Ok(JobPage { items, next })
    }

    /// Has a dead job tried again, as if it were enqueued now.
    pub async fn retry_dead(&self, id: JobId) -> Result<(), JobsError> {
        let mut connection = self.storage.engine().acquire().await?;
        match store::retry_dead(&mut connection, id, self.clock.now()).await {
            Ok(true) => {
                self.wake();
                Ok(())
            }
            Ok(false) => Err(Self::why_not_dead(&mut connection, id).await?),
            Err(sqlx::Error::Database(refusal)) if refusal.is_unique_violation() => Err(JobsError::Duplicate),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a dead job.
    pub async fn delete_dead(&self, id: JobId) -> Result<(), JobsError> {
        let mut connection = self.storage.engine().acquire().await?;
        if store::delete_dead(&mut connection, id).await? {
            return Ok(());
        }
        Err(Self::why_not_dead(&mut connection, id).await?)
    }

    async fn why_not_dead(connection: &mut sqlx::PgConnection, id: JobId) -> Result<JobsError, sqlx::Error> {
        Ok(if store::is_there(connection, id).await? { JobsError::NotDead } else { JobsError::NotFound })
    }
}

/// For handlers. Postgres' own words may quote a row, and admins read the text.
impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(match &error {
            error if is_outage(error) => "Postgres is away".to_owned(),
            sqlx::Error::Database(refusal) => {
                format!("Postgres refuses it (SQLSTATE {})", refusal.code().unwrap_or_default())
            }
            error => error.to_string(),
        })
    }
}

/// Whoever was deleted may have owned groups: `rooms.pass_ownership` was enqueued with it.
impl Hears for JobsHandle {
    fn topics(&self) -> &'static [&'static str] {
        &["closed"]
    }

    fn heard(&self, _: &str, _: &str) -> Known {
        self.wake();
        Known::Yes
    }
}
