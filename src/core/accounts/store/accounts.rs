//! Accounts: creating them, credentials, roles, and who a subject of an outside issuer is.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::accounts::UserRole;
use parlance_foundation::ids::UserId;

/// A person to create.
#[derive(Debug)]
pub struct NewAccount<'a> {
    pub id: UserId,
    pub username: &'a str,
    pub full_name: Option<&'a str>,
    pub avatar_url: Option<&'a str>,
    pub email: Option<&'a str>,
    pub password_hash: Option<&'a str>,
    pub now: DateTime<Utc>,
}

/// Creates both halves of a person; false, and nothing is done, when the username or the email is taken. Both are looked
/// for whichever is there, so that the time it takes does not tell which of the two it was.
pub async fn create_account(conn: &mut PgConnection, account: &NewAccount<'_>) -> sqlx::Result<bool> {
    let created = sqlx::query!(
        r#"WITH taken AS (
               SELECT count(*) AS names FROM (
                   SELECT 1 FROM users WHERE username = $2::text::citext
                   UNION ALL
                   SELECT 1 FROM accounts WHERE email = $5::text::citext
               ) AS name
           ), person AS (
               INSERT INTO users (id, username, full_name, avatar_url, created_at, updated_at)
               SELECT $1, $2::text::citext, $3, $4, $7, $7 FROM taken WHERE names = 0
               RETURNING id
           )
           INSERT INTO accounts (user_id, email, password_hash)
           SELECT id, $5::text::citext, $6 FROM person"#,
        account.id.0,
        account.username,
        account.full_name,
        account.avatar_url,
        account.email,
        account.password_hash,
        account.now,
    )
    .execute(conn)
    .await;
    match created {
        Ok(done) => Ok(done.rows_affected() == 1),
        // Somebody took it at the same moment.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}

/// What signing in needs to know about an account.
#[derive(Debug)]
pub struct Credentials {
    pub user_id: UserId,
    pub password_hash: Option<String>,
    pub disabled_at: Option<DateTime<Utc>>,
}

/// The account of a username or an email; no username holds an `@`.
pub async fn credentials(conn: &mut PgConnection, login: &str) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as!(
        Credentials,
        r#"SELECT u.id AS "user_id: UserId", a.password_hash, u.disabled_at
           FROM users u JOIN accounts a ON a.user_id = u.id
           WHERE u.id = (SELECT id FROM users WHERE username = $1::text::citext
                         UNION ALL
                         SELECT user_id FROM accounts WHERE email = $1::text::citext
                         LIMIT 1)"#,
        login,
    )
    .fetch_optional(conn)
    .await
}

/// Who has signed in to the account of this login on this device before, if it is an account's and somebody has.
pub async fn owner_of_device(conn: &mut PgConnection, login: &str, device_id: &str) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar!(
        r#"SELECT f.user_id AS "user_id: UserId"
           FROM token_families f
           WHERE f.user_id = (SELECT id FROM users WHERE username = $1::text::citext
                              UNION ALL
                              SELECT user_id FROM accounts WHERE email = $1::text::citext
                              LIMIT 1)
             AND f.device_id = $2
           LIMIT 1"#,
        login,
        device_id,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps the password from being changed until the transaction ends; false when it has been already.
pub async fn hold_hash(conn: &mut PgConnection, user: UserId, hash: &str) -> sqlx::Result<bool> {
    let held = sqlx::query!(
        "SELECT 1 AS held FROM accounts WHERE user_id = $1 AND password_hash = $2 FOR NO KEY UPDATE",
        user.0,
        hash,
    )
    .fetch_optional(conn)
    .await?;
    Ok(held.is_some())
}

/// Stores a hash of the same password under new parameters, unless the password has changed meanwhile.
pub async fn replace_hash(conn: &mut PgConnection, user: UserId, old: &str, new: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE accounts SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2", user.0, old, new,)
        .execute(conn)
        .await
        .map(|_| ())
}

/// What decides whether somebody may act, read afresh.
#[derive(Debug)]
pub struct Standing {
    pub user_id: UserId,
    pub role: UserRole,
    pub disabled_at: Option<DateTime<Utc>>,
}

pub async fn standing(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"SELECT u.id AS "user_id: UserId", a.role AS "role: UserRole", u.disabled_at
           FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.id = $1"#,
        user.0,
    )
    .fetch_optional(conn)
    .await
}

/// Who a subject of an outside issuer is here.
pub async fn user_of_subject(conn: &mut PgConnection, issuer: &str, subject: &str) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id: UserId" FROM external_identities WHERE issuer = $1 AND subject = $2"#,
        issuer,
        subject,
    )
    .fetch_optional(conn)
    .await
}

/// Makes everybody else who meets this subject for the first time wait until the transaction ends, so that it
/// becomes one user.
pub async fn lock_subject(conn: &mut PgConnection, issuer: &str, subject: &str) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1 || E'\\n' || $2, 0))", issuer, subject)
        .execute(conn)
        .await
        .map(|_| ())
}

pub async fn bind_subject(
    conn: &mut PgConnection,
    issuer: &str,
    subject: &str,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO external_identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4)",
        issuer,
        subject,
        user.0,
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// False when there is no such user.
pub async fn set_role(conn: &mut PgConnection, user: UserId, role: UserRole) -> sqlx::Result<bool> {
    let result = sqlx::query!("UPDATE accounts SET role = $2 WHERE user_id = $1", user.0, role as UserRole)
        .execute(conn)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Disables or enables an account; it keeps the time of the first disabling.
pub async fn set_disabled(
    conn: &mut PgConnection,
    user: UserId,
    disabled: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE users SET disabled_at = CASE WHEN $2 THEN COALESCE(disabled_at, $3) END, updated_at = $3 WHERE id = $1",
        user.0,
        disabled,
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Those of `users` whose accounts are disabled or gone.
pub async fn closed_among(conn: &mut PgConnection, users: &[UserId]) -> sqlx::Result<Vec<UserId>> {
    let users: Vec<_> = users.iter().map(|user| user.0).collect();
    sqlx::query_scalar!(
        r#"SELECT asked.id AS "id!: UserId" FROM unnest($1::uuid[]) AS asked (id)
           WHERE NOT EXISTS (SELECT FROM users u JOIN accounts a ON a.user_id = u.id
                             WHERE u.id = asked.id AND u.disabled_at IS NULL)"#,
        &users,
    )
    .fetch_all(conn)
    .await
}

/// Those of `users` who are no subject of an outside issuer.
pub async fn without_identity_among(conn: &mut PgConnection, users: &[UserId]) -> sqlx::Result<Vec<UserId>> {
    let users: Vec<_> = users.iter().map(|user| user.0).collect();
    sqlx::query_scalar!(
        r#"SELECT asked.id AS "id!: UserId" FROM unnest($1::uuid[]) AS asked (id)
           WHERE NOT EXISTS (SELECT FROM external_identities e WHERE e.user_id = asked.id)"#,
        &users,
    )
    .fetch_all(conn)
    .await
}

/// Whether nobody has an account yet.
pub async fn is_empty(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT NOT EXISTS (SELECT FROM users) AS "empty!""#).fetch_one(conn).await
}

/// Deletes these people and their accounts; how many. What becomes of their rooms, triggers see to.
pub async fn delete_users(conn: &mut PgConnection, users: &[UserId]) -> sqlx::Result<u64> {
    let users: Vec<uuid::Uuid> = users.iter().map(|user| user.0).collect();
    Ok(sqlx::query!("DELETE FROM users WHERE id = ANY($1)", &users).execute(conn).await?.rows_affected())
}
