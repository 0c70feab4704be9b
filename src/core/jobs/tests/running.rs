use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

use super::Note;
use crate::jobs::config::JobsConfig;
use crate::jobs::running::Running;
use crate::jobs::store::{self, Taken, Wanted};
use crate::jobs::{Attempt, Job, JobError, JobKind, JobState, Jobs, JobsHandle, ListedJob, NewJob, Policy, Registry};
use crate::tree;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::JobId;
use parlance_foundation::storage::Storage;
use parlance_foundation::storage::config::StorageConfig;
use parlance_foundation::supervision::{ActorHandle, Supervisor};
use parlance_foundation::testing::{Proxy, TestDatabase, migrations, until};

const STOP: Duration = Duration::from_secs(20);

/// One engine's jobs.
struct Node {
    actor: ActorHandle<Jobs>,
    handle: JobsHandle,
    supervisor: Supervisor,
}

fn config() -> JobsConfig {
    JobsConfig { poll_ms: 100, stop_timeout_ms: 50, ..parlance_foundation::testing::defaults("jobs") }
}

fn quick() -> Policy {
    Policy { back_off_base: Duration::from_millis(1), back_off_max: Duration::from_millis(2), ..Policy::default() }
}

/// The same database, reached through something that can be cut.
async fn behind_a_proxy(database: &TestDatabase) -> (Proxy, Storage) {
    let proxy = Proxy::before(&database.url()).await;
    let mut settings: StorageConfig = parlance_foundation::testing::defaults("storage");
    settings.acquire_timeout_ms = 200;
    let url = parlance_foundation::storage::parse_url(proxy.url()).unwrap();
    (proxy, Storage::connect(url, &settings, migrations().await).await.unwrap())
}

impl Node {
    fn start(storage: &Storage, kinds: Vec<JobKind>) -> Self {
        Self::start_with(config(), storage, kinds)
    }

    fn start_with(config: JobsConfig, storage: &Storage, kinds: Vec<JobKind>) -> Self {
        let handle = JobsHandle::new(storage.clone(), Clock::system());
        let (supervisor, _) = Supervisor::new();
        let (kinds, given) = (Registry::new(kinds).unwrap(), handle.clone());
        let make = move |_: &_| Jobs::new(config.clone(), given.clone(), kinds.clone());
        let actor = supervisor.start_here(tree::JOBS.spec("app/jobs".into(), 16), make);
        Self { actor, handle, supervisor }
    }

    async fn enqueue(&self, note: Note) {
        assert!(self.handle.enqueue(&note).await.unwrap());
    }

    async fn jobs(&self, state: Option<JobState>) -> Vec<ListedJob> {
        self.handle.page(state, None, None, 100).await.unwrap().items
    }

    async fn until_empty(&self) {
        until("no job is left", async || self.jobs(None).await.is_empty()).await;
    }

    async fn until_dead(&self) -> ListedJob {
        until("a job is dead", async || !self.jobs(Some(JobState::Dead)).await.is_empty()).await;
        self.jobs(Some(JobState::Dead)).await.remove(0)
    }

    async fn report(&self) -> serde_json::Value {
        self.supervisor.registry().reports(1, Duration::from_secs(10)).await.remove(0).state
    }

    async fn stop(self) {
        self.actor.stop(STOP).await;
        assert_eq!(self.actor.restarts(), 0);
    }
}

/// Notes that are told to the test, and then do what it says.
fn telling<F>(
    policy: Policy,
    then: impl Fn(Note, Attempt) -> F + Send + Sync + 'static,
) -> (JobKind, mpsc::UnboundedReceiver<(String, u32)>)
where
    F: Future<Output = Result<(), JobError>> + 'static,
{
    let (tell, told) = mpsc::unbounded_channel();
    let handler = move |note: Note, attempt: Attempt| {
        tell.send((note.text.clone(), attempt.number)).unwrap();
        then(note, attempt)
    };
    (JobKind::new(policy, handler), told)
}

