//! All SQL of the demo: what was made of it. The people, rooms and spaces themselves are deleted by the doors of those.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::storage::Storage;

/// Until the end of the transaction nobody else makes or removes the demo.
pub(super) async fn take_turn(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('parlance demo'), hashtext(current_schema()))")
        .execute(conn)
        .await
        .map(|_| ())
}

/// Whether there was one and it was removed.
pub(super) async fn is_removed(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM demo_parts WHERE removed_at IS NOT NULL) AS "is_removed!""#)
        .fetch_one(conn)
        .await
}

/// The parts that are whole.
pub(super) async fn parts_made(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("SELECT part FROM demo_parts ORDER BY part").fetch_all(conn).await
}

/// This part is whole.
pub(super) async fn part_made(storage: &Storage, part: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("INSERT INTO demo_parts (part, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", part, now)
        .execute(storage.engine())
        .await
        .map(|_| ())
}

/// This is of the demo.
pub(super) async fn remember(storage: &Storage, kind: &str, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("INSERT INTO demo_made (kind, id) VALUES ($1, $2) ON CONFLICT DO NOTHING", kind, id)
        .execute(storage.engine())
        .await
        .map(|_| ())
}

/// What is of the demo, of one kind.
pub(super) async fn made(conn: &mut PgConnection, kind: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM demo_made WHERE kind = $1 ORDER BY id", kind).fetch_all(conn).await
}

/// It is gone, and not made again.
pub(super) async fn removed(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM demo_made").execute(&mut *conn).await?;
    // Also where no part was ever whole.
    sqlx::query!(
        "INSERT INTO demo_parts (part, made_at, removed_at) VALUES ('people', $1, $1)
         ON CONFLICT (part) DO UPDATE SET removed_at = EXCLUDED.removed_at",
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("UPDATE demo_parts SET removed_at = $1", now).execute(conn).await.map(|_| ())
}
