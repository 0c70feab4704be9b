//! Group commit on a real Postgres: fences, repeated sends, refused rows, lost answers, read marks.

mod outages;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::Arbiter;
use sqlx::{PgConnection, Row as _};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::batch::Batch;
use super::config::PersistenceConfig;
use super::*;
use crate::order::{CoreChange, EventRow, MessageRow, Role, RowBody};
use crate::rooms::store::WriteChange;
use crate::rooms::wire::RoomUpdated;
use crate::tree;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{MessageId, UserId};
use parlance_foundation::storage::Storage;
use parlance_foundation::supervision::Supervisor;
use parlance_foundation::testing::{Proxy, TestDatabase, defaults, migrations};

/// A database with people and rooms that they are in.
struct Bench {
    database: TestDatabase,
    clock: Clock,
    ada: UserId,
}

impl Bench {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let clock = Clock::system();
        let ada = UserId::new(&clock);
        let bench = Self { database, clock, ada };
        bench.add_user(ada, "ada").await;
        bench
    }

    async fn add_user(&self, id: UserId, name: &str) {
        sqlx::query("INSERT INTO users (id, username, created_at, updated_at) VALUES ($1, $2, now(), now())")
            .bind(id)
            .bind(name)
            .execute(self.database.storage.engine())
            .await
            .unwrap();
    }

    async fn room(&self) -> RoomId {
        let room = RoomId::new(&self.clock);
        let engine = self.database.storage.engine();
        sqlx::query("INSERT INTO rooms (id, kind, created_at, updated_at) VALUES ($1, 'group', now(), now())")
            .bind(room)
            .execute(engine)
            .await
            .unwrap();
        sqlx::query("INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES ($1, $2, 'owner', now())")
            .bind(room)
            .bind(self.ada)
            .execute(engine)
            .await
            .unwrap();
        room
    }

    fn message(&self, seq: i64, client_id: &str) -> Arc<Row> {
        let body = RowBody::Message(MessageRow {
            id: MessageId::new(&self.clock),
            sender: Some(self.ada.into()),
            client_id: Some(client_id.to_owned()),
            kind: "text".into(),
            content: client_id.to_owned(),
            parts: None,
            reply_to: None,
            edited_at: None,
            deleted_at: None,
        });
        Arc::new(Row { seq, at: self.clock.now(), body })
    }

    fn event(&self, seq: i64, change: CoreChange) -> Arc<Row> {
        let told = RoomUpdated { name: None, topic: None };
        let event = EventRow::new(self.clock.uuid(), Some(self.ada.into()), &told);
        let event = EventRow { change: Some(change), effects: vec![Arc::new(WriteChange)], ..event };
        Arc::new(Row { seq, at: self.clock.now(), body: RowBody::Event(event) })
    }

    /// The order of a room as Postgres has it: `last_seq`, and client ids in order; a message may have none.
    async fn order(&self, room: RoomId) -> (i64, Vec<(i64, String)>) {
        let engine = self.database.storage.engine();
        let last_seq = sqlx::query_scalar("SELECT last_seq FROM rooms WHERE id = $1").bind(room).fetch_one(engine);
        let rows = sqlx::query("SELECT seq, client_id FROM messages WHERE room_id = $1 ORDER BY seq").bind(room);
        let rows = rows.fetch_all(engine).await.unwrap();
        (
            last_seq.await.unwrap(),
            rows.iter().map(|row| (row.get(0), row.get::<Option<_>, _>(1).unwrap_or_default())).collect(),
        )
    }

    async fn marks(&self, room: RoomId, user: UserId) -> (i64, i64) {
        let found = sqlx::query("SELECT delivered_seq, read_seq FROM room_members WHERE room_id = $1 AND user_id = $2")
            .bind(room)
            .bind(user)
            .fetch_one(self.database.storage.engine())
            .await
            .unwrap();
        (found.get(0), found.get(1))
    }
}

fn write(room_id: RoomId, rows: Vec<Arc<Row>>) -> Write {
    Write { room_id, from_seq: rows[0].seq - 1, rows, claim: Claim::waived() }
}

