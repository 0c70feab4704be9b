//! `parlance vault …` beside a running engine and without one; and that no secret is in any output.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::process::{Ended, Engine, engine_on, engine_with, parlance, run, run_with};
use crate::testing::{Api, DataFolder, PASSWORD, Person, TestDatabase};

const KEY: &str = "sk-live-0123456789abcdefwxyz";
const NEXT: &str = "sk-next-0123456789abcdefuvst";

fn vault(folder: &DataFolder, arguments: &[&str]) -> Command {
    let mut command = parlance(&["vault"]);
    command.args(arguments).arg("--data-dir").arg(folder.path()).args(["--log-level", "trace"]);
    command
}

fn shows_no_secret(text: &str) {
    for word in [KEY, NEXT, "0123456789abcdef"] {
        assert!(!text.contains(word), "{word} is in:\n{text}");
    }
}

async fn ended(command: Command, input: &str) -> Ended {
    let ended = run_with(command, input).await;
    shows_no_secret(&ended.stdout);
    shows_no_secret(&ended.stderr);
    ended
}

async fn said(command: Command, input: &str) -> String {
    let ended = ended(command, input).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout
}

/// Made by an operator, signed in.
async fn admin(folder: &DataFolder, api: &Api) -> Person {
    let mut command = parlance(&["users", "add", "ada", "--role", "admin", "--data-dir"]);
    command.arg(folder.path()).env("PARLANCE__AUTH__ARGON2_MEMORY_KIB", "8").env("PARLANCE__AUTH__ARGON2_PASSES", "1");
    assert_eq!(run_with(command, PASSWORD).await.code, Some(0));
    api.sign_in("ada", PASSWORD).await.unwrap()
}

async fn secrets(api: &Api, admin: &Person) -> Vec<Value> {
    let page = api.ok(Method::GET, "/api/v1/admin/secrets", &admin.token, None).await;
    shows_no_secret(&page.to_string());
    page["items"].as_array().unwrap().clone()
}

#[actix_rt::test]
async fn secrets_are_run_beside_an_engine_that_logs_all_it_does() {
    let folder = DataFolder::new();
    let mut command = engine_on(&folder);
    command.args(["--log-level", "trace"]);
    let engine = Engine::start(command).await;
    let (api, servers) = (Api::new(engine.base()), folder.servers());
    let admin = admin(&folder, &api).await;
    assert_eq!(fs::metadata(folder.join("vault.key")).unwrap().permissions().mode() & 0o777, 0o600);

    let put = ["put", "ai.provider", "one", "--label", "OpenAI"];
    let told = said(vault(&folder, &put), &format!("{KEY}\n")).await;
    assert_eq!(told, "ai.provider/one is in the vault now: 28 bytes, ends in …wxyz.\n");
    ended(vault(&folder, &put), NEXT).await.refusal(&["already", "--replace"]);
    let before = secrets(&api, &admin).await.remove(0);
    assert_eq!(
        (&before["label"], &before["hint"], &before["readable"]),
        (&json!("OpenAI"), &json!("…wxyz"), &json!(true))
    );
    let path = format!("/api/v1/admin/secrets/{}", before["id"].as_str().unwrap());
    api.ok(Method::PUT, &path, &admin.token, Some(json!({ "value": NEXT }))).await;
    said(vault(&folder, &["put", "ai.provider", "one", "--replace"]), KEY).await;

    // The engine learns of the new key by itself, for reading and for writing.
    let rotated = said(vault(&folder, &["rotate", "--forget-old"]), "").await;
    assert!(
        rotated.starts_with("A new master key is in use, ") && rotated.contains("1 secret put under it"),
        "{rotated}"
    );
    let after = secrets(&api, &admin).await.remove(0);
    assert!(after["readable"] == true && after["key_id"] != before["key_id"], "{after}");
    let replaced = api.ok(Method::PUT, &path, &admin.token, Some(json!({ "value": NEXT }))).await;
    assert_eq!((&replaced["version"], &replaced["key_id"]), (&json!(4), &after["key_id"]));

    let listed = said(vault(&folder, &["list", "ai.provider"]), "").await;
    assert!(listed.contains("ai.provider one, OpenAI") && listed.ends_with("1 secret\n"), "{listed}");
    assert!(said(vault(&folder, &["list", "nothing"]), "").await.ends_with("0 secrets\n"));
    let audit = said(vault(&folder, &["audit", "ai.provider", "one"]), "").await;
    let mut what: Vec<&str> = audit.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3)).collect();
    what.sort_unstable();
    assert_eq!(what, ["created", "replaced", "replaced", "replaced", "rotated"], "{audit}");
    assert!(audit.contains(&admin.id) && audit.contains("operator "), "{audit}");
    assert_eq!(said(vault(&folder, &["delete", "ai.provider", "one"]), "").await, "ai.provider/one is deleted.\n");
    assert!(secrets(&api, &admin).await.is_empty());
    assert_eq!(folder.servers(), servers, "and no second server was started");

    let key = fs::read_to_string(folder.join("vault.key")).unwrap();
    let key = key.lines().find(|line| !line.starts_with('#')).unwrap().split(" #").next().unwrap().to_owned();
    let ended = engine.stop().await;
    assert!(ended.stderr.contains("TRACE") && ended.stderr.contains("a secret was replaced"), "it did log");
    for text in [&ended.stdout, &ended.stderr] {
        shows_no_secret(text);
        assert!(!text.contains(&key), "a master key is in the log");
    }
}

