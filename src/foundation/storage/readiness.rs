//! What an operator must know of Postgres before traffic is sent here, as named checks.
//!
//! Whether Postgres answers and takes writes is asked each time, as cheaply as can be. What only an operator's hand
//! changes is read from the catalogue at most once a second, however often somebody wants to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use super::refusal::{cause, quoted};
use super::{Storage, rights};

/// For how long an answer of the catalogue is good.
const FRESH: Duration = Duration::from_secs(1);
/// A Postgres that says nothing for this long is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is said of everything else where Postgres does not answer.
pub const NOT_KNOWN: &str = "not known, because Postgres does not answer";

/// How many missing guards are named.
const NAMED_MAX: usize = 5;

/// Whether one thing is as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Stable: a label of `parlance_ready`.
    pub name: &'static str,
    /// What is wrong and what to do, for an operator. It is shown to whoever may ask: no secrets, no addresses.
    pub problem: Option<String>,
}

impl Check {
    /// All is well when there is nothing to complain about.
    pub fn new(name: &'static str, problem: Option<String>) -> Self {
        Self { name, problem }
    }
}

/// Every check of the database, always the same ones in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    pub checks: Vec<Check>,
}

/// The last answer of the catalogue and when it was given. Clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Arc<Mutex<Option<Seen>>>);

#[derive(Debug)]
struct Seen {
    at: Instant,
    checks: Vec<Check>,
}

impl Storage {
    /// What is not as it must be.
    pub async fn readiness(&self) -> Readiness {
        let asked = tokio::time::timeout(PATIENCE, self.ask()).await;
        asked.unwrap_or(Err(sqlx::Error::PoolTimedOut)).unwrap_or_else(|error| Readiness::unanswered(&error))
    }

    async fn ask(&self) -> Result<Readiness, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let writable = read_only(&mut connection).await?;
        let mut checks = vec![Check::new("database", None), Check::new("writable", writable)];
        // Whoever asks meanwhile waits for this answer.
        let mut known = self.readiness.0.lock().await;
        let seen = match known.take().filter(|seen| seen.at.elapsed() < FRESH) {
            Some(fresh) => fresh,
            None => Seen { at: Instant::now(), checks: catalogue(&mut connection, &self.reader_role).await? },
        };
        checks.extend_from_slice(&known.insert(seen).checks);
        Ok(Readiness { checks })
    }
}

async fn catalogue(connection: &mut PgConnection, role: &str) -> Result<Vec<Check>, sqlx::Error> {
    let reader = reader(&mut *connection, role).await?;
    let (grants, policies) = guards(connection, role).await?;
    Ok(vec![Check::new("reader_role", reader), Check::new("grants", grants), Check::new("policies", policies)])
}

impl Readiness {
    fn unanswered(error: &sqlx::Error) -> Self {
        let database = match error {
            // Where it was sought is for the log.
            sqlx::Error::Database(_) => format!("Postgres answers with an error: {}", cause(error)),
            _ => "Postgres does not answer".to_owned(),
        };
        tracing::debug!(%error, "Postgres is not ready");
        let others = ["writable", "reader_role", "grants", "policies"];
        let others = others.map(|name| Check::new(name, Some(NOT_KNOWN.to_owned())));
        Self { checks: std::iter::once(Check::new("database", Some(database))).chain(others).collect() }
    }
}

async fn read_only(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let (standby, read_only): (bool, bool) =
        sqlx::query_as("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean")
            .fetch_one(connection)
            .await?;
    Ok(match (standby, read_only) {
        (true, _) => Some("Postgres is a standby: promote it, or let storage.database_url name the primary".into()),
        (false, true) => {
            Some("Postgres takes no writes: set default_transaction_read_only = off for the role or database".into())
        }
        (false, false) => None,
    })
}

