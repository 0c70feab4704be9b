//! People: finding them, being one, and signing in.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use super::actor::{Actor, with};
use super::{Outcome, shape};

/// Accounts with a password; once there are so many, they sign in again rather than more of them registering.
const NEWCOMERS_MAX: usize = 100;
const PASSWORD: &str = "a password for one day";
const PATIENCE: Duration = Duration::from_secs(30);

impl Actor {
    pub async fn find_people(self) -> anyhow::Result<Outcome> {
        // A part of names such as `load-1f2e3d4c-171`.
        let part = 10 + self.random % 90;
        self.leaf_through(&format!("/api/v1/users?query=-{part}"), &[]).await
    }

    pub async fn look_at_person(self) -> anyhow::Result<Outcome> {
        let Some(person) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/users/{person}"), None, &[]).await
    }

    pub async fn look_at_oneself(self) -> anyhow::Result<Outcome> {
        self.call(Method::GET, "/api/v1/users/me", None, &[]).await
    }

    /// One thing about oneself; one time in four it is cleared.
    pub async fn edit_profile(self) -> anyhow::Result<Outcome> {
        let number = self.random % 24;
        let changes = [
            ("status_message", json!(format!("busy until {number}"))),
            ("full_name", json!(format!("Load of {number}"))),
            ("avatar_url", json!(format!("/media/{number}"))),
            ("phone", json!(format!("+493012345{number}"))),
            ("preferences", json!({ "theme": "dark", "volume": number })),
        ];
        let Some((field, value)) = self.pick(&changes, 48) else { return Ok(Outcome::Nothing) };
        let value = if self.one_in(4, 56) { Value::Null } else { value.clone() };
        self.call(Method::PATCH, "/api/v1/users/me", Some(with(json!({}), field, value)), &[]).await
    }

    /// A newcomer registers, or comes again, signs in, refreshes and signs out: the whole life of a sign-in.
    pub async fn sign_in(self) -> anyhow::Result<Outcome> {
        // Of this act alone: signing in on a device ends what was begun on it before.
        let device = json!({ "id": format!("{:x}", self.random), "name": "day" });
        let Some(name) = self.newcomer(&device).await? else { return Ok(Outcome::Later) };
        let body = json!({ "login": name, "password": PASSWORD, "device": device });
        let Some(signed_in) = self.door("login", None, body).await? else { return Ok(Outcome::Later) };
        let refresh = signed_in.get("refresh_token").cloned().context("a refresh token")?;
        let body = json!({ "refresh_token": refresh });
        let Some(again) = self.door("refresh", None, body).await? else { return Ok(Outcome::Later) };
        let token = again.get("access_token").and_then(Value::as_str).context("an access token")?;
        // In half of all acts the access token has expired, as if.
        let signed_out = match again.get("refresh_token").filter(|_| self.one_in(2, 32)) {
            Some(refresh) => self.door("logout", None, json!({ "refresh_token": refresh })).await?,
            None => self.door("logout", Some(token), json!({})).await?,
        };
        Ok(if signed_out.is_some() { Outcome::Done } else { Outcome::Later })
    }

    /// The name of an account with a password; `None` when the engine does not take one more now.
    async fn newcomer(&self, device: &Value) -> anyhow::Result<Option<String>> {
        {
            let newcomers = self.crew.newcomers.borrow();
            if newcomers.len() >= NEWCOMERS_MAX {
                return Ok(self.pick(&newcomers, 0).cloned());
            }
        }
        let name = format!("{}-{:x}", self.crew.run_name, self.random);
        let email = format!("{name}@example.com");
        let body = json!({ "username": name, "email": email, "password": PASSWORD, "device": device });
        let body = self.perhaps(48, body, "full_name", "A newcomer");
        let registered = self.door("register", None, body).await?;
        if registered.is_some() {
            self.crew.newcomers.borrow_mut().push(name.clone());
        }
        Ok(registered.map(|_| name))
    }

    /// A `POST` below `/auth`; `None` when the engine asked to come later for too long.
    pub async fn door(&self, which: &str, token: Option<&str>, body: Value) -> anyhow::Result<Option<Value>> {
        let path = format!("/api/v1/auth/{which}");
        self.note_sent(&format!("POST {}", shape(&path)), &path, &body)?;
        self.crew.accounts.open_door(&path, token, body, PATIENCE).await
    }
}
