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
pub mod embedded;
mod epoch;
mod listen;
mod reader;
mod readiness;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection, PgPool, Postgres, Transaction};

use crate::ids::UserId;
use config::StorageConfig;
pub use epoch::Epoch;
pub use listen::Listener;
pub use readiness::{Check, NOT_KNOWN, Readiness};

/// Oldest Postgres that the migrations run on: 15 has `security_invoker` views and `NULLS NOT DISTINCT`.
const OLDEST_POSTGRES: i32 = 150_000;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The pool, shared by all threads.
#[derive(Clone, Debug)]
pub struct Storage {
    pool: PgPool,
    options: PgConnectOptions,
    /// The role that row level security binds.
    reader_role: Arc<str>,
    epoch: Epoch,
    readiness: readiness::Known,
}

/// Why the engine could not start on this database; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("DATABASE_URL cannot be read: {0}. It must look like postgres://user:password@host:5432/database.")]
    Url(String),
    #[error(
        "Postgres at {place} cannot be used: {cause}. Check that it runs and that host, port, user, password and database in DATABASE_URL are right; leave DATABASE_URL empty to use the embedded Postgres."
    )]
    Unreachable { place: String, cause: String },
    #[error(
        "Postgres at {place} is version {found}; Parlance needs 15 or later. Upgrade it, or leave DATABASE_URL empty to use the embedded Postgres 18."
    )]
    TooOld { place: String, found: String },
    #[error(
        "The database was migrated by a newer Parlance (migration {0} is unknown here). Run that version or a later one; going back needs a backup from before the upgrade."
    )]
    FromTheFuture(i64),
    #[error(
        "Migration {0} in the database differs from the one in this binary. Run the version of Parlance that made the database."
    )]
    Changed(i64),
    #[error(
        "The database could not be migrated: {0}. The user in DATABASE_URL must own the database and may need CREATEROLE and the right to create the extensions citext and pg_trgm."
    )]
    Migration(String),
    #[error(
        "The database is of an earlier Parlance, or empty. Bring it up to date first: run `parlance migrate`, or restart the engine with this version."
    )]
    NotMigrated,
}

impl Storage {
    /// Connects, checks the version, and holds a pool; migrations are a step of their own.
    pub async fn connect(options: PgConnectOptions, config: &StorageConfig) -> Result<Self, StorageError> {
        let options = options
            .application_name("parlance")
            .options([("statement_timeout", config.statement_timeout_ms.to_string())])
            .log_statements(tracing::log::LevelFilter::Trace)
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let place = place(&options);
        let database = check_version(&options, &place).await?;
        let reader_role = reader::role_name(config, &database).into();
        let pool = PgPoolOptions::new()
            .max_connections(config.pool_connections_max)
            .min_connections(config.pool_connections_max.min(4))
            .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
            // It has just answered: a slow machine's first connection need not beat the timeout of a request.
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options, reader_role, epoch: Epoch::default(), readiness: Default::default() })
    }

    /// Brings the schema up to date; engines that start at the same time take turns.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        use sqlx::migrate::MigrateError;
        let failed = |error: sqlx::Error| StorageError::Migration(error.to_string());
        let mut connection = self.dedicated_connection().await.map_err(failed)?;
        // A migration may run long; the pool's statement timeout is for requests.
        sqlx::query("SET statement_timeout = 0").execute(&mut connection).await.map_err(failed)?;
        reader::prepare(&mut connection, &self.reader_role).await.map_err(failed)?;
        MIGRATIONS.run(&mut connection).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StorageError::FromTheFuture(version),
            MigrateError::VersionMismatch(version) => StorageError::Changed(version),
            other => StorageError::Migration(other.to_string()),
        })?;
        self.epoch.read_or_begin(&mut connection).await.map_err(failed)
    }

    /// For a command beside the engine: fails unless the schema is the one of this binary, and changes nothing.
    pub async fn require_migrated(&self) -> Result<(), StorageError> {
        let failed = |error: sqlx::Error| StorageError::Migration(error.to_string());
        let known: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let kept = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
        if !sqlx::query_scalar(kept).fetch_one(&self.pool).await.map_err(failed)? {
            return Err(StorageError::NotMigrated);
        }
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        if let Some(unknown) = applied.iter().find(|version| !known.contains(version)) {
            return Err(StorageError::FromTheFuture(*unknown));
        }
        if known.iter().all(|version| applied.contains(version)) { Ok(()) } else { Err(StorageError::NotMigrated) }
    }

    /// Which life of the log this is; known once the database is migrated.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
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

    /// A connection outside the pool, for a persister of its own.
    pub async fn dedicated_connection(&self) -> Result<PgConnection, sqlx::Error> {
        self.options.connect().await
    }

    /// A read-only transaction in which `user` sees what the policies grant, and nothing else.
    pub async fn read_as(&self, user: UserId) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        count_read("user");
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "SELECT set_config('role', $1, true),
                    set_config('transaction_read_only', 'on', true),
                    set_config('parlance.user_id', $2, true)",
        )
        .bind(&*self.reader_role)
        .bind(user.to_string())
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

/// Reads `DATABASE_URL`.
pub fn parse_url(url: &str) -> Result<PgConnectOptions, StorageError> {
    PgConnectOptions::from_str(url).map_err(|error| StorageError::Url(error.to_string()))
}

/// Whether the error says that Postgres is away, so that the same statement can succeed later.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection trouble, operator intervention (shutdown, crash, starting up), out of resources,
            // serialization or deadlock, system errors, and a server that is read-only after a failover.
            ["08", "57", "53", "40", "58", "25006"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// Postgres's own words where it has some; the place in its source code helps nobody.
fn cause(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or("(default)");
    match options.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

/// Refuses a Postgres that is too old; answers the name of the database.
async fn check_version(options: &PgConnectOptions, place: &str) -> Result<String, StorageError> {
    let unreachable = |error: sqlx::Error| StorageError::Unreachable { place: place.to_owned(), cause: cause(&error) };
    let attempt = tokio::time::timeout(Duration::from_secs(10), options.connect()).await;
    let mut connection = attempt.map_err(|_| unreachable(sqlx::Error::PoolTimedOut))?.map_err(unreachable)?;
    let (number, text, database): (i32, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_database()::text",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(unreachable)?;
    if number < OLDEST_POSTGRES {
        return Err(StorageError::TooOld { place: place.to_owned(), found: text });
    }
    Ok(database)
}
