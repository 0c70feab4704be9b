//! Changing passwords, and the links that set a new one.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use parlance_foundation::ids::UserId;

/// What is stored of the token in a link.
pub type ResetHash = [u8; 32];

/// What changing a password needs to know about its owner.
#[derive(Debug)]
pub struct PasswordOwner {
    pub user_id: UserId,
    pub username: String,
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub disabled_at: Option<DateTime<Utc>>,
}

pub async fn owner(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<PasswordOwner>> {
    sqlx::query_as!(
        PasswordOwner,
        r#"SELECT u.id AS "user_id: UserId", u.username::text AS "username!", a.email::text AS email, a.password_hash,
                  u.disabled_at
           FROM users u JOIN accounts a ON a.user_id = u.id
           WHERE u.id = $1"#,
        user.0,
    )
    .fetch_optional(conn)
    .await
}

/// Whose password a link sets, while it is good.
pub async fn owner_of_reset(
    conn: &mut PgConnection,
    reset: &ResetHash,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PasswordOwner>> {
    sqlx::query_as!(
        PasswordOwner,
        r#"SELECT u.id AS "user_id: UserId", u.username::text AS "username!", a.email::text AS email, a.password_hash,
                  u.disabled_at
           FROM password_resets r JOIN users u ON u.id = r.user_id JOIN accounts a ON a.user_id = r.user_id
           WHERE r.hash = $1 AND r.expires_at > $2"#,
        reset.as_slice(),
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Sets a password, whatever it was, and takes the account's link back, which was for the earlier one.
pub async fn set(conn: &mut PgConnection, user: UserId, hash: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH link AS (DELETE FROM password_resets WHERE user_id = $1)
         UPDATE accounts SET password_hash = $2 WHERE user_id = $1",
        user.0,
        hash,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// A link for an account; one that was made before is good no longer.
pub async fn put_reset(
    conn: &mut PgConnection,
    user: UserId,
    reset: &ResetHash,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO password_resets (user_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE
         SET hash = EXCLUDED.hash, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at",
        user.0,
        reset.as_slice(),
        now,
        expires_at,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Uses a link up; false when it is good no longer.
pub async fn take_reset(conn: &mut PgConnection, reset: &ResetHash, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let taken = sqlx::query!("DELETE FROM password_resets WHERE hash = $1 AND expires_at > $2", reset.as_slice(), now)
        .execute(conn)
        .await?;
    Ok(taken.rows_affected() == 1)
}

/// Deletes up to `rows_max` links that have expired; answers how many rows went.
pub async fn delete_expired_resets(conn: &mut PgConnection, now: DateTime<Utc>, rows_max: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM password_resets WHERE user_id IN (
             SELECT user_id FROM password_resets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
             FOR UPDATE SKIP LOCKED)",
        now,
        rows_max,
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
