//! What admins and metrics ask for. No payloads: they may hold what is private.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use crate::jobs::wire::JobState;
use parlance_foundation::ids::JobId;

/// A job as an admin sees it.
#[derive(Debug)]
pub struct Listed {
    pub id: JobId,
    pub kind: String,
    pub key: Option<String>,
    pub run_at: DateTime<Utc>,
    pub attempts: i32,
    pub leased_until: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub dead_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The newest jobs in a state, of one kind or of all, older than `before`.
pub async fn list(
    connection: &mut PgConnection,
    state: Option<JobState>,
    kind: Option<&str>,
    before: Option<JobId>,
    rows_max: i64,
) -> sqlx::Result<Vec<Listed>> {
    let state = state.map(JobState::as_str);
    let mut transaction = connection.begin().await?;
    // One plan for all states would walk through a million that wait to find the dead.
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *transaction).await?;
    let listed = sqlx::query_as!(
        Listed,
        r#"SELECT id AS "id: JobId", kind, key, run_at, attempts, leased_until, last_error, dead_at, created_at
           FROM jobs
           WHERE ($1::text IS NULL
                  OR ($1 = 'dead' AND dead_at IS NOT NULL)
                  OR ($1 = 'running' AND leased_by IS NOT NULL)
                  OR ($1 = 'pending' AND dead_at IS NULL AND leased_by IS NULL))
             AND ($2::text IS NULL OR kind = $2)
             AND ($3::uuid IS NULL OR id < $3)
           ORDER BY id DESC LIMIT $4"#,
        state,
        kind,
        before.map(|before| before.0),
        rows_max,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(listed)
}

/// Enqueues a dead job anew, behind those of its key that wait. Whether there was such a dead one; a unique violation:
/// one with its dedupe waits already.
pub async fn retry_dead(connection: &mut PgConnection, id: JobId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let retried = sqlx::query!(
        "UPDATE jobs SET dead_at = NULL, attempts = 0, run_at = $2, behind_until = NULL, place = nextval('jobs_place')
         WHERE id = $1 AND dead_at IS NOT NULL",
        id.0,
        now,
    );
    Ok(retried.execute(connection).await?.rows_affected() == 1)
}

/// Deletes a dead job. Whether there was one.
pub async fn delete_dead(connection: &mut PgConnection, id: JobId) -> sqlx::Result<bool> {
    let deleted = sqlx::query!("DELETE FROM jobs WHERE id = $1 AND dead_at IS NOT NULL", id.0);
    Ok(deleted.execute(connection).await?.rows_affected() == 1)
}

/// Whether it waits, runs or is dead.
pub async fn is_there(connection: &mut PgConnection, id: JobId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM jobs WHERE id = $1) AS "is_there!""#, id.0)
        .fetch_one(connection)
        .await
}

/// Deletes up to `rows_max` jobs that died before `before`; how many.
pub async fn delete_dead_before(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    rows_max: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM jobs WHERE id IN (
             SELECT id FROM jobs WHERE dead_at < $1 ORDER BY dead_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        rows_max,
    );
    Ok(deleted.execute(connection).await?.rows_affected())
}

/// How many jobs of a kind wait or run, and since when the oldest of them is due.
#[derive(Debug)]
pub struct Queued {
    pub kind: String,
    pub rows: i64,
    pub due: Option<DateTime<Utc>>,
}

/// For metrics; counts no further than `rows_max` a kind.
pub async fn queued(connection: &mut PgConnection, kinds: &[&str], rows_max: i64) -> sqlx::Result<Vec<Queued>> {
    sqlx::query_as!(
        Queued,
        r#"SELECT w.kind AS "kind!",
                  (SELECT count(*) FROM (
                       SELECT FROM jobs WHERE jobs.kind = w.kind AND dead_at IS NULL LIMIT $2) AS counted) AS "rows!",
                  (SELECT min(due) FROM (
                       SELECT GREATEST(run_at, leased_until, behind_until) AS due FROM jobs
                       WHERE jobs.kind = w.kind AND dead_at IS NULL
                       ORDER BY GREATEST(run_at, leased_until, behind_until), place LIMIT 1) AS oldest) AS due
           FROM unnest($1::text[]) AS w (kind)"#,
        kinds as &[&str],
        rows_max,
    )
    .fetch_all(connection)
    .await
}

/// How many jobs that are not dead are of other kinds than these; counts no further than `rows_max` a kind. Steps from kind
/// to kind through the index, however many jobs there are.
pub async fn count_others(connection: &mut PgConnection, kinds: &[&str], rows_max: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"WITH RECURSIVE found AS (
               (SELECT kind FROM jobs WHERE dead_at IS NULL ORDER BY kind LIMIT 1)
               UNION ALL
               SELECT (SELECT kind FROM jobs WHERE dead_at IS NULL AND kind > found.kind ORDER BY kind LIMIT 1)
               FROM found WHERE kind IS NOT NULL
           )
           SELECT COALESCE(sum((SELECT count(*) FROM (
                      SELECT FROM jobs WHERE jobs.kind = found.kind AND dead_at IS NULL LIMIT $2) AS counted)), 0)::bigint
                  AS "others!"
           FROM found WHERE kind <> ALL($1)"#,
        kinds as &[&str],
        rows_max,
    )
    .fetch_one(connection)
    .await
}
