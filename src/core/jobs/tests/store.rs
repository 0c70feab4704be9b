use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, Postgres};
use uuid::Uuid;

use super::Note;
use crate::jobs::store::{self, Taken, Wanted};
use crate::jobs::{Job, JobState, JobsError, JobsHandle, NewJob};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::JobId;
use parlance_foundation::testing::{TestDatabase, until};

const LEASE: Duration = Duration::from_secs(30);

struct Bench {
    database: TestDatabase,
    clock: Clock,
    node: Uuid,
}

impl Bench {
    async fn new() -> Self {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        Self { database: TestDatabase::create().await, node: clock.uuid(), clock }
    }

    async fn connection(&self) -> PoolConnection<Postgres> {
        self.database.storage.engine().acquire().await.unwrap()
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn new_jobs(&self, notes: &[Note]) -> Vec<NewJob> {
        notes.iter().map(|note| NewJob::of(note, &self.clock).unwrap()).collect()
    }

    async fn enqueue(&self, notes: &[Note]) -> u64 {
        store::enqueue(&mut *self.connection().await, &self.new_jobs(notes)).await.unwrap()
    }

    async fn take_as(&self, node: Uuid, rows_max: usize) -> Vec<Taken> {
        let wanted = [Wanted { kind: Note::KIND, rows_max, look_rows_max: rows_max, leased_until: self.now() + LEASE }];
        store::take(&mut *self.connection().await, node, &wanted, self.now()).await.unwrap().taken
    }

    async fn take(&self) -> Vec<Taken> {
        self.take_as(self.node, 100).await
    }

    async fn done(&self, job: &Taken) -> bool {
        self.done_as(self.node, job).await
    }

    async fn done_as(&self, node: Uuid, job: &Taken) -> bool {
        store::done(&mut *self.connection().await, node, &[lease(job)]).await.unwrap() == [job.id]
    }

    async fn put_back(&self, job: &Taken, after: Duration) -> bool {
        let run_at = self.now() + after;
        store::put_back(&mut *self.connection().await, self.node, lease(job), run_at, Some("no")).await.unwrap()
    }

    async fn bury(&self, job: &Taken) -> bool {
        store::bury(&mut *self.connection().await, self.node, lease(job), "no", self.now()).await.unwrap()
    }

    async fn rows(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM jobs").fetch_one(&mut *self.connection().await).await.unwrap()
    }

    fn handle(&self) -> JobsHandle {
        JobsHandle::new(self.database.storage.clone(), self.clock.clone())
    }
}

fn lease(job: &Taken) -> (JobId, i32) {
    (job.id, job.attempts)
}

fn texts(jobs: &[Taken]) -> Vec<String> {
    let text = |job: &Taken| serde_json::from_str::<Note>(&job.payload).unwrap().text;
    jobs.iter().map(text).collect()
}

#[actix_rt::test]
async fn of_one_key_one_runs_at_a_time_in_order_and_the_next_begins_at_once() {
    let bench = Bench::new().await;
    let notes = [Note::keyed("a1", "a"), Note::keyed("a2", "a"), Note::keyed("b1", "b"), Note::of("c")];
    assert_eq!(bench.enqueue(&notes).await, 4);
    let taken = bench.take().await;
    assert_eq!(texts(&taken), ["a1", "b1", "c"]);
    assert!(bench.take().await.is_empty());
    assert!(bench.done(&taken[0]).await);
    assert_eq!(texts(&bench.take().await), ["a2"], "it was left alone for a while, but need not wait any longer");
}

#[actix_rt::test]
async fn a_job_that_waits_for_its_next_attempt_keeps_those_behind_it_waiting() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::keyed("a1", "a"), Note::keyed("a2", "a")]).await;
    assert!(bench.put_back(&bench.take().await[0], Duration::from_secs(60)).await);
    bench.clock.advance(Duration::from_secs(59));
    assert!(bench.take().await.is_empty());
    bench.clock.advance(Duration::from_secs(61));
    let again = bench.take().await;
    assert_eq!((texts(&again), again[0].attempts), (vec!["a1".to_owned()], 2));
    assert!(bench.done(&again[0]).await);
    assert_eq!(texts(&bench.take().await), ["a2"]);
}

