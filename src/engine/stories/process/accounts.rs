//! `parlance users …` beside a running engine and without one, and in the wrong folder.

use std::fs;
use std::process::Command;

use reqwest::Method;
use serde_json::json;

use crate::testing::process::{Engine, engine_on, engine_with, parlance, run, run_with};
use crate::testing::{Api, DataFolder, PASSWORD, Person, TestDatabase, WsClient};

const NEW: &str = "staple correct horse";

/// On the embedded Postgres of a folder, with hashes as cheap as the engine's.
fn users(folder: &DataFolder, arguments: &[&str]) -> Command {
    let mut command = parlance(&["users"]);
    command.args(arguments).arg("--data-dir").arg(folder.path());
    command.env("PARLANCE__AUTH__ARGON2_MEMORY_KIB", "8").env("PARLANCE__AUTH__ARGON2_PASSES", "1");
    command
}

async fn said(command: Command, input: &str) -> String {
    let ended = run_with(command, input).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains(PASSWORD) && !ended.stderr.contains(NEW), "{}", ended.stderr);
    ended.stdout
}

async fn in_with(api: &Api, login: &str, password: &str) -> Person {
    api.sign_in(login, password).await.unwrap_or_else(|status| panic!("{login} is not let in: {status}"))
}

async fn greeted(api: &Api, person: &Person) -> WsClient {
    let mut socket = WsClient::open(&api.base).await;
    assert_eq!(socket.hello(&person.token, json!({})).await["type"], "ready");
    socket
}

#[actix_rt::test]
async fn accounts_are_run_beside_an_engine_with_its_own_postgres() {
    let folder = DataFolder::new();
    let mut command = engine_on(&folder);
    command.env("PARLANCE__AUTH__REGISTRATION", "false");
    let engine = Engine::start(command).await;
    let (api, servers) = (Api::new(engine.base()), folder.servers());
    let add = ["add", "ada", "--email", "ada@example.com", "--full-name", "Ada Lovelace", "--role", "admin"];
    assert_eq!(said(users(&folder, &add), &format!("{PASSWORD}\n")).await, "ada is here now, as admin.\n");
    let ada = in_with(&api, "ada", PASSWORD).await;
    let status = api.call(Method::GET, "/internal/actors", &ada.token, None).await.0;
    assert_eq!(status, 200, "an admin from the start");

    // Whoever is signed out by the tool is out of the running engine.
    let mut socket = greeted(&api, &ada).await;
    let told = said(users(&folder, &["set-password", "ada"]), &format!("{NEW}\r\n")).await;
    assert_eq!(told, "ada has a new password and is signed out everywhere.\n");
    assert_eq!(socket.closed().await, 4501);
    assert_eq!(api.call(Method::GET, "/api/v1/users/me", &ada.token, None).await.0, 401);
    assert_eq!(api.sign_in("ada", PASSWORD).await.err(), Some(401));
    let (first, second) = (in_with(&api, "ada", NEW).await, in_with(&api, "ada", NEW).await);
    let mut sockets = [greeted(&api, &first).await, greeted(&api, &second).await];
    let listed = said(users(&folder, &["devices", "ada"]), "").await;
    assert!(listed.ends_with("2 devices\n"), "{listed}");
    let newest = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(said(users(&folder, &["sign-out", "ada", newest]), "").await, "ada is signed out on 1 device.\n");
    assert_eq!(sockets[1].closed().await, 4501);
    assert_eq!(sockets[0].ask(json!({ "type": "ping" })).await["type"], "pong");
    assert_eq!(said(users(&folder, &["sign-out", "ada"]), "").await, "ada is signed out on 1 device.\n");
    assert_eq!(sockets[0].closed().await, 4501);

    let link = said(users(&folder, &["reset-link", "ada", "--base", "https://chat.example.com/"]), "").await;
    let token = link.lines().next().unwrap().strip_prefix("https://chat.example.com/reset#token=").unwrap();
    let body = json!({ "token": token, "new_password": PASSWORD });
    assert_eq!(api.call(Method::POST, "/api/v1/auth/reset", "", Some(body)).await.0, 204);
    let again = in_with(&api, "ada", PASSWORD).await;
    let mut socket = greeted(&api, &again).await;
    said(users(&folder, &["disable", "ada@example.com"]), "").await;
    assert_eq!(socket.closed().await, 4501);
    let listed = said(users(&folder, &["list"]), "").await;
    let shown = listed.lines().find(|line| line.starts_with("ada ")).unwrap();
    for word in ["admin", "disabled", "ada@example.com, Ada Lovelace"] {
        assert!(shown.contains(word), "{word} is not in: {shown}");
    }
    assert_eq!(folder.servers(), servers, "and no second server was started");
    let log = engine.stop().await.stderr;
    assert!(!log.contains(PASSWORD) && !log.contains(NEW) && !log.contains(token), "{log}");
}

