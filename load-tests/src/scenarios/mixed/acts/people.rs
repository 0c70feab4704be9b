//! People: finding them, being one, and signing in.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use super::Outcome;
use super::actor::Actor;

/// Accounts with a password; once there are so many, they sign in again rather than more of them registering.
const NEWCOMERS_MAX: usize = 100;
const PASSWORD: &str = "a password for one day";
const PATIENCE: Duration = Duration::from_secs(30);

impl Actor {
    pub async fn find_people(self) -> anyhow::Result<Outcome> {
        let part = self.random % 100;
        self.call(Method::GET, &format!("/api/v1/users?query=load-{part}&limit=20"), None, &[]).await
    }

    pub async fn look_at_person(self) -> anyhow::Result<Outcome> {
        let Some(person) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/users/{person}"), None, &[]).await
    }

    pub async fn look_at_oneself(self) -> anyhow::Result<Outcome> {
        self.call(Method::GET, "/api/v1/users/me", None, &[]).await
    }

    pub async fn edit_profile(self) -> anyhow::Result<Outcome> {
        let body = json!({ "status_message": format!("busy until {}", self.random % 24) });
        self.call(Method::PATCH, "/api/v1/users/me", Some(body), &[]).await
    }

    /// A newcomer registers, or comes again, signs in, refreshes and signs out: the whole life of a sign-in.
    pub async fn sign_in(self) -> anyhow::Result<Outcome> {
        let Some(name) = self.newcomer().await? else { return Ok(Outcome::Later) };
        let body = json!({ "login": name, "password": PASSWORD, "device": { "name": "day" } });
        let Some(signed_in) = self.door("login", None, body).await? else { return Ok(Outcome::Later) };
        let refresh = signed_in.get("refresh_token").cloned().context("a refresh token")?;
        let body = json!({ "refresh_token": refresh });
        let Some(again) = self.door("refresh", None, body).await? else { return Ok(Outcome::Later) };
        let token = again.get("access_token").and_then(Value::as_str).context("an access token")?;
        let signed_out = self.door("logout", Some(token), json!({})).await?;
        Ok(if signed_out.is_some() { Outcome::Done } else { Outcome::Later })
    }

    /// The name of an account with a password; `None` when the engine does not take one more now.
    async fn newcomer(&self) -> anyhow::Result<Option<String>> {
        {
            let newcomers = self.crew.newcomers.borrow();
            if newcomers.len() >= NEWCOMERS_MAX {
                return Ok(self.pick(&newcomers, 0).cloned());
            }
        }
        let name = format!("{}-{:x}", self.crew.run_name, self.random);
        let body = json!({ "username": name, "email": format!("{name}@example.com"), "password": PASSWORD });
        let registered = self.door("register", None, body).await?;
        if registered.is_some() {
            self.crew.newcomers.borrow_mut().push(name.clone());
        }
        Ok(registered.map(|_| name))
    }

    async fn door(&self, which: &str, token: Option<&str>, body: Value) -> anyhow::Result<Option<Value>> {
        self.crew.accounts.open_door(&format!("/api/v1/auth/{which}"), token, body, PATIENCE).await
    }
}
