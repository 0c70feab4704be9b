//! The database that test databases are copied from: migrated once for each state of the migrations.

use std::path::Path;

use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;

use super::database::READER_ROLE;
use super::defaults;
use crate::storage::Storage;
use crate::storage::config::StorageConfig;

/// Tests of several processes take turns in making it.
const LOCK: i64 = 0x7061_726c_7465_7374;

/// What lies in `migrations/` now: read, so that a new one compiles nothing anew.
pub async fn migrations() -> &'static Migrator {
    static READ: OnceCell<Migrator> = OnceCell::const_new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    READ.get_or_init(|| async { Migrator::new(folder).await.unwrap() }).await
}

/// Its name, once it is there.
pub(super) async fn template(server: &PgConnectOptions) -> &'static str {
    static NAME: OnceCell<String> = OnceCell::const_new();
    NAME.get_or_init(|| make(server)).await
}

async fn make(server: &PgConnectOptions) -> String {
    let migrations = migrations().await;
    let digest = migrations.iter().fold(Sha256::new(), |digest, migration| digest.chain_update(&migration.checksum));
    let digest: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("parlance_template_{digest}");
    let mut admin = server.connect().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut admin).await.unwrap();
    let is_there = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)";
    if !sqlx::query_scalar::<_, bool>(is_there).bind(&name).fetch_one(&mut admin).await.unwrap() {
        // One that is no template yet was cut off while it was made.
        run(&mut admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let config = StorageConfig { reader_role: Some(READER_ROLE.to_owned()), ..defaults("storage") };
        let storage = Storage::connect(server.clone().database(&name), &config, migrations).await.unwrap();
        storage.migrate().await.unwrap();
        storage.close().await;
        run(&mut admin, &format!("ALTER DATABASE {name} IS_TEMPLATE true")).await;
    }
    admin.close().await.unwrap();
    name
}

async fn run(admin: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await.unwrap();
}
