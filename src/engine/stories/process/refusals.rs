//! What the engine will not start on: one line each that says what is wrong and what to do, and exit code 78.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::unistd::geteuid;
use sqlx::AssertSqlSafe;

use crate::testing::process::{Engine, engine_on, engine_with, run};
use crate::testing::{Api, DataFolder, TestDatabase};

#[actix_rt::test]
async fn a_port_that_is_taken() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = engine_with(&folder, &database.url());
    command.args(["--port", &port]);
    // Before a database is even looked for.
    command.env("DATABASE_URL", "postgres://127.0.0.1:1/x");
    run(command).await.refusal(&["Port", &port, "127.0.0.1", "taken", "--port", "PARLANCE__SERVER__PORT"]);
    // With a Postgres of its own, which goes as well.
    let mut command = engine_on(&folder);
    command.args(["--port", &port]);
    run(command).await.refusal(&["Port", &port, "taken"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[actix_rt::test]
async fn an_address_of_another_machine() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let mut command = engine_with(&folder, &database.url());
    command.args(["--host", "203.0.113.1"]);
    run(command).await.refusal(&["203.0.113.1", "--host", "PARLANCE__SERVER__HOST"]);
}

#[actix_rt::test]
async fn a_data_folder_that_cannot_be_written() {
    let folder = DataFolder::new();
    let file = folder.join("file");
    fs::write(&file, "").unwrap();
    let guarded = folder.join("guarded");
    fs::create_dir(&guarded).unwrap();
    fs::set_permissions(&guarded, fs::Permissions::from_mode(0o555)).unwrap();
    let mut places = vec![file.clone(), file.join("below"), "/proc/parlance".into(), "/proc".into()];
    if !geteuid().is_root() {
        places.extend([guarded.clone(), guarded.join("below")]);
    }
    for place in places {
        for mut command in [engine_on(&folder), engine_with(&folder, "postgres://localhost/x")] {
            command.arg("--data-dir").arg(&place);
            let refused = run(command).await;
            let line = refused.refusal(&["data folder", place.to_str().unwrap(), "storage.data_dir"]);
            assert_eq!(line.matches("os error").count(), 1, "the cause once: {line}");
        }
    }
}

#[actix_rt::test]
async fn a_second_engine_on_the_same_folder() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let first = Engine::start(engine_on(&folder)).await;
    let pid = first.pid().to_string();
    for second in [engine_on(&folder), engine_with(&folder, &database.url())] {
        let words = ["another Parlance", &pid, folder.path().to_str().unwrap(), "storage.data_dir"];
        run(second).await.refusal(&words);
    }
    Api::new(first.base()).sign_up("ada").await;
    first.stop().await;
}

#[actix_rt::test]
async fn a_database_url_that_leads_nowhere() {
    let folder = DataFolder::new();
    let database = TestDatabase::create().await;
    let mut absent: reqwest::Url = database.url().parse().unwrap();
    absent.set_path("/parlance_test_absent");
    let cases: [(&str, &[&str]); 5] = [
        ("mysql://localhost/x", &["DATABASE_URL", "postgres://user:password@host"]),
        ("postgres://ada:hunter2@[/x", &["DATABASE_URL", "cannot be read", "postgres://user:password@host"]),
        ("postgres://ada:hunter2@host:port/x", &["DATABASE_URL", "port", "postgres://user:password@host"]),
        ("postgres://ada:hunter2@nowhere.invalid/x", &["nowhere.invalid:5432/x", "DATABASE_URL"]),
        (absent.as_str(), &["parlance_test_absent", "does not exist", "DATABASE_URL"]),
    ];
    for (url, words) in cases {
        let refused = run(engine_with(&folder, url)).await;
        let line = refused.refusal(words);
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[actix_rt::test]
async fn a_wrong_password() {
    // The Postgres of another engine, which asks for one.
    let (other, folder) = (DataFolder::new(), DataFolder::new());
    let engine = Engine::start(engine_on(&other)).await;
    let socket = other.join("postgres.socket");
    let url = format!("postgres://parlance:hunter2@localhost/parlance?host={}", socket.display());
    let refused = run(engine_with(&folder, &url)).await;
    let line = refused.refusal(&["password", "parlance", "DATABASE_URL"]);
    assert!(!line.contains("hunter2"), "{line}");
    engine.stop().await;
}

#[actix_rt::test]
async fn a_database_that_a_newer_parlance_has_migrated() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let future = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (99990101000000, 'from the future', true, '', 0)";
    sqlx::query(AssertSqlSafe(future)).execute(database.storage.engine()).await.unwrap();
    run(engine_with(&folder, &database.url())).await.refusal(&["newer Parlance", "99990101000000", "backup"]);
}

#[actix_rt::test]
async fn a_database_whose_migrations_are_not_ours() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let changed =
        "UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = (SELECT min(version) FROM _sqlx_migrations)";
    sqlx::query(changed).execute(database.storage.engine()).await.unwrap();
    run(engine_with(&folder, &database.url())).await.refusal(&["Migration", "differs", "version of Parlance"]);
}

#[actix_rt::test]
async fn a_postgres_that_is_missing_or_too_old() {
    let (folder, bin) = (DataFolder::new(), DataFolder::new());
    let start = async || {
        let mut command = engine_on(&folder);
        command.env("PARLANCE__STORAGE__POSTGRES_BIN_DIR", bin.path());
        run(command).await
    };
    let shown = bin.path().to_str().unwrap();
    start().await.refusal(&["storage.postgres_bin_dir", shown, "not there", "15 or later", "make setup"]);
    for program in ["postgres", "initdb"] {
        fs::write(bin.join(program), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n").unwrap();
        fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    }
    start().await.refusal(&["storage.postgres_bin_dir", shown, "14.9", "too old", "15 or later"]);
    assert!(!folder.join("postgres").exists(), "nothing was begun");
}