#[actix_rt::test]
async fn a_dead_letter_blocks_nobody_and_comes_back_at_the_end_of_its_key() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::keyed("a1", "a"), Note::keyed("a2", "a"), Note::keyed("a3", "a")]).await;
    let first = bench.take().await.remove(0);
    assert!(bench.bury(&first).await);
    let second = bench.take().await;
    assert_eq!(texts(&second), ["a2"]);
    bench.handle().retry_dead(first.id).await.unwrap();
    assert!(bench.take().await.is_empty(), "a2 runs");
    assert!(bench.done(&second[0]).await);
    let third = bench.take().await;
    assert_eq!(texts(&third), ["a3"]);
    assert!(bench.done(&third[0]).await);
    let again = bench.take().await;
    assert_eq!((texts(&again), again[0].attempts), (vec!["a1".to_owned()], 1), "with all of its attempts");
}

#[actix_rt::test]
async fn a_lease_that_ran_out_goes_to_another_engine_and_the_first_ones_word_counts_no_more() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::of("a")]).await;
    let ours = bench.take().await.remove(0);
    bench.clock.advance(LEASE - Duration::from_millis(1));
    let other = Uuid::from_u128(7);
    assert!(bench.take_as(other, 1).await.is_empty());
    bench.clock.advance(Duration::from_millis(1));
    let theirs = bench.take_as(other, 1).await.remove(0);
    assert_eq!((theirs.id, theirs.attempts), (ours.id, 2));
    let until = [bench.now() + LEASE];
    let extended = store::extend(&mut *bench.connection().await, bench.node, &[lease(&ours)], &until).await.unwrap();
    assert!(extended.is_empty() && !bench.done(&ours).await);
    assert!(!bench.bury(&ours).await && !bench.put_back(&ours, Duration::ZERO).await);
    // Nor does the word of an earlier lease of one's own.
    bench.clock.advance(LEASE);
    assert_eq!(bench.take_as(other, 1).await.len(), 1);
    assert!(!bench.done_as(other, &theirs).await);
    assert_eq!(bench.rows().await, 1);
}

#[actix_rt::test]
async fn a_lease_that_ran_out_is_in_no_way_of_an_earlier_job_that_was_committed_late() {
    let bench = Bench::new().await;
    let mut late = bench.connection().await;
    let mut transaction = late.begin().await.unwrap();
    store::enqueue(&mut transaction, &bench.new_jobs(&[Note::keyed("first", "k")])).await.unwrap();
    bench.enqueue(&[Note::keyed("second", "k")]).await;
    assert_eq!(texts(&bench.take().await), ["second"]);
    transaction.commit().await.unwrap();
    assert!(bench.take().await.is_empty(), "one at a time");
    // Its engine is gone.
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(texts(&bench.take().await), ["first"]);
}

#[actix_rt::test]
async fn two_engines_that_take_at_the_same_time_never_take_the_same_nor_of_the_same_key() {
    let bench = Bench::new().await;
    let keyed = (0..300).map(|n| Note { key: (n % 3 == 0).then(|| format!("k{}", n % 7)), ..Note::of("x") });
    bench.enqueue(&keyed.collect::<Vec<_>>()).await;
    let (keys, most) = (RefCell::new(HashSet::new()), Cell::new(0));
    let taker = async |node: u128| {
        let mut ids = Vec::new();
        loop {
            let taken = bench.take_as(Uuid::from_u128(node), 5).await;
            let key = |job: &Taken| serde_json::from_str::<Note>(&job.payload).unwrap().key;
            for key in taken.iter().filter_map(key) {
                assert!(keys.borrow_mut().insert(key.clone()), "two of {key} at once");
            }
            most.set(most.get().max(keys.borrow().len()));
            for job in &taken {
                if let Some(key) = key(job) {
                    keys.borrow_mut().remove(&key);
                }
                assert!(bench.done_as(Uuid::from_u128(node), job).await);
                ids.push(job.id);
            }
            if taken.is_empty() && bench.rows().await == 0 {
                return ids;
            }
            // What was left alone, because one of its key ran, is looked at again.
            bench.clock.advance(Duration::from_secs(1));
        }
    };
    let (first, second) = futures_util::future::join(taker(1), taker(2)).await;
    let all: HashSet<_> = first.iter().chain(&second).collect();
    assert_eq!((all.len(), first.len() + second.len()), (300, 300));
    assert!(!first.is_empty() && !second.is_empty() && most.get() > 1, "there was something to get wrong");
}

/// While the test holds this lock, whoever leases `second` stops before its commit.
async fn stop_who_leases_second(bench: &Bench) -> PoolConnection<Postgres> {
    let stop = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
                CREATE TRIGGER stop BEFORE UPDATE ON jobs FOR EACH ROW
                    WHEN (NEW.payload::text LIKE '%second%' AND OLD.leased_by IS NULL) EXECUTE FUNCTION stop();";
    let mut connection = bench.connection().await;
    sqlx::raw_sql(stop).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("SELECT pg_advisory_lock(42)").execute(&mut *connection).await.unwrap();
    connection
}

