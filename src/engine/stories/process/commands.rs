//! What one command does.

use reqwest::Method;
use serde_json::Value;

use crate::testing::process::{Engine, engine_on, engine_with, parlance, run, until};
use crate::testing::{Api, DataFolder, TestDatabase, contents};

#[actix_rt::test]
async fn help_version_and_tree_need_no_configuration() {
    let help = run(parlance(&["--help"])).await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for word in ["serve", "migrate", "tree", "config", "docs", "users", "--port", "--data-dir", "--database-url"] {
        assert!(help.stdout.contains(word), "{word} is not in:\n{}", help.stdout);
    }
    let version = run(parlance(&["--version"])).await;
    assert_eq!((version.code, version.stdout), (Some(0), format!("parlance {}\n", env!("CARGO_PKG_VERSION"))));
    let mut tree = parlance(&["tree"]);
    tree.env("PARLANCE__SERVER__PORT", "nonsense");
    let tree = run(tree).await;
    assert_eq!((tree.code, tree.stdout), (Some(0), format!("{}\n", crate::tree::picture())));
}

#[actix_rt::test]
async fn the_reference_documents_are_json() {
    for (name, version) in [("openapi", "3.1"), ("asyncapi", "3.")] {
        let printed = run(parlance(&["docs", name])).await;
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        let document: Value = serde_json::from_str(&printed.stdout).unwrap();
        assert!(document[name].as_str().unwrap().starts_with(version), "{}", document[name]);
    }
}

#[actix_rt::test]
async fn migrate_works_on_a_database_that_is_there_and_leaves_nothing_running() {
    let folder = DataFolder::new();
    Engine::start(engine_on(&folder)).await.stop().await;
    for _ in 0..2 {
        let mut migrate = parlance(&["migrate", "--data-dir"]);
        migrate.arg(folder.path());
        let migrated = run(migrate).await;
        assert_eq!((migrated.code, migrated.stdout.as_str()), (Some(0), "The database is up to date.\n"));
        assert!(folder.servers().is_empty());
    }
    Engine::start(engine_on(&folder)).await.stop().await;
}

#[actix_rt::test]
async fn an_operator_makes_the_first_admin_who_then_sees_the_actors() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let api = Api::new(engine.base());
    let (ada, ben) = (api.sign_up("ada").await, api.sign_up("ben").await);
    let room = api.group(&[ada.clone(), ben.clone()]).await;
    let body = serde_json::json!({ "client_id": "1", "content": "hello" });
    api.ok(Method::POST, &format!("/api/v1/rooms/{room}/messages"), &ben.token, Some(body)).await;
    let ask = async |token: &str| api.call(Method::GET, "/internal/actors", token, None).await;
    assert_eq!(ask("").await.0, 401);
    assert_eq!(ask(&ada.token).await.0, 403);

    // While the engine runs: the database is the operator's.
    let set_role = |login: &str, role: &str| {
        let mut command = parlance(&["users", "set-role", login, role, "--data-dir"]);
        command.arg(folder.path()).env("DATABASE_URL", database.url());
        command
    };
    let set = run(set_role("ada@example.com", "admin")).await;
    assert_eq!((set.code, set.stdout.as_str()), (Some(0), "ada@example.com is admin now.\n"), "{}", set.stderr);
    assert_eq!(ask(&ben.token).await.0, 403);
    let (status, shown) = ask(&ada.token).await;
    assert_eq!(status, 200, "{shown}");
    let actors = shown["actors"].as_array().unwrap();
    assert_eq!(shown["total"], actors.len());
    for kind in ["Persister", "RoomDirectory", "Hub", "Room"] {
        let one = actors.iter().find(|actor| actor["actor"] == kind).unwrap_or_else(|| panic!("no {kind}: {shown}"));
        assert_eq!((&one["life"], &one["restarts"]), (&"running".into(), &0.into()), "{one}");
        assert!(one["state"].is_object(), "{one}");
    }
    assert!(actors.iter().any(|actor| actor["name"].as_str().unwrap().contains(&room)), "{shown}");

    run(set_role("nobody", "admin")).await.refusal(&["no account", "\"nobody\""]);
    run(set_role("ben", "emperor")).await.refusal(&["emperor", "admin", "user"]);
    let set = run(set_role("ada", "user")).await;
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    assert_eq!(ask(&ada.token).await.0, 403, "at once, whatever the token says");
    engine.stop().await;
}

#[actix_rt::test]
async fn a_disabled_account_is_signed_out_and_can_be_enabled_again() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    Api::new(engine.base()).sign_up("ada").await;
    engine.stop().await;
    let users = |what: &str| {
        let mut command = parlance(&["users", what, "ada", "--data-dir"]);
        command.arg(folder.path()).env("DATABASE_URL", database.url());
        command
    };
    for (what, may_sign_in) in [("disable", false), ("enable", true)] {
        assert_eq!(run(users(what)).await.code, Some(0));
        let engine = Engine::start(engine_with(&folder, &database.url())).await;
        let signed_in = Api::new(engine.base()).sign_in("ada", crate::testing::PASSWORD).await;
        assert_eq!(signed_in.is_ok(), may_sign_in, "{what}");
        engine.stop().await;
    }
}

/// Backup and restore as they stand in the README, beside a running engine, with the step that ends every restore.
#[actix_rt::test]
async fn the_backup_of_the_readme_brings_back_what_was_said() {
    let readme = include_str!("../../../../README.md");
    let line =
        |word: &str| readme.lines().map(str::trim).find(|line| line.contains(word)).expect("it is in the README");
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    let api = Api::new(engine.base());
    let ada = api.sign_up("ada").await;
    let room = api.group(std::slice::from_ref(&ada)).await;
    let post = async |client_id: &str, content: &str| {
        let body = serde_json::json!({ "client_id": client_id, "content": content });
        api.ok(Method::POST, &format!("/api/v1/rooms/{room}/messages"), &ada.token, Some(body)).await["seq"].clone()
    };
    post("c1", "worth keeping").await;

    let programs = std::env::var("PARLANCE_TEST_POSTGRES_BIN").expect("make test says where Postgres is");
    let data = folder.path().file_name().unwrap().to_str().unwrap();
    let shell = async |script: &str| {
        let script =
            script.replace("data/", &format!("{data}/")).replace("backup.dump", &format!("{data}/backup.dump"));
        let mut shell = std::process::Command::new("sh");
        // The command is written for the folder above data/.
        shell.arg("-ec").arg(script).current_dir(folder.path().parent().unwrap()).env("PG", &programs);
        let ended = run(shell).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    };
    shell(line("pg_dump -h")).await;
    assert_eq!(post("c2", "said after the backup").await, 2);
    shell(line("pg_restore -h")).await;
    let mut renew = parlance(&["epoch", "renew", "--data-dir"]);
    renew.arg(folder.path());
    let renewed = run(renew).await;
    assert_eq!(renewed.code, Some(0), "{}", renewed.stderr);
    assert!(renewed.stdout.contains("A new epoch has begun"), "{}", renewed.stdout);
    until("the engine has heard of it", async || engine.log().contains("a new life of the log")).await;
    let ada = api.sign_in("ada", crate::testing::PASSWORD).await.unwrap();
    let said = async || contents(&api.history(&room, &ada.token).await);
    assert_eq!(said().await, ["worth keeping"]);
    assert_eq!(post("c2", "sent again").await, 2);
    assert_eq!(said().await, ["worth keeping", "sent again"]);
    engine.stop().await;
}
