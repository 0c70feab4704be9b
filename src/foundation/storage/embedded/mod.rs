//! The engine's own private Postgres, for those who do not want to run one.
//!
//! [`open_data_dir`] takes the data folder, [`EmbeddedPostgres::start`] finds the binaries, makes the data on first
//! use, starts the server and keeps it running until [`EmbeddedPostgres::stop`]. A command beside the engine that holds the
//! folder finds it with [`find_data_dir`] and is let in by [`running_server`]:
//!
//! ```text
//! <data folder>/
//!   parlance.lock        held by the running engine
//!   postgres/            the data, in PostgreSQL's own format
//!   postgres.password    of the user `parlance`, who owns everything in it
//!   postgres.log, .1     what the server had to complain about
//!   postgres.socket/     where it listens, and nowhere else (in /tmp when the path is too long for a socket)
//! ```
//!
//! | who | does |
//! |---|---|
//! | `account` | whom the server runs as, since it refuses to be root |
//! | `install` | which binaries |
//! | `cluster` | the data: making it, its password |
//! | `server` | settings, socket, readiness |
//! | `process` | the postmaster, leftovers of earlier ones, signals |
//! | `supervisor` | starts it again when it dies |
//!
//! Invariants: at most one server runs on a data folder, and only while an engine holds that folder's lock; what
//! an engine that was killed left running is stopped before a new one starts. Half-made data never has the name of
//! whole data. The server does not outlive its engine: an orderly engine stops it, and a small shell process stops
//! it when the engine was killed.
//!
//! Deliberately absent: signals to Postgres on Ctrl-C (it has a process group of its own, so that the engine can
//! write its last batches first), a TCP port, and tuning beyond two settings (run a server of your own for that,
//! and set `DATABASE_URL`).

mod account;
mod cluster;
mod data_dir;
mod error;
mod install;
mod process;
mod server;
mod server_log;
mod supervisor;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use account::Account;
use cluster::Cluster;
pub use data_dir::{DataDir, Holds, find_data_dir, open_data_dir, take_data_dir};
pub use error::{DataDirError, EmbeddedError};
use install::Wanted;
use process::Postmaster;
use server::Server;
pub use server::running_server;
use supervisor::{Supervisor, Vitals};

/// Inside the data folder.
const CLUSTER_FOLDER: &str = "postgres";
/// For a root engine whose own folders the account of Postgres cannot reach.
const SYSTEM_DIR: &str = "/var/lib/parlance";

/// What the engine decides about its Postgres.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// Absolute, and locked by this engine: [`DataDir::path`].
    pub data_dir: PathBuf,
    /// The operator's choice of binaries; `None` looks for them.
    pub bin_dir: Option<PathBuf>,
    /// Only names the socket file: there is no network port.
    pub port: u16,
    pub shared_buffers_mb: u32,
    pub max_connections: u32,
    /// Until it answers; ten times that while it recovers from a crash.
    pub start_timeout: Duration,
    /// For an orderly shutdown, before ruder ones.
    pub stop_timeout: Duration,
}

/// A running server. Dropping it stops the server too, but nobody waits for that then.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Arc<Server>,
    vitals: Arc<Vitals>,
    stop: watch::Sender<bool>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedPostgres {
    /// Returns when the server answers and the database `parlance` exists. Blocks the thread while it looks for
    /// binaries: call it before anything is served.
    pub async fn start(settings: EmbeddedSettings) -> Result<Self, EmbeddedError> {
        let server = Arc::new(prepare(&settings).await?);
        server.clear_traces()?;
        let mut postmaster = Postmaster::spawn(&server)?;
        if let Err(error) = first_contact(&server, &mut postmaster, settings.start_timeout).await {
            postmaster.stop(settings.stop_timeout).await;
            return Err(error);
        }
        tracing::info!(
            version = server.install.version,
            pid = postmaster.pid(),
            user = server.account.name,
            data = %server.cluster.dir.display(),
            "Postgres runs"
        );
        let vitals = Arc::new(Vitals::default());
        vitals.pid.store(postmaster.pid(), Ordering::Relaxed);
        let (stop, told) = watch::channel(false);
        let supervisor = Supervisor {
            server: Arc::clone(&server),
            vitals: Arc::clone(&vitals),
            stop: told,
            start_timeout: settings.start_timeout,
            stop_timeout: settings.stop_timeout,
        };
        let supervisor = Mutex::new(Some(tokio::spawn(supervisor.run(postmaster))));
        Ok(Self { server, vitals, stop, supervisor })
    }

    /// To the database `parlance`, as its owner. The same for the whole life of the data.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.server.engine_options()
    }

    /// Of the postmaster; `None` while there is none.
    pub fn pid(&self) -> Option<u32> {
        Some(self.vitals.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// Such as `18.6`.
    pub fn version(&self) -> &str {
        &self.server.install.version
    }

    /// How often it had to be started again.
    pub fn restarts(&self) -> u64 {
        self.vitals.restarts.load(Ordering::Relaxed)
    }

    /// Returns when no process of the server is left. Asking again is allowed and waits as well.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut supervisor = self.supervisor.lock().await;
        if let Some(running) = supervisor.take()
            && let Err(error) = running.await
        {
            tracing::error!(%error, "the supervisor of Postgres failed");
        }
    }
}

/// Everything before the server itself: whom it runs as, its binaries, nobody else on the data, the data.
async fn prepare(settings: &EmbeddedSettings) -> Result<Server, EmbeddedError> {
    let cluster = Cluster::new(&settings.data_dir);
    let account = Account::choose(&cluster.dir)?;
    if !account.reaches(&settings.data_dir) {
        return Err(EmbeddedError::OutOfReach { path: settings.data_dir.clone(), user: account.name });
    }
    cluster.check_owner(&account)?;
    let cluster_major = cluster.major()?;
    let install = install::find(&Wanted {
        bin_dir: settings.bin_dir.as_deref(),
        cluster: &cluster.dir,
        cluster_major,
        account: &account,
    })?;
    if cluster_major.is_some() {
        let name = server::name_of(&cluster.dir)?;
        process::stop_leftovers(&name, &account, &cluster.dir, settings.stop_timeout).await?;
    }
    let password = cluster.password(&install, &account).await?;
    cluster.remove_unfinished();
    if cluster_major.is_none() {
        tracing::info!(version = install.version, data = %cluster.dir.display(), "making a new database");
        cluster.create(&install, &account).await?;
    }
    Server::new(cluster, install, account, password, settings)
}

async fn first_contact(server: &Server, postmaster: &mut Postmaster, patience: Duration) -> Result<(), EmbeddedError> {
    let mut connection = server.wait_until_ready(postmaster, patience).await?;
    cluster::ensure_database(&mut connection).await
}
