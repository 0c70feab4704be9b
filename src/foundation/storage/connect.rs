//! Coming to Postgres: waiting until it runs, and a pool of connections that are what we need them to be.

use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};

use super::config::StorageConfig;
use super::epoch::Epoch;
use super::refusal::{StorageError, cause, place, socket_folder};
use super::session::{Session, is_read_only};
use super::surroundings::Surroundings;
use super::{Storage, pooler, reader};

/// One try: a server that accepts and says nothing is away, too.
const TRY_WITHIN: Duration = Duration::from_secs(10);
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// The log says this often why the start still waits.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Reads `DATABASE_URL`.
pub fn parse_url(url: &str) -> Result<PgConnectOptions, StorageError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| StorageError::Url(error.to_string()))?;
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    match options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => Ok(options.clone().host(address)),
        None => Ok(options),
    }
}

impl Storage {
    /// Waits until Postgres is there, looks at it, and holds a pool; running the migrations is a step of its own.
    pub async fn connect(
        options: PgConnectOptions,
        config: &StorageConfig,
        migrations: &'static Migrator,
    ) -> Result<Self, StorageError> {
        let options = options
            .application_name("parlance")
            // PgBouncer takes no settings in the startup message that it does not know.
            .extra_float_digits(None)
            .log_statements(tracing::log::LevelFilter::Trace)
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
        let place = place(&options);
        let mut first = wait_for(&options, &place, Duration::from_millis(config.start_timeout_ms)).await?;
        let unreachable = |error: sqlx::Error| StorageError::Unreachable { place: place.clone(), cause: cause(&error) };
        let splits = tokio::time::timeout(TRY_WITHIN, pooler::splits_sessions(&mut first, &options)).await;
        match splits {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => return Err(StorageError::TransactionPooler { place }),
            Ok(Err(error)) => return Err(unreachable(error)),
            Err(_) => {
                let cause = "a second connection gets no answer; where that is a pooler, its pool_size must be at least \
                             storage.pool_connections_max + persistence.shards + 4";
                return Err(StorageError::Unreachable { place, cause: cause.to_owned() });
            }
        }
        let surroundings = Surroundings::look(&mut first).await.map_err(unreachable)?;
        if surroundings.is_too_old() {
            return Err(StorageError::TooOld { place, found: surroundings.version_text });
        }
        let epoch = Epoch::default();
        let session = Session::new(&surroundings, config);
        Ok(Self {
            pool: pool(config, &session, &epoch).connect_lazy_with(options.clone()),
            options,
            session,
            place: place.into(),
            reader_role: reader::role_name(config, &surroundings.database).into(),
            surroundings: surroundings.into(),
            migrations,
            epoch,
            readiness: Default::default(),
        })
    }

    /// A connection outside the pool, for a persister of its own.
    pub async fn dedicated_connection(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        self.session.prepare(&mut connection).await?;
        Ok(connection)
    }

    /// Says in the log which limit of Postgres `wanted` connections would reach.
    pub fn warn_of_limits(&self, wanted: u32) {
        let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
        if let Some(demand) = self.surroundings.limit_below(wanted) {
            tracing::warn!(
                "{}; requests will be answered with \"unavailable\" when it is reached. In psql: {} Or lower storage.pool_connections_max",
                demand.problem,
                demand.statement
            );
        }
    }
}

fn pool(config: &StorageConfig, session: &Session, epoch: &Epoch) -> PgPoolOptions {
    let (session, epoch) = (session.clone(), epoch.clone());
    PgPoolOptions::new()
        .max_connections(config.pool_connections_max)
        // It has just answered: a slow machine's first connection need not beat the timeout of a request.
        .min_connections(config.pool_connections_max.min(4))
        .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
        .after_connect(move |connection, _| {
            let session = session.clone();
            Box::pin(async move { session.prepare(connection).await })
        })
        // Instead of a ping: one that can only read, since a failover, is not used again, nor is one to the database as
        // it was before.
        .test_before_acquire(false)
        .before_acquire(move |connection, about| {
            let is_outdated = epoch.began_after(about.age);
            Box::pin(async move { Ok(!is_outdated && !is_read_only(connection).await?) })
        })
}

/// Connects as soon as Postgres lets us and takes writes; what will not pass by waiting is refused at once.
async fn wait_for(options: &PgConnectOptions, place: &str, patience: Duration) -> Result<PgConnection, StorageError> {
    resolve(options, place).await?;
    let begun = Instant::now();
    let mut said: Option<Instant> = None;
    loop {
        let cause = match tokio::time::timeout(TRY_WITHIN, attempt(options)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(NotYet::Waiting(cause))) => cause,
            Ok(Err(NotYet::Never(cause))) => return Err(StorageError::Unreachable { place: place.to_owned(), cause }),
            Err(_) => "it accepts connections and says nothing".to_owned(),
        };
        if begun.elapsed() + TRY_AGAIN_AFTER > patience {
            return Err(StorageError::Away { place: place.to_owned(), waited_s: patience.as_secs(), cause });
        }
        if said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            tracing::warn!(place, cause, wait_s = patience.as_secs(), "waiting for Postgres");
            said = Some(Instant::now());
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

/// A name that nobody knows is a mistake, which no waiting mends.
async fn resolve(options: &PgConnectOptions, place: &str) -> Result<(), StorageError> {
    if socket_folder(options).is_some() {
        return Ok(());
    }
    match tokio::net::lookup_host((options.get_host(), options.get_port())).await {
        Ok(_) => Ok(()),
        // The resolver is away, as at the start of a machine: whoever waits for Postgres waits for it as well.
        Err(error) if error.to_string().contains("Temporary failure") => Ok(()),
        Err(error) => {
            let cause = format!("the name {} does not resolve ({error})", options.get_host());
            Err(StorageError::Unreachable { place: place.to_owned(), cause })
        }
    }
}

enum NotYet {
    /// It may be there in a moment.
    Waiting(String),
    Never(String),
}

async fn attempt(options: &PgConnectOptions) -> Result<PgConnection, NotYet> {
    let judge = |error: sqlx::Error| match may_pass(&error) {
        true => NotYet::Waiting(cause(&error)),
        false => NotYet::Never(cause(&error)),
    };
    let mut connection = options.connect().await.map_err(judge)?;
    if is_read_only(&mut connection).await.map_err(judge)? {
        return Err(NotYet::Waiting(
            "it takes no writes: it is a standby, or default_transaction_read_only is on for it, the database or the role"
                .to_owned(),
        ));
    }
    Ok(connection)
}

/// Whether a connection that failed so can succeed without anybody changing anything here.
fn may_pass(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind as Kind;
    match error {
        // A socket that is not there yet is NotFound.
        sqlx::Error::Io(error) => !matches!(error.kind(), Kind::PermissionDenied | Kind::InvalidInput),
        // Starting, stopping, recovering, or full.
        sqlx::Error::Database(refusal) => {
            refusal.code().is_some_and(|code| ["57P", "53", "25006"].iter().any(|class| code.starts_with(class)))
        }
        // The library's words for a connection that was ended before anything was said, as a proxy does whose Postgres is
        // not there yet.
        sqlx::Error::Protocol(text) => text.contains("SSLRequest: 0x00"),
        _ => false,
    }
}