async fn heard(told: &mut mpsc::UnboundedReceiver<(String, u32)>) -> (String, u32) {
    tokio::time::timeout(Duration::from_secs(60), told.recv()).await.expect("nothing ran").unwrap()
}

#[actix_rt::test]
async fn what_is_enqueued_runs_and_is_gone() {
    let database = TestDatabase::create().await;
    let (kind, mut told) = telling(Policy::default(), |_, _| async { Ok(()) });
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::of("a")).await;
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 1));
    node.until_empty().await;
    node.stop().await;
}

#[actix_rt::test]
async fn a_long_queue_behind_one_that_fails_does_not_hide_the_others() {
    let database = TestDatabase::create().await;
    let (kind, mut told) = telling(Policy { at_once_max: 1, ..Policy::default() }, |note, _| async move {
        if note.key.is_some() {
            Err(JobError::RetryAfter("not today".into(), Duration::from_secs(3_600)))
        } else {
            Ok(())
        }
    });
    let handle = JobsHandle::new(database.storage.clone(), Clock::system());
    let behind = (0..2_000).map(|n| Note::keyed(&n.to_string(), "stuck")).chain([Note::of("free")]);
    let jobs = behind.map(|note| NewJob::of(&note, &Clock::system()).unwrap()).collect::<Vec<_>>();
    handle.enqueue_all(&jobs).await.unwrap();
    let node = Node::start(&database.storage, vec![kind]);
    assert_eq!([heard(&mut told).await.0, heard(&mut told).await.0], ["0", "free"]);
    node.stop().await;
}

#[actix_rt::test]
async fn a_handler_that_panics_has_failed_an_attempt_and_ends_nothing_else() {
    let database = TestDatabase::create().await;
    let (kind, mut told) = telling(quick(), |note, attempt| async move {
        assert!(note.text == "calm" || attempt.number > 2, "told to panic");
        Ok(())
    });
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::of("panics")).await;
    for number in 1..=3 {
        assert_eq!(heard(&mut told).await, ("panics".to_owned(), number));
    }
    node.until_empty().await;
    node.enqueue(Note::of("calm")).await;
    assert_eq!(heard(&mut told).await.0, "calm");
    node.stop().await;
}

#[actix_rt::test]
async fn a_permanent_failure_is_dead_at_once_and_runs_again_when_an_admin_says_so() {
    let database = TestDatabase::create().await;
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let (kind, mut told) = telling(quick(), move |_, _| {
        let fine = is_mended.load(Ordering::SeqCst);
        async move { if fine { Ok(()) } else { Err(JobError::Permanent("no such place".into())) } }
    });
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::of("a")).await;
    let dead = node.until_dead().await;
    assert_eq!((dead.attempts, dead.last_error.as_deref()), (1, Some("no such place")));
    assert_eq!(heard(&mut told).await.1, 1);
    mended.store(true, Ordering::SeqCst);
    node.handle.retry_dead(dead.id).await.unwrap();
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 1));
    node.until_empty().await;
    node.stop().await;
}

#[actix_rt::test]
async fn a_job_dies_of_its_last_attempt_and_one_that_takes_too_long_has_failed() {
    let database = TestDatabase::create().await;
    let policy = Policy { attempts_max: 2, run_max: Duration::from_millis(20), ..quick() };
    let (kind, mut told) = telling(policy, |_, attempt| async move {
        assert_eq!(attempt.last, attempt.number == 2);
        std::future::pending().await
    });
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::of("slow")).await;
    let dead = node.until_dead().await;
    assert_eq!(dead.attempts, 2);
    assert!(dead.last_error.unwrap().contains("longer than 0.02 s"));
    assert_eq!([heard(&mut told).await.1, heard(&mut told).await.1], [1, 2]);
    node.stop().await;
}