async fn flush(connection: &mut PgConnection, batch: &Batch) -> Result<HashSet<RoomId>, sqlx::Error> {
    store::flush(connection, batch, &batch.runs()).await
}

fn batch(writes: Vec<Write>) -> Batch {
    Batch { writes, ..Batch::default() }
}

/// A persister in front of the database, and the lane on which its outcomes come.
struct Line {
    persister: ActorHandle<Persister>,
    persisters: Persisters,
    lane: CommitLane,
    outcomes: mpsc::UnboundedReceiver<Vec<(u64, Outcome)>>,
    _supervisor: Supervisor,
}

impl Line {
    fn new(storage: &Storage, change: impl FnOnce(&mut config::PersistenceConfig)) -> Self {
        let mut config: PersistenceConfig = defaults("persistence");
        config.retry_pause_ms = 10;
        change(&mut config);
        let (supervisor, _) = Supervisor::new();
        let queued = QueuedRows::default();
        let (storage, counted, max) = (storage.clone(), queued.clone(), config.queue_rows_max);
        let make = move |_: &_| Persister::new(0, config.clone(), storage.clone(), counted.clone());
        let spec = tree::PERSISTER.spec("test/persister".into(), 10_000);
        let persister = supervisor.start(spec, &Arbiter::current(), make);
        let (lane, outcomes) = mpsc::unbounded_channel();
        let persisters = Persisters::new(vec![(persister.clone(), queued)], max);
        Self { persister, persisters, lane, outcomes, _supervisor: supervisor }
    }

    /// Enqueues a write under `ticket`; waits for the persister to be up, not for the write.
    async fn enqueue(&self, ticket: u64, mut write: Write) {
        write.claim = Claim::new(ticket, self.lane.clone());
        self.hand_over(write.room_id, Job::Write(write)).await;
    }

    /// Hands a job over as soon as there is a persister to take it.
    async fn hand_over(&self, room: RoomId, job: Job) {
        let tray = Tray::new(room, self.persisters.clone());
        tray.enqueue(room, job).unwrap();
        while !tray.hand_over() {
            tokio::task::yield_now().await;
        }
    }

    async fn outcomes(&mut self, count: usize) -> Vec<(u64, Outcome)> {
        let mut all = Vec::new();
        while all.len() < count {
            let some = tokio::time::timeout(Duration::from_secs(60), self.outcomes.recv()).await;
            all.extend(some.expect("an outcome in time").unwrap());
        }
        all
    }
}

#[actix_rt::test]
async fn rows_are_written_only_where_the_fence_holds() {
    let bench = Bench::new().await;
    let (mine, moved) = (bench.room().await, bench.room().await);
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    flush(&mut connection, &batch(vec![write(moved, vec![bench.message(1, "other")])])).await.unwrap();
    // One write knows its room's end, the other does not: each is judged on its own.
    let both = batch(vec![
        write(mine, vec![bench.message(1, "a"), bench.message(2, "b")]),
        write(moved, vec![bench.message(1, "late")]),
        write(mine, vec![bench.message(3, "c")]),
    ]);
    let held = flush(&mut connection, &both).await.unwrap();
    assert_eq!(held.into_iter().collect::<Vec<_>>(), [mine]);
    let (last, rows) = bench.order(mine).await;
    assert_eq!((last, rows.len()), (3, 3));
    assert_eq!(bench.order(moved).await, (1, vec![(1, "other".to_owned())]));
    // A room that is not there has no fence to hold.
    let absent = RoomId::new(&bench.clock);
    assert!(flush(&mut connection, &batch(vec![write(absent, vec![bench.message(1, "x")])])).await.unwrap().is_empty());
}

