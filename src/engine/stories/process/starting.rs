//! Starting after whatever has happened, and the demo accounts.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::json;

use crate::testing::READER_ROLE;
use crate::testing::process::{Engine, engine_on, engine_with, free_port, parlance, run, until};
use crate::testing::{Api, DataFolder, TestDatabase};

/// "In seconds", with room for a busy machine.
const QUICK: Duration = Duration::from_secs(8);

#[actix_rt::test]
async fn a_killed_engine_starts_again_at_once_on_its_folder_and_port() {
    let (folder, port) = (DataFolder::new(), free_port().to_string());
    let launch = || {
        let mut command = engine_on(&folder);
        command.args(["--port", &port]);
        command
    };
    let mut engine = Engine::start(launch()).await;
    let api = Api::new(engine.base());
    let ada = api.sign_up("ada").await;
    let room = api.group(std::slice::from_ref(&ada)).await;
    for round in 1..=3 {
        let body = json!({ "client_id": round.to_string(), "content": "hello" });
        api.ok(Method::POST, &format!("/api/v1/rooms/{room}/messages"), &ada.token, Some(body)).await;
        let orphan = folder.postmaster().unwrap();
        engine.kill().await;
        let begun = Instant::now();
        engine = Engine::start(launch()).await;
        assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
        assert_ne!(folder.postmaster(), Some(orphan));
        assert_eq!(folder.servers().len(), 1);
        // The token of before is still good: its key is in the folder.
        assert_eq!(api.history(&room, &ada.token).await.len(), round);
    }
    engine.stop().await;
    assert!(folder.servers().is_empty());
}

#[actix_rt::test]
async fn a_killed_engine_does_not_leave_its_postgres_running() {
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    engine.kill().await;
    until("Postgres has followed its engine", async || folder.servers().is_empty()).await;
}

#[actix_rt::test]
async fn an_engine_and_its_postgres_that_were_killed_together_come_back() {
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    Api::new(engine.base()).sign_up("ada").await;
    kill(Pid::from_raw(folder.postmaster().unwrap()), Signal::SIGKILL).unwrap();
    engine.kill().await;
    let engine = Engine::start(engine_on(&folder)).await;
    Api::new(engine.base()).sign_in("ada", crate::testing::PASSWORD).await.unwrap();
    engine.stop().await;
}

#[actix_rt::test]
async fn a_first_start_that_was_killed_half_way_is_no_obstacle_to_the_next() {
    let folder = DataFolder::new();
    let half_made =
        || {
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("postgres.initdb-"))
            })
        };
    // Before, while and after the data is made, and while it is migrated, on a machine of whatever speed.
    let steps: [(&str, &dyn Fn() -> bool); 5] = [
        ("the folder is locked", &|| folder.join("parlance.lock").exists()),
        ("initdb has begun", &|| half_made().any(|half| half.join("base").exists())),
        ("initdb is at work", &|| half_made().any(|half| half.join("base/1/PG_VERSION").exists())),
        ("the data is made", &|| folder.join("postgres/PG_VERSION").exists()),
        ("Postgres has started", &|| folder.join("postgres/postmaster.pid").exists()),
    ];
    for (step, is_reached) in steps {
        let engine = Engine::spawn(engine_on(&folder));
        until(step, async || is_reached()).await;
        engine.kill().await;
    }
    let mut command = engine_on(&folder);
    command.env("PARLANCE__DEMO__ENABLED", "true");
    let engine = Engine::start(command).await;
    assert!(engine.line("  demo login").is_some(), "{}", engine.log());
    engine.stop().await;
    // An initdb that lost its engine may have gone on for a while: a start after its end removes what it left.
    until("nothing half-made is left", async || {
        if half_made().next().is_some() {
            Engine::start(engine_on(&folder)).await.stop().await;
        }
        half_made().next().is_none()
    })
    .await;
}

