//! A whole engine: real Postgres, real sockets, its public API only.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{READER_ROLE, TestDatabase, WsClient};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::limits::config::LimitsConfig;

/// A running engine that stops with [`TestApp::stop`] or with the test.
pub struct TestApp {
    pub base: String,
    pub app: Option<App>,
    pub database: TestDatabase,
    pub folder: tempfile::TempDir,
    pub http: reqwest::Client,
}

/// Someone with an account, signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub username: String,
    pub token: String,
    pub refresh_token: String,
}

impl Person {
    /// Of an answer that signs somebody in.
    pub fn of(answer: &Value) -> Self {
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        Self {
            id: text("/user/id"),
            username: text("/user/username"),
            token: text("/access_token"),
            refresh_token: text("/refresh_token"),
        }
    }
}

/// Nothing in the way of tests that are about something else.
fn no_limits() -> LimitsConfig {
    let plenty = 100_000_000;
    LimitsConfig {
        messages_burst: plenty,
        messages_per_minute: plenty,
        bytes_burst: 4_000_000_000,
        bytes_per_minute: 4_000_000_000,
        rooms_burst: plenty,
        rooms_per_hour: plenty,
        people_burst: plenty,
        people_per_hour: plenty,
        sockets_max: plenty,
    }
}

pub const PASSWORD: &str = "correct horse battery";

impl TestApp {
    /// An engine with cheap hashes and no limits on sign-ups.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with what `change` does to its configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        Self::on(database, tempfile::tempdir().unwrap(), change).await
    }

    /// An engine whose time moves by hand.
    pub async fn at(clock: &Clock, change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        Self::on_with(database, tempfile::tempdir().unwrap(), clock, change).await
    }

    /// An engine on a database and data folder that an earlier one may have used.
    pub async fn on(database: TestDatabase, folder: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        Self::on_with(database, folder, &Clock::system(), change).await
    }

    async fn on_with(
        database: TestDatabase,
        folder: tempfile::TempDir,
        clock: &Clock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::defaults().unwrap();
        config.server.port = 0;
        config.server.workers = 2;
        config.demo.enabled = Some(false);
        config.storage.data_dir = folder.path().to_owned();
        config.storage.database_url = Some(database.url());
        config.storage.reader_role = Some(READER_ROLE.to_owned());
        config.storage.pool_connections_max = 6;
        (config.auth.argon2_memory_kib, config.auth.argon2_passes) = (8, 1);
        config.auth.login_per_address_per_minute = 100_000;
        config.auth.register_per_address_per_hour = 100_000;
        config.limits = no_limits();
        change(&mut config);
        let app = App::start(config, clock.clone()).await.unwrap();
        let base = format!("http://127.0.0.1:{}", app.port);
        Self { base, app: Some(app), database, folder, http: reqwest::Client::new() }
    }

    /// Stops the engine in order; the database and folder stay for the next one.
    pub async fn stop(mut self) -> (TestDatabase, tempfile::TempDir) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
        (self.database, self.folder)
    }

    /// The parts of the running engine, for what no client can see.
    pub fn engine(&self) -> &App {
        self.app.as_ref().expect("the engine runs until `stop`")
    }

    /// A new account, signed in.
    pub async fn sign_up(&self, username: &str) -> Person {
        let body = json!({ "username": username, "email": format!("{username}@example.com"), "password": PASSWORD });
        let (status, answer) = self.call(Method::POST, "/auth/register", None, Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        Person::of(&answer)
    }

    /// The same person on another device.
    pub async fn sign_in(&self, username: &str) -> Person {
        let body = json!({ "login": username, "password": PASSWORD });
        let (status, answer) = self.call(Method::POST, "/auth/login", None, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        Person::of(&answer)
    }

    /// Somebody whom a token of an outside issuer stands for.
    pub async fn by_token(&self, token: &str) -> Person {
        let answer = self.http.get(format!("{}/api/v1/users/me", self.base)).bearer_auth(token).send().await.unwrap();
        Person::of(
            &json!({ "user": answer.json::<Value>().await.unwrap(), "access_token": token, "refresh_token": "" }),
        )
    }

    /// The same sign-in with its next tokens.
    pub async fn refreshed(&self, person: &Person) -> Person {
        let body = json!({ "refresh_token": person.refresh_token });
        let (status, answer) = self.call(Method::POST, "/auth/refresh", None, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        Person::of(&answer)
    }

    /// One HTTP call under `/api/v1`: the status and the JSON body, null when there is none.
    pub async fn call(&self, method: Method, path: &str, by: Option<&Person>, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        if let Some(person) = by {
            request = request.bearer_auth(&person.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.timeout(Duration::from_secs(60)).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The same for a change under an `Idempotency-Key`.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        by: &Person,
        key: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&by.token);
        let request = request.header("Idempotency-Key", key);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let response = request.timeout(Duration::from_secs(60)).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The same, for calls that must succeed.
    pub async fn ok(&self, method: Method, path: &str, by: &Person, body: Option<Value>) -> Value {
        let (status, answer) = self.call(method, path, Some(by), body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// A page outside of the API, as text.
    pub async fn page(&self, path: &str) -> (u16, String) {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// A group of these people, made by the first; its id.
    pub async fn group(&self, people: &[&Person]) -> String {
        let others: Vec<&str> = people.iter().skip(1).map(|person| person.id.as_str()).collect();
        let body = json!({ "kind": "group", "name": "test", "member_ids": others });
        let room = self.ok(Method::POST, "/rooms", people[0], Some(body)).await;
        room["id"].as_str().unwrap().to_owned()
    }

    /// A message over HTTP; its seq.
    pub async fn post(&self, by: &Person, room: &str, client_id: &str, content: &str) -> i64 {
        let body = json!({ "client_id": client_id, "content": content });
        let message = self.ok(Method::POST, &format!("/rooms/{room}/messages"), by, Some(body)).await;
        message["seq"].as_i64().unwrap()
    }

    /// A socket that has said hello and has its `ready`.
    pub async fn connect(&self, person: &Person) -> WsClient {
        self.resume(person, json!({})).await.0
    }

    /// A socket that resumes from the given seqs; with its `ready`.
    pub async fn resume(&self, person: &Person, resume: Value) -> (WsClient, Value) {
        let mut client = WsClient::open(&self.base).await;
        let ready = client.hello(&person.token, resume).await;
        assert_eq!(ready["type"], "ready", "{ready}");
        (client, ready)
    }
}