async fn until_somebody_is_stopped(bench: &Bench) {
    let stopped = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted)";
    until("somebody waits for the lock", async || {
        sqlx::query_scalar(stopped).fetch_one(&mut *bench.connection().await).await.unwrap()
    })
    .await;
}

#[actix_rt::test]
async fn an_earlier_job_that_is_committed_while_a_later_one_is_leased_waits_for_it() {
    let bench = Bench::new().await;
    let mut stop = stop_who_leases_second(&bench).await;
    let mut late = bench.connection().await;
    let mut transaction = late.begin().await.unwrap();
    store::enqueue(&mut transaction, &bench.new_jobs(&[Note::keyed("first", "k")])).await.unwrap();
    bench.enqueue(&[Note::keyed("second", "k")]).await;
    let meanwhile = async {
        until_somebody_is_stopped(&bench).await;
        transaction.commit().await.unwrap();
        let theirs = bench.take_as(Uuid::from_u128(7), 5).await;
        sqlx::raw_sql("SELECT pg_advisory_unlock(42)").execute(&mut *stop).await.unwrap();
        theirs
    };
    let (ours, theirs) = futures_util::future::join(bench.take(), meanwhile).await;
    assert_eq!((texts(&ours), texts(&theirs)), (vec!["second".to_owned()], vec![]));
    assert!(bench.done(&ours[0]).await);
    assert_eq!(texts(&bench.take().await), ["first"]);
}

#[actix_rt::test]
async fn what_is_found_behind_one_that_ends_at_this_moment_need_not_wait() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::keyed("first", "k"), Note::keyed("second", "k")]).await;
    let first = bench.take_as(bench.node, 1).await.remove(0);
    let mut stop = stop_who_leases_second(&bench).await;
    // Another engine finds it behind the first one, and stops before it has said so.
    let theirs = bench.take_as(Uuid::from_u128(7), 5);
    let ended = async {
        until_somebody_is_stopped(&bench).await;
        let done = async {
            let waits =
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid <> 42 AND NOT granted)";
            until("the end waits for whoever looks", async || {
                sqlx::query_scalar(waits).fetch_one(&mut *bench.connection().await).await.unwrap()
            })
            .await;
            sqlx::raw_sql("SELECT pg_advisory_unlock(42)").execute(&mut *stop).await.unwrap();
        };
        let (is_ours, ()) = futures_util::future::join(bench.done(&first), done).await;
        assert!(is_ours);
    };
    let (theirs, ()) = futures_util::future::join(theirs, ended).await;
    assert!(theirs.is_empty());
    assert_eq!(texts(&bench.take().await), ["second"], "at once");
}

#[actix_rt::test]
async fn whoever_puts_one_back_does_not_wait_for_long_for_whoever_leans_on_its_twin() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::once("1", "x")]).await;
    let job = bench.take().await.remove(0);
    bench.enqueue(&[Note::once("2", "x")]).await;
    let mut leaning = bench.connection().await;
    let mut transaction = leaning.begin().await.unwrap();
    assert_eq!(store::enqueue(&mut transaction, &bench.new_jobs(&[Note::once("3", "x")])).await.unwrap(), 0);
    let mut connection = bench.connection().await;
    let put_back = store::put_back(&mut connection, bench.node, lease(&job), bench.now(), Some("no")).await;
    assert!(put_back.is_err_and(|error| store::is_locked(&error)));
    transaction.commit().await.unwrap();
    assert!(bench.put_back(&job, Duration::ZERO).await);
    assert_eq!(texts(&bench.take().await), ["1"]);
}

#[actix_rt::test]
async fn one_that_waits_already_is_leaned_on_without_being_written_anew() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::once("1", "x")]).await;
    let version = async || {
        let version = sqlx::query_scalar::<_, String>("SELECT ctid::text FROM jobs");
        version.fetch_one(&mut *bench.connection().await).await.unwrap()
    };
    let before = version().await;
    assert_eq!(bench.enqueue(&[Note::once("2", "x")]).await, 0);
    assert_eq!(version().await, before);
}

