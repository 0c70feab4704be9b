//! Hostile HTTP: every refusal is a problem that says what is wrong and under which id the log has it.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::testing::{PASSWORD, Person, TestApp};

/// Sends, and returns status and code of an answer that must be a well-formed problem.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let request_id = "test-request-7";
    let response = request.header("x-request-id", request_id).send().await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["x-request-id"], request_id);
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let retry_after = response.headers().contains_key("retry-after");
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&body["status"], &body["request_id"]), (&json!(status.as_u16()), &json!(request_id)), "{body}");
    assert_eq!((&body["type"], &body["title"]), (&json!("about:blank"), &json!(status.canonical_reason())));
    assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 15), "{body}");
    assert_eq!(body["retry_after_ms"].is_number(), retry_after);
    for word in ["sqlx", "SELECT", "panicked", "src/"] {
        assert!(!text.contains(word), "{text}");
    }
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    (status.as_u16(), body["code"].as_str().unwrap().to_owned())
}

fn request(app: &TestApp, by: &Person, method: Method, path: &str) -> RequestBuilder {
    app.http.request(method, format!("{}/api/v1{path}", app.base)).bearer_auth(&by.token)
}

#[actix_rt::test]
async fn malformed_bodies_are_told_apart() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let deep = format!(r#"{{"client_id":"c","parts":{}"#, "[".repeat(100_000));
    let long = format!(r#"{{"client_id":"c","content":"{}"}}"#, "x".repeat(262_144));
    for (body, wanted) in [
        ("", (400, "request.invalid_json")),
        ("{", (400, "request.invalid_json")),
        ("nonsense", (400, "request.invalid_json")),
        (deep.as_str(), (400, "request.invalid_json")),
        ("{\"client_id\":\"\\ud800\"}", (400, "request.invalid_json")),
        ("{}", (422, "request.invalid_body")),
        ("7", (422, "request.invalid_body")),
        (r#"{"client_id":7,"content":"x"}"#, (422, "request.invalid_body")),
        (r#"{"client_id":"c","content":"x","reply_to":"nonsense"}"#, (422, "request.invalid_body")),
        (r#"{"client_id":"c","content":"\u0000"}"#, (422, "chat.invalid")),
        (r#"{"client_id":"c\u0000","content":"x"}"#, (422, "chat.invalid")),
        (r#"{"client_id":"c","content":" "}"#, (422, "chat.invalid")),
        (long.as_str(), (413, "request.too_large")),
    ] {
        let path = format!("/rooms/{room}/messages");
        let post = request(&app, &ada, Method::POST, &path).header("content-type", "application/json");
        let (status, code) = refused(post.body(body.to_owned())).await;
        assert_eq!((status, code.as_str()), wanted, "{}", &body[..body.len().min(60)]);
    }
    let path = format!("/rooms/{room}/messages");
    let invalid_utf8 = b"{\"client_id\":\"c\",\"content\":\"\xff\"}".to_vec();
    let post = request(&app, &ada, Method::POST, &path).header("content-type", "application/json").body(invalid_utf8);
    assert_eq!(refused(post).await.0, 400);
    let plain = request(&app, &ada, Method::POST, &path).body(r#"{"client_id":"c","content":"x"}"#);
    assert_eq!(refused(plain).await, (415, "request.not_json".into()));
    // Longer than a message may be, but not than a body may be.
    let body = json!({ "client_id": "c", "content": "x".repeat(32_769) });
    let post = request(&app, &ada, Method::POST, &path).json(&body);
    assert_eq!(refused(post).await, (413, "chat.content_too_large".into()));
    assert_eq!(app.post(&ada, &room, "c", "fine").await, 1);
}

#[actix_rt::test]
async fn malformed_paths_and_queries_are_refused_with_the_name_of_what_is_wrong() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let absent = "0190a000-0000-7000-8000-000000000000";
    for (path, wanted) in [
        ("/nothing".to_owned(), (404, "request.no_such_endpoint")),
        ("/rooms/nonsense".to_owned(), (404, "request.invalid_path")),
        ("/rooms/%00".to_owned(), (404, "request.invalid_path")),
        ("/rooms/%ff%fe/messages".to_owned(), (404, "request.invalid_path")),
        (format!("/rooms/{absent}"), (404, "chat.room_not_found")),
        (format!("/rooms/{absent}/messages"), (404, "chat.room_not_found")),
        (format!("/rooms/{absent}/events?after=0"), (404, "chat.room_not_found")),
        (format!("/rooms/{absent}/members"), (404, "chat.room_not_found")),
        (format!("/spaces/{absent}/rooms"), (404, "chat.space_not_found")),
        (format!("/rooms/{room}/messages?limit=0"), (422, "request.invalid_page")),
        (format!("/rooms/{room}/messages?limit=201"), (422, "request.invalid_page")),
        (format!("/rooms/{room}/messages?limit=99999999999999999999"), (400, "request.invalid_query")),
        (format!("/rooms/{room}/messages?limit=-1"), (400, "request.invalid_query")),
        (format!("/rooms/{room}/messages?before=x"), (400, "request.invalid_query")),
        (format!("/rooms/{room}/messages?before=1&after=1"), (422, "request.invalid_page")),
        (format!("/rooms/{room}/events"), (400, "request.invalid_query")),
        (format!("/rooms/{room}/events?after=1e3"), (400, "request.invalid_query")),
        ("/rooms?after=nonsense".to_owned(), (422, "request.invalid_page")),
        ("/spaces?after=nonsense".to_owned(), (422, "request.invalid_page")),
    ] {
        let (status, code) = refused(request(&app, &ada, Method::GET, &path)).await;
        assert_eq!((status, code.as_str()), wanted, "{path}");
    }
    let (status, code) = refused(request(&app, &ada, Method::PUT, "/nothing")).await;
    assert_eq!((status, code.as_str()), (404, "request.no_such_endpoint"));
}

#[actix_rt::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_takes() {
    let app = TestApp::start().await;
    let absent = "0190a000-0000-7000-8000-000000000000";
    for (method, path, allowed) in [
        (Method::PUT, "/api/v1/rooms".to_owned(), "GET, HEAD, POST"),
        (Method::POST, "/api/v1/users/me".into(), "GET, HEAD, PATCH"),
        (Method::GET, "/api/v1/users/me/password".into(), "PUT"),
        (Method::HEAD, "/api/v1/users/me/password".into(), "PUT"),
        (Method::PUT, format!("/api/v1/rooms/{absent}/members/{absent}"), "DELETE, PATCH"),
        (Method::POST, "/api/v1/ws".into(), "GET"),
        (Method::OPTIONS, "/api/v1/auth/login".into(), "POST"),
        (Method::POST, "/healthz".into(), "GET, HEAD"),
        (Method::DELETE, "/metrics".into(), "GET, HEAD"),
        (Method::POST, "/internal/actors".into(), "GET, HEAD"),
        (Method::POST, "/docs/openapi.json".into(), "GET, HEAD"),
        (Method::POST, "/".into(), "GET, HEAD"),
    ] {
        // Nobody has to be signed in to learn it.
        let request = app.http.request(method.clone(), format!("{}{path}", app.base));
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status(), response.headers()["allow"].to_str().unwrap()),
            (StatusCode::METHOD_NOT_ALLOWED, allowed),
            "{path}"
        );
        if method != Method::HEAD {
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["code"], "request.method_not_allowed", "{path}");
        }
    }
}

#[actix_rt::test]
async fn an_array_is_taken_for_no_object() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    for (method, path, body) in [
        // As many as the fields, in the order of the source code.
        (Method::POST, "/auth/login".to_owned(), json!(["ada", PASSWORD, null])),
        (Method::POST, "/auth/login".into(), json!({ "login": "ada", "password": PASSWORD, "device": ["d1", "d1"] })),
        (Method::POST, "/auth/refresh".into(), json!([ada.refresh_token])),
        (Method::POST, "/auth/logout".into(), json!([ada.refresh_token])),
        (Method::PATCH, "/users/me".into(), json!(["Ada"])),
        (Method::POST, "/rooms".into(), json!([null, "group", "name"])),
        (Method::PATCH, format!("/rooms/{room}"), json!(["name"])),
        (Method::POST, format!("/rooms/{room}/messages"), json!(["c1", "hello"])),
        (Method::POST, format!("/rooms/{room}/members"), json!([ada.id])),
        (Method::POST, "/spaces".into(), json!([null, "name"])),
    ] {
        let (status, code) = refused(request(&app, &ada, method, &path).json(&body)).await;
        assert_eq!((status, code.as_str()), (422, "request.invalid_body"), "{path} {body}");
    }
    // Signed in all the while, and signed out by what is no slip: nothing, or an object.
    assert_eq!(app.call(Method::GET, "/users/me", Some(&ada), None).await.0, 200);
    assert_eq!(request(&app, &ada, Method::POST, "/auth/logout").send().await.unwrap().status(), 204);
}

#[actix_rt::test]
async fn places_far_outside_of_the_order_are_empty_pages() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "c1", "x").await;
    for (query, count) in [
        (format!("before={}", i64::MIN), 0),
        (format!("before={}", i64::MAX), 1),
        (format!("after={}", i64::MIN), 1),
        // Further on is no place at all, but a client of another log: that is an error.
        ("after=1".to_owned(), 0),
    ] {
        let page = app.ok(Method::GET, &format!("/rooms/{room}/messages?{query}"), &ada, None).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
        if let Some(after) = query.strip_prefix("after=") {
            let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after={after}"), &ada, None).await;
            assert_eq!(page["events"].as_array().unwrap().len(), count, "{query}");
        }
    }
}