#[actix_rt::test]
async fn a_job_whose_engine_crashes_in_each_attempt_dies_instead_of_running_once_more() {
    let database = TestDatabase::create().await;
    let (kind, mut told) = telling(Policy { attempts_max: 3, ..quick() }, |_, _| async { Ok(()) });
    let clock = Clock::system();
    let handle = JobsHandle::new(database.storage.clone(), clock.clone());
    handle.enqueue(&Note::of("poison")).await.unwrap();
    for _ in 0..3 {
        let wanted = [Wanted { kind: Note::KIND, rows_max: 1, look_rows_max: 1, leased_until: clock.now() }];
        let mut connection = database.storage.engine().acquire().await.unwrap();
        assert_eq!(store::take(&mut connection, clock.uuid(), &wanted, clock.now()).await.unwrap().taken.len(), 1);
    }
    let node = Node::start(&database.storage, vec![kind]);
    assert!(node.until_dead().await.last_error.unwrap().contains("crashed"));
    assert!(told.try_recv().is_err(), "it did not run");
    node.stop().await;
}

#[actix_rt::test]
async fn what_does_not_end_in_time_at_a_stop_is_given_back_and_the_next_engine_runs_it_at_once() {
    let database = TestDatabase::create().await;
    let (kind, mut told) = telling(Policy::default(), |_, _| std::future::pending());
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::once("a", "a")).await;
    heard(&mut told).await;
    let handle = node.handle.clone();
    node.stop().await;
    let left = handle.page(None, None, None, 10).await.unwrap().items.remove(0);
    assert_eq!((left.state, left.attempts), (JobState::Pending, 0), "it was no failure");
    let (kind, mut told) = telling(Policy::default(), |_, _| async { Ok(()) });
    let next = Node::start(&database.storage, vec![kind]);
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 1));
    next.until_empty().await;
    next.stop().await;
}

#[actix_rt::test]
async fn what_ends_in_time_at_a_stop_is_done() {
    let database = TestDatabase::create().await;
    let go = Arc::new(Notify::new());
    let awaited = Arc::clone(&go);
    let (kind, mut told) = telling(Policy::default(), move |_, _| {
        let go = Arc::clone(&awaited);
        async move {
            go.notified().await;
            Ok(())
        }
    });
    let config = JobsConfig { stop_timeout_ms: 8_000, ..config() };
    let node = Node::start_with(config, &database.storage, vec![kind]);
    node.enqueue(Note::of("a")).await;
    heard(&mut told).await;
    let (handle, registry) = (node.handle.clone(), node.supervisor.registry().clone());
    let ended = async {
        until("the stop is under way", async || {
            registry
                .reports(1, Duration::from_secs(10))
                .await
                .first()
                .is_some_and(|jobs| jobs.state["stopping"] == true)
        })
        .await;
        go.notify_one();
    };
    futures_util::future::join(node.stop(), ended).await;
    assert!(handle.page(None, None, None, 10).await.unwrap().items.is_empty());
}

#[actix_rt::test]
async fn a_run_ends_with_its_lease_whatever_else_goes_on() {
    let clock = Clock::system();
    let mut running = Running::new(clock.clone());
    let kind = JobKind::new(Policy::default(), |_: Note, _| std::future::pending());
    let job = |id| Taken {
        id,
        kind: Note::KIND.to_owned(),
        payload: serde_json::to_string(&Note::of("a")).unwrap(),
        attempts: 1,
        run_at: clock.now(),
    };
    let soon = clock.monotonic() + Duration::from_millis(20);
    running.begin(&kind, job(JobId::new(&clock)), soon);
    // The other one's lease is extended in time.
    let extended = JobId::new(&clock);
    running.begin(&kind, job(extended), soon);
    running.extended(&[((extended, 1), Duration::from_secs(3_600))], &[extended], clock.monotonic());
    // Nobody looks, and nothing is asked of Postgres.
    assert!(running.next().await.is_none(), "it did not end as a job does");
    assert_eq!(running.ids().collect::<Vec<_>>(), [extended]);
}