#[actix_rt::test]
async fn jobs_of_kinds_that_nobody_runs_here_are_counted_shown_and_left() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::of("a")]).await;
    let other = "INSERT INTO jobs (id, kind, payload, run_at, created_at)
                 SELECT gen_random_uuid(), kind, 'null', now() - interval '1 day', now()
                 FROM unnest(ARRAY['later.one', 'later.one', 'earlier.two']) AS kind";
    sqlx::query(other).execute(&mut *bench.connection().await).await.unwrap();
    let count = async |kinds: &[&str], rows_max| {
        store::count_others(&mut *bench.connection().await, kinds, rows_max).await.unwrap()
    };
    assert_eq!((count(&[Note::KIND], 9).await, count(&[Note::KIND], 1).await), (3, 2));
    assert_eq!((count(&[], 9).await, count(&[Note::KIND, "later.one", "earlier.two"], 9).await), (4, 0));
    assert_eq!(texts(&bench.take().await), ["a"]);
    let jobs = bench.handle().knowing(&[Note::KIND]).page(None, None, None, 10).await.unwrap().items;
    let unknown: Vec<_> = jobs.iter().filter(|job| job.unknown_kind).map(|job| job.kind.as_str()).collect();
    assert_eq!((jobs.len(), unknown.len(), unknown.contains(&Note::KIND)), (4, 3, false));
}

#[actix_rt::test]
async fn a_batch_keeps_the_order_in_which_it_was_given() {
    let bench = Bench::new().await;
    let given: Vec<String> = (0..40).map(|n| format!("{:02}", (n * 17) % 40)).collect();
    let notes = given.iter().map(|text| Note { dedupe: Some(text.clone()), ..Note::keyed(text, "a") });
    assert_eq!(bench.enqueue(&notes.collect::<Vec<_>>()).await, 40);
    let mut ran = Vec::new();
    while let Some(job) = bench.take().await.pop() {
        ran.extend(texts(std::slice::from_ref(&job)));
        assert!(bench.done(&job).await);
    }
    assert_eq!(ran, given);
}

#[actix_rt::test]
async fn while_one_waits_the_same_is_not_enqueued_again_but_while_it_runs_it_is() {
    let bench = Bench::new().await;
    assert_eq!(bench.enqueue(&[Note::once("1", "x"), Note::once("2", "x"), Note::once("3", "y")]).await, 2);
    assert_eq!(bench.enqueue(&[Note::once("4", "x")]).await, 0);
    let taken = bench.take().await;
    assert_eq!(texts(&taken), ["1", "3"]);
    assert_eq!(bench.enqueue(&[Note::once("5", "x")]).await, 1, "what it is about may have changed after it looked");
    // One that failed does the work of the other one as well, with all of that one's attempts.
    assert!(bench.put_back(&taken[0], Duration::ZERO).await);
    let again = bench.take().await;
    assert_eq!((texts(&again), again[0].attempts), (vec!["1".to_owned()], 1));
    assert_eq!(bench.enqueue(&[Note::once("6", "x")]).await, 1);
    assert!(bench.bury(&again[0]).await, "a dead one keeps nobody out");
    assert!(matches!(bench.handle().retry_dead(again[0].id).await, Err(JobsError::Duplicate)));
}

#[actix_rt::test]
async fn what_waits_already_runs_after_the_commit_of_whoever_leaned_on_it() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::once("1", "x")]).await;
    let mut connection = bench.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    let again = bench.new_jobs(&[Note::once("2", "x"), Note::of("3")]);
    assert_eq!(store::enqueue(&mut transaction, &again).await.unwrap(), 1);
    assert!(bench.take().await.is_empty(), "the handler would not see what this transaction changed");
    transaction.commit().await.unwrap();
    assert_eq!(texts(&bench.take().await), ["1", "3"]);
}

#[actix_rt::test]
async fn a_transaction_that_is_taken_back_enqueues_nothing() {
    let bench = Bench::new().await;
    let mut connection = bench.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(store::enqueue(&mut transaction, &bench.new_jobs(&[Note::of("a")])).await.unwrap(), 1);
    transaction.rollback().await.unwrap();
    assert_eq!((bench.rows().await, bench.enqueue(&[]).await), (0, 0));
}

#[actix_rt::test]
async fn nothing_runs_before_its_time() {
    let bench = Bench::new().await;
    let later = NewJob::of(&Note::of("later"), &bench.clock).unwrap().at(bench.now() + TimeDelta::seconds(9));
    let due = later.run_at;
    store::enqueue(&mut *bench.connection().await, &[later]).await.unwrap();
    assert!(bench.take().await.is_empty());
    let next = store::next_due(&mut *bench.connection().await, &[Note::KIND, "test.other"]).await.unwrap();
    assert_eq!(next, Some(due));
    bench.clock.advance(Duration::from_secs(9));
    assert_eq!(texts(&bench.take().await), ["later"]);
}

