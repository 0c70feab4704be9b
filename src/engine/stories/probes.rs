//! Paths that are not the client's: probes and what else answers machines must never be answered with a page.

use reqwest::Method;
use serde_json::Value;

use crate::testing::TestApp;

/// Status and content type.
async fn ask(app: &TestApp, method: Method, path: &str) -> (u16, String) {
    let response = app.http.request(method, format!("{}{path}", app.base)).send().await.unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (response.status().as_u16(), kind.unwrap_or_default())
}

#[actix_rt::test]
async fn head_is_answered_as_get_without_the_body() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/docs/openapi.json",
        "/docs/asyncapi.json",
        "/docs/http/",
        "/",
        "/room/0190a000-0000-7000-8000-000000000000",
        "/api/v1/rooms",
        "/api/v1/users/me",
        "/api/v1/nothing",
        "/api/v1/ws",
        "/healthz/",
        "/nothing.txt",
        "/internal/actors",
    ] {
        let request = |method| app.http.request(method, format!("{}{path}", app.base)).bearer_auth(&ada.token).send();
        let (head, get) = (request(Method::HEAD).await.unwrap(), request(Method::GET).await.unwrap());
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.headers().get("content-type"), get.headers().get("content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    // The body is left out, not answered late: the connection goes on with the next request.
    let (status, _) = app.page("/healthz").await;
    assert_eq!(status, 200);
}

#[actix_rt::test]
async fn reserved_names_and_files_that_are_not_there_are_404_and_routes_of_the_client_are_its_page() {
    let app = TestApp::start().await;
    for path in [
        "/healthz/",
        "/readyz/",
        "/metrics/",
        "/readyz/x",
        "//readyz",
        "/READYZ",
        "/api",
        "/api/",
        "/api/v2/rooms",
        "/internal",
        "/internal/",
        "/docs/nothing",
        "/webhooks/whatsapp/7",
        "/hooks/token",
        "/mcp",
        "/whip/x",
        "/whep/x",
        "/assets/",
        "/assets/gone.js",
        "/robots.txt",
        "/room/photo.png",
        "/.well-known/security",
        "/.env",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let answer = ask(&app, method.clone(), path).await;
            assert_eq!(answer, (404, "application/problem+json".into()), "{method} {path}");
        }
    }
    // A person finds their way from the page of what is nobody's; a probe finds that it is not there.
    for (status, paths) in [
        (200, ["/", "/room/0190a000-0000-7000-8000-000000000000", "/reset", "/?z=/readyz/"]),
        (404, ["/room/", "/settings", "/livez", "/%72eadyz/"]),
    ] {
        for path in paths {
            assert_eq!(ask(&app, Method::GET, path).await, (status, "text/html; charset=utf-8".into()), "{path}");
            assert_eq!(ask(&app, Method::HEAD, path).await.0, status, "{path}");
            let refused = if status == 200 { 405 } else { 404 };
            assert_eq!(ask(&app, Method::POST, path).await.0, refused, "{path}");
        }
    }
}

#[actix_rt::test]
async fn readiness_names_its_checks() {
    let app = TestApp::start().await;
    let (status, said) = app.page("/readyz").await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &said["ready"]), (200, &Value::Bool(true)), "{said}");
    let checks = said["checks"].as_object().unwrap();
    for name in ["database", "writable", "reader_role", "grants", "policies", "writes", "actors"] {
        assert_eq!(checks[name], "ok", "{said}");
    }
}