#[actix_rt::test]
async fn accounts_are_run_while_no_engine_runs() {
    let folder = DataFolder::new();
    Engine::start(engine_on(&folder)).await.stop().await;
    said(users(&folder, &["add", "ada"]), PASSWORD).await;
    assert!(folder.servers().is_empty(), "nothing is left running");
    let engine = Engine::start(engine_on(&folder)).await;
    in_with(&Api::new(engine.base()), "ada", PASSWORD).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn what_cannot_be_done_is_said() {
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    said(users(&folder, &["add", "ada"]), PASSWORD).await;
    let refused = async |arguments: &[&str], input: &str, words: &[&str]| {
        run_with(users(&folder, arguments), input).await.refusal(words);
    };
    refused(&["add", "ada"], PASSWORD, &["already", "users list"]).await;
    refused(&["add", "ben"], "", &["standard input", "one line"]).await;
    refused(&["add", "ben"], "short\n", &["at least 8 characters"]).await;
    refused(&["add", "ben", "--role", "emperor"], PASSWORD, &["emperor", "admin", "user"]).await;
    refused(&["set-password", "nobody"], "", &["no account", "\"nobody\""]).await;
    refused(&["reset-link", "nobody"], "", &["no account"]).await;
    refused(&["sign-out", "ada", "0198c5f0-0000-7000-8000-000000000001"], "", &["users devices ada"]).await;
    // An argument could be read by every user of the machine.
    let argument = run(users(&folder, &["add", "ben", "--password", PASSWORD])).await;
    assert_eq!(argument.code, Some(2), "{}", argument.stderr);
    engine.stop().await;
}

#[actix_rt::test]
async fn a_tool_in_the_wrong_folder_makes_nothing() {
    let folder = DataFolder::new();
    for place in [folder.join("absent"), folder.path().to_owned()] {
        for arguments in [["users", "list"].as_slice(), &["users", "disable", "ada"], &["migrate"]] {
            let mut command = parlance(arguments);
            command.arg("--data-dir").arg(&place);
            let refused = run(command).await;
            let words = ["no database", place.to_str().unwrap(), "--data-dir", "DATABASE_URL", "parlance serve"];
            refused.refusal(&words);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[actix_rt::test]
async fn a_tool_with_a_database_of_its_own_needs_no_folder_and_migrates_nothing() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let list = || {
        let mut command = parlance(&["users", "list"]);
        command.arg("--data-dir").arg(folder.join("absent")).env("DATABASE_URL", database.url());
        command
    };
    assert!(said(list(), "").await.ends_with("0 accounts\n"));
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .execute(database.storage.engine())
        .await
        .unwrap();
    run(list()).await.refusal(&["parlance migrate"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[actix_rt::test]
async fn an_engine_that_uses_another_database_is_no_way_in() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    Engine::start(engine_on(&folder)).await.stop().await;
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let ended = run(users(&folder, &["list"])).await;
    // Not a refusal: the engine may have been starting.
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("holds the data folder") && ended.stderr.contains("DATABASE_URL"),
        "{}",
        ended.stderr
    );
    engine.stop().await;
}
