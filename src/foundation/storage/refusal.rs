//! Why the engine does not start on a database. Each text says what to do; statements in it can be copied into psql.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

/// Something that has to be otherwise, and the statement that makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    pub problem: String,
    pub statement: String,
}

impl Demand {
    pub fn new(problem: impl Into<String>, statement: impl Into<String>) -> Self {
        Self { problem: problem.into(), statement: statement.into() }
    }
}

/// Why the engine could not start on this database; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("DATABASE_URL cannot be read: {0}. It must look like postgres://user:password@host:5432/database.")]
    Url(String),
    #[error(
        "Postgres at {place} cannot be used: {cause}. Check that host, port, user, password and database in DATABASE_URL are right; leave DATABASE_URL empty to use the embedded Postgres."
    )]
    Unreachable { place: String, cause: String },
    /// Starting again may help.
    #[error(
        "Postgres at {place} was not to be had within {waited_s} s (storage.start_timeout_ms): {cause}. Check that it runs, and that host and port in DATABASE_URL are right; leave DATABASE_URL empty to use the embedded Postgres."
    )]
    Away { place: String, waited_s: u64, cause: String },
    #[error(
        "Postgres at {place} is version {found}; Parlance needs 15 or later. Upgrade it, or leave DATABASE_URL empty to use the embedded Postgres 18."
    )]
    TooOld { place: String, found: String },
    #[error(
        "A pooler at {place} gives each transaction another connection to Postgres (PgBouncer calls it pool_mode = transaction or statement). Parlance listens to notifications, holds locks and sets up its connections, for which it needs them to itself. Give its database pool_mode=session in pgbouncer.ini, with a pool_size of at least storage.pool_connections_max + persistence.shards + 4, or name Postgres itself in DATABASE_URL."
    )]
    TransactionPooler { place: String },
    #[error(
        "The database {place} was migrated by a newer Parlance (migration {version} is unknown here). Run that version or a later one; going back needs a backup from before the upgrade."
    )]
    FromTheFuture { place: String, version: i64 },
    #[error(
        "Migration {version} in the database {place} differs from the one in this binary. Run the version of Parlance that made the database."
    )]
    Changed { place: String, version: i64 },
    #[error(
        "Migration {version} in the database {place} was begun and never finished. Restore the backup from before the upgrade."
    )]
    HalfMigrated { place: String, version: i64 },
    #[error(
        "The database {place} was made by an early build of Parlance, whose tables this one does not read. Nothing was changed. To move: make an empty database, let this version make its tables in it (parlance migrate), and load the data alone into them, as README.md says under \"Upgrade\"."
    )]
    EarlierBuild { place: String },
    #[error(
        "The schema {schema} of the database {place} belongs to something else: it holds {tables}, and no tables of Parlance. Nothing was changed. Give Parlance a database of its own and name it in DATABASE_URL, or a schema of its own in this one. In psql: {statement}"
    )]
    Foreign { place: String, schema: String, tables: String, statement: String },
    #[error(
        "The database {place} is not fit for Parlance yet: {problems}. Nothing was changed. In psql, connected to it as an administrator: {statements}"
    )]
    Unfit { place: String, problems: String, statements: String },
    #[error(
        "The database {place} is of an earlier Parlance, or empty. Bring it up to date first: run `parlance migrate`, or restart the engine with this version."
    )]
    NotMigrated { place: String },
    #[error("The database {place} could not be migrated: {cause}. No half of a migration stays.")]
    Migration { place: String, cause: String },
}

impl StorageError {
    /// All that has to be otherwise, at once.
    pub(super) fn unfit(place: &str, demands: &[Demand]) -> Self {
        let problems: Vec<_> = demands.iter().map(|demand| demand.problem.as_str()).collect();
        let statements: Vec<_> = demands.iter().map(|demand| demand.statement.as_str()).collect();
        Self::Unfit { place: place.to_owned(), problems: problems.join("; "), statements: statements.join(" ") }
    }

    /// Whether starting again later may help, without anybody doing anything here.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// Postgres's own words where it has some; the place in its source code helps nobody.
pub(super) fn cause(error: &sqlx::Error) -> String {
    let Some(refusal) = error.as_database_error() else { return error.to_string() };
    let hint = refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|refusal| refusal.hint());
    match hint {
        Some(hint) => format!("{} ({hint})", refusal.message()),
        None => refusal.message().to_owned(),
    }
}

/// Where the database is, for a message.
pub(super) fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match socket_folder(options) {
        Some(socket) => format!("{}/{database}", socket.display()),
        None if options.get_host().contains(':') => {
            format!("[{}]:{}/{database}", options.get_host(), options.get_port())
        }
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

/// The folder of the Unix socket, where Postgres is reached by one: named as such, or in place of a host.
pub(super) fn socket_folder(options: &PgConnectOptions) -> Option<&Path> {
    let host = Path::new(options.get_host());
    options.get_socket().map(PathBuf::as_path).or_else(|| host.is_absolute().then_some(host))
}

/// A name as it stands in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_known_by_either_name_and_a_host_is_none() {
        let options = PgConnectOptions::new_without_pgpass().username("app").database("chat").port(5433);
        for options in [options.clone().host("/run/postgresql"), options.clone().socket("/run/postgresql")] {
            assert_eq!(place(&options), "/run/postgresql/chat");
        }
        for (host, expected) in [("db.example.com", "db.example.com:5433/chat"), ("::1", "[::1]:5433/chat")] {
            let options = options.clone().host(host);
            assert_eq!((place(&options).as_str(), socket_folder(&options)), (expected, None));
        }
    }
}
