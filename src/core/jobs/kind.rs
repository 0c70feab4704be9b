//! What features hand in: kinds of jobs with their handlers, and jobs to be run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::metrics;
use super::state::{JobError, Policy};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::JobId;

/// Largest payload: a job names what it is about, its handler reads it.
pub const PAYLOAD_BYTES_MAX: usize = 65_536;
/// Longest key and dedupe, as the table has it.
const KEY_BYTES_MAX: usize = 500;
const KIND_BYTES_MAX: usize = 100;

/// The payload of one kind of job. Plain data, kept as JSON until it is done: a later version must still read it.
pub trait Job: Serialize + DeserializeOwned + 'static {
    /// Stable, `feature.verb_noun`: it stands in the table and in metrics.
    const KIND: &'static str;

    /// Jobs of this kind with the same key run one after the other, in the order in which they were enqueued; `None`: in
    /// any order, side by side.
    fn key(&self) -> Option<String> {
        None
    }

    /// While one with the same value waits to be run, enqueuing another does nothing. Once it runs, another one is
    /// taken: what it is about may have happened after the handler looked.
    fn dedupe(&self) -> Option<String> {
        None
    }
}

/// Why a job cannot be enqueued: a mistake of the feature, not of a person.
#[derive(Debug, thiserror::Error)]
#[error("a job of kind {kind} cannot be enqueued: {problem}")]
pub struct InvalidJob {
    kind: &'static str,
    problem: String,
}

/// A job as it is enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub(super) id: JobId,
    pub(super) kind: &'static str,
    pub(super) key: Option<String>,
    pub(super) dedupe: Option<String>,
    pub(super) payload: String,
    pub(super) run_at: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
}

impl NewJob {
    /// To be run as soon as there is room for it.
    pub fn of<J: Job>(job: &J, clock: &Clock) -> Result<Self, InvalidJob> {
        let invalid = |problem: String| InvalidJob { kind: J::KIND, problem };
        let payload = serde_json::to_string(job).map_err(|error| invalid(error.to_string()))?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(invalid(format!("its payload has {} bytes of at most {PAYLOAD_BYTES_MAX}", payload.len())));
        }
        let (key, dedupe) = (job.key(), job.dedupe());
        for (name, text) in [("key", &key), ("dedupe", &dedupe)] {
            if text.as_deref().is_some_and(|text| text.len() > KEY_BYTES_MAX || text.contains('\0')) {
                return Err(invalid(format!("its {name} must have at most {KEY_BYTES_MAX} bytes and no NUL")));
            }
        }
        let now = clock.now();
        Ok(Self { id: JobId::new(clock), kind: J::KIND, key, dedupe, payload, run_at: now, created_at: now })
    }

    /// Not before `run_at`. A job with a key keeps those behind it waiting until then.
    pub fn at(mut self, run_at: DateTime<Utc>) -> Self {
        self.run_at = run_at;
        self
    }

    /// What it is known by from now on.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// What a schedule enqueues: one at a time waits to be run.
    pub(super) fn scheduled(kind: &'static str, clock: &Clock) -> Self {
        let now = clock.now();
        let (id, dedupe, payload) = (JobId::new(clock), Some("schedule".to_owned()), "null".to_owned());
        Self { id, kind, key: None, dedupe, payload, run_at: now, created_at: now }
    }
}

/// What a handler is told beside the payload.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The same in every attempt: what the handler does elsewhere can be recognised by it when it is done again.
    pub id: JobId,
    /// From 1.
    pub number: u32,
    /// This is the last one: the job is dead if it fails.
    pub last: bool,
}

type Run = dyn Fn(&str, Attempt) -> LocalBoxFuture<'static, Result<(), JobError>> + Send + Sync;

/// A kind of job: its name, how it is run, and by whom.
#[derive(Clone)]
pub struct JobKind {
    pub(super) name: &'static str,
    pub(super) policy: Policy,
    /// How often a schedule enqueues one.
    pub(super) every: Option<Duration>,
    /// Whether its payload is that of a schedule.
    takes_null: bool,
    run: Arc<Run>,
}

