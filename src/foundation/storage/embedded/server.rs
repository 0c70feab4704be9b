//! How the server is set up: its settings, its socket, and waiting until it answers.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};

use super::account::Account;
use super::cluster::{Cluster, DATABASE, USER};
use super::error::EmbeddedError;
use super::install::Install;
use super::process::Postmaster;
use super::{EmbeddedSettings, process, server_log};

/// The kernel allows 107 bytes; a few are left for what `sqlx` and `psql` add.
const SOCKET_PATH_BYTES_MAX: usize = 100;
const POLL: Duration = Duration::from_millis(25);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that says "starting up" is replaying its log after a crash, which may take long and must not be cut
/// off: it would begin again. It gets this many times the usual patience.
const RECOVERY_FACTOR: u32 = 10;

/// Everything needed to start the server, again and again.
pub(super) struct Server {
    pub cluster: Cluster,
    pub install: Install,
    pub account: Account,
    /// `cluster_name`: how its processes are told from those of others.
    pub name: String,
    socket_dir: PathBuf,
    port: u16,
    password: String,
    shared_buffers_mb: u32,
    max_connections: u32,
}

/// Without the password, which must not get into a log.
impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, cluster, install, account, .. } = self;
        formatter
            .debug_struct("Server")
            .field("name", name)
            .field("cluster", &cluster.dir)
            .field("install", install)
            .field("account", account)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub fn new(
        cluster: Cluster,
        install: Install,
        account: Account,
        password: String,
        settings: &EmbeddedSettings,
    ) -> Result<Self, EmbeddedError> {
        let name = name_of(&cluster.dir)?;
        let socket_dir = socket_dir(&settings.data_dir, &name);
        Ok(Self {
            cluster,
            install,
            account,
            name,
            socket_dir,
            port: settings.port,
            password,
            shared_buffers_mb: settings.shared_buffers_mb,
            max_connections: settings.max_connections,
        })
    }

    /// Removes what a server that was killed leaves behind; to be called when none of ours runs.
    ///
    /// Postgres takes a leftover `postmaster.pid` or socket lock seriously as soon as any process of the same user
    /// has the number in it, which after a restart of the machine or container is likely.
    pub fn clear_traces(&self) -> Result<(), EmbeddedError> {
        let pid_file = self.cluster.dir.join("postmaster.pid");
        if let Ok(text) = fs::read_to_string(&pid_file) {
            tracing::info!("Postgres did not stop in an orderly way last time; it recovers by itself now");
            let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
            // Somebody may have started a server on this data by hand. Then its pid file is all that keeps two
            // servers apart, so it goes only when it surely names something else; of a dead one Postgres disposes.
            // One that names nothing, because the disk was full or the machine lost power as it was written, would keep
            // Postgres from starting.
            let is_stale = match pid {
                Some(pid) => process::is_something_else(pid, &self.cluster.dir),
                None => !process::works_in(&self.cluster.dir),
            };
            if is_stale {
                fs::remove_file(&pid_file).map_err(EmbeddedError::io("remove the stale", pid_file))?;
            }
        }
        if self.socket_is_inside() {
            self.remove_socket_dir()?;
        }
        self.make_socket_dir()?;
        for entry in fs::read_dir(&self.socket_dir).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        Ok(())
    }

    /// Only the account, and root, may enter: the socket is not for other users of the machine.
    fn make_socket_dir(&self) -> Result<(), EmbeddedError> {
        let dir = &self.socket_dir;
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => self.account.own(dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // In /tmp somebody else may have made it first, to listen in our place.
                let ours = fs::symlink_metadata(dir).is_ok_and(|found| {
                    found.is_dir() && found.uid() == self.account.uid() && found.mode() & 0o077 == 0
                });
                if ours {
                    return Ok(());
                }
                let foreign = io::Error::other("it exists and is open to other users; remove it");
                Err(EmbeddedError::io("use the socket folder", dir)(foreign))
            }
            Err(source) => Err(EmbeddedError::io("create the socket folder", dir)(source)),
        }
    }

    fn socket_is_inside(&self) -> bool {
        self.cluster.dir.parent().is_some_and(|data_dir| self.socket_dir.starts_with(data_dir))
    }

    pub fn remove_socket_dir(&self) -> Result<(), EmbeddedError> {
        match fs::remove_dir_all(&self.socket_dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EmbeddedError::io("remove the socket folder", &self.socket_dir)(error))
            }
            _ => Ok(()),
        }
    }

    /// What is not Postgres's own default, each with its reason.
    pub fn settings(&self) -> Vec<String> {
        let Self { name, port, shared_buffers_mb, max_connections, .. } = self;
        vec![
            format!("cluster_name={name}"),
            // Nobody but the engine is to connect: no network, only a socket in a private folder.
            "listen_addresses=".into(),
            format!("unix_socket_directories={}", quote_list_item(&self.socket_dir)),
            "unix_socket_permissions=0700".into(),
            format!("port={port}"),
            format!("max_connections={max_connections}"),
            format!("shared_buffers={shared_buffers_mb}MB"),
            // What was acknowledged survives a power cut. These are the defaults; the promise rests on them.
            "fsync=on".into(),
            "synchronous_commit=on".into(),
            "full_page_writes=on".into(),
            // Allows pg_basebackup of a running engine.
            "wal_level=replica".into(),
            // Bounds (softly) what the log takes on the disk, and so how long a recovery takes.
            "max_wal_size=1GB".into(),
            // Nothing replicates from here; one process less.
            "max_logical_replication_workers=0".into(),
            // Every statement is short; compiling one costs more than running it.
            "jit=off".into(),
            "timezone=UTC".into(),
            "log_timezone=UTC".into(),
            "logging_collector=off".into(),
            "log_destination=stderr".into(),
            "log_line_prefix=%m [%p] ".into(),
            "log_min_messages=warning".into(),
            "log_checkpoints=off".into(),
            // A statement holds what people wrote to each other; that does not belong in a log.
            "log_min_error_statement=panic".into(),
        ]
    }

    /// As the owner of `database`.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        options(&self.socket_dir, self.port, &self.password).database(database)
    }

    pub fn engine_options(&self) -> PgConnectOptions {
        self.connect_options(DATABASE)
    }

    /// Connects as soon as the server lets us.
    pub async fn wait_until_ready(
        &self,
        postmaster: &mut Postmaster,
        patience: Duration,
    ) -> Result<PgConnection, EmbeddedError> {
        let options = self.connect_options("postgres");
        let begun = Instant::now();
        let mut limit = patience;
        loop {
            let last = match tokio::time::timeout(PROBE_TIMEOUT, options.connect()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => match code(&error).as_deref() {
                    Some("28P01" | "28000") => return Err(self.login_refused(&error)),
                    Some("57P03") => {
                        limit = patience * RECOVERY_FACTOR;
                        error.to_string()
                    }
                    _ => error.to_string(),
                },
                Err(_) => "no answer".to_owned(),
            };
            if let Some(status) = postmaster.has_ended() {
                let tail = server_log::tail(&self.cluster.log);
                return Err(EmbeddedError::Died { status, log: self.cluster.log.clone(), tail });
            }
            if begun.elapsed() >= limit {
                let tail = server_log::tail(&self.cluster.log);
                let seconds = limit.as_secs();
                return Err(EmbeddedError::Silent { seconds, last, log: self.cluster.log.clone(), tail });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn login_refused(&self, error: &sqlx::Error) -> EmbeddedError {
        EmbeddedError::Login { cause: error.to_string(), password_file: self.cluster.password_file.clone() }
    }
}

/// To the database `parlance` of the server that another process, an engine, runs in `data_dir`. Whether it answers is
/// for the caller to find out.
pub fn running_server(data_dir: &Path, port: u16) -> Result<PgConnectOptions, EmbeddedError> {
    let cluster = Cluster::new(data_dir);
    let name = name_of(&cluster.dir)?;
    let path = cluster.password_file;
    match fs::read_to_string(&path) {
        Ok(password) => Ok(options(&socket_dir(data_dir, &name), port, password.trim()).database(DATABASE)),
        Err(source) => Err(EmbeddedError::NoPassword { path, source }),
    }
}

fn options(socket_dir: &Path, port: u16, password: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(port)
        .username(USER)
        .password(password)
        .ssl_mode(PgSslMode::Disable)
}

fn socket_dir(data_dir: &Path, name: &str) -> PathBuf {
    let inside = data_dir.join("postgres.socket");
    let longest = inside.join(".s.PGSQL.65535");
    if longest.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES_MAX { inside } else { Path::new("/tmp").join(name) }
}

/// The same for as long as the data exists, wherever it is moved on its disk, and different for any other data.
pub(super) fn name_of(cluster: &Path) -> Result<String, EmbeddedError> {
    let found = fs::metadata(cluster).map_err(EmbeddedError::io("look at", cluster))?;
    Ok(format!("parlance-{:x}-{:x}", found.dev(), found.ino()))
}

/// The setting is a list; quotes keep a comma or blank in a folder's name from splitting it.
fn quote_list_item(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}
