//! The SQL of an installation: all of it in one transaction, so that there is everything or nothing.

use anyhow::{Context, bail};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::copy::CopyRows;
use crate::measure::Progress;

/// Sent to Postgres at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// What keeps a table whole and costs time on every row: taken off before many rows come, and put back in the same
/// transaction, by the definitions that the catalogue gives.
#[derive(Debug)]
pub struct TakenOff {
    table: String,
    /// Statements that put them back, each with what it makes.
    statements: Vec<(String, String)>,
}

/// Prepares a connection that no statement timeout binds, and begins.
pub async fn begin(connection: &mut PgConnection) -> anyhow::Result<()> {
    for statement in [
        "SET statement_timeout = 0",
        "BEGIN",
        "SET LOCAL maintenance_work_mem = '512MB'",
        "SET LOCAL max_parallel_maintenance_workers = 2",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Refuses a database that is in use, unless it is to be added to, and one that has people of this name.
pub async fn refuse_if_used(
    connection: &mut PgConnection,
    issuer: &str,
    name: &str,
    force: bool,
) -> anyhow::Result<bool> {
    let query = "SELECT EXISTS (SELECT FROM users) AS used, EXISTS (SELECT FROM messages) AS talked, \
                 EXISTS (SELECT FROM external_identities WHERE issuer = $1 AND subject = $2) AS installed";
    let found =
        sqlx::query(query).bind(issuer).bind(super::people::subject(name, 0)).fetch_one(&mut *connection).await?;
    if found.try_get("installed")? {
        bail!("an installation called {name:?} is there already: give this one another --name, or use another folder");
    }
    if found.try_get::<bool, _>("used")? && !force {
        bail!("the database is not empty: use another folder, or add to it with --force");
    }
    Ok(found.try_get("talked")?)
}

/// Copies rows into a table. `write` adds the columns of one row.
pub async fn copy<T>(
    connection: &mut PgConnection,
    table: &str,
    columns: &[&str],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut CopyRows, T),
    progress: &Progress,
) -> anyhow::Result<u64> {
    let statement = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
    let mut into = connection.copy_in_raw(&statement).await.with_context(|| statement.clone())?;
    let mut rows = CopyRows::new(columns.len());
    let mut told = 0;
    for item in items {
        rows.begin_row();
        write(&mut rows, item);
        if rows.len() >= CHUNK_BYTES {
            into.send(rows.take().as_slice()).await.with_context(|| statement.clone())?;
            rows.take().clear();
            progress.add(rows.rows - told);
            told = rows.rows;
        }
    }
    rows.finish();
    into.send(rows.take().as_slice()).await.with_context(|| statement.clone())?;
    let copied = into.finish().await.with_context(|| statement.clone())?;
    progress.add(rows.rows - told);
    Ok(copied)
}

/// Takes the indexes and foreign keys off a table. Its checks stay: they cost little, and every row is to pass them.
pub async fn take_off(connection: &mut PgConnection, table: &str) -> anyhow::Result<TakenOff> {
    // A key that another table's foreign key leans on stays where it is.
    let query = "SELECT conname::text AS name, contype = 'f' AS foreign_key, pg_get_constraintdef(oid) AS definition \
                 FROM pg_constraint c \
                 WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'f') \
                   AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid \
                                   AND f.conrelid <> c.conrelid AND f.confrelid = c.conrelid) \
                 ORDER BY contype = 'f', conname";
    let constraints = sqlx::query(query).bind(table).fetch_all(&mut *connection).await?;
    let query = "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition \
                 FROM pg_index i WHERE i.indrelid = $1::regclass \
                   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype <> 'f') \
                 ORDER BY 1";
    let indexes = sqlx::query(query).bind(table).fetch_all(&mut *connection).await?;
    let mut statements = Vec::new();
    for index in &indexes {
        let (name, definition): (String, String) = (index.try_get("name")?, index.try_get("definition")?);
        run(connection, format!("DROP INDEX {name}")).await?;
        statements.push((name, definition));
    }
    for constraint in &constraints {
        let (name, definition): (String, String) = (constraint.try_get("name")?, constraint.try_get("definition")?);
        run(connection, format!("ALTER TABLE {table} DROP CONSTRAINT {name}")).await?;
        statements.push((name.clone(), format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")));
    }
    Ok(TakenOff { table: table.to_owned(), statements })
}

impl TakenOff {
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    pub async fn put_back(&self, connection: &mut PgConnection, progress: &Progress) -> anyhow::Result<()> {
        for (name, statement) in &self.statements {
            run(connection, statement.clone()).await.with_context(|| format!("{name} of {}", self.table))?;
            progress.add(1);
        }
        Ok(())
    }
}

/// Whether every room's order is whole: as many rows as its last seq says, the first of them 1.
pub async fn check(connection: &mut PgConnection) -> anyhow::Result<()> {
    let query = "SELECT r.id::text FROM rooms r LEFT JOIN ( \
                     SELECT room_id, count(*) AS rows, max(seq) AS last FROM ( \
                         SELECT room_id, seq FROM messages UNION ALL SELECT room_id, seq FROM room_events) AS both_kinds \
                     GROUP BY room_id) AS found ON found.room_id = r.id \
                 WHERE r.last_seq <> COALESCE(found.rows, 0) OR r.last_seq <> COALESCE(found.last, 0) LIMIT 1";
    if let Some(row) = sqlx::query(query).fetch_optional(connection).await? {
        let room: String = row.try_get(0)?;
        bail!("the order of room {room} has holes: nothing was installed");
    }
    Ok(())
}

/// As the server's own housekeeping leaves tables that have grown: known to the planner, and seen to be all visible.
pub async fn tidy(connection: &mut PgConnection) -> anyhow::Result<()> {
    run(connection, "VACUUM (ANALYZE)".to_owned()).await
}

pub async fn size_bytes(connection: &mut PgConnection) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(connection).await?)
}

pub async fn run(connection: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    sqlx::query(AssertSqlSafe(statement.clone())).execute(connection).await.with_context(|| statement)?;
    Ok(())
}