#[actix_rt::test]
async fn the_first_lines_say_where_everything_is_and_the_second_start_is_quick() {
    let folder = DataFolder::new();
    let mut logins = Vec::new();
    for start in ["first", "second"] {
        let begun = Instant::now();
        let mut command = engine_on(&folder);
        command.env_remove("PARLANCE__DEMO__ENABLED");
        let engine = Engine::start(command).await;
        assert!(start == "first" || begun.elapsed() < QUICK, "{:?}", begun.elapsed());
        let base = engine.base();
        let said = |label: &str| engine.line(label).unwrap_or_else(|| panic!("no line {label:?}"));
        assert_eq!(said("  API docs").replace("localhost", "127.0.0.1"), format!("{base}/docs"));
        assert_eq!(said("  data folder"), folder.path().to_str().unwrap());
        assert_eq!(said("  log level"), "info");
        until("the demo logins are printed", async || engine.line("  demo login  demo-ben / ").is_some()).await;
        for person in ["demo-ada", "demo-ben"] {
            let password = said(&format!("  demo login  {person} / "));
            Api::new(base.clone()).sign_in(person, &password).await.unwrap();
            logins.push((person, password));
        }
        engine.stop().await;
    }
    assert_eq!(logins[..2], logins[2..], "the same at each start");
}

#[actix_rt::test]
async fn a_demo_is_made_only_when_wanted_and_never_beside_others() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    // Nobody wants one in a database of their own, unless they say so.
    let mut unsaid = engine_with(&folder, &database.url());
    unsaid.env_remove("PARLANCE__DEMO__ENABLED");
    let engine = Engine::start(unsaid).await;
    let ada = Api::new(engine.base()).sign_up("ada").await;
    let ended = engine.stop().await;
    assert!(!ended.stdout.contains("demo login"), "{}", ended.stdout);
    let engine = Engine::start(wanted(&folder, &database)).await;
    let found = Api::new(engine.base()).ok(Method::GET, "/api/v1/users?query=demo", &ada.token, None).await;
    assert_eq!(found["items"], json!([]), "the database was no longer empty");
    let ended = engine.stop().await;
    assert!(!ended.stdout.contains("demo login"), "{}", ended.stdout);
}

fn wanted(folder: &DataFolder, database: &TestDatabase) -> std::process::Command {
    let mut command = engine_with(folder, &database.url());
    command.env("PARLANCE__DEMO__ENABLED", "true");
    command
}

#[actix_rt::test]
async fn demo_logins_are_no_longer_printed_once_they_are_switched_off() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let ended = Engine::start(wanted(&folder, &database)).await.stop().await;
    assert_eq!(ended.stdout.matches("demo login").count(), 5, "{}", ended.stdout);
    let ended = Engine::start(engine_with(&folder, &database.url())).await.stop().await;
    assert!(!ended.stdout.contains("demo login"), "{}", ended.stdout);
}

#[actix_rt::test]
async fn a_demo_is_removed_with_one_command_beside_a_running_engine_and_not_made_again() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(wanted(&folder, &database)).await;
    let command = async |arguments: &[&str]| {
        let mut command = parlance(&[&["demo"], arguments].concat());
        command.env("PARLANCE__STORAGE__DATA_DIR", folder.path()).env("DATABASE_URL", database.url());
        command.env("PARLANCE__STORAGE__READER_ROLE", READER_ROLE);
        run(command).await
    };
    let status = command(&["status"]).await;
    assert!(status.stdout.contains("5 people, 8 rooms and 1 space"), "{}{}", status.stdout, status.stderr);
    let api = Api::new(engine.base());
    let removed = command(&["remove"]).await;
    assert!(removed.stdout.contains("removed: 5 people, 8 rooms and 1 space"), "{}{}", removed.stdout, removed.stderr);
    assert!(!folder.join("demo-login.json").exists());
    let ada = api.sign_up("ada").await;
    assert_eq!(api.ok(Method::GET, "/api/v1/users?query=demo", &ada.token, None).await["items"], json!([]));
    command(&["remove"]).await.refusal(&["no demo"]);
    engine.stop().await;
    sqlx::query("DELETE FROM users").execute(database.storage.engine()).await.unwrap();
    let ended = Engine::start(wanted(&folder, &database)).await.stop().await;
    assert!(!ended.stdout.contains("demo login"), "{}", ended.stdout);
    assert!(command(&["status"]).await.stdout.contains("was removed"));
}

#[actix_rt::test]
async fn a_start_that_failed_leaves_the_folder_free() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    run(engine_with(&folder, "postgres://nowhere.invalid/x")).await.refusal(&[]);
    Engine::start(engine_with(&folder, &database.url())).await.stop().await;
}
