//! The HTTP API, as a client meets it.

use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpServer, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::bench::{Bench, PASSWORD};
use crate::accounts::{ApiDoc, TrustForwardedFor, routes};
use parlance_foundation::requests::PageSizes;

/// The API on a real socket.
struct Site {
    base: String,
    client: reqwest::Client,
}

/// An answer: status, headers, and body (null when empty).
struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Site {
    fn start(bench: &Bench) -> Self {
        let auth = bench.auth.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(auth.clone()))
                .app_data(TrustForwardedFor(true))
                .app_data(PageSizes { items_default: 50, items_max: 200 })
                .service(web::scope("/api/v1").configure(routes))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}/api/v1", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { base, client: reqwest::Client::new() }
    }

    async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        self.call_with(method, path, &headers, body).await
    }

    async fn call_with(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let method = method.as_str().parse().unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (StatusCode::from_u16(response.status().as_u16()).unwrap(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answer { status, headers, body }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem, which must look like one.
    fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert!(self.body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{}", self.body);
        self.body["code"].as_str().unwrap()
    }
}

fn registration(username: &str) -> Value {
    json!({"username": username, "email": format!("{username}@example.com"), "password": PASSWORD})
}

#[actix_web::test]
async fn a_person_signs_up_refreshes_and_signs_out() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let mut body = registration("ada");
    body["full_name"] = json!("Ada Lovelace");
    let up = site.call(Method::POST, "/auth/register", None, Some(body)).await;
    assert_eq!(up.status, StatusCode::CREATED);
    assert_eq!(up.body["expires_in"], 900);
    let user = up.body["user"].as_object().unwrap();
    assert_eq!((&user["username"], &user["email"]), (&json!("ada"), &json!("ada@example.com")));
    assert_eq!((&user["role"], &user["full_name"]), (&json!("user"), &json!("Ada Lovelace")));
    assert!(!user.contains_key("avatar_url") && !user.contains_key("password_hash"), "{user:?}");

    let login = json!({"login": "ada@example.com", "password": PASSWORD, "device": {"id": "d1", "name": "Phone"}});
    let signed_in = site.call(Method::POST, "/auth/login", None, Some(login)).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    let refresh = json!({"refresh_token": signed_in.body["refresh_token"]});
    let refreshed = site.call(Method::POST, "/auth/refresh", None, Some(refresh.clone())).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    assert_eq!(refreshed.body["user"], signed_in.body["user"]);

    let token = refreshed.body["access_token"].as_str().unwrap();
    for _ in 0..2 {
        let out = site.call(Method::POST, "/auth/logout", Some(token), None).await;
        assert_eq!((out.status, out.body), (StatusCode::NO_CONTENT, Value::Null));
    }
    let me = site.call(Method::GET, "/users/me", Some(token), None).await;
    assert_eq!(me.problem(401), "auth.token_invalid");
    let again = site.call(Method::POST, "/auth/refresh", None, Some(refresh)).await;
    assert_eq!(again.problem(401), "auth.refresh_refused");
}

#[actix_web::test]
async fn what_cannot_be_accepted_is_said_in_words() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    site.call(Method::POST, "/auth/register", None, Some(registration("ada"))).await;
    let with = |field: &str, value: Value| {
        let mut body = registration("ben");
        body[field] = value;
        body
    };
    let refused = [
        (registration("ada"), 409, "auth.registration_refused"),
        (with("email", json!("ada@example.com")), 409, "auth.registration_refused"),
        (with("username", json!("b")), 422, "auth.invalid_username"),
        (with("username", json!("be\u{0}n")), 422, "auth.invalid_username"),
        (with("email", json!("ben")), 422, "auth.invalid_email"),
        (with("password", json!("short")), 422, "auth.invalid_password"),
        (with("password", json!("Ben@Example.com")), 422, "auth.invalid_password"),
        (with("password", json!("x".repeat(1_025))), 422, "auth.invalid_password"),
        (with("full_name", json!("B\u{0}")), 422, "auth.invalid_full_name"),
        (with("device", json!({"id": ""})), 422, "auth.invalid_device"),
    ];
    for (body, status, code) in refused {
        let answer = site.call(Method::POST, "/auth/register", None, Some(body)).await;
        assert_eq!(answer.problem(status), code);
    }
    let wrong = json!({"login": "ada", "password": "wrong"});
    let answer = site.call(Method::POST, "/auth/login", None, Some(wrong)).await;
    assert_eq!(answer.problem(401), "auth.login_refused");
}

