//! Hearing of changes: `LISTEN` on a connection of its own.
//!
//! Invariant: silence is never taken for peace. Whoever listens asks now and then for a sign of life ([`Listener::ask`]),
//! so a network that swallows everything is noticed.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::Storage;
use super::session::is_read_only;

/// How long it takes at most to connect, and to give a sign of life.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first half of the lock that an engine shares with others on its database; the second is its schema.
const ENGINE_LOCK: i32 = i32::from_be_bytes(*b"engi");

/// What is told on one channel, from the moment of its making on.
pub struct Listener(OnRuntime<PgListener>);

/// Something that holds a connection of a pool, or is about to. The library gives it back from a task, for which it
/// needs a runtime: where that is gone already, with its thread, the connection ends with the process.
struct OnRuntime<T>(Option<T>);

impl<T> Drop for OnRuntime<T> {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            std::mem::forget(self.0.take());
        }
    }
}

impl Storage {
    /// Listens on `channel` from now on.
    pub async fn listen(&self, channel: &str) -> Result<Listener, sqlx::Error> {
        let session = self.session.clone();
        // The library's listener takes its connection from a pool: one of its own, because it never gives it back.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move { session.prepare(connection).await })
            })
            .connect_lazy_with(self.options.clone());
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.ignore_pool_close_event(true);
            // A new connection would hide that something may have been missed.
            listener.eager_reconnect(false);
            listener.listen(channel).await?;
            sqlx::query("SELECT pg_advisory_lock_shared($1, hashtext(current_schema()))")
                .bind(ENGINE_LOCK)
                .execute(&mut listener)
                .await?;
            Ok(Listener(OnRuntime(Some(listener))))
        };
        let mut listening = OnRuntime(Some(Box::pin(tokio::time::timeout(PATIENCE, listening))));
        match &mut listening.0 {
            Some(listening) => listening.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)),
            None => Err(sqlx::Error::PoolClosed),
        }
    }
}

impl Storage {
    /// How many engines listen on this database, this one included: each holds a lock that keeps nobody out.
    pub async fn engines_listening(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks
             WHERE locktype = 'advisory' AND classid = $1::int::oid AND objsubid = 2 AND mode = 'ShareLock' AND granted
               AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(ENGINE_LOCK)
        .fetch_one(&self.pool)
        .await
    }
}

impl Listener {
    /// The next thing that is told. An error: some may be missed from here on; listen anew.
    pub async fn next(&mut self) -> Result<String, sqlx::Error> {
        let Some(listener) = &mut self.0.0 else { return Err(sqlx::Error::PoolClosed) };
        // Waiting may be cut short without losing anything: a message is taken off the connection when it is whole.
        match listener.try_recv().await? {
            Some(told) => Ok(told.payload().to_owned()),
            None => Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())),
        }
    }

    /// Asks for a sign of life, for ten seconds at most; not to be cut short. What is told meanwhile waits for
    /// [`Listener::next`]. A connection that can only read is no good: since a failover, what is told may be told elsewhere.
    pub async fn ask(&mut self) -> Result<(), sqlx::Error> {
        let Some(listener) = &mut self.0.0 else { return Err(sqlx::Error::PoolClosed) };
        match tokio::time::timeout(PATIENCE, is_read_only(listener)).await {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => Err(sqlx::Error::Io(std::io::ErrorKind::ReadOnlyFilesystem.into())),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }
}
