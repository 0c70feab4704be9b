//! `baseline postgres`: the rows of messages, in batches, straight into the engine's schema.
//!
//! The same table, columns, indexes and constraints, one `UNNEST` insert a batch, no fence and no engine.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::Served;
use crate::engine::{UsageSource, passing_folder, see_postgres_end};
use crate::measure::{Meter, Progress, RATES_OR_NONE, Reading, Sampler, within};
use crate::report::Report;

/// How often the child says how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// The first and the last line of the child; between them it says how many rows there are, and after how many seconds.
const BEGIN: &str = "begin";
const END: &str = "end";

#[derive(Args, Clone, Debug)]
pub struct PostgresArgs {
    /// Rows of each insert, which is one commit: on average, so that 2.5 is two and three in turn
    #[arg(long, default_value_t = 100.0, value_parser = within(1.0..=10_000.0), allow_negative_numbers = true)]
    pub batch: f64,
    /// Rows a second; 0 is as fast as it goes
    #[arg(long, default_value_t = 0.0, value_parser = within(RATES_OR_NONE), allow_negative_numbers = true)]
    pub rate: f64,
    /// Rooms that the rows belong to
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rooms: u32,
    /// Bytes of a message's text
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub bytes: u32,
    /// Seconds of it
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
}

/// The child, and the folder of its Postgres. Both are gone when it is dropped.
struct Bench {
    served: Served,
    folder: tempfile::TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.served.kill();
        see_postgres_end(self.folder.path());
    }
}

/// The same for the child, and where its data goes.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    pub work: PostgresArgs,
    #[arg(long)]
    pub folder: std::path::PathBuf,
}

pub async fn run(args: &PostgresArgs) -> anyhow::Result<Report> {
    // Its rows belong to no user and no engine: in a folder that is kept they would stay for good.
    let folder = passing_folder()?;
    let mut bench = Bench { served: Served::start(&arguments(args, folder.path()))?, folder };
    anyhow::ensure!(bench.served.line().await? == BEGIN, "the baseline did not begin");
    let (meter, usage) = (Meter::new(&[]), UsageSource::Process(bench.served.pid()));
    let (sampler, before) = (Sampler::of(&meter, &usage), Reading::of(&usage).await);
    let (rows, seconds) = follow(args, &mut bench.served, &meter).await?;
    let spent = Reading::of(&usage).await.since(&before).usage;
    let mut report = Report::of("baseline postgres")
        .setting("batch", args.batch)
        .setting("rate", args.rate)
        .setting("rooms", args.rooms)
        .setting("bytes", args.bytes)
        .setting("seconds", args.seconds);
    report.figure("rows", rows / seconds, "a second");
    report.figure("Postgres CPU", spent.postgres.cpu_seconds / rows * 1e6, "µs a row");
    report.figure("client CPU", spent.engine.cpu_seconds / rows * 1e6, "µs a row");
    report.series = sampler.stop();
    bench.served.ended().await?;
    Ok(report)
}

/// For the child.
fn arguments(args: &PostgresArgs, folder: &Path) -> Vec<String> {
    let words = [
        ("--batch", args.batch.to_string()),
        ("--rate", args.rate.to_string()),
        ("--rooms", args.rooms.to_string()),
        ("--bytes", args.bytes.to_string()),
        ("--seconds", args.seconds.to_string()),
        ("--folder", folder.display().to_string()),
    ];
    let words = words.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    std::iter::once("postgres".to_owned()).chain(words).collect()
}

/// Until the child is at its end: how many rows there are by then, and after how many seconds.
async fn follow(args: &PostgresArgs, served: &mut Served, meter: &Meter) -> anyhow::Result<(f64, f64)> {
    let progress = Progress::of_run("rows", Duration::from_secs(args.seconds));
    let (mut rows, mut seconds) = (0_u64, 0.0_f64);
    loop {
        let line = served.line().await?;
        if line == END {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            return Ok((rows as f64, seconds));
        }
        let told = line.split_once(' ').and_then(|(rows, at)| Some((rows.parse().ok()?, at.parse().ok()?)));
        (rows, seconds) = told.with_context(|| format!("the baseline said {line:?}"))?;
        meter.received.set(rows);
        progress.set(Duration::from_secs_f64(seconds).as_secs(), format!("{rows} rows"));
    }
}

