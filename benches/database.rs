//! A database with the engine's own tables for one benchmark, gone afterwards.

use std::str::FromStr;

use parlance::config::Config;
use parlance::storage::Storage;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::runtime::Runtime;

/// See the module. Has a runtime of its own, because benchmarks are plain functions.
pub struct BenchDatabase {
    pub runtime: Runtime,
    pub storage: Storage,
    server: PgConnectOptions,
    name: String,
}

/// The server that benchmarks may make databases on, as for the tests.
fn server() -> Option<PgConnectOptions> {
    let url = std::env::var("PARLANCE_TEST_DATABASE_URL").ok()?;
    Some(PgConnectOptions::from_str(&url).expect("PARLANCE_TEST_DATABASE_URL is a Postgres address"))
}

pub fn is_missing() -> bool {
    server().is_none()
}

/// One line on what commits are measured against, or on how to get it.
pub fn what_it_is() -> String {
    let Some(server) = server() else {
        return "fence_statement, verify_token and jobs need a Postgres and are left out. Run `make bench`, which brings one.".to_owned();
    };
    new_runtime().block_on(async {
        let mut connection = server.connect().await.expect("Postgres answers");
        let settings = "SELECT format('Postgres %s with fsync=%s, synchronous_commit=%s, data in %s',
            current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
            current_setting('data_directory'))";
        sqlx::query_scalar(settings).fetch_one(&mut connection).await.expect("Postgres tells its settings")
    })
}

impl BenchDatabase {
    pub fn create() -> Self {
        let (runtime, server) = (new_runtime(), server().expect("PARLANCE_TEST_DATABASE_URL is set"));
        let name = format!("parlance_bench_{:016x}", rand::random::<u64>());
        let storage = runtime.block_on(async {
            execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
            let config = Config::defaults().unwrap().storage;
            let storage =
                Storage::connect(server.clone().database(&name), &config, &parlance::schema::MIGRATIONS).await.unwrap();
            storage.migrate().await.unwrap();
            storage
        });
        Self { runtime, storage, server, name }
    }

    /// Where it is, for connections of another runtime.
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// A connection as each persister has one.
    pub fn connection(&self) -> PgConnection {
        self.runtime.block_on(self.storage.dedicated_connection()).unwrap()
    }
}

impl Drop for BenchDatabase {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        self.runtime.block_on(async {
            self.storage.close().await;
            execute(&self.server, &drop_it).await;
        });
    }
}

fn new_runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn execute(server: &PgConnectOptions, statement: &str) {
    let mut connection = server.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
