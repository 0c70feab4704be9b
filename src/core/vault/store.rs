//! All SQL of the vault: `vault_secrets` and `vault_audit`.
//!
//! Whoever writes a secret shares a lock that whoever changes the keys takes alone: so each write after a change of the
//! keys uses the new ones, and none falls between.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::SecretName;
use super::audit::{AuditEntry, AuditQuery, By};
use super::envelope::Sealed;
use super::keys::KeyId;

/// First halves of advisory locks; the second is the schema.
const KEYS: i32 = i32::from_be_bytes(*b"vaul");
const ROTATION: i32 = i32::from_be_bytes(*b"vaur");

/// A secret's row without its value.
#[derive(Clone, Debug)]
pub(super) struct MetaRow {
    pub id: Uuid,
    pub scope: String,
    pub name: String,
    pub label: String,
    pub hint: Option<String>,
    pub version: i32,
    pub key_id: String,
    pub created_at: DateTime<Utc>,
    pub created_by: Option<Uuid>,
    pub replaced_at: Option<DateTime<Utc>>,
    pub rotated_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What opens it.
#[derive(Clone, Debug)]
pub(super) struct SealedRow {
    pub id: Uuid,
    pub version: i32,
    pub ciphertext: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    pub key_id: String,
}

impl SealedRow {
    pub fn sealed(self) -> Sealed {
        Sealed { ciphertext: self.ciphertext, wrapped_key: self.wrapped_key, key_id: KeyId::from_row(self.key_id) }
    }
}

/// A new row.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    pub id: Uuid,
    pub name: &'a SecretName,
    pub label: &'a str,
    pub hint: Option<&'a str>,
    pub sealed: &'a Sealed,
    pub now: DateTime<Utc>,
    pub by: &'a By,
}

/// Which secret.
#[derive(Clone, Debug)]
pub(super) struct NamedRow {
    pub id: Uuid,
    pub scope: String,
    pub name: String,
}

/// A data key that is wrapped by another key than the newest.
#[derive(Debug)]
pub(super) struct WrappedRow {
    pub id: Uuid,
    pub scope: String,
    pub name: String,
    pub version: i32,
    pub wrapped_key: Vec<u8>,
    pub key_id: String,
}

/// Until the end of the transaction nobody changes the keys.
pub(super) async fn share_keys(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared($1, hashtext(current_schema()))", KEYS)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Until the end of the transaction nobody writes a secret.
pub(super) async fn lock_keys(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", KEYS).execute(conn).await.map(|_| ())
}

/// For as long as the connection lives, this is the only rotation; false when there is another.
pub(super) async fn try_lock_rotation(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS "locked!""#, ROTATION)
        .fetch_one(conn)
        .await
}

/// The next one may begin.
pub(super) async fn unlock_rotation(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!(r#"SELECT pg_advisory_unlock($1, hashtext(current_schema())) AS "was_held!""#, ROTATION)
        .fetch_one(conn)
        .await
        .map(|_| ())
}

/// The master keys that are in use.
pub(super) async fn key_ids(conn: &mut PgConnection) -> sqlx::Result<Vec<KeyId>> {
    let ids = sqlx::query_scalar!("SELECT DISTINCT key_id FROM vault_secrets ORDER BY key_id").fetch_all(conn).await?;
    Ok(ids.into_iter().map(KeyId::from_row).collect())
}

/// How many secrets are under none of these keys.
pub(super) async fn count_unreadable(conn: &mut PgConnection, known: &[String]) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM vault_secrets WHERE key_id <> ALL($1)"#, known)
        .fetch_one(conn)
        .await
}

pub(super) async fn count(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM vault_secrets"#).fetch_one(conn).await
}

/// False when the name is taken.
pub(super) async fn insert(conn: &mut PgConnection, row: &NewRow<'_>) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO vault_secrets (id, scope, name, label, hint, version, ciphertext, wrapped_key, key_id, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, (SELECT id FROM users WHERE id = $10))
         ON CONFLICT (scope, name) DO NOTHING",
        row.id,
        row.name.scope(),
        row.name.name(),
        row.label,
        row.hint,
        row.sealed.ciphertext,
        row.sealed.wrapped_key,
        row.sealed.key_id.as_str(),
        row.now,
        row.by.user(),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn find(conn: &mut PgConnection, name: &SecretName) -> sqlx::Result<Option<SealedRow>> {
    sqlx::query_as!(
        SealedRow,
        "SELECT id, version, ciphertext, wrapped_key, key_id FROM vault_secrets WHERE scope = $1 AND name = $2",
        name.scope(),
        name.name(),
    )
    .fetch_optional(conn)
    .await
}

/// Id and version of a secret, which nobody else changes until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection, name: &SecretName) -> sqlx::Result<Option<(Uuid, i32)>> {
    let found = sqlx::query!(
        "SELECT id, version FROM vault_secrets WHERE scope = $1 AND name = $2 FOR UPDATE",
        name.scope(),
        name.name(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|row| (row.id, row.version)))
}

/// Its next value.
pub(super) async fn replace(
    conn: &mut PgConnection,
    id: Uuid,
    version: i32,
    sealed: &Sealed,
    hint: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE vault_secrets
         SET version = $2, ciphertext = $3, wrapped_key = $4, key_id = $5, hint = $6, replaced_at = $7
         WHERE id = $1",
        id,
        version,
        sealed.ciphertext,
        sealed.wrapped_key,
        sealed.key_id.as_str(),
        hint,
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The id that it had; `None` when there was none.
pub(super) async fn delete(conn: &mut PgConnection, name: &SecretName) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "DELETE FROM vault_secrets WHERE scope = $1 AND name = $2 RETURNING id",
        name.scope(),
        name.name(),
    )
    .fetch_optional(conn)
    .await
}

