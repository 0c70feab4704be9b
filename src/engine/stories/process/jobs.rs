//! `parlance jobs …` beside a running engine.

use std::process::Command;

use uuid::Uuid;

use crate::testing::process::{Engine, engine_with, parlance, run, until};
use crate::testing::{DataFolder, TestDatabase};

fn jobs(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = parlance(&["jobs"]);
    command.args(arguments).env("DATABASE_URL", database.url());
    command
}

async fn said(database: &TestDatabase, arguments: &[&str]) -> String {
    let ended = run(jobs(database, arguments)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout
}

#[actix_rt::test]
async fn dead_jobs_are_listed_tried_again_and_deleted_from_the_command_line() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let mut command = engine_with(&folder, &database.url());
    command.env("PARLANCE__JOBS__POLL_MS", "100");
    let engine = Engine::start(command).await;
    let id = Uuid::now_v7();
    let misfit = format!(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at)
         VALUES ('{id}', 'auth.delete_expired', '{{\"secret\": \"hunter2\"}}', now(), now())"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(misfit)).execute(database.storage.engine()).await.unwrap();
    let id = id.to_string();
    let dead = async || said(&database, &["list", "--state", "dead"]).await;
    until("it is dead", async || dead().await.contains(&id)).await;
    let list = dead().await;
    assert!(list.contains("auth.delete_expired") && list.contains("payload does not fit"), "{list}");
    assert!(list.ends_with("\n1 job\n") && !list.contains("hunter2"), "{list}");
    assert_eq!(said(&database, &["retry", &id]).await, format!("{id} waits to be run.\n"));
    until("it died again", async || engine.log().matches("a job is dead").count() == 2).await;
    assert!(!engine.log().contains("hunter2"), "{}", engine.log());
    assert_eq!(said(&database, &["delete", &id]).await, format!("{id} is gone.\n"));
    run(jobs(&database, &["delete", &id])).await.refusal(&["no such job", "parlance jobs list"]);
    let strange = run(jobs(&database, &["list", "--state", "alive"])).await;
    assert!(
        strange.code == Some(2) && strange.stderr.contains(r#"["pending", "running", "dead"]"#),
        "{}",
        strange.stderr
    );
    engine.stop().await;
}
