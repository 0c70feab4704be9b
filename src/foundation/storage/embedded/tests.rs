//! Against a real PostgreSQL (`make setup` installs it), as whichever user runs the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tempfile::TempDir;

use super::*;
use crate::testing::open_folder as folder;

/// Every wait below is for a process or a socket, and fails the test after this.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tells [`an_engine_of_its_own`] which data folder to run on.
const ENGINE_FOLDER: &str = "PARLANCE_TEST_ENGINE_FOLDER";

fn settings(data_dir: &Path) -> EmbeddedSettings {
    EmbeddedSettings {
        data_dir: data_dir.to_owned(),
        bin_dir: None,
        port: 5432,
        shared_buffers_mb: 16,
        max_connections: 20,
        start_timeout: PATIENCE,
        stop_timeout: Duration::from_secs(10),
    }
}

async fn start(folder: &TempDir) -> EmbeddedPostgres {
    EmbeddedPostgres::start(settings(folder.path())).await.unwrap()
}

async fn pool(postgres: &EmbeddedPostgres) -> PgPool {
    PgPoolOptions::new().max_connections(4).connect_with(postgres.connect_options()).await.unwrap()
}

async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !happened().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

/// A zombie, which waits for its parent to ask after it, does not run.
fn runs(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command_line| !command_line.is_empty())
}

/// Not a test: the engine that other tests run in a process of its own, to kill it.
#[tokio::test]
#[ignore = "run by other tests, as a process that they can kill"]
async fn an_engine_of_its_own() {
    let Some(folder) = std::env::var_os(ENGINE_FOLDER) else { return };
    let data_dir = open_data_dir(Path::new(&folder), Holds::Postgres).unwrap();
    let postgres = EmbeddedPostgres::start(settings(data_dir.path())).await.unwrap();
    println!("ready {}", postgres.pid().unwrap());
    std::future::pending::<()>().await;
}

/// Starts [`an_engine_of_its_own`].
fn spawn_engine(data_dir: &Path) -> Child {
    let (_crate, module) = module_path!().split_once("::").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", &format!("{module}::an_engine_of_its_own")])
        .env(ENGINE_FOLDER, data_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The process id of its postmaster, once that answers.
fn wait_for_postmaster(engine: &mut Child) -> u32 {
    use std::io::{BufRead, BufReader};
    let output = BufReader::new(engine.stdout.take().unwrap());
    // Beside the libtest's own text, maybe on the same line.
    let ready =
        output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("ready ")?.1.parse().unwrap()));
    ready.expect("the engine ended before its Postgres was ready")
}

fn kill_engine(mut engine: Child) {
    engine.kill().unwrap();
    engine.wait().unwrap();
}

/// Only so can a test have an orphan: the watchdog would stop it.
fn kill_watchdog_of(postmaster: u32) {
    let needle = format!("parlance-watchdog\0{postmaster}\0");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command_line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&command_line).contains(&needle) {
            signal(entry.file_name().to_str().unwrap().parse().unwrap(), Signal::SIGKILL);
            return;
        }
    }
    panic!("postmaster {postmaster} has no watchdog");
}

