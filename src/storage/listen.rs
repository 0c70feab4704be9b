//! Hearing of changes: `LISTEN` on a connection of its own.
//!
//! Invariant: silence is never taken for peace. A connection on which nothing came for a while is asked for a sign of
//! life, so a network that swallows everything is noticed within [`ASK_AFTER`] and [`PATIENCE`].

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::Storage;

/// A listener that heard nothing for this long asks whether Postgres is still there …
const ASK_AFTER: Duration = Duration::from_secs(15);

/// … and waits this long for the answer, and for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

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
        // The library's listener takes its connection from a pool: one of its own, because it never gives it back.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(self.options.clone());
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.ignore_pool_close_event(true);
            // A new connection would hide that something may have been missed.
            listener.eager_reconnect(false);
            listener.listen(channel).await?;
            Ok(Listener(OnRuntime(Some(listener))))
        };
        let mut listening = OnRuntime(Some(Box::pin(tokio::time::timeout(PATIENCE, listening))));
        match &mut listening.0 {
            Some(listening) => listening.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)),
            None => Err(sqlx::Error::PoolClosed),
        }
    }
}

impl Listener {
    /// The next thing that is told. An error: some may be missed from here on; listen anew.
    pub async fn next(&mut self) -> Result<String, sqlx::Error> {
        let Some(listener) = &mut self.0.0 else { return Err(sqlx::Error::PoolClosed) };
        loop {
            // Waiting may be cut short without losing anything: a message is taken off the connection when it is whole.
            match tokio::time::timeout(ASK_AFTER, listener.try_recv()).await {
                Ok(Ok(Some(told))) => return Ok(told.payload().to_owned()),
                Ok(Ok(None)) => return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())),
                Ok(Err(error)) => return Err(error),
                Err(_silence) => ask(listener).await?,
            }
        }
    }
}

/// Asks for a sign of life; what is told meanwhile waits for [`Listener::next`].
async fn ask(listener: &mut PgListener) -> Result<(), sqlx::Error> {
    let sign_of_life = sqlx::query("SELECT 1").execute(listener);
    tokio::time::timeout(PATIENCE, sign_of_life).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    Ok(())
}