#[actix_rt::test]
async fn jobs_whose_lease_was_not_heard_of_run_at_once_and_have_lost_no_attempt() {
    let database = TestDatabase::create().await;
    let (proxy, storage) = behind_a_proxy(&database).await;
    let (kind, mut told) = telling(Policy::default(), |_, _| async { Ok(()) });
    let node = Node::start(&storage, vec![kind]);
    until("it has looked", async || !node.report().await["next_look_at"].is_null()).await;
    proxy.cut();
    until("the outage is noticed", async || node.report().await["postgres_away"] == true).await;
    // As if its own take had been committed and the answer lost.
    let (clock, direct) = (Clock::system(), JobsHandle::new(database.storage.clone(), Clock::system()));
    direct.enqueue(&Note::of("a")).await.unwrap();
    let until = clock.now() + Duration::from_secs(3_600);
    let wanted = [Wanted { kind: Note::KIND, rows_max: 1, look_rows_max: 1, leased_until: until }];
    let mut connection = database.storage.engine().acquire().await.unwrap();
    assert_eq!(store::take(&mut connection, node.handle.node, &wanted, clock.now()).await.unwrap().taken.len(), 1);
    proxy.mend();
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 1));
    node.until_empty().await;
    node.stop().await;
}

#[actix_rt::test]
async fn a_stop_does_not_wait_for_an_answer_that_the_network_swallows() {
    let database = TestDatabase::create().await;
    let (proxy, storage) = behind_a_proxy(&database).await;
    let (kind, _told) = telling(Policy::default(), |_, _| async { Ok(()) });
    let node = Node::start(&storage, vec![kind]);
    until("it has looked", async || !node.report().await["next_look_at"].is_null()).await;
    proxy.stall();
    let looked = node.report().await["next_look_at"].clone();
    // The next round, which is due within `poll_ms`, is asked something that is never answered.
    until("a round is under way", async || node.report().await["in_round"] == true).await;
    assert_eq!(node.report().await["next_look_at"], looked);
    // Without having to be killed: `stop` asserts that it ended by itself, long before a round gives up.
    tokio::time::timeout(Duration::from_secs(9), node.stop()).await.expect("it waited for the round");
}

#[actix_rt::test]
async fn a_job_that_runs_for_long_keeps_its_lease_and_one_that_loses_it_is_cancelled() {
    /// Tells when the handler ends, in whatever way.
    struct Guard(Arc<Notify>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let database = TestDatabase::create().await;
    let cancelled = Arc::new(Notify::new());
    let notify = Arc::clone(&cancelled);
    let policy = Policy { lease: Duration::from_millis(600), ..Policy::default() };
    let (kind, mut told) = telling(policy, move |_, _| {
        let guard = Guard(Arc::clone(&notify));
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    let node = Node::start(&database.storage, vec![kind]);
    node.enqueue(Note::of("a")).await;
    heard(&mut told).await;
    let leased_until = async || node.jobs(Some(JobState::Running)).await[0].leased_until.unwrap();
    for _ in 0..3 {
        let before = leased_until().await;
        until("the lease is extended", async || leased_until().await > before).await;
    }
    assert!(told.try_recv().is_err(), "it ran once");
    let theirs = "UPDATE jobs SET leased_by = gen_random_uuid(), leased_until = now() + interval '1 hour'";
    sqlx::query(theirs).execute(database.storage.engine()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), cancelled.notified()).await.expect("it was not cancelled");
    assert_eq!(node.jobs(Some(JobState::Running)).await[0].attempts, 1, "and says nothing about what is another's");
    node.stop().await;
}

#[actix_rt::test]
async fn an_engine_that_is_gone_keeps_its_jobs_until_their_leases_run_out() {
    let database = TestDatabase::create().await;
    let clock = Clock::system();
    let handle = JobsHandle::new(database.storage.clone(), clock.clone());
    handle.enqueue(&Note::of("a")).await.unwrap();
    let until = clock.now() + Duration::from_millis(400);
    let wanted = [Wanted { kind: Note::KIND, rows_max: 1, look_rows_max: 1, leased_until: until }];
    let mut connection = database.storage.engine().acquire().await.unwrap();
    store::take(&mut connection, clock.uuid(), &wanted, clock.now()).await.unwrap();
    let (kind, mut told) = telling(Policy::default(), |_, _| async { Ok(()) });
    let node = Node::start(&database.storage, vec![kind]);
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 2));
    assert!(clock.now() >= until);
    node.until_empty().await;
    node.stop().await;
}