#[tokio::test]
async fn the_first_start_makes_a_database_and_the_second_finds_the_data() {
    let folder = folder();
    let postgres = start(&folder).await;
    assert!(postgres.version().split('.').next().unwrap().parse::<u32>().unwrap() >= 15);
    let first = pool(&postgres).await;
    sqlx::raw_sql("CREATE EXTENSION vector; CREATE TABLE t AS SELECT 'kept' AS x").execute(&first).await.unwrap();
    for (setting, expected) in [("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", "")] {
        let value: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&first).await.unwrap();
        assert_eq!(value, expected, "{setting}");
    }
    let pid = postgres.pid().unwrap();
    postgres.stop().await;
    assert!(!runs(pid) && postgres.pid().is_none());
    postgres.stop().await;

    let mode = fs::metadata(folder.path().join("postgres.password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let postgres = start(&folder).await;
    let kept: String = sqlx::query_scalar("SELECT x FROM t").fetch_one(&pool(&postgres).await).await.unwrap();
    assert_eq!(kept, "kept");
    assert_eq!(postgres.restarts(), 0);
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_postmaster_is_replaced_while_the_pool_goes_on() {
    let folder = folder();
    let postgres = start(&folder).await;
    let pool = pool(&postgres).await;
    sqlx::raw_sql("CREATE TABLE t (x int)").execute(&pool).await.unwrap();
    for round in 1..=2 {
        // This one never looks up from its work, and so does not notice that its postmaster died.
        let busy = pool.clone();
        let busy =
            tokio::spawn(
                async move { sqlx::query("SELECT count(*) FROM generate_series(1, 1e12)").execute(&busy).await },
            );
        sqlx::query("INSERT INTO t VALUES ($1)").bind(round).execute(&pool).await.unwrap();
        let killed = postgres.pid().unwrap();
        signal(killed, Signal::SIGKILL);
        until("the pool works again", async || {
            sqlx::query("SELECT 1").execute(&pool).await.is_ok() && postgres.pid().is_some_and(|pid| pid != killed)
        })
        .await;
        assert!(busy.await.unwrap().is_err(), "the busy backend went with its server");
        assert_eq!(postgres.restarts(), u64::try_from(round).unwrap());
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 2, "what was committed before each kill is there");
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_backend_does_not_take_the_server_along_for_long() {
    let folder = folder();
    let postgres = start(&folder).await;
    let pool = pool(&postgres).await;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.unwrap();
    signal(backend.try_into().unwrap(), Signal::SIGKILL);
    until("the pool works again", async || sqlx::query("SELECT 1").execute(&pool).await.is_ok()).await;
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_engine_takes_its_server_along() {
    let folder = folder();
    let mut engine = spawn_engine(folder.path());
    let postmaster = wait_for_postmaster(&mut engine);
    kill_engine(engine);
    until("the watchdog has stopped the server", async || !runs(postmaster)).await;
    assert!(!folder.path().join("postgres/postmaster.pid").exists(), "it stopped in an orderly way");
}

#[tokio::test]
async fn an_engine_started_right_after_a_kill_gets_a_server_of_its_own() {
    let folder = folder();
    for _ in 0..3 {
        let mut engine = spawn_engine(folder.path());
        let orphan = wait_for_postmaster(&mut engine);
        kill_engine(engine);
        // The watchdog is stopping the orphan just now, or is about to.
        let lock = open_data_dir(folder.path(), Holds::Postgres).unwrap();
        let postgres = EmbeddedPostgres::start(settings(lock.path())).await.unwrap();
        assert!(!runs(orphan));
        let pool = pool(&postgres).await;
        let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await.unwrap();
        assert_eq!((one, postgres.restarts()), (1, 0), "the old watchdog leaves the new server alone");
        postgres.stop().await;
    }
}

#[tokio::test]
async fn an_orphan_that_nobody_stopped_is_stopped_by_the_next_engine() {
    let folder = folder();
    let mut engine = spawn_engine(folder.path());
    let orphan = wait_for_postmaster(&mut engine);
    kill_watchdog_of(orphan);
    kill_engine(engine);
    assert!(runs(orphan));
    let postgres = start(&folder).await;
    assert!(!runs(orphan));
    assert_ne!(postgres.pid(), Some(orphan));
    postgres.stop().await;
}

#[tokio::test]
async fn a_first_start_that_is_killed_at_any_moment_leaves_nothing_in_the_way() {
    let folder = folder();
    for milliseconds in [5, 60, 120, 200, 300, 450] {
        let engine = spawn_engine(folder.path());
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        kill_engine(engine);
    }
    // And one whose initdb surely stopped half-way.
    let unfinished = folder.path().join("postgres.initdb-half");
    fs::create_dir_all(unfinished.join("base")).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "18\n").unwrap();
    let lock = open_data_dir(folder.path(), Holds::Postgres).unwrap();
    let postgres = EmbeddedPostgres::start(settings(lock.path())).await.unwrap();
    sqlx::query("SELECT 1").execute(&pool(&postgres).await).await.unwrap();
    assert!(!unfinished.exists());
    postgres.stop().await;
}

#[tokio::test]
async fn a_stale_pid_file_is_no_obstacle_even_when_its_number_is_in_use() {
    let folder = folder();
    start(&folder).await.stop().await;
    let stale = format!("{}\n{}\n0\n5432\n\n\n", std::process::id(), folder.path().join("postgres").display());
    fs::write(folder.path().join("postgres/postmaster.pid"), &stale).unwrap();
    fs::create_dir(folder.path().join("postgres.socket")).unwrap();
    fs::write(folder.path().join("postgres.socket/.s.PGSQL.5432.lock"), stale).unwrap();
    start(&folder).await.stop().await;
}

/// As a full disk or a power cut leaves it.
#[tokio::test]
async fn a_pid_file_that_names_nothing_is_no_obstacle() {
    let folder = folder();
    start(&folder).await.stop().await;
    for text in ["", "\n", "no number\n"] {
        fs::write(folder.path().join("postgres/postmaster.pid"), text).unwrap();
        start(&folder).await.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_somebody_started_by_hand_keeps_its_data_to_itself() {
    let folder = folder();
    let postgres = start(&folder).await;
    postgres.stop().await;
    let cluster = &postgres.server.cluster.dir;
    let program = postgres.server.install.bin.join("postgres");
    let mut by_hand = process::clean_command(&program, &postgres.server.account)
        .arg("-D")
        .arg(cluster)
        .args(["-c", "listen_addresses=", "-c", &format!("unix_socket_directories={}", cluster.display())])
        .kill_on_drop(true)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("it has its pid file", async || cluster.join("postmaster.pid").exists()).await;
    let error = EmbeddedPostgres::start(settings(folder.path())).await.unwrap_err();
    assert!(error.to_string().contains("postmaster.pid\" already exists"), "{error}");
    signal(by_hand.id().unwrap(), Signal::SIGINT);
    by_hand.wait().await.unwrap();
    start(&folder).await.stop().await;
}

#[tokio::test]
async fn root_runs_it_as_whoever_owns_the_data() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    start(&folder).await.stop().await;
    for path in ["postgres", "postgres.password"] {
        let status = Command::new("chown").arg("-R").arg("nobody").arg(folder.path().join(path)).status().unwrap();
        assert!(status.success());
    }
    let postgres = start(&folder).await;
    assert_eq!(postgres.server.account.name, "nobody");
    sqlx::query("SELECT 1").execute(&pool(&postgres).await).await.unwrap();
    postgres.stop().await;
}

#[tokio::test]
async fn a_lost_password_file_is_made_anew() {
    let folder = folder();
    start(&folder).await.stop().await;
    let password = folder.path().join("postgres.password");
    let old = fs::read_to_string(&password).unwrap();
    fs::remove_file(&password).unwrap();
    let postgres = start(&folder).await;
    assert_ne!(fs::read_to_string(&password).unwrap(), old);
    sqlx::query("SELECT 1").execute(&pool(&postgres).await).await.unwrap();
    postgres.stop().await;

    fs::write(&password, "not the one\n").unwrap();
    let error = EmbeddedPostgres::start(settings(folder.path())).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Login { .. }), "{error}");
}

#[tokio::test]
async fn a_long_path_puts_the_socket_elsewhere_and_leaves_nothing_there() {
    let folder = folder();
    let deep = folder.path().join("a-folder-with-a-name, so long/".repeat(4));
    let lock = open_data_dir(&deep, Holds::Postgres).unwrap();
    let postgres = EmbeddedPostgres::start(settings(lock.path())).await.unwrap();
    let options = postgres.connect_options();
    let socket_dir = options.get_socket().unwrap().clone();
    assert!(socket_dir.starts_with("/tmp") && !socket_dir.starts_with(&deep));
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    sqlx::query("SELECT 1").execute(&pool(&postgres).await).await.unwrap();
    postgres.stop().await;
    assert!(!socket_dir.exists());
}

#[tokio::test]
async fn data_of_another_version_or_of_no_version_is_left_alone() {
    let folder = folder();
    let cluster = folder.path().join("postgres");
    fs::create_dir(&cluster).unwrap();
    fs::write(cluster.join("something"), "else").unwrap();
    std::os::unix::fs::chown(&cluster, Some(Account::choose(&cluster).unwrap().uid()), None).unwrap();
    let error = EmbeddedPostgres::start(settings(folder.path())).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotACluster { .. }), "{error}");

    fs::write(cluster.join("PG_VERSION"), "12\n").unwrap();
    let error = EmbeddedPostgres::start(settings(folder.path())).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::OtherMajor { cluster: 12, .. }), "{error}");
    assert_eq!(fs::read_to_string(cluster.join("something")).unwrap(), "else");
}

