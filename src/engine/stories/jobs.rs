//! What follows commits or is due at a time, as admins see it; and what an engine does by itself.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::UserRole;
use crate::testing::process::until;
use crate::testing::{Person, TestApp};

async fn admin(app: &TestApp) -> Person {
    let root = app.sign_up("root").await;
    app.engine().auth.set_role("root", UserRole::Admin).await.unwrap();
    root
}

/// A job that no handler can do: what it holds is of another shape.
async fn misfit(app: &TestApp) -> Uuid {
    let id = Uuid::now_v7();
    app.sql(&format!(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at)
         VALUES ('{id}', 'auth.delete_expired', '{{\"secret\": \"hunter2\"}}', now(), now())"
    ))
    .await;
    app.engine().jobs.wake();
    id
}

async fn dead(app: &TestApp, by: &Person) -> Vec<Value> {
    let page = app.ok(Method::GET, "/admin/jobs?state=dead", by, None).await;
    page["items"].as_array().unwrap().clone()
}

#[actix_rt::test]
async fn an_admin_sees_dead_jobs_without_their_payloads_tries_them_again_and_drops_them() {
    let app = TestApp::start().await;
    let root = admin(&app).await;
    let id = misfit(&app).await;
    until("it is dead", async || !dead(&app, &root).await.is_empty()).await;
    let job = dead(&app, &root).await.remove(0);
    let of_it = (&job["id"], &job["kind"], &job["state"], &job["attempts"]);
    assert_eq!(of_it, (&json!(id), &json!("auth.delete_expired"), &json!("dead"), &json!(1)));
    assert!(job["last_error"].as_str().unwrap().contains("payload does not fit"), "{job}");
    assert!(job["payload"].is_null() && !job.to_string().contains("hunter2"), "{job}");
    let path = format!("/admin/jobs/{id}");
    let died = job["dead_at"].clone();
    assert_eq!(app.call(Method::POST, &format!("{path}/retry"), Some(&root), None).await.0, 204);
    until("it died again", async || dead(&app, &root).await.iter().any(|job| job["dead_at"] != died)).await;
    assert_eq!(app.call(Method::DELETE, &path, Some(&root), None).await.0, 204);
    let (status, problem) = app.call(Method::DELETE, &path, Some(&root), None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("jobs.not_found")));
    assert!(dead(&app, &root).await.is_empty());
}

#[actix_rt::test]
async fn a_job_of_a_kind_that_this_version_does_not_run_is_shown_and_left() {
    let app = TestApp::start().await;
    let root = admin(&app).await;
    app.sql(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at)
         VALUES (gen_random_uuid(), 'later.thing', 'null', now() - interval '1 day', now())",
    )
    .await;
    let jobs = app.ok(Method::GET, "/admin/jobs?kind=later.thing", &root, None).await;
    let job = &jobs["items"][0];
    assert_eq!((&job["unknown_kind"], &job["state"], &job["attempts"]), (&json!(true), &json!("pending"), &json!(0)));
    let known = app.ok(Method::GET, "/admin/jobs?kind=auth.delete_expired", &root, None).await;
    assert!(known["items"].as_array().unwrap().iter().all(|job| job["unknown_kind"].is_null()));
}

#[actix_rt::test]
async fn only_an_admin_may_and_what_is_asked_must_make_sense() {
    let app = TestApp::start().await;
    let (root, ada) = (admin(&app).await, app.sign_up("ada").await);
    let id = Uuid::now_v7();
    app.sql(&format!(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at)
         VALUES ('{id}', 'test.nobody_runs_it', 'null', now(), now())"
    ))
    .await;
    let (one, retry) = (format!("/admin/jobs/{id}"), format!("/admin/jobs/{id}/retry"));
    for (method, path) in [(Method::GET, "/admin/jobs"), (Method::POST, &*retry), (Method::DELETE, &*one)] {
        let (status, problem) = app.call(method.clone(), path, Some(&ada), None).await;
        assert_eq!((status, &problem["code"]), (403, &json!("auth.not_an_admin")), "{path}");
        assert_eq!(app.call(method, path, None, None).await.0, 401, "{path}");
    }
    for (method, path) in [(Method::POST, &*retry), (Method::DELETE, &*one)] {
        let (status, problem) = app.call(method, path, Some(&root), None).await;
        assert_eq!((status, &problem["code"]), (409, &json!("jobs.not_dead")), "{path}");
    }
    for (query, code) in [
        ("state=alive", "jobs.invalid_query"),
        ("kind=%00", "jobs.invalid_query"),
        ("state=dead%00", "jobs.invalid_query"),
        ("limit=0", "request.invalid_page"),
        ("limit=201", "request.invalid_page"),
        ("before=x", "request.invalid_page"),
    ] {
        let (status, problem) = app.call(Method::GET, &format!("/admin/jobs?{query}"), Some(&root), None).await;
        assert_eq!((status, &problem["code"]), (422, &json!(code)), "{query}: {problem}");
    }
    assert_eq!(app.call(Method::GET, "/admin/jobs?limit=many", Some(&root), None).await.0, 400);
    for path in ["/admin/jobs/x/retry", "/admin/jobs/00000000-0000-0000-0000-000000000000/retry"] {
        assert_eq!(app.call(Method::POST, path, Some(&root), None).await.0, 404, "{path}");
    }
    let none = app.ok(Method::GET, "/admin/jobs?kind='%3B%20DROP%20TABLE%20jobs", &root, None).await;
    assert_eq!(none, json!({ "items": [], "next": null }));
    let found = app.ok(Method::GET, "/admin/jobs?kind=test.nobody_runs_it&state=pending", &root, None).await;
    assert_eq!(found["items"][0]["id"], json!(id));
}

async fn number(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(app.database.storage.engine()).await.unwrap()
}

#[actix_rt::test]
async fn what_has_expired_is_removed_by_itself_also_by_a_job_of_an_engine_that_crashed() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let (left, links) = ("SELECT count(*) FROM jobs", "SELECT count(*) FROM password_resets");
    let ahead = "SELECT count(*) FROM job_schedules WHERE next_at > now()";
    until("each schedule ran", async || number(&app, ahead).await == 4 && number(&app, left).await == 0).await;
    let expired = format!(
        "INSERT INTO password_resets (user_id, hash, created_at, expires_at)
         VALUES ('{}', sha256('x'), now() - interval '2 days', now() - interval '1 day')",
        ada.id
    );
    app.sql(&expired).await;
    app.sql("UPDATE job_schedules SET next_at = now() WHERE kind = 'auth.delete_expired'").await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |config| config.jobs.poll_ms = 100).await;
    until("the link is gone", async || number(&app, links).await == 0).await;
    app.sql(&expired).await;
    app.sql(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at, attempts, leased_by, leased_until)
         VALUES (gen_random_uuid(), 'auth.delete_expired', 'null', now(), now(), 1, gen_random_uuid(),
                 now() + interval '300 ms')",
    )
    .await;
    until("that of the lease is gone", async || number(&app, links).await == 0).await;
    until("so is the job", async || number(&app, left).await == 0).await;
}
