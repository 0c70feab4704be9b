//! What does one flush cost in a real Postgres: the one statement that moves the fences and inserts the rows?
//!
//! From the batch to the answer over a Unix socket, with the commit's fsync where the server has it on. The batch is
//! built outside of the measurement. Messages are short.

use divan::Bencher;
use divan::counter::ItemsCount;
use parlance::clock::Clock;
use parlance::ids::{RoomId, UserId};
use parlance::persistence::Job;
use parlance::persistence::batch::{Adrift, Batch};
use parlance::persistence::store;

use crate::database::{self, BenchDatabase};
use crate::material::{config, write};

const SAMPLES: u32 = 200;

/// All rows are one room's: one fence.
#[divan::bench(args = [1, 10, 100, 1_000], sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn one_room(bencher: Bencher, rows: usize) {
    flush(bencher, rows, 1);
}

/// Each row is another room's: as many fences as rows.
#[divan::bench(args = [10, 100, 1_000], sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn a_room_each(bencher: Bencher, rows: usize) {
    flush(bencher, rows, rows);
}

/// The same among ten thousand rooms, as an installation has them.
#[divan::bench(args = [1, 5, 100], sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn among_many_rooms(bencher: Bencher, rows: usize) {
    flush_among(bencher, rows, rows, MANY, &[]);
}

/// What it would be if Postgres planned each flush by itself, as it does unless told otherwise.
#[divan::bench(args = [1, 5, 100], sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn planned_each_time(bencher: Bencher, rows: usize) {
    flush_among(bencher, rows, rows, MANY, &["RESET plan_cache_mode; RESET enable_seqscan"]);
}

/// What it would be if each row's room were looked up once more, for a foreign key.
#[divan::bench(args = [1, 5, 100], sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn with_foreign_keys(bencher: Bencher, rows: usize) {
    let keys = [
        "ALTER TABLE messages ADD FOREIGN KEY (room_id) REFERENCES rooms",
        "ALTER TABLE room_events ADD FOREIGN KEY (room_id) REFERENCES rooms",
    ];
    flush_among(bencher, rows, rows, MANY, &keys);
}

const MANY: usize = 10_000;

fn flush(bencher: Bencher, rows: usize, rooms: usize) {
    flush_among(bencher, rows, rooms, rooms, &[]);
}

/// `rows` a flush, of `rooms` rooms out of so many that there are, on a database and a connection that `statements` change.
fn flush_among(bencher: Bencher, rows: usize, rooms: usize, there_are: usize, statements: &[&'static str]) {
    let (database, clock, limits) = (BenchDatabase::create(), Clock::system(), config().persistence);
    let (sender, all) = people_and_rooms(&database, &clock, there_are);
    let rooms = &all[..rooms];
    let mut connection = database.connection();
    database.runtime.block_on(async {
        store::plan_once(&mut connection).await.unwrap();
        for statement in ["VACUUM ANALYZE rooms"].iter().chain(statements) {
            sqlx::raw_sql(*statement).execute(&mut connection).await.unwrap();
        }
    });
    let mut from_seq = 0;
    let next_batch = || {
        let each = i64::try_from(rows / rooms.len()).unwrap();
        let places = (0..each).flat_map(|place| rooms.iter().map(move |room| (*room, place)));
        let mut queue = places.map(|(room, place)| Job::Write(write(&clock, room, from_seq + place, sender))).collect();
        from_seq += each;
        Batch::take(&mut queue, &Adrift::default(), limits.flush_rows_max, limits.flush_bytes_max)
    };
    bencher.counter(ItemsCount::new(rows)).with_inputs(next_batch).bench_local_values(|batch| {
        let held = database.runtime.block_on(store::flush(&mut connection, &batch, &batch.runs())).unwrap();
        assert_eq!(held.len(), rooms.len());
        batch
    });
}

fn people_and_rooms(database: &BenchDatabase, clock: &Clock, count: usize) -> (UserId, Vec<RoomId>) {
    let (sender, rooms) = (UserId::new(clock), (0..count).map(|_| RoomId::new(clock)).collect::<Vec<_>>());
    let ids: Vec<_> = rooms.iter().map(|room| room.0).collect();
    database.runtime.block_on(async {
        sqlx::query("INSERT INTO users (id, username, created_at, updated_at) VALUES ($1, 'sender', $2, $2)")
            .bind(sender.0)
            .bind(clock.now())
            .execute(database.storage.engine())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO rooms (id, kind, created_at, updated_at) SELECT id, 'group', $2, $2 FROM UNNEST($1::uuid[]) AS id",
        )
        .bind(ids)
        .bind(clock.now())
        .execute(database.storage.engine())
        .await
        .unwrap();
    });
    (sender, rooms)
}
