//! Whether somebody between us and Postgres shares connections between clients, transaction by transaction.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

/// A pooler gives the connection that was used last to whoever asks next; others may ask at the same time.
const TRIES: usize = 3;

/// Whether two of our connections are one of Postgres', in turn. Only simple statements: prepared ones would fail here.
pub(super) async fn splits_sessions(first: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut second = options.connect().await?;
    for _ in 0..TRIES {
        let before = backend(first).await?;
        // While it is in a transaction, what it is on is its own.
        match sqlx::raw_sql("BEGIN").execute(&mut second).await {
            // A pooler by statement allows no transactions: protocol_violation, of which Postgres has no reason to speak.
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("08P01") => return Ok(true),
            begun => begun?,
        };
        let between = backend(&mut second).await?;
        let after = backend(first).await?;
        sqlx::raw_sql("ROLLBACK").execute(&mut second).await?;
        if before == between || before != after {
            return Ok(true);
        }
    }
    second.close().await?;
    Ok(false)
}

/// The process of Postgres that answers.
async fn backend(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()::text").fetch_one(connection).await?;
    row.try_get(0)
}
