//! A real Postgres database for one test: empty or migrated, and gone afterwards.

use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::defaults;
use super::template::{migrations, template};
use crate::storage::Storage;
use crate::storage::config::StorageConfig;

/// The role of all databases that are made of the template: roles belong to the whole server.
pub const READER_ROLE: &str = "parlance_reader_tests";

/// A database that goes away with the test, also when the test fails.
pub struct TestDatabase {
    pub storage: Storage,
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// On the server of `PARLANCE_TEST_DATABASE_URL` or `DATABASE_URL`.
    pub async fn create() -> Self {
        let server = test_server();
        let template = template(&server).await;
        let config = StorageConfig { reader_role: Some(READER_ROLE.to_owned()), ..defaults("storage") };
        Self::made_of(server, template, &config).await
    }

    /// With a reader role of its own, for tests that take rights away from it.
    pub async fn with_own_role() -> Self {
        Self::made_of(test_server(), "template0", &defaults("storage")).await
    }

    async fn made_of(server: PgConnectOptions, template: &str, config: &StorageConfig) -> Self {
        let name = format!("parlance_test_{:016x}", rand::random::<u64>());
        execute(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let storage = Storage::connect(server.clone().database(&name), config, migrations().await).await.unwrap();
        storage.migrate().await.unwrap();
        Self { storage, server, name }
    }

    /// The address of this database, for an engine of its own.
    pub fn url(&self) -> String {
        let url = self.server.clone().database(&self.name).to_url_lossy();
        url.to_string()
    }

    /// All of it, as `pg_dump` writes it.
    pub async fn dump(&self, file: &Path) {
        let mut command = self.program("pg_dump");
        command.arg("--format=custom").arg("--file").arg(file);
        succeed(command);
    }

    /// Puts a dump in its place.
    pub async fn restore(&self, file: &Path) {
        let mut command = self.program("pg_restore");
        command.args(["--clean", "--if-exists", "--single-transaction"]).arg(file);
        succeed(command);
    }

    fn program(&self, name: &str) -> Command {
        let mut command = postgres_program(name, &self.server);
        command.args(["--dbname", &self.name]);
        command
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: the test's may be unwinding.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                execute(&server, &format!("DROP ROLE IF EXISTS parlance_reader_{name}")).await;
            });
        });
        let _ = dropped.join();
    }
}

/// The server of `PARLANCE_TEST_DATABASE_URL` or `DATABASE_URL`, as its superuser.
pub fn test_server() -> PgConnectOptions {
    let url = ["PARLANCE_TEST_DATABASE_URL", "DATABASE_URL"].iter().find_map(|name| std::env::var(name).ok());
    let url = url.expect("DATABASE_URL names a Postgres that tests may make databases on");
    PgConnectOptions::from_str(&url).unwrap()
}

/// A program of Postgres, told where `server` is and as whom to come.
pub fn postgres_program(name: &str, server: &PgConnectOptions) -> Command {
    let programs = std::env::var("PARLANCE_TEST_POSTGRES_BIN").expect("make test says where Postgres is");
    let mut command = Command::new(Path::new(&programs).join(name));
    let host = server.get_socket().map_or(server.get_host().into(), |socket| socket.display().to_string());
    command.args(["--host", &host, "--port", &server.get_port().to_string(), "--username", server.get_username()]);
    command
}

/// Runs a command to its end, which is a good one.
pub fn succeed(mut command: Command) {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

pub async fn execute(server: &PgConnectOptions, statement: &str) {
    let mut connection = server.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
