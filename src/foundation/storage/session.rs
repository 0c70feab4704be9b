//! What each connection is set to, whatever the server, the database or the role has as its default.
//!
//! By `SET`, never in the startup message, of which PgBouncer takes no settings. Invariant: nothing runs on a connection
//! that was not prepared here, so that names mean our schema and a transaction is `READ COMMITTED`.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, PgExecutor, Row};

use super::config::StorageConfig;
use super::surroundings::Surroundings;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Session(Arc<str>);

impl Session {
    pub fn new(surroundings: &Surroundings, config: &StorageConfig) -> Self {
        let settings = [
            // Named, not left to the default: functions take it over when they are made, and what is in pg_temp must
            // not stand before our tables.
            format!("search_path = {}", surroundings.search_path()),
            format!("statement_timeout = {}", config.statement_timeout_ms),
            // Waiting for the fence of a room is how two writers meet; a serialization failure would be an outage to us.
            "default_transaction_isolation = 'read committed'".to_owned(),
            "default_transaction_deferrable = off".to_owned(),
            // Off, reads for people would fail instead of being bound.
            "row_security = on".to_owned(),
        ];
        Self(settings.map(|setting| format!("SET {setting};")).concat().into())
    }

    pub async fn prepare(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(&*self.0)).execute(connection).await.map(|_| ())
    }
}

/// Whether the connection can only read: of a standby, or made while the server refused writes. It may stay so when its
/// server does not any more.
pub(super) async fn is_read_only<'c>(connection: impl PgExecutor<'c>) -> Result<bool, sqlx::Error> {
    let shown = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(shown.try_get::<&str, _>(0)? == "on")
}
