//! Running one's own account: devices, passwords, and staying signed in.

use std::rc::Rc;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::Outcome;
use super::actor::{Actor, done};
use super::keys::{DEVICE, Key, SignedIn};
use crate::client::{Device, Person, Watcher};

/// How far clocks may be apart, of an engine elsewhere.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(60);
/// As long as a token of a link.
const NO_TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The value, or the end of the act.
macro_rules! or_end {
    ($answer:expr) => {
        match $answer? {
            Ok(value) => value,
            Err(outcome) => return Ok(Err(outcome)),
        }
    };
}

impl Actor {
    /// Before anybody is signed in.
    pub async fn look_at_sign_in_page(self) -> anyhow::Result<Outcome> {
        let path = "/api/v1/auth/options";
        let reached = self.http_with(None, Method::GET, path, None).await?;
        let options = match done(&Method::GET, path, &reached, &[])? {
            Ok(options) => options,
            Err(outcome) => return Ok(outcome),
        };
        let is_whole = options["registration"].is_boolean() && options["password_chars_min"].is_u64();
        ensure!(is_whole, "GET /auth/options: {options}");
        Ok(Outcome::Done)
    }

    /// Signed in on two devices, somebody finds both, and signs the other one out from here.
    pub async fn tidy_devices(self) -> anyhow::Result<Outcome> {
        self.with_key(async |key| {
            let desk = or_end!(self.sign_in_on(key, DEVICE).await);
            let phone = or_end!(self.sign_in_on(key, "phone").await);
            let newest = or_end!(self.only_device(&desk, "limit=1", "phone").await);
            let next = newest.as_str().context("an id")?;
            or_end!(self.only_device(&desk, &format!("limit=50&{}={next}", self.cursor_name()), DEVICE).await);
            let path = format!("/api/v1/users/me/devices/{next}");
            let reached = self.http_with(Some(&desk.access), Method::DELETE, &path, None).await?;
            or_end!(done(&Method::DELETE, &path, &reached, &[]));
            or_end!(self.see_signed_out(&phone).await);
            let body = Some(json!({ "refresh_token": phone.refresh }));
            let refused = (401, "auth.refresh_refused");
            or_end!(self.see_refused(None, Method::POST, "/api/v1/auth/refresh", body, refused).await);
            or_end!(self.sign_out(&desk).await);
            self.see_signed_out(&desk).await
        })
        .await
    }

    /// The id of the one device on this page, which must have this name; the one that asks is the desk.
    async fn only_device(&self, desk: &SignedIn, page: &str, name: &str) -> anyhow::Result<Result<Value, Outcome>> {
        let path = format!("/api/v1/users/me/devices?{page}");
        let reached = self.http_with(Some(&desk.access), Method::GET, &path, None).await?;
        let mut page = or_end!(done(&Method::GET, &path, &reached, &[]));
        let is_right = match page["items"].as_array().map(Vec::as_slice) {
            Some([device]) => device["device_id"] == name && device["current"] == (name == DEVICE),
            _ => false,
        };
        ensure!(is_right, "GET /users/me/devices: the {name} alone is on this page, not {page}");
        Ok(Ok(page["items"][0]["id"].take()))
    }

    /// The other device is signed out by that, and this one is not.
    pub async fn change_password(self) -> anyhow::Result<Outcome> {
        self.with_key(async |key| {
            let desk = or_end!(self.sign_in_on(key, DEVICE).await);
            let phone = or_end!(self.sign_in_on(key, "phone").await);
            let new = self.another_password();
            let path = "/api/v1/users/me/password";
            let change = |current: &str| Some(json!({ "current_password": current, "new_password": new }));
            let token = Some(desk.access.as_str());
            if self.one_in(4, 32) {
                let refused = (403, "auth.password_refused");
                or_end!(self.see_refused(token, Method::PUT, path, change("not that one"), refused).await);
            }
            let reached = self.http_with(token, Method::PUT, path, change(&key.password)).await?;
            or_end!(done(&Method::PUT, path, &reached, &[]));
            // Whoever has the account next signs in with it.
            key.password = new;
            or_end!(self.see_signed_out(&phone).await);
            let me = self.http_with(token, Method::GET, "/api/v1/users/me", None).await?;
            or_end!(done(&Method::GET, "/api/v1/users/me", &me, &[]));
            self.sign_out(&desk).await
        })
        .await
    }