/// The child: its own Postgres, its rooms, then the rows.
pub async fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let mut config = parlance::config::Config::defaults()?;
    config.storage.data_dir = args.folder.clone();
    let database = parlance::app::Database::open(&config).await?;
    let work = &args.work;
    let outcome = async {
        let mut connection = database.storage.dedicated_connection().await?;
        let rooms = make_rooms(&mut connection, work.rooms).await?;
        println!("{BEGIN}");
        insert_all(&mut connection, work, &rooms).await?;
        println!("{END}");
        anyhow::Ok(())
    };
    let outcome = outcome.await;
    database.close().await;
    outcome
}

async fn make_rooms(connection: &mut PgConnection, count: u32) -> anyhow::Result<Vec<Uuid>> {
    let rooms: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let insert = "INSERT INTO rooms (id, kind, created_at, updated_at)
                  SELECT id, 'group', now(), now() FROM UNNEST($1::uuid[]) AS new (id)";
    sqlx::query(insert).bind(&rooms).execute(connection).await.context("making rooms")?;
    Ok(rooms)
}

/// Says now and then, and at the end, how many rows there are.
async fn insert_all(connection: &mut PgConnection, work: &PostgresArgs, rooms: &[Uuid]) -> anyhow::Result<()> {
    let insert = "INSERT INTO messages (room_id, seq, id, sender_user_id, client_id, kind, content, created_at)
        SELECT m.room_id, m.seq, m.id, m.sender, m.client_id, 'text', m.content, m.at
        FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[])
            AS m (room_id, seq, id, sender, client_id, content, at)";
    let content = "x".repeat(usize::try_from(work.bytes)?);
    let sender = Uuid::now_v7();
    let (begun, length) = (Instant::now(), Duration::from_secs(work.seconds));
    let tell = |rows: u64| println!("{rows} {}", begun.elapsed().as_secs_f64());
    let (mut rows, mut commits, mut told_at) = (0_u64, 0_u64, Duration::ZERO);
    while begun.elapsed() < length {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let due = if work.rate > 0.0 { Duration::from_secs_f64(rows as f64 / work.rate) } else { Duration::ZERO };
        let early = due.saturating_sub(begun.elapsed());
        if !early.is_zero() {
            tokio::time::sleep(early).await;
        }
        commits += 1;
        let numbers: Vec<u64> = (rows..rows_after(commits, work.batch)).collect();
        let batch = numbers.len();
        let room_count = rooms.len() as u64;
        let room_of = |number: &u64| rooms.get(usize::try_from(number % room_count).unwrap_or(0)).copied();
        let room_ids: Vec<Uuid> = numbers.iter().filter_map(room_of).collect();
        let seqs: Vec<i64> =
            numbers.iter().map(|number| i64::try_from(number / room_count + 1)).collect::<Result<_, _>>()?;
        let now = chrono::Utc::now();
        sqlx::query(insert)
            .bind(&room_ids)
            .bind(&seqs)
            .bind((0..batch).map(|_| Uuid::now_v7()).collect::<Vec<_>>())
            .bind(vec![sender; batch])
            .bind(numbers.iter().map(ToString::to_string).collect::<Vec<_>>())
            .bind(vec![content.as_str(); batch])
            .bind(vec![now; batch])
            .execute(&mut *connection)
            .await
            .context("inserting rows")?;
        rows += batch as u64;
        if begun.elapsed() >= told_at + TELL_EVERY {
            told_at = begun.elapsed();
            tell(rows);
        }
    }
    tell(rows);
    Ok(())
}

/// How many rows there are after so many commits: whole ones, whose average is the batch that was asked for.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "far below 2^52"
)]
fn rows_after(commits: u64, batch: f64) -> u64 {
    (commits as f64 * batch) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_whole_and_as_large_on_average_as_asked_for() {
        let sizes = |batch| (1..=4).map(|commit| rows_after(commit, batch) - rows_after(commit - 1, batch)).collect();
        let sizes: [Vec<u64>; 3] = [1.0, 2.5, 100.0].map(sizes);
        assert_eq!(sizes, [vec![1; 4], vec![2, 3, 2, 3], vec![100; 4]]);
    }
}