#[actix_rt::test]
async fn rooms_that_are_written_together_have_the_times_of_their_own_rows() {
    let bench = Bench::new().await;
    let rooms = [bench.room().await, bench.room().await, bench.room().await];
    // The rooms' times are apart, the first the newest.
    let rows = [0, 1, 2].map(|minutes| {
        let row = Row::clone(&bench.message(1, "m"));
        Arc::new(Row { at: row.at - chrono::Duration::minutes(minutes), ..row })
    });
    let writes = rooms.iter().zip(&rows).map(|(room, row)| write(*room, vec![Arc::clone(row)]));
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    flush(&mut connection, &batch(writes.collect())).await.unwrap();
    for (room, row) in rooms.iter().zip(rows) {
        let kept = sqlx::query_scalar("SELECT last_event_at FROM rooms WHERE id = $1").bind(room);
        let kept: chrono::DateTime<chrono::Utc> = kept.fetch_one(bench.database.storage.engine()).await.unwrap();
        assert_eq!(kept.timestamp_micros(), row.at.timestamp_micros());
    }
}

#[actix_rt::test]
async fn changes_take_effect_in_the_same_transaction_and_only_behind_the_fence() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let ben = UserId::new(&bench.clock);
    bench.add_user(ben, "ben").await;
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    let rename = |name: &str| CoreChange::Described { name: Some(name.into()), topic: None };
    let changes = vec![
        bench.event(1, CoreChange::added(ben, Role::Member)),
        bench.event(2, rename("harbour")),
        bench.event(3, CoreChange::role_changed(ben, Role::Admin)),
    ];
    assert_eq!(flush(&mut connection, &batch(vec![write(room, changes)])).await.unwrap().len(), 1);
    assert_eq!(bench.marks(room, ben).await, (1, 1));
    let fenced = vec![bench.event(2, rename("not this")), bench.event(3, CoreChange::removed(ben, false))];
    assert!(flush(&mut connection, &batch(vec![write(room, fenced)])).await.unwrap().is_empty());
    let now =
        sqlx::query("SELECT name, role FROM rooms JOIN room_members ON room_id = id WHERE id = $1 AND user_id = $2")
            .bind(room)
            .bind(ben)
            .fetch_one(bench.database.storage.engine())
            .await
            .unwrap();
    assert_eq!((now.get::<String, _>(0), now.get::<String, _>(1)), ("harbour".into(), "admin".into()));
}

#[actix_rt::test]
async fn an_earlier_try_is_recognised_by_its_last_row() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    let rows = vec![bench.message(1, "a"), bench.event(2, CoreChange::Described { name: None, topic: None })];
    let ours = batch(vec![write(room, rows.clone())]);
    flush(&mut connection, &ours).await.unwrap();
    let run = ours.runs()[0];
    let find = async |id: Uuid, connection: &mut _| store::recognise(connection, &[(run, id)]).await.unwrap();
    assert!(find(rows[1].id(), &mut connection).await.contains(&room));
    assert!(find(rows[0].id(), &mut connection).await.is_empty(), "another row's id at this place");
    assert!(find(bench.clock.uuid(), &mut connection).await.is_empty());
}

#[actix_rt::test]
async fn a_repeated_send_gets_the_first_result_and_takes_nobody_with_it() {
    let bench = Bench::new().await;
    let (room, other) = (bench.room().await, bench.room().await);
    let mut line = Line::new(&bench.database.storage, |_| {});
    line.enqueue(1, write(room, vec![bench.message(1, "first")])).await;
    assert_eq!(line.outcomes(1).await, [(1, Outcome::Committed)]);
    // All of these wait while the first is on its way, and so are one batch, or two.
    for (ticket, write) in [
        (2, write(other, vec![bench.message(1, "elsewhere")])),
        (3, write(room, vec![bench.message(2, "second")])),
        (4, write(room, vec![bench.message(3, "first")])),
        (5, write(room, vec![bench.message(4, "behind it")])),
        (6, write(other, vec![bench.message(2, "elsewhere too")])),
    ] {
        line.enqueue(ticket, write).await;
    }
    let outcomes = line.outcomes(5).await;
    let of = |ticket: u64| outcomes.iter().find(|(told, _)| *told == ticket).map(|(_, outcome)| outcome).unwrap();
    for committed in [2, 3, 6] {
        assert_eq!(of(committed), &Outcome::Committed);
    }
    assert!(matches!(of(4), Outcome::Duplicate(first) if first.row.seq == 1), "{:?}", of(4));
    // Its place was never filled, so the next one's fence does not hold: its room decides again.
    assert_eq!(of(5), &Outcome::Fenced);
    assert_eq!(bench.order(room).await.0, 2);
    assert_eq!(bench.order(other).await.0, 2);
}