#[actix_rt::test]
async fn nobody_gets_in_without_a_valid_token() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let url = |path: &str| format!("{}/api/v1{path}", app.base);
    for path in ["/rooms".to_owned(), format!("/rooms/{room}/messages"), "/users/me".into(), "/spaces".into()] {
        let get = || app.http.get(url(&path));
        for request in [
            get(),
            get().bearer_auth("nonsense"),
            get().bearer_auth(&ada.refresh_token),
            get().basic_auth("ada", Some("x")),
            get().header("authorization", "Bearer"),
        ] {
            assert_eq!(refused(request).await.0, 401, "{path}");
        }
    }
}

#[actix_rt::test]
async fn names_and_lists_that_postgres_could_not_keep_are_refused() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let absent = "0190a000-0000-7000-8000-000000000000";
    for (method, path, body, wanted) in [
        (Method::POST, "/rooms".to_owned(), json!({ "kind": "group", "name": "a\0b" }), "chat.invalid"),
        (Method::POST, "/rooms".into(), json!({ "kind": "group", "name": "a\nb" }), "chat.invalid"),
        (Method::POST, "/rooms".into(), json!({ "kind": "group", "topic": "x".repeat(501) }), "chat.invalid"),
        (Method::POST, "/rooms".into(), json!({ "kind": "inbox" }), "request.invalid_body"),
        (Method::POST, "/rooms".into(), json!({ "kind": "group", "space_id": absent }), "chat.invalid"),
        (Method::POST, "/rooms".into(), json!({ "kind": "channel" }), "chat.invalid"),
        (Method::POST, "/rooms".into(), json!({ "kind": "group", "member_ids": [absent] }), "chat.user_not_found"),
        (Method::POST, "/rooms".into(), json!({ "kind": "direct", "member_ids": [absent] }), "chat.user_not_found"),
        (Method::PATCH, format!("/rooms/{room}"), json!({ "name": "\u{7f}" }), "chat.invalid"),
        (Method::POST, format!("/rooms/{room}/members"), json!({ "user_id": absent }), "chat.user_not_found"),
        (
            Method::POST,
            format!("/rooms/{room}/members"),
            json!({ "user_id": ada.id, "role": "god" }),
            "request.invalid_body",
        ),
        (Method::POST, "/spaces".into(), json!({ "name": " " }), "chat.invalid"),
        (Method::POST, "/spaces".into(), json!({ "name": "a\0b" }), "chat.invalid"),
    ] {
        let (status, code) = refused(request(&app, &ada, method, &path).json(&body)).await;
        assert_eq!((status, code.as_str()), (422, wanted), "{path} {body}");
    }
    for (path, body) in [
        ("/auth/login", json!({ "login": "a\0b", "password": "whatever it is" })),
        ("/auth/login", json!({ "login": "ada", "password": "\0" })),
        ("/auth/register", json!({ "username": "a\0b", "email": "x@example.com", "password": "long enough" })),
        ("/auth/register", json!({ "username": "abc", "email": "x\0@example.com", "password": "long enough" })),
        (
            "/auth/register",
            json!({ "username": "abc", "email": "x@example.com", "password": "long enough", "full_name": "\0" }),
        ),
        ("/auth/refresh", json!({ "refresh_token": "\0" })),
    ] {
        let (status, _) = refused(request(&app, &ada, Method::POST, path).json(&body)).await;
        assert!((400..500).contains(&status), "{path} {body}: {status}");
    }
    // A search for what cannot be there finds nothing, or is refused.
    let found = request(&app, &ada, Method::GET, "/users?query=%00").send().await.unwrap().status();
    assert!(found.is_success() || found.is_client_error(), "{found}");
    let patched = request(&app, &ada, Method::PATCH, "/users/me").json(&json!({ "full_name": "a\0b" }));
    assert!((400..500).contains(&refused(patched).await.0));
}