#[actix_rt::test]
async fn a_secret_may_be_of_any_bytes_and_what_is_none_is_refused() {
    let folder = DataFolder::new();
    Engine::start(engine_on(&folder)).await.stop().await;
    let lines = "-----BEGIN-----\r\n0123\n-----END-----\n";
    let told = said(vault(&folder, &["put", "push.vapid", "private"]), lines).await;
    assert_eq!(
        told,
        format!("push.vapid/private is in the vault now: {} bytes.\n", lines.len() - 1),
        "without the engine"
    );
    assert!(folder.servers().is_empty(), "nothing is left running");
    let refused = async |arguments: &[&str], input: &str, words: &[&str]| {
        ended(vault(&folder, arguments), input).await.refusal(words);
    };
    refused(&["put", "ai", "x"], "", &["standard input"]).await;
    refused(&["put", "ai", "x"], "\n", &["standard input"]).await;
    refused(&["put", "ai", "x"], &"x".repeat(65_537), &["65536 bytes", "vault.secret_bytes_max"]).await;
    refused(&["put", "ai", "x"], &"x".repeat(1_000_000), &["65536 bytes"]).await;
    refused(&["put", "AI Provider", "x"], KEY, &["lower case", "ai.provider"]).await;
    refused(&["put", "ai", "a b"], KEY, &["letters, digits"]).await;
    refused(&["delete", "ai", "x"], "", &["no secret", "parlance vault list"]).await;
    refused(&["delete"], "", &["SCOPE NAME", "--unreadable"]).await;
    said(vault(&folder, &["put", "ai", "largest"]), &format!("{}\r\n", "x".repeat(65_536))).await;
    for wrong in [&["put", "ai", "x", KEY][..], &["put", "ai", "x", "--secret", KEY], &["delete", "ai", "x", "--yes"]] {
        assert_eq!(run(vault(&folder, wrong)).await.code, Some(2), "{wrong:?}");
    }
}

#[actix_rt::test]
async fn a_lost_file_of_keys_is_named_and_given_up_only_when_told_so_twice() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let with_url = |mut command: Command| {
        command.env("DATABASE_URL", database.url());
        command
    };
    let file = folder.join("vault.key");
    let early = ended(with_url(vault(&folder, &["put", "ai", "x"])), KEY).await;
    early.refusal(&["vault.key", "--data-dir"]);
    assert!(!file.exists(), "a command makes no key");
    Engine::start(engine_with(&folder, &database.url())).await.stop().await;
    said(with_url(vault(&folder, &["put", "ai", "x"])), KEY).await;

    fs::remove_file(&file).unwrap();
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    assert!(!file.exists(), "no other key is made for a database that has secrets");
    let log = engine.log();
    for word in ["without all keys of its vault", file.to_str().unwrap(), "parlance vault delete --unreadable"] {
        assert!(log.contains(word), "{word} is not in: {log}");
    }
    let metrics = reqwest::get(format!("{}/metrics", engine.base())).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("parlance_vault_secrets_unreadable 1"), "{metrics}");
    let listed = said(with_url(vault(&folder, &["list"])), "").await;
    assert!(listed.contains("not here") && listed.contains("1 secret under master keys that are not here"), "{listed}");
    ended(with_url(vault(&folder, &["rotate"])), "").await.refusal(&["vault.key", "it is not there"]);
    ended(with_url(vault(&folder, &["delete", "--unreadable"])), "").await.refusal(&[
        "1 of the secrets",
        "--yes 1",
        "--data-dir",
    ]);
    ended(with_url(vault(&folder, &["delete", "--unreadable", "--yes", "2"])), "").await.refusal(&["--yes 1"]);
    let gone = said(with_url(vault(&folder, &["delete", "--unreadable", "--yes", "1"])), "").await;
    assert_eq!(gone, "1 secret deleted.\n");
    engine.stop().await;
    Engine::start(engine_with(&folder, &database.url())).await.stop().await;
    said(with_url(vault(&folder, &["put", "ai", "x"])), NEXT).await;
}

#[actix_rt::test]
async fn keys_come_by_variable_as_well_and_a_wrong_one_is_refused_unseen() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let key = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
    let with = |mut command: Command, keys: &str| {
        command.env("DATABASE_URL", database.url()).env("PARLANCE__VAULT__MASTER_KEY", keys);
        command
    };
    let engine = Engine::start(with(engine_with(&folder, &database.url()), key)).await;
    said(with(vault(&folder, &["put", "ai", "x"]), key), KEY).await;
    assert!(!folder.join("vault.key").exists());
    let same = said(with(vault(&folder, &["rotate"]), key), "").await;
    assert!(same.contains("append another one"), "{same}");
    engine.stop().await;
    let other = "EjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vA=";
    let moved = said(with(vault(&folder, &["rotate"]), &format!("{key},{other}")), "").await;
    assert!(moved.starts_with("1 secret put under the key "), "{moved}");
    ended(with(vault(&folder, &["put", "ai", "y"]), key), KEY)
        .await
        .refusal(&["PARLANCE__VAULT__MASTER_KEY", "lacks the key"]);

    let wrong = run(with(engine_with(&folder, &database.url()), "hunter2-hunter2")).await;
    let line = wrong.refusal(&["vault.master_key", "PARLANCE__VAULT__MASTER_KEY", "openssl rand -base64 32"]);
    assert!(!line.contains("hunter2"), "{line}");
    let shown = run(with(parlance(&["config"]), key)).await.stdout;
    assert!(shown.contains("master_key = \"***\"") && !shown.contains(key), "{shown}");
}
