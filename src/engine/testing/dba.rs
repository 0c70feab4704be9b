//! Somebody who runs a Postgres of their own: makes users and databases on it, and copies statements into psql.

use std::path::Path;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::config::Config;
use crate::schema::MIGRATIONS;
use crate::storage::{Storage, StorageError, parse_url};
use parlance_foundation::testing::{execute, postgres_program, succeed, test_server};

/// Everything that it makes goes with the test: names begin with a prefix of its own.
pub struct Dba {
    server: PgConnectOptions,
    prefix: String,
}

impl Dba {
    pub fn new() -> Self {
        Self { server: test_server(), prefix: format!("dba_{:08x}", rand::random::<u32>()) }
    }

    /// The name of a user or database of this test.
    pub fn name(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix)
    }

    /// A user with these attributes.
    pub async fn user(&self, name: &str, attributes: &str) -> String {
        let user = self.name(name);
        execute(&self.server, &format!("CREATE ROLE {user} LOGIN {attributes}")).await;
        user
    }

    /// A database that `owner` owns.
    pub async fn database(&self, name: &str, owner: &str, options: &str) -> String {
        let database = self.name(name);
        execute(&self.server, &format!("CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 {options}")).await;
        database
    }

    /// As the superuser.
    pub async fn sql(&self, database: &str, statements: &str) {
        execute(&self.server.clone().database(database), statements).await;
    }

    /// One text, as the superuser.
    pub async fn ask(&self, database: &str, query: &str) -> String {
        let mut connection = self.server.clone().database(database).connect().await.unwrap();
        let text = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        text
    }

    /// What a build before migrations were named by time made in `database`, with something said in it.
    pub async fn early_build(&self, user: &str, database: &str) {
        let script = include_str!("../stories/own_postgres/early_build.sql");
        // Its role had one name on all of the server.
        let script = script.replace("parlance_reader", &self.name("early_reader"));
        self.psql(database, &format!("SET ROLE {user};\n{script}")).await;
    }

    /// What a message told to do.
    pub async fn psql(&self, database: &str, statements: &str) {
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), statements).unwrap();
        let mut command = postgres_program("psql", &self.server);
        command.args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", database, "--file"]).arg(script.path());
        succeed(command);
    }

    /// `pg_dump` or `pg_restore`, as `user`.
    pub async fn copy(&self, program: &str, user: &str, database: &str, arguments: &[&str], file: &Path) {
        let mut command = postgres_program(program, &self.server.clone().username(user));
        command.args(["--dbname", database]).args(arguments);
        match program {
            "pg_dump" => command.arg("--file").arg(file),
            _ => command.arg(file),
        };
        succeed(command);
    }

    pub fn url(&self, user: &str, database: &str) -> String {
        let mut url = self.server.clone().username(user).database(database).to_url_lossy();
        // Of a pooler's and psql's liking, too.
        let socket = self.server.get_socket().map(|socket| socket.display().to_string());
        url.set_query(None);
        if let Some(socket) = socket {
            url.set_host(Some("localhost")).unwrap();
            url.query_pairs_mut().append_pair("host", &socket);
        }
        url.to_string()
    }

    /// What a start does with the database: it waits for nothing.
    pub async fn open(&self, url: &str) -> Result<Storage, StorageError> {
        self.open_with(url, |_| {}).await
    }

    pub async fn open_with(&self, url: &str, change: impl FnOnce(&mut Config)) -> Result<Storage, StorageError> {
        let mut config = Config::defaults().unwrap();
        config.storage.start_timeout_ms = 0;
        config.storage.pool_connections_max = 2;
        change(&mut config);
        let storage = Storage::connect(parse_url(url)?, &config.storage, &MIGRATIONS).await?;
        storage.migrate().await?;
        Ok(storage)
    }

    /// Refused, with these words; what the message says to copy into psql is carried out, and then it works.
    pub async fn mends(&self, url: &str, database: &str, words: &[&str]) -> Storage {
        let refused = self.open(url).await.expect_err("it should not have worked").to_string();
        for word in words {
            assert!(refused.contains(word), "{word:?} is not in: {refused}");
        }
        assert!(!refused.contains('\n'), "one line: {refused}");
        let (_, statements) = refused.rsplit_once("administrator: ").expect("statements to copy");
        self.psql(database, statements).await;
        match self.open(url).await {
            Ok(storage) => storage,
            Err(error) => panic!("after {statements}: {error}"),
        }
    }

    pub fn server(&self) -> &PgConnectOptions {
        &self.server
    }
}

impl Drop for Dba {
    fn drop(&mut self) {
        let (server, prefix) = (self.server.clone(), self.prefix.clone());
        // A runtime of its own: the test's may be unwinding.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_all(&server, &prefix));
        });
        let _ = dropped.join();
    }
}

async fn drop_all(server: &PgConnectOptions, prefix: &str) {
    let list = |query: &str| format!("{query} LIKE '%{prefix}%' ORDER BY 1");
    for (query, what) in [
        ("SELECT quote_ident(datname) FROM pg_database WHERE datname", "DATABASE"),
        ("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname", "ROLE"),
    ] {
        let mut connection = server.connect().await.unwrap();
        let names: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(list(query))).fetch_all(&mut connection).await.unwrap();
        for name in names {
            let force = if what == "DATABASE" { " WITH (FORCE)" } else { "" };
            execute(server, &format!("DROP {what} IF EXISTS {name}{force}")).await;
        }
    }
}
