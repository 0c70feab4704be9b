//! Accounts with a password, each used by one act at a time: what that does to its sign-ins disturbs nobody.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, done};

/// More are made only while all of them are in use. With fewer, one would change its password oftener than it may.
const ACCOUNTS_MAX: usize = 100;
/// On which each is registered.
pub const DEVICE: &str = "desk";

/// An account, and what opens it.
pub struct Key {
    pub login: String,
    pub password: String,
}

/// The accounts that no act has at the moment; whoever waits longest comes first.
#[derive(Default)]
pub struct KeyRing {
    free: RefCell<VecDeque<Key>>,
    made: Cell<usize>,
}

/// One of an account's devices, signed in.
pub struct SignedIn {
    pub user: Uuid,
    pub access: String,
    pub refresh: String,
    /// How long the access token lives.
    pub expires_in_s: i64,
}

impl SignedIn {
    /// From the answer to signing in and to refreshing.
    pub fn of(answer: &Value) -> anyhow::Result<Self> {
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str).context("an answer to a sign-in");
        Ok(Self {
            user: text("/user/id")?.parse()?,
            access: text("/access_token")?.to_owned(),
            refresh: text("/refresh_token")?.to_owned(),
            expires_in_s: answer.get("expires_in").and_then(Value::as_i64).context("how long a token lives")?,
        })
    }
}

impl Actor {
    /// Does something with an account that is this act's alone meanwhile. After anything but success it is not used
    /// again: which password it has, and where it is signed in, is not known then.
    pub async fn with_key(
        &self,
        act: impl AsyncFnOnce(&mut Key) -> anyhow::Result<Result<(), Outcome>>,
    ) -> anyhow::Result<Outcome> {
        let Some(mut key) = self.take_key().await? else { return Ok(Outcome::Later) };
        let ring = &self.crew.keys;
        match act(&mut key).await {
            Ok(Ok(())) => {
                ring.free.borrow_mut().push_back(key);
                Ok(Outcome::Done)
            }
            other => {
                ring.made.set(ring.made.get() - 1);
                other.map(|done| done.err().unwrap_or(Outcome::Done))
            }
        }
    }

    /// A new one, while there are few; `None` when the engine does not take one more now.
    async fn take_key(&self) -> anyhow::Result<Option<Key>> {
        let ring = &self.crew.keys;
        if ring.made.get() >= ACCOUNTS_MAX
            && let Some(key) = ring.free.borrow_mut().pop_front()
        {
            return Ok(Some(key));
        }
        let login = format!("{}-key-{:x}", self.crew.run_name, self.random);
        let password = self.another_password();
        let email = format!("{login}@example.com");
        // Signing in there again ends this sign-in.
        let device = json!({ "id": DEVICE, "name": "The first one" });
        let body = json!({ "username": login, "email": email, "password": password, "device": device });
        let registered = self.door("register", None, body).await?;
        if registered.is_some() {
            ring.made.set(ring.made.get() + 1);
        }
        Ok(registered.map(|_| Key { login, password }))
    }

    pub fn another_password(&self) -> String {
        format!("a password for an hour: {}", Uuid::now_v7())
    }

    /// Signs in on the account's device of this name.
    pub async fn sign_in_on(&self, key: &Key, device: &str) -> anyhow::Result<Result<SignedIn, Outcome>> {
        let device = json!({ "id": device, "name": format!("The {device}") });
        let body = json!({ "login": key.login, "password": key.password, "device": device });
        let answer = self.door("login", None, body).await?;
        answer.map_or(Ok(Err(Outcome::Later)), |answer| SignedIn::of(&answer).map(Ok))
    }

    /// Signs out as a device does whose access token has expired.
    pub async fn sign_out(&self, device: &SignedIn) -> anyhow::Result<Result<(), Outcome>> {
        let signed_out = self.door("logout", None, json!({ "refresh_token": device.refresh })).await?;
        Ok(signed_out.map(drop).ok_or(Outcome::Later))
    }

    /// Its access token must be refused.
    pub async fn see_signed_out(&self, device: &SignedIn) -> anyhow::Result<Result<(), Outcome>> {
        let token = Some(device.access.as_str());
        self.see_refused(token, Method::GET, "/api/v1/users/me", None, (401, "auth.token_invalid")).await
    }

    /// A call that must be refused with this status and code.
    pub async fn see_refused(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
        (status, code): (u16, &str),
    ) -> anyhow::Result<Result<(), Outcome>> {
        let reached = self.http_with(token, method.clone(), path, body).await?;
        match done(&method, path, &reached, &[status])? {
            Err(Outcome::Refused) => {
                let said = reached.body();
                let said = said.get("code").and_then(Value::as_str).unwrap_or_default();
                anyhow::ensure!(said == code, "{method} {}: {said} rather than {code}", super::shape(path));
                Ok(Ok(()))
            }
            Ok(_) => anyhow::bail!("{method} {}: granted rather than refused as {code}", super::shape(path)),
            Err(outcome) => Ok(Err(outcome)),
        }
    }
}