#[actix_rt::test]
async fn a_long_queue_behind_one_that_fails_is_soon_left_alone() {
    let bench = Bench::new().await;
    let notes: Vec<_> = (0..200).map(|n| Note::keyed(&n.to_string(), "stuck")).collect();
    bench.enqueue(&notes).await;
    assert!(bench.put_back(&bench.take_as(bench.node, 1).await[0], Duration::from_secs(3_600)).await);
    bench.enqueue(&[Note::keyed("free", "other"), Note::of("free too")]).await;
    let wanted =
        |look_rows_max| [Wanted { kind: Note::KIND, rows_max: 1, look_rows_max, leased_until: bench.now() + LEASE }];
    let mut connection = bench.connection().await;
    let futile = store::take(&mut connection, bench.node, &wanted(150), bench.now()).await.unwrap();
    assert!(futile.taken.is_empty() && futile.more_of == [Note::KIND], "{futile:?}");
    let found = store::take(&mut connection, bench.node, &wanted(150), bench.now()).await.unwrap();
    assert_eq!(texts(&found.taken), ["free"]);
    assert_eq!(texts(&bench.take_as(bench.node, 1).await), ["free too"], "it was looked at and left as it was");
    let due = store::next_due(&mut *bench.connection().await, &[Note::KIND]).await.unwrap().unwrap();
    assert!(due > bench.now(), "{due}");
}

#[actix_rt::test]
async fn a_schedule_that_is_due_is_one_engines_only() {
    let bench = Bench::new().await;
    let (kinds, hour) = (["test.note"], TimeDelta::hours(1));
    let know = async |every: TimeDelta| {
        let latest = [bench.now() + every];
        store::know_schedules(&mut *bench.connection().await, &kinds, &latest, bench.now()).await.unwrap();
    };
    know(hour).await;
    let (mut first, mut second) = (bench.connection().await, bench.connection().await);
    let mut theirs = first.begin().await.unwrap();
    let due = store::due_schedules(&mut theirs, &kinds, bench.now()).await.unwrap();
    assert_eq!(due.len(), 1, "one that is new is due at once");
    assert!(store::due_schedules(&mut second, &kinds, bench.now()).await.unwrap().is_empty(), "locked");
    store::set_schedule(&mut theirs, kinds[0], bench.now() + hour).await.unwrap();
    theirs.commit().await.unwrap();
    know(hour).await;
    assert!(store::due_schedules(&mut second, &kinds, bench.now()).await.unwrap().is_empty(), "not due");
    know(TimeDelta::minutes(5)).await;
    assert_eq!(store::next_schedule(&mut second, &kinds).await.unwrap(), Some(bench.now()), "it became quicker");
}

#[actix_rt::test]
async fn dead_letters_are_listed_by_state_and_deleted_when_they_are_old() {
    let bench = Bench::new().await;
    bench.enqueue(&[Note::of("a"), Note::of("b"), Note::of("c")]).await;
    let taken = bench.take_as(bench.node, 2).await;
    bench.bury(&taken[0]).await;
    let jobs = bench.handle();
    for (state, rows) in [(JobState::Dead, 1), (JobState::Running, 1), (JobState::Pending, 1)] {
        let page = jobs.page(Some(state), Some(Note::KIND), None, 10).await.unwrap();
        assert!(page.items.iter().all(|job| job.state == state) && page.items.len() == rows, "{page:?}");
    }
    let first = jobs.page(None, None, None, 2).await.unwrap();
    let rest = jobs.page(None, None, first.next, 2).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
    assert!(matches!(jobs.delete_dead(taken[1].id).await, Err(JobsError::NotDead)));
    assert!(matches!(jobs.delete_dead(JobId(Uuid::nil())).await, Err(JobsError::NotFound)));
    let mut connection = bench.connection().await;
    assert_eq!(store::delete_dead_before(&mut connection, bench.now(), 10).await.unwrap(), 0);
    let later = bench.now() + TimeDelta::seconds(1);
    assert_eq!(store::delete_dead_before(&mut connection, later, 10).await.unwrap(), 1);
    let queued = store::queued(&mut connection, &[Note::KIND, "test.other"], 100).await.unwrap();
    let found: Vec<_> = queued.iter().map(|of_kind| (of_kind.rows, of_kind.due.is_some())).collect();
    assert_eq!(found, [(2, true), (0, false)]);
}