#[tokio::test]
async fn a_server_that_cannot_start_is_quoted() {
    let folder = folder();
    start(&folder).await.stop().await;
    fs::remove_file(folder.path().join("postgres/global/pg_control")).unwrap();
    let error = EmbeddedPostgres::start(settings(folder.path())).await.unwrap_err().to_string();
    assert!(
        error.contains("postgres.log ends with") && error.contains("could not find the database system"),
        "{error}"
    );
}

#[test]
fn a_second_engine_on_the_same_folder_is_refused() {
    let folder = folder();
    let path = folder.path().join("data");
    let first = open_data_dir(&path, Holds::Postgres).unwrap();
    let error = open_data_dir(&path, Holds::Postgres).unwrap_err();
    let expected = format!("process {}", std::process::id());
    assert!(matches!(error, DataDirError::InUse { .. }) && error.to_string().contains(&expected), "{error}");
    drop(first);
    open_data_dir(&path, Holds::Postgres).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = open_data_dir(&folder.path().join("file/data"), Holds::Postgres).unwrap_err();
    assert!(matches!(error, DataDirError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[test]
fn root_moves_to_a_folder_that_the_account_of_postgres_can_reach() {
    let folder = folder();
    let inside = folder.path().join("data");
    assert_eq!(data_dir::within_reach(inside.clone()), inside);
    if geteuid().is_root() {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(data_dir::within_reach(inside.clone()), Path::new(SYSTEM_DIR));
    }
    // Where only the engine itself looks, there is nothing to reach.
    assert_eq!(open_data_dir(&inside, Holds::KeysOnly).unwrap().path(), inside);
}