#[actix_web::test]
async fn registering_says_the_same_of_a_name_and_an_address_that_are_taken() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    site.call(Method::POST, "/auth/register", None, Some(registration("ada"))).await;
    let attempt = async |username: &str, email: &str| {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        let mut answer = site.call(Method::POST, "/auth/register", None, Some(body)).await;
        answer.problem(409);
        answer.body.as_object_mut().unwrap().remove("request_id");
        (answer.headers.len(), answer.body)
    };
    let both = attempt("ada", "ada@example.com").await;
    for (username, email) in [("ADA", "new@example.com"), ("new", "Ada@Example.com")] {
        assert_eq!(attempt(username, email).await, both, "{username} {email}");
    }
    // Somebody else's form of the same address.
    let mut jose = registration("jose");
    jose["email"] = json!("jos\u{e9}@example.com");
    site.call(Method::POST, "/auth/register", None, Some(jose)).await;
    assert_eq!(attempt("pepe", "jose\u{301}@example.com").await, both);
    let login = json!({"login": "jose\u{301}@example.com", "password": PASSWORD});
    assert_eq!(site.call(Method::POST, "/auth/login", None, Some(login)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn closed_registration_lets_nobody_in_and_everybody_stay() {
    let mut bench = Bench::new().await;
    bench.register("ada").await;
    bench.config.registration = false;
    bench.auth = bench.restarted().await;
    let site = Site::start(&bench);
    let answer = site.call(Method::POST, "/auth/register", None, Some(registration("ben"))).await;
    assert_eq!(answer.problem(403), "auth.registration_closed");
    bench.login("ada", PASSWORD).await.unwrap();
}

#[actix_web::test]
async fn nobody_gets_in_without_a_good_token() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let ada = bench.register("ada").await;
    let get = async |header: Option<&str>| {
        let headers: Vec<_> = header.iter().map(|value| ("authorization", *value)).collect();
        site.call_with(Method::GET, "/users/me", &headers, None).await
    };
    let answer = get(Some(&format!("bearer {}", ada.access_token))).await;
    assert_eq!(answer.status, StatusCode::OK, "the scheme's name may be in any case");
    let missing = get(None).await;
    assert_eq!((missing.problem(401), missing.header("www-authenticate")), ("auth.token_missing", Some("Bearer")));
    assert_eq!(get(Some("Basic YWRhOmFkYQ==")).await.problem(401), "auth.token_missing");
    assert_eq!(get(Some("Bearer nonsense")).await.problem(401), "auth.token_invalid");
    assert_eq!(get(Some(&format!("Bearer {}x", ada.access_token))).await.problem(401), "auth.token_invalid");
    assert_eq!(get(Some(&format!("Bearer {}", ada.refresh_token))).await.problem(401), "auth.token_invalid");
    bench.clock.advance(std::time::Duration::from_secs(900));
    assert_eq!(get(Some(&format!("Bearer {}", ada.access_token))).await.problem(401), "auth.token_expired");
}

#[actix_web::test]
async fn a_profile_is_changed_field_by_field() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let token = bench.register("ada").await.access_token;
    let patch = async |body: Value| site.call(Method::PATCH, "/users/me", Some(&token), Some(body)).await;
    let changed = patch(json!({
        "full_name": " Ada Lovelace ", "avatar_url": "/media/1", "status_message": "In the engine room",
        "phone": "+49 30 123456", "preferences": {"theme": "dark"},
    }))
    .await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.body["full_name"], "Ada Lovelace");
    assert_eq!(changed.body["phone"], "+4930123456");
    assert_eq!(changed.body["preferences"], json!({"theme": "dark"}));
    let cleared = patch(json!({"avatar_url": null, "preferences": null})).await;
    assert_eq!((cleared.body.get("avatar_url"), &cleared.body["preferences"]), (None, &json!({})));
    assert_eq!(cleared.body["status_message"], "In the engine room", "absent is unchanged");

    let sneaky = patch(json!({"role": "admin", "username": "root", "email": "x@y.z", "id": "0"})).await;
    assert_eq!(sneaky.body, cleared.body, "nobody gives themselves a role");
    assert_eq!(patch(json!({"avatar_url": "javascript:x"})).await.problem(422), "auth.invalid_avatar_url");
    assert_eq!(patch(json!({"preferences": {"a": "\u{0}"}})).await.problem(422), "auth.invalid_preferences");
    let me = site.call(Method::GET, "/users/me", Some(&token), None).await;
    assert_eq!(me.body, cleared.body);
}

