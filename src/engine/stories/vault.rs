//! The vault as admins meet it over HTTP: they see what is in it, and never a secret.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp};
use crate::vault::{By, Secret, SecretName};

const KEY: &str = "sk-live-0123456789abcdefwxyz";
const NEXT: &str = "sk-next-0123456789abcdefuvst";

async fn app_with_admin() -> (TestApp, Person) {
    let app = TestApp::start().await;
    let admin = app.sign_up("ada").await;
    app.engine().auth.set_role("ada", crate::accounts::UserRole::Admin).await.unwrap();
    (app, admin)
}

/// As a feature does it.
async fn put(app: &TestApp, name: &str, value: &str) -> String {
    let (name, by) = (SecretName::new("ai.provider", name).unwrap(), By::Engine("ai.providers"));
    let meta = app.engine().vault.put(&name, "OpenAI", &Secret::from(value.to_owned()), &by).await.unwrap();
    meta.id.to_string()
}

async fn used(app: &TestApp, name: &str) -> String {
    let name = SecretName::new("ai.provider", name).unwrap();
    let secret = app.engine().vault.get(&name, &By::Engine("ai.providers")).await.unwrap();
    secret.reveal_text().unwrap().to_owned()
}

fn shows_nothing(answer: &Value) {
    for word in ["sk-live", "sk-next", "0123456789", "ciphertext", "wrapped"] {
        assert!(!answer.to_string().contains(word), "{word} is in {answer}");
    }
}

#[actix_rt::test]
async fn admins_see_replace_and_delete_secrets_and_never_read_one() {
    let (app, admin) = app_with_admin().await;
    let id = put(&app, "one", KEY).await;
    let page = app.ok(Method::GET, "/admin/secrets", &admin, None).await;
    shows_nothing(&page);
    let listed = &page["items"][0];
    assert_eq!(
        (&listed["id"], &listed["scope"], &listed["label"]),
        (&json!(id), &json!("ai.provider"), &json!("OpenAI"))
    );
    assert_eq!((&listed["hint"], &listed["readable"], &page["next"]), (&json!("…wxyz"), &json!(true), &Value::Null));

    let path = format!("/admin/secrets/{id}");
    let replaced = app.ok(Method::PUT, &path, &admin, Some(json!({ "value": NEXT }))).await;
    shows_nothing(&replaced);
    assert_eq!((&replaced["version"], &replaced["hint"]), (&json!(2), &json!("…uvst")));
    assert_eq!(used(&app, "one").await, NEXT);
    assert_eq!(app.call(Method::GET, &path, Some(&admin), None).await.0, 405, "there is no way to read it");

    assert_eq!(app.call(Method::DELETE, &path, Some(&admin), None).await.0, 204);
    assert_eq!(app.call(Method::DELETE, &path, Some(&admin), None).await.0, 404);
    assert_eq!(app.ok(Method::GET, "/admin/secrets", &admin, None).await["items"], json!([]));
    let query = crate::vault::AuditQuery { limit: 10, ..Default::default() };
    let audit = app.engine().vault.audit(&query).await.unwrap();
    let by_admin: Vec<_> = audit.iter().filter(|entry| entry.origin == "user").collect();
    assert_eq!(by_admin.len(), 2, "{audit:?}");
    assert!(by_admin.iter().all(|entry| entry.user_id.map(|id| id.to_string()) == Some(admin.id.clone())));
}

#[actix_rt::test]
async fn nobody_else_learns_that_there_is_one() {
    let (app, _) = app_with_admin().await;
    let ben = app.sign_up("ben").await;
    let path = format!("/admin/secrets/{}", put(&app, "one", KEY).await);
    let body = Some(json!({ "value": NEXT }));
    for (method, path, body) in [
        (Method::GET, "/admin/secrets", None),
        (Method::PUT, path.as_str(), body),
        (Method::DELETE, path.as_str(), None),
        (Method::DELETE, "/admin/secrets/nothing", None),
    ] {
        let (status, answer) = app.call(method.clone(), path, Some(&ben), body.clone()).await;
        assert_eq!((status, &answer["code"]), (403, &json!("auth.not_an_admin")), "{method} {path}");
        assert_eq!(app.call(method, path, None, body).await.0, 401);
    }
    assert_eq!(used(&app, "one").await, KEY);
}

