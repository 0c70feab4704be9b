//! What becomes of jobs under a lease. Invariant: whoever lost a lease changes nothing: each statement asks for the node
//! and the number of the attempt, which together name one lease.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use parlance_foundation::ids::JobId;

/// Whoever waits longer for somebody else's transaction tries again later: what runs meanwhile has leases to extend.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";
/// How often putting a job back is tried when another one with its dedupe is enqueued at the same moment.
const TRIES_MAX: usize = 5;

/// Deletes jobs that are done, each with the number of its attempt; the next one of each key is due. Those that were
/// still ours.
pub async fn done(connection: &mut PgConnection, node: Uuid, jobs: &[(JobId, i32)]) -> sqlx::Result<Vec<JobId>> {
    let (ids, attempts) = columns(jobs);
    let mut transaction = begin(connection).await?;
    let gone = sqlx::query!(
        r#"DELETE FROM jobs USING unnest($1::uuid[], $2::integer[]) AS d (id, attempts)
           WHERE jobs.id = d.id AND jobs.attempts = d.attempts AND leased_by = $3
           RETURNING jobs.id AS "id: JobId", kind, key"#,
        &ids,
        &attempts,
        node,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let ours = gone.iter().map(|row| row.id).collect();
    let keyed = gone.into_iter().filter_map(|row| Some((row.kind, row.key?)));
    let (kinds, keys): (Vec<_>, Vec<_>) = keyed.unzip();
    let_next_run(&mut transaction, &kinds, &keys).await?;
    transaction.commit().await?;
    Ok(ours)
}

/// Makes a dead letter of a job; the next one of its key is due. Whether it was still ours.
pub async fn bury(
    connection: &mut PgConnection,
    node: Uuid,
    (id, attempts): (JobId, i32),
    error: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mut transaction = begin(connection).await?;
    let buried = sqlx::query!(
        "UPDATE jobs SET dead_at = $4, last_error = $5, leased_by = NULL, leased_until = NULL
         WHERE id = $1 AND attempts = $2 AND leased_by = $3
         RETURNING kind, key",
        id.0,
        attempts,
        node,
        now,
        error,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let is_ours = buried.is_some();
    if let Some((kind, key)) = buried.and_then(|row| Some((row.kind, row.key?))) {
        let_next_run(&mut transaction, &[kind], &[key]).await?;
    }
    transaction.commit().await?;
    Ok(is_ours)
}

/// Gives a lease back: the job is due at `run_at`, with `error` if its attempt failed; without one the attempt does not
/// count. Whether it was still ours.
///
/// Another one with its dedupe that was enqueued while this ran is dropped: this one does its work, in the older place, and
/// with all of the attempts that the other one had before it.
pub async fn put_back(
    connection: &mut PgConnection,
    node: Uuid,
    (id, attempts): (JobId, i32),
    run_at: DateTime<Utc>,
    error: Option<&str>,
) -> sqlx::Result<bool> {
    for tried in 1.. {
        match try_to_put_back(connection, node, (id, attempts), run_at, error).await {
            // Enqueued between the two statements.
            Err(sqlx::Error::Database(refusal)) if refusal.is_unique_violation() && tried < TRIES_MAX => {}
            done => return done,
        }
    }
    Ok(false)
}

async fn try_to_put_back(
    connection: &mut PgConnection,
    node: Uuid,
    (id, attempts): (JobId, i32),
    run_at: DateTime<Utc>,
    error: Option<&str>,
) -> sqlx::Result<bool> {
    let mut transaction = begin(connection).await?;
    let absorbed = sqlx::query!(
        "DELETE FROM jobs twin USING jobs j
         WHERE j.id = $1 AND j.attempts = $2 AND j.leased_by = $3
           AND twin.kind = j.kind AND twin.dedupe = j.dedupe AND twin.id <> j.id
           AND twin.dead_at IS NULL AND twin.leased_by IS NULL
         RETURNING twin.kind, twin.key",
        id.0,
        attempts,
        node,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let put_back = sqlx::query!(
        "UPDATE jobs SET leased_by = NULL, leased_until = NULL, run_at = $4, last_error = COALESCE($5, last_error),
                attempts = CASE WHEN $6 THEN 0 WHEN $5::text IS NULL THEN attempts - 1 ELSE attempts END
         WHERE id = $1 AND attempts = $2 AND leased_by = $3",
        id.0,
        attempts,
        node,
        run_at,
        error,
        absorbed.is_some(),
    )
    .execute(&mut *transaction)
    .await?;
    // The one that was dropped may have had another key, in which others waited for it.
    if let Some((kind, key)) = absorbed.and_then(|twin| Some((twin.kind, twin.key?))) {
        let_next_run(&mut transaction, &[kind], &[key]).await?;
    }
    transaction.commit().await?;
    Ok(put_back.rows_affected() == 1)
}

/// Extends leases, each to its own end; answers those that are still ours.
pub async fn extend(
    connection: &mut PgConnection,
    node: Uuid,
    jobs: &[(JobId, i32)],
    until: &[DateTime<Utc>],
) -> sqlx::Result<Vec<JobId>> {
    let (ids, attempts) = columns(jobs);
    sqlx::query_scalar!(
        r#"UPDATE jobs SET leased_until = e.leased_until
           FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS e (id, attempts, leased_until)
           WHERE jobs.id = e.id AND jobs.attempts = e.attempts AND leased_by = $4
           RETURNING jobs.id AS "id: JobId""#,
        &ids,
        &attempts,
        until,
        node,
    )
    .fetch_all(connection)
    .await
}

async fn begin(connection: &mut PgConnection) -> sqlx::Result<sqlx::Transaction<'_, sqlx::Postgres>> {
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
    Ok(transaction)
}

/// Whether a statement gave up waiting for somebody else's transaction.
pub fn is_locked(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.code().as_deref() == Some("55P03"))
}

/// The first of each key that was left alone because of one that has ended need not wait any longer.
///
/// Under the keys' locks: whoever takes at this moment has seen the one that has ended, and what it leaves alone because
/// of it is known here only after its commit. Locked in one order, so that two that end never wait for each other.
async fn let_next_run(connection: &mut PgConnection, kinds: &[String], keys: &[String]) -> sqlx::Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(of_key.lock) FROM (
             SELECT DISTINCT parlance_job_key_lock(kind, key) AS lock FROM unnest($1::text[], $2::text[]) AS k (kind, key)
             ORDER BY lock) AS of_key",
        kinds,
        keys,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE jobs SET behind_until = NULL
         WHERE behind_until IS NOT NULL AND id IN (
             SELECT (SELECT id FROM jobs n WHERE n.kind = k.kind AND n.key = k.key AND n.dead_at IS NULL
                     ORDER BY n.place LIMIT 1)
             FROM unnest($1::text[], $2::text[]) AS k (kind, key))",
        kinds,
        keys,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn columns(jobs: &[(JobId, i32)]) -> (Vec<Uuid>, Vec<i32>) {
    jobs.iter().map(|(id, attempts)| (id.0, *attempts)).unzip()
}
