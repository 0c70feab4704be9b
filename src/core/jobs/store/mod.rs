//! All SQL of the jobs, by purpose: enqueuing and schedules here; taking, finishing and what admins ask for beside it.

mod admin;
mod finish;
mod take;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::kind::NewJob;
pub use admin::{Listed, Queued, count_others, delete_dead, delete_dead_before, is_there, list, queued, retry_dead};
pub use finish::{bury, done, extend, is_locked, put_back};
use parlance_foundation::ids::JobId;
pub use take::{Haul, Taken, Wanted, expire_leases_of, give_back_unheld, next_due, take};

/// Enqueues jobs in the caller's transaction, all in one statement: they are there if and only if it commits. Answers how
/// many were taken; the others have one that waits already. Afterwards the caller may [`wake`](super::JobsHandle::wake)
/// the engine.
///
/// Jobs of one key have the order of their transactions where something of the caller's makes those take turns, such as
/// the fence of a room. One that waits already is locked until the commit, so that it runs after it.
pub async fn enqueue(connection: &mut PgConnection, jobs: &[NewJob]) -> sqlx::Result<u64> {
    let mut columns = Columns::default();
    let mut seen = std::collections::HashSet::new();
    for job in jobs {
        // Postgres refuses to meet one row twice in a statement.
        if job.dedupe.as_ref().is_none_or(|dedupe| seen.insert((job.kind, dedupe))) {
            columns.push(job);
        }
    }
    if columns.ids.is_empty() {
        return Ok(0);
    }
    // Places in the order given; rows in the order of what must not be there twice, so that two transactions that
    // enqueue the same never wait for each other.
    let added = sqlx::query!(
        r#"WITH given AS MATERIALIZED (
               SELECT nextval('jobs_place') AS place, id, kind, key, dedupe, payload, run_at, created_at
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                           $7::timestamptz[]) AS g (id, kind, key, dedupe, payload, run_at, created_at)
           )
           INSERT INTO jobs AS j (place, id, kind, key, dedupe, payload, run_at, created_at)
           SELECT place, id, kind, key, dedupe, payload::json, run_at, created_at
           FROM given ORDER BY kind, dedupe, place
           -- Locks the one that waits, and leaves it as it is.
           ON CONFLICT (kind, dedupe) WHERE dedupe IS NOT NULL AND dead_at IS NULL AND leased_by IS NULL
               DO UPDATE SET dedupe = EXCLUDED.dedupe WHERE false"#,
        &columns.ids,
        &columns.kinds as &[&str],
        &columns.keys as &[Option<&str>],
        &columns.dedupes as &[Option<&str>],
        &columns.payloads as &[&str],
        &columns.run_ats,
        &columns.created_ats,
    )
    .execute(connection)
    .await?;
    Ok(added.rows_affected())
}

/// Whether other jobs of this kind and key are to be done.
pub async fn others_wait(connection: &mut PgConnection, kind: &str, key: &str, own: JobId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM jobs WHERE kind = $1 AND key = $2 AND dead_at IS NULL AND id <> $3) AS "found!""#,
        kind,
        key,
        own.0
    )
    .fetch_one(connection)
    .await
}

#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    keys: Vec<Option<&'a str>>,
    dedupes: Vec<Option<&'a str>>,
    payloads: Vec<&'a str>,
    run_ats: Vec<DateTime<Utc>>,
    created_ats: Vec<DateTime<Utc>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, job: &'a NewJob) {
        self.ids.push(job.id.0);
        self.kinds.push(job.kind);
        self.keys.push(job.key.as_deref());
        self.dedupes.push(job.dedupe.as_deref());
        self.payloads.push(&job.payload);
        self.run_ats.push(job.run_at);
        self.created_ats.push(job.created_at);
    }
}

/// A schedule whose moment has come, locked until the transaction ends.
pub struct DueSchedule {
    pub kind: String,
    pub next_at: DateTime<Utc>,
}

/// Writes down schedules that are new, due at once; and brings forward those that became quicker.
pub async fn know_schedules(
    connection: &mut PgConnection,
    kinds: &[&str],
    latest: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO job_schedules AS s (kind, next_at)
         SELECT kind, $3 FROM unnest($1::text[], $2::timestamptz[]) AS g (kind, latest)
         WHERE NOT EXISTS (SELECT FROM job_schedules k WHERE k.kind = g.kind AND k.next_at <= g.latest)
         ORDER BY kind
         ON CONFLICT (kind) DO UPDATE SET next_at = EXCLUDED.next_at",
        kinds as &[&str],
        latest,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The schedules that are due and that no other engine looks at.
pub async fn due_schedules(
    connection: &mut PgConnection,
    kinds: &[&str],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<DueSchedule>> {
    sqlx::query_as!(
        DueSchedule,
        "SELECT kind, next_at FROM job_schedules WHERE kind = ANY($1) AND next_at <= $2 FOR UPDATE SKIP LOCKED",
        kinds as &[&str],
        now,
    )
    .fetch_all(connection)
    .await
}

/// Sets a schedule's next moment.
pub async fn set_schedule(connection: &mut PgConnection, kind: &str, next_at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("UPDATE job_schedules SET next_at = $2 WHERE kind = $1", kind, next_at).execute(connection).await?;
    Ok(())
}

/// When the next of these schedules is due.
pub async fn next_schedule(connection: &mut PgConnection, kinds: &[&str]) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("SELECT min(next_at) FROM job_schedules WHERE kind = ANY($1)", kinds as &[&str])
        .fetch_one(connection)
        .await
}
