//! The HTTP API of an engine that may be anywhere, and may be away.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, Person};

/// The base address of an engine and a client for it.
#[derive(Clone)]
pub struct Api {
    pub base: String,
    http: reqwest::Client,
}

impl Api {
    pub fn new(base: String) -> Self {
        Self { base, http: reqwest::Client::new() }
    }

    /// One call under the root: the status and the JSON body, null when there is none. `None`: the engine is away.
    pub async fn try_call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.timeout(Duration::from_secs(20)).send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// The same, while the engine must be there.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let answered = self.try_call(method, path, token, body.as_ref()).await;
        answered.unwrap_or_else(|| panic!("no answer from {path}"))
    }

    /// The same, for calls that must succeed.
    pub async fn ok(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.call(method, path, token, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// A new account, signed in.
    pub async fn sign_up(&self, username: &str) -> Person {
        let body = json!({ "username": username, "email": format!("{username}@example.com"), "password": PASSWORD });
        Person::of(&self.ok(Method::POST, "/api/v1/auth/register", "", Some(body)).await)
    }

    /// Signs in, or says with which status not.
    pub async fn sign_in(&self, login: &str, password: &str) -> Result<Person, u16> {
        let body = json!({ "login": login, "password": password });
        match self.call(Method::POST, "/api/v1/auth/login", "", Some(body)).await {
            (200, answer) => Ok(Person::of(&answer)),
            (status, _) => Err(status),
        }
    }

    /// A group of these people, made by the first; its id.
    pub async fn group(&self, people: &[Person]) -> String {
        let others: Vec<&str> = people.iter().skip(1).map(|person| person.id.as_str()).collect();
        let body = json!({ "kind": "group", "name": "test", "member_ids": others });
        let room = self.ok(Method::POST, "/api/v1/rooms", &people[0].token, Some(body)).await;
        room["id"].as_str().unwrap().to_owned()
    }

    /// Everything in the room's order, page by page from the first.
    pub async fn history(&self, room: &str, token: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event["seq"].as_i64().unwrap());
            let path = format!("/api/v1/rooms/{room}/events?after={after}");
            let mut page = self.ok(Method::GET, &path, token, None).await;
            events.append(page["events"].as_array_mut().unwrap());
            if page["more"] == false {
                return events;
            }
        }
    }
}