/// Deletes what is under none of these keys; answers what went.
pub(super) async fn delete_unreadable(conn: &mut PgConnection, known: &[String]) -> sqlx::Result<Vec<NamedRow>> {
    sqlx::query_as!(NamedRow, "DELETE FROM vault_secrets WHERE key_id <> ALL($1) RETURNING id, scope, name", known,)
        .fetch_all(conn)
        .await
}

/// Writes down what was done.
pub(super) async fn note(
    conn: &mut PgConnection,
    entry: Uuid,
    what: &str,
    secret: Uuid,
    name: &SecretName,
    now: DateTime<Utc>,
    by: &By,
) -> sqlx::Result<()> {
    let (origin, user, by_name) = by.columns();
    sqlx::query!(
        "WITH used AS (UPDATE vault_secrets SET last_used_at = $2 WHERE id = $4 AND $3 = 'read')
         INSERT INTO vault_audit (id, at, what, secret_id, scope, name, origin, user_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        entry,
        now,
        what,
        secret,
        name.scope(),
        name.name(),
        origin,
        user,
        by_name,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Writes down what was done with several.
pub(super) async fn note_all(
    conn: &mut PgConnection,
    entries: &[Uuid],
    what: &str,
    rows: &[NamedRow],
    now: DateTime<Utc>,
    by: &By,
) -> sqlx::Result<()> {
    let (origin, user, by_name) = by.columns();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let scopes: Vec<String> = rows.iter().map(|row| row.scope.clone()).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    sqlx::query!(
        "INSERT INTO vault_audit (id, at, what, secret_id, scope, name, origin, user_id, by_name)
         SELECT entry, $5, $6, secret, scope, name, $7, $8, $9
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS done (entry, secret, scope, name)",
        entries,
        &ids,
        &scopes,
        &names,
        now,
        what,
        origin,
        user,
        by_name,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(super) async fn meta(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<MetaRow>> {
    sqlx::query_as!(
        MetaRow,
        "SELECT id, scope, name, label, hint, version, key_id, created_at, created_by, replaced_at, rotated_at, last_used_at
         FROM vault_secrets WHERE id = $1",
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Up to `limit` of them by id, after `after`.
pub(super) async fn list(
    conn: &mut PgConnection,
    scope: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<MetaRow>> {
    sqlx::query_as!(
        MetaRow,
        "SELECT id, scope, name, label, hint, version, key_id, created_at, created_by, replaced_at, rotated_at, last_used_at
         FROM vault_secrets
         WHERE ($1::text IS NULL OR scope = $1) AND ($2::uuid IS NULL OR id > $2)
         ORDER BY id LIMIT $3",
        scope,
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Up to `limit` data keys that another key than `newest` wraps, after the id `after`, and nobody else changes them.
pub(super) async fn to_rewrap(
    conn: &mut PgConnection,
    newest: &KeyId,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<WrappedRow>> {
    sqlx::query_as!(
        WrappedRow,
        "SELECT id, scope, name, version, wrapped_key, key_id FROM vault_secrets
         WHERE key_id <> $1 AND id > $2 ORDER BY id LIMIT $3 FOR UPDATE",
        newest.as_str(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Puts data keys in their new wrapping into their rows.
pub(super) async fn rewrap(
    conn: &mut PgConnection,
    ids: &[Uuid],
    wrapped: &[Vec<u8>],
    newest: &KeyId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE vault_secrets SET wrapped_key = anew.wrapped_key, key_id = $3, rotated_at = $4
         FROM UNNEST($1::uuid[], $2::bytea[]) AS anew (id, wrapped_key)
         WHERE vault_secrets.id = anew.id",
        ids,
        wrapped,
        newest.as_str(),
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The newest entries first.
pub(super) async fn audit(conn: &mut PgConnection, query: &AuditQuery) -> sqlx::Result<Vec<AuditEntry>> {
    sqlx::query_as!(
        AuditEntry,
        "SELECT id, at, what, secret_id, scope, name, origin, user_id, by_name FROM vault_audit
         WHERE ($1::text IS NULL OR (scope = $1 AND name = $2)) AND ($3::uuid IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4",
        query.name.as_ref().map(SecretName::scope),
        query.name.as_ref().map(SecretName::name),
        query.before,
        query.limit,
    )
    .fetch_all(conn)
    .await
}

/// Deletes up to `rows_max` entries from before `before`; answers how many went.
pub(super) async fn delete_audit(conn: &mut PgConnection, before: DateTime<Utc>, rows_max: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "DELETE FROM vault_audit WHERE id IN (
             SELECT id FROM vault_audit WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        before,
        rows_max,
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
