//! A real Postgres database for one test: empty or migrated, and gone afterwards.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::config::Config;
use crate::storage::Storage;

/// A database that goes away with the test, also when the test fails.
pub struct TestDatabase {
    pub storage: Storage,
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// On the server of `PARLANCE_TEST_DATABASE_URL` or `DATABASE_URL`.
    pub async fn create() -> Self {
        let url = ["PARLANCE_TEST_DATABASE_URL", "DATABASE_URL"].iter().find_map(|name| std::env::var(name).ok());
        let url = url.expect("DATABASE_URL names a Postgres that tests may make databases on");
        let server = PgConnectOptions::from_str(&url).unwrap();
        let name = format!("parlance_test_{:016x}", rand::random::<u64>());
        execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let config = Config::defaults().unwrap().storage;
        let storage = Storage::connect(server.clone().database(&name), &config).await.unwrap();
        storage.migrate().await.unwrap();
        Self { storage, server, name }
    }
}

impl TestDatabase {
    /// The address of this database, for an engine of its own.
    pub fn url(&self) -> String {
        let url = self.server.clone().database(&self.name).to_url_lossy();
        url.to_string()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: the test's may be unwinding.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        let _ = dropped.join();
    }
}

async fn execute(server: &PgConnectOptions, statement: &str) {
    let mut connection = server.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
