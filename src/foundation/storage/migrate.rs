//! Bringing the database up to date, once it is sure that it is ours and fit; until then nothing in it is touched.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use super::refusal::{Demand, StorageError, cause, quoted};
use super::{Storage, reader, rights, surroundings};

/// The first half of the lock under which an engine prepares the database; the second is its schema.
const LOCK: i32 = i32::from_be_bytes(*b"parl");

/// Versions of builds before migrations were named by time.
const EARLY_VERSIONS: std::ops::RangeInclusive<i64> = 1..=6;

/// How many tables of somebody else a message names.
const NAMED_MAX: usize = 5;

/// What is in our schema.
#[derive(Debug, PartialEq, Eq)]
enum Tables {
    None,
    /// Ours, with whether migrations are left to run.
    Ours {
        is_behind: bool,
    },
}

impl Storage {
    /// Brings the schema up to date; engines that start at the same time take turns.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        let failed = |error: sqlx::Error| self.failed(&cause(&error));
        let mut connection = self.dedicated_connection().await.map_err(failed)?;
        // A migration may run long; the pool's statement timeout is for requests. The lock goes with the connection.
        sqlx::query("SET statement_timeout = 0").execute(&mut connection).await.map_err(failed)?;
        sqlx::query("SELECT pg_advisory_lock($1, hashtext(current_schema()))")
            .bind(LOCK)
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        self.refuse_what_is_unfit(&mut connection).await?;
        let tables = self.look_at_tables(&mut connection).await?;
        reader::prepare(&mut connection, &self.reader_role, &self.surroundings).await.map_err(failed)?;
        if tables != Tables::None {
            rights::repair(&mut connection, &self.reader_role).await.map_err(failed)?;
        }
        if tables != (Tables::Ours { is_behind: false }) {
            self.migrations.run(&mut connection).await.map_err(|error| self.migration_failed(&error))?;
        }
        let newest = self.migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
        if !rights::are_remembered(&mut connection, newest).await.map_err(failed)? {
            rights::remember(&mut connection, &self.reader_role, newest).await.map_err(failed)?;
        }
        self.epoch.check(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }

    /// For a command beside the engine: fails unless the schema is the one of this binary, and changes nothing.
    pub async fn require_migrated(&self) -> Result<(), StorageError> {
        let mut connection = self.pool.acquire().await.map_err(|error| self.failed(&cause(&error)))?;
        match self.look_at_tables(&mut connection).await? {
            Tables::Ours { is_behind: false } => Ok(()),
            Tables::None | Tables::Ours { is_behind: true } => {
                Err(StorageError::NotMigrated { place: self.place.to_string() })
            }
        }
    }

    fn failed(&self, cause: &str) -> StorageError {
        StorageError::Migration { place: self.place.to_string(), cause: cause.to_owned() }
    }

    fn migration_failed(&self, error: &MigrateError) -> StorageError {
        match error {
            MigrateError::ExecuteMigration(error, version) => {
                self.failed(&format!("{} (migration {version})", cause(error)))
            }
            other => self.failed(&other.to_string()),
        }
    }

    /// All that somebody else has to do first, in one answer.
    async fn refuse_what_is_unfit(&self, connection: &mut PgConnection) -> Result<(), StorageError> {
        let failed = |error: sqlx::Error| self.failed(&cause(&error));
        if let Some(demand) = self.surroundings.demand_encoding() {
            return Err(StorageError::unfit(&self.place, &[demand]));
        }
        let mut demands: Vec<Demand> = self.surroundings.demand_schema().into_iter().collect();
        if self.surroundings.schema.is_some() {
            let foreign = not_owned(connection, &self.surroundings.user, self.migrations).await.map_err(failed)?;
            demands.extend(foreign);
            if demands.is_empty() && self.look_at_tables(connection).await? == Tables::None {
                demands.extend(self.surroundings.demands_for_tables());
            }
            let of_role = reader::demands(connection, &self.reader_role, &self.surroundings).await.map_err(failed)?;
            demands.extend(of_role);
        }
        if !demands.is_empty() {
            return Err(StorageError::unfit(&self.place, &demands));
        }
        if !surroundings::knows_letters(connection).await.map_err(failed)? {
            tracing::warn!(
                "the locale of this database knows no letters beyond ASCII: people are only found by them as they are \
                 written, upper or lower case. A database keeps its locale; one with LOCALE 'C.UTF-8' does better"
            );
        }
        Ok(())
    }