#[actix_rt::test]
async fn a_row_that_is_there_already_is_not_written_again() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let mut line = Line::new(&bench.database.storage, |_| {});
    let named = |topic: &str| CoreChange::Described { name: None, topic: Some(topic.to_owned()) };
    let mut nameless = Row::clone(&bench.message(2, "nameless"));
    if let RowBody::Message(message) = &mut nameless.body {
        message.client_id = None;
    }
    let rows = [bench.event(1, named("first")), Arc::new(nameless)];
    for (row, ticket) in rows.iter().zip([1, 2]) {
        line.enqueue(ticket, write(room, vec![Arc::clone(row)])).await;
        assert_eq!(line.outcomes(1).await, [(ticket, Outcome::Committed)]);
    }
    for (row, ticket) in rows.iter().zip([3, 4]) {
        let again = Arc::new(Row { seq: 3, ..Row::clone(row) });
        line.enqueue(ticket, write(room, vec![again])).await;
        let outcomes = line.outcomes(1).await;
        assert!(
            matches!(&outcomes[..], [(_, Outcome::Duplicate(first))] if (first.row.seq, first.row.id()) == (row.seq, row.id())),
            "{outcomes:?}"
        );
        // As each room does before it goes on.
        line.persisters.settle(room).await.unwrap();
    }
    assert_eq!(bench.order(room).await.0, 2);
}

#[actix_rt::test]
async fn what_follows_a_row_that_was_not_committed_is_not_written_where_another_stands_in_its_place() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let mut line = Line::new(&bench.database.storage, |_| {});
    // Another owner takes the first place.
    let mut connection = bench.database.storage.dedicated_connection().await.unwrap();
    flush(&mut connection, &batch(vec![write(room, vec![bench.message(1, "theirs")])])).await.unwrap();
    for (ticket, seq) in [(1, 1), (2, 2)] {
        line.enqueue(ticket, write(room, vec![bench.message(seq, &ticket.to_string())])).await;
        assert_eq!(line.outcomes(1).await, [(ticket, Outcome::Fenced)]);
    }
    line.persisters.settle(room).await.unwrap();
    line.enqueue(3, write(room, vec![bench.message(2, "decided anew")])).await;
    assert_eq!(line.outcomes(1).await, [(3, Outcome::Committed)]);
}

#[actix_rt::test]
async fn a_row_that_postgres_refuses_fails_alone() {
    let bench = Bench::new().await;
    let (room, other) = (bench.room().await, bench.room().await);
    let mut line = Line::new(&bench.database.storage, |_| {});
    let stranger = UserId::new(&bench.clock);
    // A member who is not a user: no foreign key for that.
    let impossible = bench.event(1, CoreChange::added(stranger, Role::Member));
    line.enqueue(1, write(room, vec![impossible])).await;
    line.enqueue(2, write(other, vec![bench.message(1, "fine")])).await;
    let mut outcomes = line.outcomes(2).await;
    outcomes.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(outcomes, [(1, Outcome::Refused), (2, Outcome::Committed)]);
    assert_eq!(bench.order(room).await, (0, vec![]));
}

#[actix_rt::test]
async fn nobody_comes_into_a_channel_who_is_not_in_its_space() {
    let bench = Bench::new().await;
    let (room, ben) = (bench.room().await, UserId::new(&bench.clock));
    bench.add_user(ben, "ben").await;
    let space = "WITH made AS (INSERT INTO spaces (id, name, created_at, updated_at) VALUES ($1, 'x', now(), now()))
                 UPDATE rooms SET kind = 'channel', space_id = $1 WHERE id = $2";
    sqlx::query(space).bind(room.0).bind(room).execute(bench.database.storage.engine()).await.unwrap();
    let mut line = Line::new(&bench.database.storage, |_| {});
    let come = bench.event(1, CoreChange::added(ben, Role::Member));
    line.enqueue(1, write(room, vec![come])).await;
    assert_eq!(line.outcomes(1).await, [(1, Outcome::OutOfSpace)]);
    assert_eq!(bench.order(room).await, (0, vec![]));
}