#[derive(Serialize, Deserialize)]
struct Sweep;

impl Job for Sweep {
    const KIND: &'static str = "test.sweep";
}

#[actix_rt::test]
async fn a_schedule_runs_once_on_two_engines_and_makes_up_for_nothing() {
    let database = TestDatabase::create().await;
    let ran = Arc::new(AtomicUsize::new(0));
    let sweep = || {
        let ran = Arc::clone(&ran);
        let count = move |_: Sweep, _| {
            ran.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        };
        vec![JobKind::new(Policy::upkeep(), count).every(Duration::from_secs(3_600))]
    };
    let two = || [Node::start(&database.storage, sweep()), Node::start(&database.storage, sweep())];
    let swept = async |nodes: &[Node], times: usize| {
        until("it ran", async || ran.load(Ordering::SeqCst) >= times).await;
        for node in nodes {
            until("each has looked", async || !node.report().await["next_look_at"].is_null()).await;
            node.until_empty().await;
        }
        assert_eq!(ran.load(Ordering::SeqCst), times);
    };
    let nodes = two();
    swept(&nodes, 1).await;
    for node in nodes {
        node.stop().await;
    }
    // No engine ran for a day.
    let late = "UPDATE job_schedules SET next_at = next_at - interval '1 day' RETURNING next_at";
    let late = sqlx::query_scalar(late).fetch_one(database.storage.engine()).await;
    let due: chrono::DateTime<chrono::Utc> = late.unwrap();
    let nodes = two();
    swept(&nodes, 2).await;
    let next = "SELECT next_at FROM job_schedules";
    let next = sqlx::query_scalar(next).fetch_one(database.storage.engine()).await;
    let next: chrono::DateTime<chrono::Utc> = next.unwrap();
    assert_eq!((next - due).num_milliseconds() % 3_600_000, 0, "it keeps its rhythm");
    for node in nodes {
        node.stop().await;
    }
}

#[actix_rt::test]
async fn while_postgres_is_away_jobs_wait_and_what_ended_meanwhile_is_not_run_again() {
    let database = TestDatabase::create().await;
    let (proxy, storage) = behind_a_proxy(&database).await;
    let go = Arc::new(Notify::new());
    let awaited = Arc::clone(&go);
    let (kind, mut told) = telling(quick(), move |_, _| {
        let go = Arc::clone(&awaited);
        async move {
            go.notified().await;
            Ok(())
        }
    });
    let node = Node::start(&storage, vec![kind]);
    let direct = JobsHandle::new(database.storage.clone(), Clock::system());
    direct.enqueue(&Note::of("a")).await.unwrap();
    assert_eq!(heard(&mut told).await, ("a".to_owned(), 1));
    proxy.cut();
    go.notify_one();
    until("the outage is noticed", async || node.report().await["postgres_away"] == true).await;
    direct.enqueue(&Note::of("b")).await.unwrap();
    proxy.mend();
    assert_eq!(heard(&mut told).await, ("b".to_owned(), 1));
    go.notify_one();
    until("both are done", async || direct.page(None, None, None, 10).await.unwrap().items.is_empty()).await;
    assert!(told.try_recv().is_err());
    node.stop().await;
}