#[actix_web::test]
async fn people_are_found_page_by_page_and_shown_without_their_secrets() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let ada = bench.register("ada").await;
    for name in ["adam", "Adele", "ben", "cleo"] {
        bench.register(name).await;
    }
    let get = async |path: &str| site.call(Method::GET, path, Some(&ada.access_token), None).await;
    let names = |answer: &Answer| {
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = get("/users?query=AD&limit=2").await;
    assert_eq!(names(&first), ["ada", "adam"]);
    let second = get(&format!("/users?query=AD&limit=2&after={}", first.body["next"].as_str().unwrap())).await;
    assert_eq!((names(&second), &second.body["next"]), (vec!["Adele".to_owned()], &Value::Null));
    assert_eq!(names(&get("/users").await), ["ada", "adam", "Adele", "ben", "cleo"]);
    assert_eq!(names(&get("/users?limit=1&before=ada").await), ["adam"]);
    assert_eq!(get("/users?limit=0").await.problem(422), "request.invalid_page");
    assert_eq!(get("/users?query=%00").await.problem(422), "auth.invalid_query");

    let id = second.body["items"][0]["id"].as_str().unwrap();
    let one = get(&format!("/users/{id}")).await;
    let mut fields: Vec<_> = one.body.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "id", "username"]);
    assert_eq!(get("/users/0198c5f0-0000-7000-8000-000000000001").await.problem(404), "auth.user_not_found");
    assert_eq!(get("/users/ada").await.problem(404), "auth.user_not_found");
}

#[actix_web::test]
async fn limits_say_when_to_come_back_and_count_the_forwarded_address() {
    let bench = Bench::with(|config| config.login_per_address_per_minute = 1).await;
    let site = Site::start(&bench);
    let login = async |forwarded: &str| {
        let body = json!({"login": "ada", "password": "wrong"});
        site.call_with(Method::POST, "/auth/login", &[("x-forwarded-for", forwarded)], Some(body)).await
    };
    assert_eq!(login("198.51.100.1").await.problem(401), "auth.login_refused");
    let limited = login("10.9.8.7, 198.51.100.1").await;
    assert_eq!((limited.problem(429), limited.header("retry-after")), ("auth.too_many_attempts", Some("60")));
    assert_eq!(limited.body["retry_after_ms"], 60_000);
    assert_eq!(login("198.51.100.1, 198.51.100.2").await.problem(401), "auth.login_refused");
}

#[actix_web::test]
async fn a_page_learns_how_to_get_in() {
    let bench = Bench::with(|config| (config.registration, config.password_chars_min) = (false, 12)).await;
    let site = Site::start(&bench);
    let options = site.call(Method::GET, "/auth/options", None, None).await;
    assert_eq!(
        (options.status.as_u16(), options.body),
        (200, json!({"registration": false, "password_chars_min": 12}))
    );
}

