//! Taking what is due: locked row by row without waiting for anybody, then leased.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use parlance_foundation::ids::JobId;

/// How many jobs of a kind to take, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub kind: &'a str,
    pub rows_max: usize,
    /// Rows to look at for that: more of them where those that are due have others of their key before them.
    pub look_rows_max: usize,
    pub leased_until: DateTime<Utc>,
}

/// What was leased; and the kinds of which as many rows as allowed were looked at, so that more may be due.
#[derive(Debug, Default)]
pub struct Haul {
    pub taken: Vec<Taken>,
    pub more_of: Vec<String>,
}

/// A job under a lease of ours: of [`Taken::id`] and [`Taken::attempts`].
#[derive(Debug)]
pub struct Taken {
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    pub attempts: i32,
    pub run_at: DateTime<Utc>,
}

/// Leases what is due to `node`, in order.
///
/// Of each key one engine decides at a time: it holds the key's lock from before it looks until it has committed, so that
/// what it leases, or finds in the way, is seen by the next one. Without it, two jobs whose enqueuers did not wait for each
/// other could be leased by two engines at once. A key that another engine decides about is left as it is.
///
/// A job that has an earlier one of its key before it is left alone for a while, at first for a second, and longer the
/// longer it has waited, unless that one ends before: so a long queue behind one that fails costs next to nothing.
pub async fn take(
    connection: &mut PgConnection,
    node: Uuid,
    wanted: &[Wanted<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<Haul> {
    let kinds: Vec<&str> = wanted.iter().map(|wanted| wanted.kind).collect();
    let rows = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    let rows_max: Vec<i64> = wanted.iter().map(|wanted| rows(wanted.rows_max)).collect();
    let look_rows_max: Vec<i64> = wanted.iter().map(|wanted| rows(wanted.look_rows_max)).collect();
    let until: Vec<DateTime<Utc>> = wanted.iter().map(|wanted| wanted.leased_until).collect();
    let mut transaction = connection.begin().await?;
    let looked_at = sqlx::query!(
        r#"SELECT j.id AS "id!", w.kind AS "kind!",
                  j.key IS NULL OR pg_try_advisory_xact_lock(parlance_job_key_lock(w.kind, j.key)) AS "is_free!"
           FROM unnest($1::text[], $2::bigint[]) AS w (kind, look_rows_max)
           CROSS JOIN LATERAL (
               SELECT id, key FROM jobs
               WHERE jobs.kind = w.kind AND dead_at IS NULL AND GREATEST(run_at, leased_until, behind_until) <= $3
               ORDER BY GREATEST(run_at, leased_until, behind_until), place
               LIMIT w.look_rows_max
               FOR UPDATE SKIP LOCKED
           ) AS j"#,
        &kinds as &[&str],
        &look_rows_max,
        now,
    )
    .fetch_all(&mut *transaction)
    .await?;
    if looked_at.is_empty() {
        transaction.rollback().await?;
        return Ok(Haul::default());
    }
    let of_kind = |kind: &str| looked_at.iter().filter(|row| row.kind == kind).count();
    let full = wanted.iter().filter(|wanted| of_kind(wanted.kind) >= wanted.look_rows_max);
    let more_of = full.map(|wanted| wanted.kind.to_owned()).collect();
    let ids: Vec<Uuid> = looked_at.iter().filter(|row| row.is_free).map(|row| row.id).collect();
    // A statement of its own, because what was committed before these rows were locked has to be seen: an earlier job
    // that is gone by now is in nobody's way.
    let judged = sqlx::query!(
        r#"WITH judged AS MATERIALIZED (
               SELECT id, kind, place, GREATEST(run_at, leased_until, behind_until) AS due, key IS NOT NULL AND (
                   EXISTS (SELECT FROM jobs e
                           WHERE e.kind = j.kind AND e.key = j.key AND e.dead_at IS NULL AND e.place < j.place)
                   OR EXISTS (SELECT FROM jobs e
                              WHERE e.kind = j.kind AND e.key = j.key AND e.leased_until > $3 AND e.id <> j.id)
               ) AS is_behind
               FROM jobs j WHERE id = ANY($1)
           ), ranked AS (
               SELECT id, is_behind, row_number() OVER (PARTITION BY kind, is_behind ORDER BY due, place) AS rank
               FROM judged
           )
           UPDATE jobs j SET
               attempts = CASE WHEN is_behind THEN j.attempts ELSE j.attempts + 1 END,
               leased_by = CASE WHEN is_behind THEN j.leased_by ELSE $2 END,
               leased_until = CASE WHEN is_behind THEN j.leased_until ELSE w.leased_until END,
               behind_until = CASE WHEN is_behind THEN
                   $3::timestamptz + LEAST(GREATEST(($3::timestamptz - j.created_at) / 2, interval '1 second'), interval '60 seconds') END
           FROM ranked JOIN unnest($4::text[], $5::timestamptz[], $6::bigint[]) AS w (kind, leased_until, rows_max)
                ON is_behind OR rank <= rows_max
           WHERE j.id = ranked.id AND w.kind = j.kind
           RETURNING j.id AS "id: JobId", j.kind, j.place, attempts, run_at,
                     CASE WHEN NOT is_behind THEN payload::text END AS payload"#,
        &ids,
        node,
        now,
        &kinds as &[&str],
        &until,
        &rows_max,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let taken = judged.into_iter().filter_map(|row| {
        // Without a payload: it is behind another one.
        let payload = row.payload?;
        Some((row.place, Taken { id: row.id, kind: row.kind, payload, attempts: row.attempts, run_at: row.run_at }))
    });
    let mut taken: Vec<_> = taken.collect();
    taken.sort_by_key(|(place, _)| *place);
    Ok(Haul { taken: taken.into_iter().map(|(_, job)| job).collect(), more_of })
}

/// When the next job of these kinds is due.
pub async fn next_due(connection: &mut PgConnection, kinds: &[&str]) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"SELECT min(j.due) AS due
           FROM unnest($1::text[]) AS w (kind)
           CROSS JOIN LATERAL (
               SELECT GREATEST(run_at, leased_until, behind_until) AS due FROM jobs
               WHERE jobs.kind = w.kind AND dead_at IS NULL
               ORDER BY GREATEST(run_at, leased_until, behind_until), place LIMIT 1
           ) AS j"#,
        kinds as &[&str],
    )
    .fetch_one(connection)
    .await
}

/// Gives back what `node` has leased and does not hold: the answer to its [`take`] was lost, so nothing of it ran, and the
/// attempt does not count. How many.
pub async fn give_back_unheld(
    connection: &mut PgConnection,
    node: Uuid,
    held: &[JobId],
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let held: Vec<Uuid> = held.iter().map(|id| id.0).collect();
    let given_back = sqlx::query!(
        "UPDATE jobs SET leased_until = $3, attempts = attempts - 1
         WHERE leased_by = $1 AND leased_until > $3 AND id <> ALL($2)",
        node,
        &held,
        now,
    );
    Ok(given_back.execute(connection).await?.rows_affected())
}

/// Ends all leases of `node`, which knows nothing of them any more: their jobs are due now. How many.
pub async fn expire_leases_of(connection: &mut PgConnection, node: Uuid, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let expired = sqlx::query!("UPDATE jobs SET leased_until = $2 WHERE leased_by = $1", node, now);
    Ok(expired.execute(connection).await?.rows_affected())
}