    async fn look_at_tables(&self, connection: &mut PgConnection) -> Result<Tables, StorageError> {
        let failed = |error: sqlx::Error| self.failed(&cause(&error));
        let place = || self.place.to_string();
        let others = foreign_tables(connection).await.map_err(failed)?;
        let applied = match applied(connection).await {
            // insufficient_privilege: ours belong to us by now.
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("42501") => {
                return Err(self.foreign(others));
            }
            read => read.map_err(failed)?,
        };
        let ours: BTreeSet<i64> = self.migrations.iter().map(|migration| migration.version).collect();
        let is_ours = applied.iter().any(|migration| ours.contains(&migration.version));
        if let (false, Some(_)) = (is_ours, applied.first()) {
            let is_early = applied.iter().all(|migration| EARLY_VERSIONS.contains(&migration.version));
            if is_early && applied.iter().any(|migration| migration.description == "foundation") {
                return Err(StorageError::EarlierBuild { place: place() });
            }
        }
        if !is_ours {
            return if others.is_empty() && applied.is_empty() { Ok(Tables::None) } else { Err(self.foreign(others)) };
        }
        for migration in &applied {
            let version = migration.version;
            let known = self.migrations.iter().find(|known| known.version == version);
            match known {
                None => return Err(StorageError::FromTheFuture { place: place(), version }),
                Some(_) if !migration.success => return Err(StorageError::HalfMigrated { place: place(), version }),
                Some(known) if *known.checksum != *migration.checksum => {
                    return Err(StorageError::Changed { place: place(), version });
                }
                Some(_) => {}
            }
        }
        Ok(Tables::Ours { is_behind: applied.len() < ours.len() })
    }

    fn foreign(&self, mut others: Vec<String>) -> StorageError {
        let all = others.len();
        others.truncate(NAMED_MAX);
        let mut tables = if others.is_empty() { "migrations of another program".to_owned() } else { others.join(", ") };
        if all > NAMED_MAX {
            tables.push_str(&format!(" and {} more", all - NAMED_MAX));
        }
        let (user, database) = (quoted(&self.surroundings.user), quoted(&self.surroundings.database));
        StorageError::Foreign {
            place: self.place.to_string(),
            schema: self.surroundings.schema.clone().unwrap_or_default(),
            tables,
            statement: format!(
                "CREATE SCHEMA parlance AUTHORIZATION {user}; ALTER ROLE {user} IN DATABASE {database} SET search_path = parlance;"
            ),
        }
    }
}

/// A row of what `sqlx` writes down of migrations.
#[derive(sqlx::FromRow)]
struct Applied {
    version: i64,
    description: String,
    success: bool,
    checksum: Vec<u8>,
}

const IS_THERE: &str = "SELECT to_regclass(format('%I._sqlx_migrations', current_schema())) IS NOT NULL";

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, sqlx::Error> {
    if !sqlx::query_scalar(IS_THERE).fetch_one(&mut *connection).await? {
        return Ok(Vec::new());
    }
    sqlx::query_as("SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await
}

/// Tables in our schema that belong to no extension, `_sqlx_migrations` aside.
async fn foreign_tables(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class AS c
         WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
           AND relname <> '_sqlx_migrations'
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND classid = 'pg_class'::regclass AND deptype = 'e')
         ORDER BY relname",
    )
    .fetch_all(connection)
    .await
}

/// The names of what the migrations make.
fn own_names(migrations: &Migrator) -> Vec<String> {
    let made = |line: &str| {
        let rest = ["CREATE TABLE ", "CREATE VIEW ", "CREATE FUNCTION ", "CREATE OR REPLACE FUNCTION "]
            .iter()
            .find_map(|start| line.strip_prefix(start))?;
        Some(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
    };
    let lines = migrations.iter().flat_map(|migration| migration.sql.as_str().lines());
    lines.filter_map(made).chain(["_sqlx_migrations".to_owned()]).collect()
}

/// Of our tables and functions those that are not ours to change: policies would bind us, and migrations fail.
async fn not_owned(
    connection: &mut PgConnection,
    user: &str,
    migrations: &Migrator,
) -> Result<Option<Demand>, sqlx::Error> {
    // Who does not own it may not be able to read which migrations ran; somebody else's `users` are not meant.
    let is_ours: bool = sqlx::query_scalar(
        "SELECT to_regclass(format('%I.log_epoch', current_schema())) IS NOT NULL
            AND to_regclass(format('%I.reader_rights', current_schema())) IS NOT NULL",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !is_ours {
        return Ok(None);
    }
    let statements: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER %s %s OWNER TO %I;', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                       format('%I.%I', current_schema(), relname), $2)
         FROM pg_class
         WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v') AND relname = ANY($1)
           AND NOT pg_has_role(relowner, 'USAGE')
         UNION ALL
         SELECT format('ALTER FUNCTION %I.%I(%s) OWNER TO %I;', current_schema(), proname,
                       pg_get_function_identity_arguments(oid), $2)
         FROM pg_proc
         WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname = ANY($1) AND NOT pg_has_role(proowner, 'USAGE')",
    )
    .bind(own_names(migrations))
    .bind(user)
    .fetch_all(connection)
    .await?;
    let problem = format!("{} does not own Parlance's tables in it", quoted(user));
    Ok((!statements.is_empty()).then(|| Demand::new(problem, statements.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_the_migrations_make_is_known_by_name() {
        let names = own_names(crate::testing::migrations().await);
        for name in ["users", "rooms", "user_directory", "parlance_user_id", "parlance_my_rooms", "log_epoch"] {
            assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
        }
    }
}