#[actix_rt::test]
async fn read_marks_only_grow_and_the_highest_of_a_batch_counts() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let line = Line::new(&bench.database.storage, |_| {});
    let mark = |delivered_seq, read_seq| Watermark { party: bench.ada.into(), delivered_seq, read_seq };
    for marks in [vec![mark(3, 1), mark(5, 2), mark(4, 4)], vec![mark(1, 1)]] {
        line.hand_over(room, Job::Watermarks(room, marks)).await;
        line.persisters.settle(room).await.unwrap();
        assert_eq!(bench.marks(room, bench.ada).await, (5, 4));
    }
    assert_eq!(line.persisters.queued_rows(), 0);
}

#[actix_rt::test]
async fn many_writes_share_commits_and_keep_their_order() {
    let bench = Bench::new().await;
    let rooms = [bench.room().await, bench.room().await, bench.room().await];
    let mut line = Line::new(&bench.database.storage, |config| config.flush_rows_max = 50);
    for n in 0..600 {
        let (room, seq) = (rooms[n % 3], (n / 3 + 1) as i64);
        line.enqueue(n as u64, write(room, vec![bench.message(seq, &format!("m{n}"))])).await;
    }
    let outcomes = line.outcomes(600).await;
    assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Committed));
    for (index, room) in rooms.into_iter().enumerate() {
        let tickets: Vec<u64> =
            outcomes.iter().map(|(ticket, _)| *ticket).filter(|t| *t as usize % 3 == index).collect();
        assert!(tickets.is_sorted());
        assert_eq!(bench.order(room).await.0, 200);
    }
    line.persisters.settle(rooms[0]).await.unwrap();
    assert_eq!(line.persisters.queued_rows(), 0);
}

#[actix_rt::test]
async fn a_full_queue_gives_the_job_back() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let line = Line::new(&bench.database.storage, |config| config.queue_rows_max = 3);
    line.enqueue(0, write(room, vec![bench.message(1, "up")])).await;
    let mut back = None;
    let tray = Tray::new(room, line.persisters.clone());
    // Nothing is flushed meanwhile: this thread does not yield.
    for n in 2..=6 {
        let job = Job::Write(write(room, vec![bench.message(n, &format!("m{n}"))]));
        if let Err(QueueFull(job)) = tray.enqueue(room, job) {
            back = Some((n, job));
            break;
        }
    }
    let (n, job) = back.expect("the queue is bounded");
    assert!(n <= 4, "{n}");
    assert!(matches!(job, Job::Write(write) if write.from_seq == n - 1));
}

#[actix_rt::test]
async fn a_tray_keeps_what_no_persister_takes_and_answers_it_when_it_goes() {
    let bench = Bench::new().await;
    let room = bench.room().await;
    let mut line = Line::new(&bench.database.storage, |_| {});
    line.enqueue(1, write(room, vec![bench.message(1, "first")])).await;
    assert_eq!(line.outcomes(1).await, [(1, Outcome::Committed)]);
    line.persister.stop(Duration::from_secs(5)).await;
    let tray = Tray::new(room, line.persisters.clone());
    for ticket in [2, 3] {
        let mut write = write(room, vec![bench.message(ticket as i64, "kept")]);
        write.claim = Claim::new(ticket, line.lane.clone());
        tray.enqueue(room, Job::Write(write)).unwrap();
    }
    assert!(!tray.hand_over());
    assert_eq!(line.persisters.queued_rows(), 2);
    drop(tray);
    assert_eq!(line.outcomes(2).await, [(2, Outcome::Unavailable), (3, Outcome::Unavailable)]);
    assert_eq!(line.persisters.queued_rows(), 0);
}