#[actix_rt::test]
async fn what_is_no_secret_or_no_request_is_refused_in_words() {
    let (app, admin) = app_with_admin().await;
    let path = format!("/admin/secrets/{}", put(&app, "one", KEY).await);
    let missing = format!("/admin/secrets/{}", uuid::Uuid::now_v7());
    for (method, path, body, status, code) in [
        (Method::PUT, path.as_str(), json!({ "value": "" }), 422, "vault.empty"),
        (Method::PUT, &path, json!({ "value": "x".repeat(65_537) }), 413, "vault.too_large"),
        (Method::PUT, &path, json!({ "value": "x".repeat(300_000) }), 413, "request.too_large"),
        (Method::PUT, &path, json!({ "value": 7 }), 422, "request.invalid_body"),
        (Method::PUT, &path, json!({}), 422, "request.invalid_body"),
        (Method::PUT, &path, json!(KEY), 422, "request.invalid_body"),
        (Method::PUT, &path, json!({ "value": { KEY: NEXT } }), 422, "request.invalid_body"),
        (Method::PUT, &missing, json!({ "value": NEXT }), 404, "vault.not_found"),
        (Method::PUT, "/admin/secrets/nothing", json!({ "value": NEXT }), 404, "vault.not_found"),
        (Method::GET, "/admin/secrets?scope=No%20Scope", Value::Null, 422, "vault.invalid_name"),
        (Method::GET, "/admin/secrets?after=nothing", Value::Null, 422, "request.invalid_page"),
    ] {
        let body = (!body.is_null()).then_some(body);
        let (answered, answer) = app.call(method.clone(), path, Some(&admin), body).await;
        assert_eq!((answered, &answer["code"]), (status, &json!(code)), "{method} {path}: {answer}");
        shows_nothing(&answer);
    }
    assert_eq!(used(&app, "one").await, KEY);
}

#[actix_rt::test]
async fn pages_follow_each_other() {
    let (app, admin) = app_with_admin().await;
    for n in 0..5 {
        put(&app, &n.to_string(), KEY).await;
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = app.ok(Method::GET, &format!("/admin/secrets?scope=ai.provider&limit=2{after}"), &admin, None).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(names, ["0", "1", "2", "3", "4"]);
}

#[actix_rt::test]
async fn an_engine_without_its_keys_serves_everything_else_and_says_so() {
    let (app, admin) = app_with_admin().await;
    let id = put(&app, "one", KEY).await;
    let (database, folder) = app.stop().await;
    let aside = folder.path().join("aside");
    std::fs::rename(folder.path().join("vault.key"), &aside).unwrap();
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_eq!(app.page("/readyz").await.0, 200);
    let room = app.group(&[&admin]).await;
    assert_eq!(app.post(&admin, &room, "1", "hello").await, 1);
    let page = app.ok(Method::GET, "/admin/secrets", &admin, None).await;
    assert_eq!(page["items"][0]["readable"], false);
    let body = Some(json!({ "value": NEXT }));
    let (status, answer) = app.call(Method::PUT, &format!("/admin/secrets/{id}"), Some(&admin), body).await;
    assert_eq!((status, &answer["code"]), (409, &json!("vault.locked")));
    assert!(!answer.to_string().contains("vault.key"), "no paths for clients: {answer}");
    std::fs::rename(&aside, folder_of(&app).join("vault.key")).unwrap();
    assert_eq!(used(&app, "one").await, KEY);
}

fn folder_of(app: &TestApp) -> &std::path::Path {
    app.folder.path()
}