/// Whether people's reads can run under their role: by doing so. What is looked up then may be anybody's.
async fn reader(connection: &mut PgConnection, role: &str) -> Result<Option<String>, sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        let role = quoted(role);
        return Ok(Some(format!("the role {role} is missing: start the engine anew, or CREATE ROLE {role} NOLOGIN")));
    }
    let mut transaction = connection.begin().await?;
    let tried = async {
        sqlx::query("SELECT set_config('role', $1, true)").bind(role).execute(&mut *transaction).await?;
        sqlx::query("SELECT parlance_my_rooms() LIMIT 0").execute(&mut *transaction).await.map(drop)
    };
    let tried = tried.await;
    transaction.rollback().await?;
    match tried {
        Ok(()) => Ok(None),
        Err(error @ sqlx::Error::Database(_)) => Ok(Some(format!(
            "the engine cannot read as {role} ({}): start it anew, which mends what it may, or GRANT {role} TO its own role",
            cause(&error),
            role = quoted(role),
        ))),
        Err(error) => Err(error),
    }
}

/// What is wrong with the grants, and with the policies, of what users read.
async fn guards(connection: &mut PgConnection, role: &str) -> Result<(Option<String>, Option<String>), sqlx::Error> {
    let missing = rights::missing(connection, role).await?;
    let is_grant = |(_, statement): &&(String, String)| statement.starts_with("GRANT ");
    let (grants, policies): (Vec<_>, Vec<_>) = missing.iter().partition(is_grant);
    let told = |missing: Vec<&(String, String)>, what: &str| {
        let statements: Vec<_> = missing.iter().take(NAMED_MAX).map(|(_, statement)| format!("{statement};")).collect();
        let more = missing.len().saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!missing.is_empty()).then(|| {
            format!("{what}: start the engine anew, which makes them, or in psql: {}{more}", statements.join(" "))
        })
    };
    Ok((
        told(grants, &format!("grants to \"{role}\", under which people read, are missing")),
        told(policies, "row level security or its policies are missing"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDatabase;

    /// The problems of a fresh look, by check.
    async fn problems(database: &TestDatabase) -> Vec<&'static str> {
        database.storage.readiness.0.lock().await.take();
        let readiness = database.storage.readiness().await;
        readiness.checks.into_iter().filter(|check| check.problem.is_some()).map(|check| check.name).collect()
    }

    async fn run(database: &TestDatabase, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(database.storage.engine()).await.unwrap();
    }

    #[actix_rt::test]
    async fn a_fresh_database_lacks_nothing() {
        assert_eq!(problems(&TestDatabase::create().await).await, [""; 0]);
    }

    #[actix_rt::test]
    async fn what_a_restore_may_lack_is_named() {
        let database = TestDatabase::with_own_role().await;
        let role = database.storage.reader_role.to_string();
        run(&database, &format!("REVOKE ALL ON messages FROM \"{role}\"")).await;
        assert_eq!(problems(&database).await, ["grants"]);
        run(&database, "ALTER TABLE rooms DISABLE ROW LEVEL SECURITY; DROP POLICY own_account ON accounts").await;
        assert_eq!(problems(&database).await, ["grants", "policies"]);
        let (_, policies) = guards(&mut database.storage.pool.acquire().await.unwrap(), &role).await.unwrap();
        let said = policies.unwrap();
        assert!(said.contains("rooms") && said.contains("accounts") && !said.contains("messages"), "{said}");
        run(&database, &format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\"")).await;
        assert_eq!(problems(&database).await, ["reader_role", "grants", "policies"]);
    }

    #[actix_rt::test]
    async fn a_postgres_that_is_gone_has_the_same_checks_and_passes_none() {
        let database = TestDatabase::create().await;
        let before = database.storage.readiness().await;
        assert!(before.checks.iter().all(|check| check.problem.is_none()), "{before:?}");
        let after = Readiness::unanswered(&sqlx::Error::PoolTimedOut);
        let names = |readiness: &Readiness| -> Vec<_> { readiness.checks.iter().map(|check| check.name).collect() };
        assert_eq!(names(&before), names(&after), "always the same checks");
        assert!(after.checks.iter().all(|check| check.problem.is_some()), "{after:?}");
    }
}
