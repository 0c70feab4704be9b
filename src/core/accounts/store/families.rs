//! Sign-ins: families of refresh tokens, their rotation and their end.
//!
//! Invariant: a refresh token gets at most one successor, because [`find_for_use`] locks its row until the transaction
//! that uses it ends.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::accounts::tokens::RefreshHash;
use crate::accounts::wire::Device;
use crate::accounts::{SignOutReason, UserRole};
use parlance_foundation::ids::{FamilyId, UserId};

/// Locks the account, so that sign-ins of one user take turns, and reads what the new sign-in needs.
pub async fn lock_account(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<(UserRole, bool)>> {
    let row = sqlx::query!(
        r#"SELECT a.role AS "role: UserRole", u.disabled_at
           FROM accounts a JOIN users u ON u.id = a.user_id
           WHERE a.user_id = $1 FOR NO KEY UPDATE OF a"#,
        user.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.role, row.disabled_at.is_some())))
}

/// The times of a pair of tokens that is given out.
#[derive(Clone, Copy, Debug)]
pub struct TokenTimes {
    pub now: DateTime<Utc>,
    pub access_expires_at: DateTime<Utc>,
    pub refresh_expires_at: DateTime<Utc>,
}

/// A new family with its first refresh token.
pub async fn open_family(
    conn: &mut PgConnection,
    family: FamilyId,
    user: UserId,
    device: &Device,
    token: &RefreshHash,
    times: TokenTimes,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH family AS (
               INSERT INTO token_families
                   (id, user_id, device_id, device_name, created_at, last_used_at, access_expires_at, expires_at)
               VALUES ($1, $2, $3, $4, $6, $6, $7, $8)
               RETURNING id
           ), account AS (
               UPDATE accounts SET last_sign_in_at = $6 WHERE user_id = $2
           )
           INSERT INTO refresh_tokens (hash, family_id, issued_at, expires_at)
           SELECT $5, id, $6, $8 FROM family"#,
        family.0,
        user.0,
        device.id,
        device.name,
        token.as_slice(),
        times.now,
        times.access_expires_at,
        times.refresh_expires_at,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// What a refresh token stands for at the moment.
#[derive(Debug)]
pub struct FoundToken {
    pub family_id: FamilyId,
    pub user_id: UserId,
    pub role: UserRole,
    pub used_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
}

/// Looks a refresh token up and keeps everybody else from using it, or its family, until the transaction ends.
pub async fn find_for_use(conn: &mut PgConnection, token: &RefreshHash) -> sqlx::Result<Option<FoundToken>> {
    sqlx::query_as!(
        FoundToken,
        r#"SELECT f.id AS "family_id: FamilyId", f.user_id AS "user_id: UserId", a.role AS "role: UserRole",
                  t.used_at, t.expires_at, f.revoked_at, u.disabled_at
           FROM refresh_tokens t
           JOIN token_families f ON f.id = t.family_id
           JOIN users u ON u.id = f.user_id
           JOIN accounts a ON a.user_id = f.user_id
           WHERE t.hash = $1
           FOR NO KEY UPDATE OF t, f"#,
        token.as_slice(),
    )
    .fetch_optional(conn)
    .await
}

/// The family that a refresh token is of, whatever became of the two.
pub async fn family_of_token(conn: &mut PgConnection, token: &RefreshHash) -> sqlx::Result<Option<FamilyId>> {
    sqlx::query_scalar!(
        r#"SELECT family_id AS "family_id: FamilyId" FROM refresh_tokens WHERE hash = $1"#,
        token.as_slice(),
    )
    .fetch_optional(conn)
    .await
}

/// When a token of the family expires, if there is one that was not used. Its predecessor must be locked.
pub async fn unused_until(
    conn: &mut PgConnection,
    family: FamilyId,
    token: &RefreshHash,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "SELECT expires_at FROM refresh_tokens WHERE hash = $2 AND family_id = $1 AND used_at IS NULL",
        family.0,
        token.as_slice(),
    )
    .fetch_optional(conn)
    .await
}

