//! Connections: what they are set to, where they lead, and what becomes of them.

use nix::sys::signal::Signal;

use crate::storage::{StorageError, parse_url};
use crate::testing::process::{Engine, engine_with, run, until};
use crate::testing::{DataFolder, Dba, Proxy, TestDatabase};

#[actix_rt::test]
async fn what_the_role_has_as_its_default_changes_nothing() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    for setting in
        ["default_transaction_isolation = serializable", "row_security = off", "default_transaction_deferrable = on"]
    {
        dba.sql(&database, &format!("ALTER ROLE {user} SET {setting}")).await;
    }
    let app = super::works(&dba.url(&user, &database)).await;
    let storage = &app.engine().storage;
    let ask = "SELECT current_setting('transaction_isolation')";
    let pooled: String = sqlx::query_scalar(ask).fetch_one(storage.engine()).await.unwrap();
    let mut dedicated = storage.dedicated_connection().await.unwrap();
    let own: String = sqlx::query_scalar(ask).fetch_one(&mut dedicated).await.unwrap();
    assert_eq!((pooled.as_str(), own.as_str()), ("read committed", "read committed"));
}

#[actix_rt::test]
async fn a_connection_that_can_only_read_is_not_used_again() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    let storage = dba.open(&dba.url(&user, &database)).await.unwrap();
    let write = async || sqlx::query("UPDATE log_epoch SET begun_at = begun_at").execute(storage.engine()).await;
    write().await.unwrap();
    dba.sql("postgres", &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ";
    dba.sql("postgres", &format!("{end}'{user}'")).await;
    until("writes are refused", async || write().await.is_err()).await;
    // What is only read goes on.
    sqlx::query("SELECT FROM users").execute(storage.engine()).await.unwrap();
    dba.sql("postgres", &format!("ALTER DATABASE {database} RESET default_transaction_read_only")).await;
    for _ in 0..10 {
        write().await.unwrap();
    }
}

#[actix_rt::test]
async fn a_start_does_not_take_a_server_that_only_reads() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE").await;
    let database = dba.database("chat", &user, "").await;
    dba.sql("postgres", &format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
    let refused = dba.open(&dba.url(&user, &database)).await.unwrap_err();
    assert!(refused.is_passing() && refused.to_string().contains("default_transaction_read_only"), "{refused}");
}

#[actix_rt::test]
async fn a_postgres_that_starts_a_moment_later_is_waited_for() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let proxy = Proxy::before(&database.url()).await;
    proxy.cut();
    let mut engine = Engine::spawn(engine_with(&folder, proxy.url()));
    until("it waits", async || engine.log().contains("waiting for Postgres")).await;
    proxy.mend();
    engine.ready().await;
    engine.stop().await;
}

#[actix_rt::test]
async fn a_postgres_that_stays_away_is_worth_another_start_and_a_mistake_is_not() {
    let folder = DataFolder::new();
    let database = TestDatabase::create().await;
    let mut absent: reqwest::Url = database.url().parse().unwrap();
    absent.set_path("/parlance_test_absent");
    let cases: [(&str, i32, &[&str]); 4] = [
        ("postgres://ada:hunter2@127.0.0.1:1/x", 75, &["127.0.0.1:1/x", "refused", "storage.start_timeout_ms"]),
        ("postgres://ada:hunter2@[::1]:1/x", 75, &["[::1]:1/x", "storage.start_timeout_ms"]),
        ("postgres://ada:hunter2@nowhere.invalid/x", 78, &["nowhere.invalid:5432/x", "does not resolve"]),
        (absent.as_str(), 78, &["parlance_test_absent", "does not exist"]),
    ];
    for (url, code, words) in cases {
        let mut command = engine_with(&folder, url);
        command.env("PARLANCE__STORAGE__START_TIMEOUT_MS", if code == 75 { "0" } else { "60000" });
        let ended = run(command).await;
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        for word in words {
            assert!(ended.stderr.contains(word), "{word} is not in {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("hunter2"));
    }
}

#[actix_rt::test]
async fn a_stop_ends_the_waiting() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let proxy = Proxy::before(&database.url()).await;
    proxy.cut();
    let engine = Engine::spawn(engine_with(&folder, proxy.url()));
    until("it waits", async || engine.log().contains("waiting for Postgres")).await;
    engine.signal(Signal::SIGTERM);
    assert_eq!(engine.ended().await.code, Some(0));
}

#[actix_rt::test]
async fn an_ipv6_address_in_the_url() {
    let options = parse_url("postgres://ada:x@[::1]:5433/chat").unwrap();
    assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
    let database = TestDatabase::create().await;
    let proxy = Proxy::before_at("[::1]:0", &database.url()).await;
    assert!(proxy.url().contains("[::1]"), "{}", proxy.url());
    super::works(proxy.url()).await;
}

#[actix_rt::test]
async fn two_engines_on_one_database_say_so() {
    let (one, other, database) = (DataFolder::new(), DataFolder::new(), TestDatabase::create().await);
    let first = Engine::start(engine_with(&one, &database.url())).await;
    assert!(!first.log().contains("more than one engine"), "{}", first.log());
    let second = Engine::start(engine_with(&other, &database.url())).await;
    until("the second says so", async || second.log().contains("more than one engine")).await;
    first.stop().await;
    second.stop().await;
}

#[actix_rt::test]
async fn limits_that_the_engine_would_reach_are_named_with_what_to_set() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE CONNECTION LIMIT 12").await;
    let database = dba.database("chat", &user, "").await;
    let folder = DataFolder::new();
    let mut command = engine_with(&folder, &dba.url(&user, &database));
    command.env("PARLANCE__STORAGE__POOL_CONNECTIONS_MAX", "10");
    let engine = Engine::start(command).await;
    let wanted = format!("ALTER ROLE \\\"{user}\\\" CONNECTION LIMIT 14;");
    until("the log says so", async || engine.log().contains(&wanted)).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn a_limit_that_is_reached_at_the_start_is_named() {
    let dba = Dba::new();
    let user = dba.user("owner", "CREATEROLE CONNECTION LIMIT 0").await;
    let database = dba.database("chat", &user, "").await;
    let refused = dba.open(&dba.url(&user, &database)).await.unwrap_err();
    assert!(
        matches!(refused, StorageError::Away { .. }) && refused.to_string().contains("too many connections"),
        "{refused}"
    );
}