#[actix_web::test]
async fn passwords_and_devices_are_changed_over_http() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let here = bench.register("ada").await;
    let there = bench.login("ada", PASSWORD).await.unwrap();
    let token = Some(here.access_token.as_str());
    let put = async |token, current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        site.call(Method::PUT, "/users/me/password", token, Some(body)).await
    };
    assert_eq!(put(None, PASSWORD, "a new password").await.problem(401), "auth.token_missing");
    assert_eq!(put(token, "a guess", "a new password").await.problem(403), "auth.password_refused");
    assert_eq!(put(token, PASSWORD, "short").await.problem(422), "auth.invalid_password");

    let listed = site.call(Method::GET, "/users/me/devices", token, None).await;
    assert_eq!(listed.status.as_u16(), 200);
    let mut fields: Vec<_> = listed.body["items"][0].as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "current", "expires_at", "id", "last_used_at"]);
    let devices = listed.body["items"].as_array().unwrap();
    let other = devices.iter().find(|device| device["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/users/me/devices/{other}");
    assert_eq!(site.call(Method::DELETE, &path, token, None).await.status.as_u16(), 204);
    let me = site.call(Method::GET, "/users/me", Some(&there.access_token), None).await;
    assert_eq!(me.problem(401), "auth.token_invalid");
    for nobody in ["0198c5f0-0000-7000-8000-000000000001", "nonsense"] {
        let gone = site.call(Method::DELETE, &format!("/users/me/devices/{nobody}"), token, None).await;
        assert_eq!(gone.problem(404), "auth.device_not_found");
    }
    assert_eq!(put(token, PASSWORD, "a new password").await.status.as_u16(), 204);
    assert_eq!(site.call(Method::GET, "/users/me", token, None).await.status.as_u16(), 200);
}

#[actix_web::test]
async fn only_an_admin_makes_a_link_and_whoever_has_it_sets_the_password() {
    let bench = Bench::new().await;
    let site = Site::start(&bench);
    let (ada, ben) = (bench.register("ada").await, bench.register("ben").await);
    let path = format!("/admin/users/{}/reset-link", ben.user.id);
    let make = async |path: &str| site.call(Method::POST, path, Some(&ada.access_token), None).await;
    assert_eq!(site.call(Method::POST, &path, None, None).await.problem(401), "auth.token_missing");
    assert_eq!(make(&path).await.problem(403), "auth.not_an_admin");
    bench.auth.set_role("ada", crate::accounts::UserRole::Admin).await.unwrap();
    assert_eq!(make("/admin/users/nonsense/reset-link").await.problem(404), "auth.user_not_found");
    let link = make(&path).await;
    assert_eq!(link.status.as_u16(), 201);
    assert_eq!((&link.body["user_id"], &link.body["username"]), (&json!(ben.user.id), &json!("ben")));
    let token = link.body["token"].as_str().unwrap();
    assert_eq!(link.body["path"], format!("/reset#token={token}"));
    let reset = async |new: &str| {
        let body = json!({"token": token, "new_password": new});
        site.call(Method::POST, "/auth/reset", None, Some(body)).await
    };
    assert_eq!(reset("short").await.problem(422), "auth.invalid_password");
    assert_eq!(reset("a new password").await.status.as_u16(), 204);
    assert_eq!(reset("a new password").await.problem(403), "auth.reset_refused");
    bench.login("ben", "a new password").await.unwrap();
}

#[actix_web::test]
async fn the_document_describes_every_endpoint() {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap();
    let mut endpoints = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        endpoints.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    endpoints.sort();
    let expected = [
        "delete /users/me/devices/{id}",
        "get /auth/options",
        "get /users",
        "get /users/me",
        "get /users/me/devices",
        "get /users/{id}",
        "patch /users/me",
        "post /admin/users/{id}/reset-link",
        "post /auth/login",
        "post /auth/logout",
        "post /auth/refresh",
        "post /auth/register",
        "post /auth/reset",
        "put /users/me/password",
    ];
    assert_eq!(endpoints, expected);
    let text = document.to_string();
    for (index, _) in text.match_indices("\"#/components/schemas/") {
        let name = text[index + 22..].split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name} is referred to but not there");
    }
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());
}