/// One more access token was given out for the family, beside the newest refresh token.
pub async fn prolong_access(
    conn: &mut PgConnection,
    family: FamilyId,
    access_expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE token_families SET access_expires_at = GREATEST(access_expires_at, $2) WHERE id = $1",
        family.0,
        access_expires_at,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Marks `used` as used and puts `fresh` in its place; expired tokens of the family go on the way.
pub async fn rotate(
    conn: &mut PgConnection,
    family: FamilyId,
    used: &RefreshHash,
    fresh: &RefreshHash,
    times: TokenTimes,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH used AS (
               UPDATE refresh_tokens SET used_at = $4 WHERE hash = $2
           ), family AS (
               UPDATE token_families SET last_used_at = $4, access_expires_at = $5, expires_at = $6 WHERE id = $1
           ), expired AS (
               DELETE FROM refresh_tokens WHERE family_id = $1 AND expires_at < $4
           )
           INSERT INTO refresh_tokens (hash, family_id, issued_at, expires_at) VALUES ($3, $1, $4, $6)"#,
        family.0,
        used.as_slice(),
        fresh.as_slice(),
        times.now,
        times.access_expires_at,
        times.refresh_expires_at,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// A family that was just revoked, or was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedFamily {
    pub family_id: FamilyId,
    pub user_id: UserId,
    /// When the last of its access tokens ends by itself.
    pub access_expires_at: DateTime<Utc>,
}

/// Revokes one family; `None` when there is none, or it was revoked before.
pub async fn revoke(
    conn: &mut PgConnection,
    family: FamilyId,
    reason: SignOutReason,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $2, revoked_reason = $3
           WHERE id = $1 AND revoked_at IS NULL
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        family.0,
        now,
        reason.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// Revokes all families of a user.
pub async fn revoke_all(
    conn: &mut PgConnection,
    user: UserId,
    reason: SignOutReason,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $2, revoked_reason = $3
           WHERE user_id = $1 AND revoked_at IS NULL
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        user.0,
        now,
        reason.as_str(),
    )
    .fetch_all(conn)
    .await
}

/// Revokes the family that this device had before.
pub async fn revoke_device(
    conn: &mut PgConnection,
    user: UserId,
    device_id: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $3, revoked_reason = $4
           WHERE user_id = $1 AND device_id = $2 AND revoked_at IS NULL
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        user.0,
        device_id,
        now,
        SignOutReason::Replaced.as_str(),
    )
    .fetch_all(conn)
    .await
}

/// Revokes what is past the `keep` families of a user that were used last.
pub async fn revoke_beyond(
    conn: &mut PgConnection,
    user: UserId,
    keep: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"UPDATE token_families SET revoked_at = $3, revoked_reason = $4
           WHERE id IN (SELECT id FROM token_families
                        WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $3
                        ORDER BY last_used_at DESC, id DESC OFFSET $2)
             AND revoked_at IS NULL
           RETURNING id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at"#,
        user.0,
        keep,
        now,
        SignOutReason::TooMany.as_str(),
    )
    .fetch_all(conn)
    .await
}

/// What a family knows of its device; `None` when it was revoked or is gone.
pub async fn live_device(conn: &mut PgConnection, family: FamilyId) -> sqlx::Result<Option<Device>> {
    sqlx::query_as!(
        Device,
        "SELECT device_id AS id, device_name AS name FROM token_families WHERE id = $1 AND revoked_at IS NULL",
        family.0,
    )
    .fetch_optional(conn)
    .await
}

/// Those of `families` that were revoked or are gone.
pub async fn ended_among(conn: &mut PgConnection, families: &[FamilyId]) -> sqlx::Result<Vec<FamilyId>> {
    let families: Vec<_> = families.iter().map(|family| family.0).collect();
    sqlx::query_scalar!(
        r#"SELECT asked.id AS "id!: FamilyId" FROM unnest($1::uuid[]) AS asked (id)
           WHERE NOT EXISTS (SELECT FROM token_families f WHERE f.id = asked.id AND f.revoked_at IS NULL)"#,
        &families,
    )
    .fetch_all(conn)
    .await
}

/// Revoked families with access tokens that have not run out.
pub async fn revoked_with_live_tokens(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<RevokedFamily>> {
    sqlx::query_as!(
        RevokedFamily,
        r#"SELECT id AS "family_id: FamilyId", user_id AS "user_id: UserId", access_expires_at
           FROM token_families WHERE revoked_at IS NOT NULL AND access_expires_at > $1"#,
        now,
    )
    .fetch_all(conn)
    .await
}

/// Deletes up to `rows_max` expired tokens, then up to as many families whose last token has expired. Answers
/// how many rows went.
pub async fn delete_expired(conn: &mut PgConnection, now: DateTime<Utc>, rows_max: i64) -> sqlx::Result<u64> {
    let tokens = sqlx::query!(
        r#"DELETE FROM refresh_tokens WHERE hash IN (
               SELECT hash FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
               FOR UPDATE SKIP LOCKED)"#,
        now,
        rows_max,
    )
    .execute(&mut *conn)
    .await?;
    let families = sqlx::query!(
        r#"DELETE FROM token_families WHERE id IN (
               SELECT f.id FROM token_families f
               WHERE f.expires_at < $1 AND f.access_expires_at < $1
                 AND NOT EXISTS (SELECT FROM refresh_tokens t WHERE t.family_id = f.id)
               ORDER BY f.expires_at LIMIT $2
               FOR UPDATE OF f SKIP LOCKED)"#,
        now,
        rows_max,
    )
    .execute(conn)
    .await?;
    Ok(tokens.rows_affected() + families.rows_affected())
}
