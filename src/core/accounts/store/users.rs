//! People: reading them for somebody, searching, and changing a profile.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::accounts::wire::{OwnUser, PublicUser};
use crate::accounts::{Listed, UserRole};
use parlance_foundation::ids::UserId;

/// Those of `ids` that exist, in no order. For features that show who somebody is.
pub async fn public_users(conn: &mut PgConnection, ids: &[UserId]) -> sqlx::Result<Vec<PublicUser>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        PublicUser,
        r#"SELECT id AS "id: UserId", username::text AS "username!", full_name, avatar_url, created_at
           FROM users WHERE id = ANY($1)"#,
        &ids,
    )
    .fetch_all(conn)
    .await
}

/// One person, if there is one.
pub async fn public_user(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<PublicUser>> {
    Ok(public_users(conn, &[id]).await?.pop())
}

/// A person with what only that person may see, and since when the account is disabled.
pub async fn own_user(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<(OwnUser, Option<DateTime<Utc>>)>> {
    let row = sqlx::query!(
        r#"SELECT u.id AS "id: UserId", u.username::text AS "username!", u.full_name, u.avatar_url, u.created_at,
                  u.status_message, u.disabled_at, a.email::text AS email, a.role AS "role: UserRole", a.phone,
                  a.preferences
           FROM users u JOIN accounts a ON a.user_id = u.id
           WHERE u.id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let user = OwnUser {
            id: row.id,
            username: row.username,
            full_name: row.full_name,
            avatar_url: row.avatar_url,
            created_at: row.created_at,
            email: row.email,
            role: row.role,
            status_message: row.status_message,
            phone: row.phone,
            preferences: row.preferences,
        };
        (user, row.disabled_at)
    }))
}

/// Up to `limit` people whose username or full name holds `query`, by username, after the username `after`.
pub async fn search_users(
    conn: &mut PgConnection,
    query: &str,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<PublicUser>> {
    let pattern = format!("%{}%", escape_like(query));
    // A plan for any pattern walks the names in order, since a short one is soon found that way; for a long one, that is
    // everybody. Only a plan for this pattern knows which it is, and looks long ones up by their trigrams.
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *conn).await?;
    // The empty string sorts before every username.
    sqlx::query_as!(
        PublicUser,
        r#"SELECT id AS "id!: UserId", username::text AS "username!", full_name, avatar_url,
                  created_at AS "created_at!"
           FROM user_directory
           WHERE (lower(username::text) LIKE lower($1) OR lower(full_name) LIKE lower($1))
             AND username > $2::text::citext
           ORDER BY username
           LIMIT $3"#,
        pattern,
        after.unwrap_or_default(),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Up to `limit` people whose username, full name or email holds `query`, by username, after the username `after`: for
/// operators.
pub async fn list(conn: &mut PgConnection, query: &str, after: &str, limit: i64) -> sqlx::Result<Vec<Listed>> {
    let pattern = format!("%{}%", escape_like(query));
    // The empty string sorts before every username.
    sqlx::query_as!(
        Listed,
        r#"SELECT u.id AS "user_id: UserId", u.username::text AS "username!", u.full_name, a.email::text AS email,
                  a.role AS "role: UserRole", u.disabled_at, a.last_sign_in_at
           FROM users u JOIN accounts a ON a.user_id = u.id
           WHERE (lower(u.username::text) LIKE lower($1) OR lower(u.full_name) LIKE lower($1)
                  OR lower(a.email::text) LIKE lower($1))
             AND u.username > $2::text::citext
           ORDER BY u.username
           LIMIT $3"#,
        pattern,
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What a person changes about themselves: `None` leaves it, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileChange {
    pub full_name: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub status_message: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    /// Cleared to an empty object.
    pub preferences: Option<Value>,
}

/// Changes both halves of a person in one statement. A disabled account changes nothing: false.
pub async fn change_profile(
    conn: &mut PgConnection,
    id: UserId,
    change: &ProfileChange,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        r#"WITH person AS (
               UPDATE users
               SET full_name = CASE WHEN $3 THEN $4 ELSE full_name END,
                   avatar_url = CASE WHEN $5 THEN $6 ELSE avatar_url END,
                   status_message = CASE WHEN $7 THEN $8 ELSE status_message END,
                   updated_at = $2
               WHERE id = $1 AND disabled_at IS NULL
               RETURNING id
           )
           UPDATE accounts
           SET phone = CASE WHEN $9 THEN $10 ELSE phone END, preferences = COALESCE($11, preferences)
           FROM person
           WHERE user_id = person.id"#,
        id.0,
        now,
        change.full_name.is_some(),
        change.full_name.clone().flatten(),
        change.avatar_url.is_some(),
        change.avatar_url.clone().flatten(),
        change.status_message.is_some(),
        change.status_message.clone().flatten(),
        change.phone.is_some(),
        change.phone.clone().flatten(),
        change.preferences.clone(),
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The text with LIKE's wildcards taken literally.
fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