    /// An admin makes a link, and its owner sets a new password with it, once. Elsewhere, where nobody of ours is an
    /// admin, there is no link.
    pub async fn forget_password(self) -> anyhow::Result<Outcome> {
        self.with_key(async |key| {
            let desk = or_end!(self.sign_in_on(key, DEVICE).await);
            let path = format!("/api/v1/admin/users/{}/reset-link", desk.user);
            if self.crew.admin.is_none() || self.one_in(4, 32) {
                let token = Some(self.device.person.token.as_str());
                or_end!(self.see_refused(token, Method::POST, &path, None, (403, "auth.not_an_admin")).await);
            }
            let Some(admin) = &self.crew.admin else { return self.see_no_link(NO_TOKEN).await };
            let reached = self.http_with(Some(&admin.token), Method::POST, &path, None).await?;
            let link = or_end!(done(&Method::POST, &path, &reached, &[]));
            ensure!(link["username"] == key.login, "a link for {}: {}", key.login, link["username"]);
            let token = link["token"].as_str().context("the token of a link")?;
            self.reset(key, &desk, token).await
        })
        .await
    }

    async fn reset(&self, key: &mut Key, desk: &SignedIn, token: &str) -> anyhow::Result<Result<(), Outcome>> {
        let new = self.another_password();
        if self.door("reset", None, json!({ "token": token, "new_password": new })).await?.is_none() {
            return Ok(Err(Outcome::Later));
        }
        key.password = new;
        or_end!(self.see_signed_out(desk).await);
        self.see_no_link(token).await
    }

    /// No link, or none any more.
    async fn see_no_link(&self, token: &str) -> anyhow::Result<Result<(), Outcome>> {
        let body = Some(json!({ "token": token, "new_password": self.another_password() }));
        self.see_refused(None, Method::POST, "/api/v1/auth/reset", body, (403, "auth.reset_refused")).await
    }

    /// A connection goes on with a fresh token before its first one has run out.
    pub async fn stay_signed_in(self) -> anyhow::Result<Outcome> {
        self.with_key(async |key| {
            let phone = or_end!(self.sign_in_on(key, "phone").await);
            let person = Person { id: phone.user, token: phone.access };
            let watcher = Rc::clone(&self.crew.watch) as Rc<dyn Watcher>;
            let device = Device::new(person, self.crew.address, watcher);
            device.connect().await?;
            let renewed = self.renew(&device, &phone.refresh).await;
            device.leave().await;
            let phone = or_end!(renewed);
            self.sign_out(&phone).await
        })
        .await
    }

    async fn renew(&self, device: &Device, refresh: &str) -> anyhow::Result<Result<SignedIn, Outcome>> {
        let Some(answer) = self.door("refresh", None, json!({ "refresh_token": refresh })).await? else {
            return Ok(Err(Outcome::Later));
        };
        let fresh = SignedIn::of(&answer)?;
        let answer = or_end!(self.command_on(device, "auth.renew", &json!({ "token": fresh.access })).await);
        let until: DateTime<Utc> = answer["expires_at"].as_str().context("until when")?.parse()?;
        let apart = until - (Utc::now() + TimeDelta::seconds(fresh.expires_in_s));
        ensure!(apart.abs() < CLOCKS_APART, "auth.renew: until {until}, and the token lives {} s", fresh.expires_in_s);
        Ok(Ok(fresh))
    }
}
