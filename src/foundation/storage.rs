//! Postgres: the embedded server or the operator's own, the pool, migrations, and reads on a user's behalf.
//!
//! SQL lives in the `store.rs` files of the features. Two doors: [`Storage::engine`] (for reads
//! [`Storage::engine_read`]) runs as the owner of the tables and is for the engine's own work; [`Storage::read_as`] runs
//! under a role that row level security binds and is for everything that a user asked to see. [`Storage::listen`] hears
//! what triggers tell.
//!
//! Invariant: a user's read can only return rows that the policies in `migrations/` grant to that user, even
//! when the query forgets to ask.

pub mod config;
mod connect;
pub mod embedded;
mod epoch;
mod listen;
mod migrate;
mod pooler;
mod reader;
mod readiness;
mod refusal;
mod rights;
mod session;
mod surroundings;

use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres, Transaction};

use crate::ids::{RoomId, UserId};
pub use connect::parse_url;
pub use epoch::Epoch;
pub use listen::Listener;
pub use readiness::{Check, NOT_KNOWN, Readiness};
pub use refusal::StorageError;
use session::Session;
use surroundings::Surroundings;

/// The pool, shared by all threads.
#[derive(Clone, Debug)]
pub struct Storage {
    pool: PgPool,
    options: PgConnectOptions,
    /// What every connection is set to.
    session: Session,
    /// Where the database is, for messages.
    place: Arc<str>,
    /// The role that row level security binds.
    reader_role: Arc<str>,
    surroundings: Arc<Surroundings>,
    /// What the schema is made of.
    migrations: &'static Migrator,
    epoch: Epoch,
    readiness: readiness::Known,
}

impl Storage {
    /// Which life of the log this is; known once the database is migrated.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Compares the database with the one that it was; whether everything that is kept of it has to begin anew, until
    /// that is said to have happened ([`Storage::epoch_begun`]).
    pub async fn check_epoch(&self) -> Result<bool, sqlx::Error> {
        self.epoch.check(&mut *self.pool.acquire().await?).await
    }

    /// Nothing is kept any more of the epoch before.
    pub fn epoch_begun(&self) {
        self.epoch.begun();
    }

    /// Begins a new epoch: every client reads anew.
    pub async fn renew_epoch(&self) -> Result<uuid::Uuid, sqlx::Error> {
        self.epoch.renew(&mut *self.pool.acquire().await?).await
    }

    /// What guards people's reads and is not there: policies or grants that a restore left out or somebody took away.
    #[cfg(any(test, feature = "testing"))]
    pub async fn missing_rights(&self) -> Result<Vec<String>, sqlx::Error> {
        let missing = rights::missing(&mut *self.pool.acquire().await?, &self.reader_role).await?;
        Ok(missing.into_iter().map(|(what, _)| what).collect())
    }

    /// The pool as the owner of the tables: row level security does not bind it.
    pub fn engine(&self) -> &PgPool {
        &self.pool
    }

    /// The same, for a read that the engine makes for itself; `what` is its label in `parlance_storage_reads_total`.
    pub fn engine_read(&self, what: &'static str) -> &PgPool {
        count_read(what);
        &self.pool
    }

    /// A read-only transaction in which `user` sees what the policies grant, and nothing else.
    pub async fn read_as(&self, user: UserId) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.read(user, String::new()).await
    }

    /// The same for a read of one room: of everything else that is a room's it sees nothing. What it costs does not depend on
    /// how many rooms `user` is in, as it does in [`Storage::read_as`].
    pub async fn read_in(&self, user: UserId, room: RoomId) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.read(user, room.to_string()).await
    }

    async fn read(&self, user: UserId, room: String) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        count_read("user");
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "SELECT set_config('role', $1, true),
                    set_config('transaction_read_only', 'on', true),
                    set_config('parlance.user_id', $2, true),
                    set_config('parlance.room', $3, true)",
        )
        .bind(&*self.reader_role)
        .bind(user.to_string())
        .bind(room)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }

    /// Closes every connection of the pool.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn count_read(what: &'static str) {
    metrics::counter!("parlance_storage_reads_total", "what" => what).increment(1);
}

/// Whether the error says that Postgres is away, so that the same statement can succeed later.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection trouble, operator intervention (shutdown, crash, starting up), out of resources,
            // serialization or deadlock, system errors, a server that is read-only after a failover, and a database that
            // is not there, as in the middle of a restore.
            ["08", "57", "53", "40", "58", "25006", "3D000"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}
