//! What can go wrong with the data folder and the server in it. Each text ends in what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "another Parlance engine{} is using the data folder {}. Stop that one, or give this one its own folder \
         (storage.data_dir, or the variable PARLANCE__STORAGE__DATA_DIR) and port.",
        .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), .path.display()
    )]
    InUse { path: PathBuf, pid: Option<u32> },
    #[error(
        "the data folder {} cannot be written ({source}). Give this user the right to write there, or choose another \
         folder with storage.data_dir (PARLANCE__STORAGE__DATA_DIR).",
        .path.display()
    )]
    NotWritable { path: PathBuf, source: io::Error },
    #[error(
        "the data folder {} cannot be locked ({source}): two engines on it would go unnoticed. Choose a folder on a \
         local disk with storage.data_dir (PARLANCE__STORAGE__DATA_DIR).",
        .path.display()
    )]
    NotLockable { path: PathBuf, source: io::Error },
    #[error(
        "there is no database of Parlance in {}. Run this in the folder from which the engine is started, name its data \
         folder with --data-dir (storage.data_dir, PARLANCE__STORAGE__DATA_DIR), or its Postgres with DATABASE_URL. A new \
         database is made by `parlance serve` only.",
        .path.display()
    )]
    Missing { path: PathBuf },
    #[error(
        "the database in {} cannot be read ({source}). Run this as the user that runs the engine, or as root.",
        .path.display()
    )]
    NotReadable { path: PathBuf, source: io::Error },
}

/// Why the embedded Postgres does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL 15 or later with pgvector was found. Name the folder that holds its `postgres` and `initdb` in \
         storage.postgres_bin_dir (PARLANCE__STORAGE__POSTGRES_BIN_DIR), or set DATABASE_URL to a server of yours. In a \
         clone, `make setup` installs one into .tools/postgres. Looked at:\n{looked_at}"
    )]
    NotFound { looked_at: String },
    #[error(
        "storage.postgres_bin_dir does not work: {reason}. Name the folder that holds `postgres` and `initdb`, version \
         15 or later and with pgvector, or leave it empty to use what `make setup` installs."
    )]
    BinDir { reason: String },
    #[error(
        "{} was made by PostgreSQL {cluster}, and there is none of that version here (found: {found}). Install \
         PostgreSQL {cluster} with pgvector and name its folder in storage.postgres_bin_dir, or upgrade the data with \
         pg_upgrade.",
        .path.display()
    )]
    OtherMajor { path: PathBuf, cluster: u32, found: String },
    #[error(
        "{} is not a PostgreSQL data folder (it has no PG_VERSION). Move it away, and a new one is made.",
        .path.display()
    )]
    NotACluster { path: PathBuf },
    #[error(
        "{} belongs to the user with id {owner}, and PostgreSQL only runs as the owner of its data. Start Parlance as \
         that user or as root, or hand the folder over: chown -R {us} {}",
        .path.display(), .path.display()
    )]
    OtherOwner { path: PathBuf, owner: u32, us: u32 },
    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a user `postgres` nor `nobody` to run it. \
         Start Parlance as an ordinary user, or create one: useradd --system postgres"
    )]
    NoAccount,
    #[error(
        "PostgreSQL runs as the user `{user}`, who cannot reach {}. Let others pass through its parent folders \
         (chmod o+x), or choose another place with storage.data_dir (PARLANCE__STORAGE__DATA_DIR).",
        .path.display()
    )]
    OutOfReach { path: PathBuf, user: String },
    #[error(
        "the new database in {} could not be made. Nothing was kept of it; mend the cause and start again. initdb \
         said:\n{output}",
        .path.display()
    )]
    Initdb { path: PathBuf, output: String },
    #[error(
        "PostgreSQL stopped while it was starting ({status}). Its log {} ends with:\n{tail}",
        .log.display()
    )]
    Died { status: String, log: PathBuf, tail: String },
    #[error(
        "PostgreSQL did not answer within {seconds} s ({last}). Look for a slow or full disk. Its log {} ends \
         with:\n{tail}",
        .log.display()
    )]
    Silent { seconds: u64, last: String, log: PathBuf, tail: String },
    #[error(
        "PostgreSQL refuses the engine's own login ({cause}). If somebody changed the password of the user `parlance`, \
         delete {}: the next start sets a new one.",
        .password_file.display()
    )]
    Login { cause: String, password_file: PathBuf },
    #[error(
        "a PostgreSQL that an earlier engine left running on {} does not stop (processes {pids:?}). End it by hand, \
         then start again.",
        .path.display()
    )]
    Leftover { path: PathBuf, pids: Vec<u32> },
    #[error(
        "the password of the running PostgreSQL cannot be read from {} ({source}). Run this as the user that runs the \
         engine, or as root.",
        .path.display()
    )]
    NoPassword { path: PathBuf, source: io::Error },
    #[error("the database `parlance` could not be made: {0}")]
    CreateDatabase(sqlx::Error),
    #[error("cannot {what} {}: {source}", .path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
}

impl EmbeddedError {
    /// For `map_err`: what was being done, and to which file.
    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