impl JobKind {
    /// Jobs of type `J` are run by `handler`, which brings the doors that it needs. It runs on the thread of the jobs:
    /// work for the processor belongs into `spawn_blocking`. It may be called again for a job that it did already.
    pub fn new<J, H, F>(policy: Policy, handler: H) -> Self
    where
        J: Job,
        H: Fn(J, Attempt) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), JobError>> + 'static,
    {
        let run = move |payload: &str, attempt: Attempt| match serde_json::from_str(payload) {
            Ok(job) => handler(job, attempt).boxed_local(),
            // Without the words of serde, which may quote the payload.
            Err(_) => {
                let why = "the payload does not fit this version of the handler".to_owned();
                std::future::ready(Err(JobError::Permanent(why))).boxed_local()
            }
        };
        let takes_null = serde_json::from_str::<J>("null").is_ok();
        Self { name: J::KIND, policy, every: None, takes_null, run: Arc::new(run) }
    }

    /// One is enqueued in this rhythm, once for all engines on the database, and not while an earlier one still waits.
    /// Its payload is that of a unit struct.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = Some(every);
        self
    }

    pub(super) fn run(&self, payload: &str, attempt: Attempt) -> LocalBoxFuture<'static, Result<(), JobError>> {
        (self.run)(payload, attempt)
    }
}

/// All kinds that this engine runs. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<HashMap<&'static str, JobKind>>);

impl Registry {
    /// Checks what the features hand in, and lets their metrics begin at 0.
    pub fn new(kinds: Vec<JobKind>) -> anyhow::Result<Self> {
        let mut known = HashMap::with_capacity(kinds.len());
        for kind in kinds {
            let name = kind.name;
            anyhow::ensure!((1..=KIND_BYTES_MAX).contains(&name.len()), "the kind of job {name:?} needs another name");
            if let Some(problem) = kind.policy.problem() {
                anyhow::bail!("the policy of jobs of kind {name}: {problem}");
            }
            let is_schedule_fit = kind.every.is_none_or(|every| kind.takes_null && every >= Duration::from_secs(1));
            anyhow::ensure!(is_schedule_fit, "the schedule of {name} needs a unit payload and a second or more");
            anyhow::ensure!(known.insert(name, kind).is_none(), "two kinds of jobs are named {name}");
        }
        let kinds = Self(Arc::new(known));
        metrics::begin_at_zero(&kinds);
        Ok(kinds)
    }

    /// All names, in their order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }

    pub(super) fn get(&self, name: &str) -> Option<&JobKind> {
        self.0.get(name)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &JobKind> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Greet {
        name: String,
    }

    impl Job for Greet {
        const KIND: &'static str = "test.greet";

        fn key(&self) -> Option<String> {
            Some(self.name.clone())
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Sweep;

    impl Job for Sweep {
        const KIND: &'static str = "test.sweep";
    }

    fn kind<J: Job>(policy: Policy) -> JobKind {
        JobKind::new(policy, |_: J, _| async { Ok(()) })
    }

    #[test]
    fn what_cannot_be_registered_is_named() {
        let said = |kinds| Registry::new(kinds).err().map(|error| error.to_string()).unwrap_or_default();
        let fit = Policy::default;
        assert_eq!(said(vec![kind::<Greet>(fit()), kind::<Sweep>(fit()).every(Duration::from_secs(1))]), "");
        assert!(said(vec![kind::<Sweep>(fit()), kind::<Sweep>(fit())]).contains("two kinds"));
        assert!(said(vec![kind::<Greet>(fit()).every(Duration::from_secs(9))]).contains("unit payload"));
        assert!(said(vec![kind::<Sweep>(fit()).every(Duration::ZERO)]).contains("a second"));
        assert!(said(vec![kind::<Sweep>(Policy { attempts_max: 0, ..fit() })]).contains("test.sweep: attempts_max"));
    }

    #[test]
    fn a_job_that_is_too_large_is_refused_before_postgres_sees_it() {
        let clock = Clock::system();
        let refused = |length: usize| {
            let job = NewJob::of(&Greet { name: "x".repeat(length) }, &clock);
            job.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refused(500), "");
        assert!(refused(501).contains("key"), "{}", refused(501));
        assert!(refused(70_000).contains("65536"), "{}", refused(70_000));
    }

    #[actix_rt::test]
    async fn a_payload_of_another_shape_is_a_permanent_failure_that_quotes_nothing() {
        let attempt = Attempt { id: JobId::new(&Clock::system()), number: 1, last: false };
        let error = kind::<Greet>(Policy::default()).run(r#"{"nom":"secret"}"#, attempt).await.unwrap_err();
        assert!(matches!(&error, JobError::Permanent(text) if !text.contains("secret")), "{error:?}");
    }
}
