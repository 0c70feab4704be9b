//! Layers, masks, and what is said about a mistake.

use std::fs;
use std::process::Command;

use crate::testing::process::{parlance, run};

/// What `parlance config` prints.
async fn config(command: Command) -> toml::Table {
    let printed = run(command).await;
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    printed.stdout.parse().unwrap()
}

#[actix_rt::test]
async fn flags_win_over_variables_over_the_profile_over_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let profile = "[server]\nport = 1001\nworkers = 3\n[chat]\nmembers_max = 77\n";
    fs::write(folder.path().join("mine.toml"), profile).unwrap();
    let layered = |arguments: &[&str]| {
        let mut command = parlance(arguments);
        command.arg("--config-dir").arg(folder.path());
        command
    };
    let number = |config: &toml::Table, section: &str, key: &str| config[section][key].as_integer().unwrap();

    let defaults = config(layered(&["config"])).await;
    assert_eq!((number(&defaults, "server", "port"), number(&defaults, "server", "workers")), (8080, 0));
    let mut command = layered(&["config", "--profile", "mine"]);
    command.env("PARLANCE__SERVER__PORT", "1002");
    let with_variable = config(command).await;
    assert_eq!((number(&with_variable, "server", "port"), number(&with_variable, "server", "workers")), (1002, 3));
    // The profile by variable, and a flag on top.
    let mut command = layered(&["config", "--port", "1003"]);
    command.env("PARLANCE__SERVER__PORT", "1002").env("PARLANCE_PROFILE", "mine");
    let with_flag = config(command).await;
    assert_eq!((number(&with_flag, "server", "port"), number(&with_flag, "chat", "members_max")), (1003, 77));
}

#[actix_rt::test]
async fn every_flag_and_the_plain_database_url_arrive() {
    let mut command = parlance(&[
        "config",
        "--host",
        "::1",
        "--port",
        "1",
        "--data-dir",
        "/some/where",
        "--log-level",
        "warn,parlance=trace",
    ]);
    command
        .env("DATABASE_URL", "postgres://plain/x")
        .env("PARLANCE__STORAGE__DATABASE_URL", "postgres://sectioned/x")
        .env("PARLANCE__STORAGE__DATA_DIR", "/else/where");
    let config = config(command).await;
    assert_eq!(config["server"]["host"].as_str(), Some("::1"));
    assert_eq!(config["storage"]["data_dir"].as_str(), Some("/some/where"));
    assert_eq!(config["log"]["level"].as_str(), Some("warn,parlance=trace"));
    assert_eq!(config["storage"]["database_url"].as_str(), Some("postgres://plain/x"));
}

#[actix_rt::test]
async fn secrets_are_never_printed() {
    let external =
        "[{issuer=\"x\",audience=\"y\",algorithms=[\"HS256\"],hs256_secret=\"hunter2-hunter2-hunter2-hunter2-\"}]";
    let mut command = parlance(&["config"]);
    command
        .env("DATABASE_URL", "postgres://ada:hunter2@db.example.com:5433/parlance")
        .env("PARLANCE__AUTH__TOKEN_SECRET", "hunter2-hunter2-hunter2-hunter2-hunter2")
        .env("PARLANCE__AUTH__EXTERNAL", external);
    let printed = run(command).await;
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert!(!printed.stdout.contains("hunter2"), "{}", printed.stdout);
    let config: toml::Table = printed.stdout.parse().unwrap();
    assert_eq!(config["storage"]["database_url"].as_str(), Some("postgres://ada:***@db.example.com:5433/parlance"));
    assert_eq!(config["auth"]["token_secret"].as_str(), Some("***"));
    // A password that cannot even be read does not get into the complaint.
    let mut command = parlance(&["config"]);
    command.env("DATABASE_URL", "mysql://ada:hunter2@db/x").env("PARLANCE__AUTH__TOKEN_SECRET", "hunter2");
    let refused = run(command).await;
    let line = refused.refusal(&["DATABASE_URL", "postgres://", "auth.token_secret", "32"]);
    assert!(!line.contains("hunter2"), "{line}");
}

#[actix_rt::test]
async fn a_mistake_in_a_variable_is_answered_with_its_key_and_what_is_right() {
    let mistakes: [(&str, &str, &[&str]); 12] = [
        ("PARLANCE__SERVER__PROT", "1", &["server.prot", "port"]),
        ("PARLANCE__SERVR__PORT", "1", &["servr", "server"]),
        ("PARLANCE__SERVER__PORT", "http", &["server.port", "\"http\"", "number", "0", "65535"]),
        ("PARLANCE__SERVER__PORT", "70000", &["server.port", "70000", "65535"]),
        ("PARLANCE__SERVER__PORT", "-1", &["server.port", "-1", "65535"]),
        ("PARLANCE__SERVER__HOST", "localhost", &["server.host", "IP address"]),
        ("PARLANCE__DEMO__ENABLED", "maybe", &["demo.enabled", "\"maybe\"", "true", "false"]),
        ("PARLANCE__SERVER__STOP_TIMEOUT_MS", "60000", &["server.stop_timeout_ms", "9000"]),
        ("PARLANCE__SERVER", "5", &["server", "table"]),
        ("PARLANCE__LOG__FORMAT", "xml", &["log.format", "xml", "auto", "pretty", "json"]),
        ("PARLANCE__LOG__LEVEL", "loud=very", &["log.level", "debug"]),
        ("PARLANCE__CHAT__CONTENT_BYTES_MAX", "262144", &["sessions.frame_bytes_max", "chat.content_bytes_max"]),
    ];
    for (name, value, words) in mistakes {
        for command in ["config", "serve", "migrate"] {
            let mut command = parlance(&[command]);
            command.env(name, value);
            run(command).await.refusal(words);
        }
    }
}

#[actix_rt::test]
async fn a_mistake_in_a_profile_is_answered_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let mistakes: [(&str, &[&str]); 4] = [
        ("[server]\nprot = 1", &["server.prot", "port", "bad.toml"]),
        ("[server]\nport = \"http\"", &["server.port", "65535", "bad.toml"]),
        ("[server", &["bad.toml", "line 1"]),
        ("[chat]\nmembers_max = 0\n[log]\nlevel = \"\"", &["chat.members_max", "log.level"]),
    ];
    for (text, words) in mistakes {
        fs::write(folder.path().join("bad.toml"), text).unwrap();
        let mut command = parlance(&["--profile", "bad", "--config-dir"]);
        command.arg(folder.path());
        run(command).await.refusal(words);
    }
    run(parlance(&["--profile", "nowhere"])).await.refusal(&["\"nowhere\"", "config/nowhere.toml", "--config-dir"]);
    run(parlance(&["--profile", "../etc"])).await.refusal(&["\"../etc\"", "letters"]);
}

#[actix_rt::test]
async fn a_mistake_on_the_command_line_is_answered_with_its_flag() {
    let mistakes: [(&[&str], &str); 4] = [
        (&["frobnicate"], "frobnicate"),
        (&["--port", "70000"], "--port"),
        (&["--host", "localhost"], "--host"),
        (&["docs", "novel"], "asyncapi"),
    ];
    for (arguments, word) in mistakes {
        let refused = run(parlance(arguments)).await;
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains(word) && refused.stderr.contains("--help"), "{}", refused.stderr);
    }
}
