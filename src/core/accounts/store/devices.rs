//! The devices that somebody is signed in on, and signing them out.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::families::RevokedFamily;
use crate::accounts::SignOutReason;
use crate::accounts::wire::{Device, OwnDevice};
use parlance_foundation::ids::{FamilyId, UserId};

/// Up to `limit` live sign-ins of a user, the newest first, older than `before`; `current` is the asker's own.
pub async fn devices(
    conn: &mut PgConnection,
    user: UserId,
    current: Option<FamilyId>,
    before: Option<FamilyId>,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<OwnDevice>> {
    // Ids rise with the time of signing in.
    sqlx::query_as!(
        OwnDevice,
        r#"SELECT id AS "id: FamilyId", device_id, device_name AS name, created_at, last_used_at, expires_at,
                  COALESCE(id = $2, false) AS "current!"
           FROM token_families
           WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $4 AND ($3::uuid IS NULL OR id < $3)
           ORDER BY id DESC
           LIMIT $5"#,
        user.0,
        current.map(|family| family.0),
        before.map(|family| family.0),
        now,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Completes what a live sign-in knows of its device. Whether anything is new.
pub async fn note_device(conn: &mut PgConnection, user: UserId, family: FamilyId, said: &Device) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE token_families SET device_id = COALESCE(device_id, $3), device_name = COALESCE($4, device_name)
         WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
           AND (device_id, device_name) IS DISTINCT FROM (COALESCE(device_id, $3), COALESCE($4, device_name))",
        family.0,
        user.0,
        said.id,
        said.name,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether the user has signed in so, be it over or not.
pub async fn is_device(conn: &mut PgConnection, user: UserId, family: FamilyId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM token_families WHERE id = $1 AND user_id = $2) AS "is!""#,
        family.0,
        user.0,
    )
    .fetch_one(conn)
    .await
}

/// Revokes one sign-in of a user; `None` when there is none, or it was revoked before.
pub async fn revoke_own(
    conn: &mut PgConnection,
    user: UserId,
    family: FamilyId,
    reason: SignOutReason,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $3, revoked_reason = $4
           WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        family.0,
        user.0,
        now,
        reason.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// Revokes all sign-ins of a user but one.
pub async fn revoke_others(
    conn: &mut PgConnection,
    user: UserId,
    keep: Option<FamilyId>,
    reason: SignOutReason,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $3, revoked_reason = $4
           WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        user.0,
        keep.map(|family| family.0),
        now,
        reason.as_str(),
    )
    .fetch_all(conn)
    .await
}
