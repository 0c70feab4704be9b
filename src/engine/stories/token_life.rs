//! How long a session lives by its token, how it goes on with another one, and signing out when that has run out.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::Config;
use crate::testing::{OutsideIssuer, Person, TestApp, WsClient};

/// What an access token lives, and what a session has left when it has run out.
const LIFE: Duration = Duration::from_secs(900);
const GRACE: Duration = Duration::from_secs(60);
const A_SECOND: Duration = Duration::from_secs(1);

/// An engine whose time moves by hand, with one hub, which looks at its sockets several times a second.
async fn engine(change: impl FnOnce(&mut Config)) -> (TestApp, Clock) {
    let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let app = TestApp::at(&clock, |config| {
        (config.server.workers, config.sessions.hello_timeout_ms) = (1, 1_000);
        change(config);
    })
    .await;
    (app, clock)
}

fn shown(clock: &Clock, from_now: Duration) -> Value {
    json!(clock.now() + from_now)
}

/// The hub has looked at all sockets since the clock was moved, and this one is still there.
async fn lives_on(app: &TestApp, socket: &mut WsClient) {
    let mut silent = WsClient::open(&app.base).await;
    assert_eq!(silent.closed().await, 4503);
    assert_eq!(socket.ask(json!({ "type": "ping" })).await["type"], "pong");
}

async fn renew(socket: &mut WsClient, token: &str) -> Value {
    socket.ask(json!({ "type": "auth.renew", "token": token })).await
}

async fn log_out(app: &TestApp, by: Option<&Person>, body: Option<Value>) -> (u16, Value) {
    app.call(Method::POST, "/auth/logout", by, body).await
}

#[actix_rt::test]
async fn a_session_ends_a_minute_after_its_token_has_expired() {
    let (app, clock) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let (mut socket, ready) = app.resume(&ada, json!({})).await;
    assert_eq!(ready["expires_at"], shown(&clock, LIFE));
    clock.advance(LIFE + GRACE - A_SECOND);
    lives_on(&app, &mut socket).await;
    assert_eq!(app.call(Method::GET, "/users/me", Some(&ada), None).await.1["code"], "auth.token_expired");
    clock.advance(A_SECOND);
    assert_eq!(socket.closed().await, 4500);
    app.connect(&app.refreshed(&ada).await).await;
}

#[actix_rt::test]
async fn a_session_is_as_long_however_the_time_of_day_is_set() {
    let (app, clock) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    for days in [2, -4] {
        clock.step(TimeDelta::days(days));
        clock.advance((LIFE + GRACE - A_SECOND) / 2);
        lives_on(&app, &mut socket).await;
    }
    clock.advance(A_SECOND);
    assert_eq!(socket.closed().await, 4500);
}

#[actix_rt::test]
async fn a_session_that_is_renewed_lives_by_the_new_token() {
    let (app, clock) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let mut tokens = ada;
    for _ in 0..3 {
        // Also in the minute that is left.
        clock.advance(LIFE + GRACE - A_SECOND);
        tokens = app.refreshed(&tokens).await;
        let answer = renew(&mut socket, &tokens.token).await;
        assert_eq!((&answer["type"], &answer["expires_at"]), (&json!("ok"), &shown(&clock, LIFE)), "{answer}");
        clock.advance(A_SECOND);
        lives_on(&app, &mut socket).await;
    }
    assert_eq!(socket.post(&room, "m1", "m1").await["seq"], 1);
    clock.advance(LIFE + GRACE);
    assert_eq!(socket.closed().await, 4500);
}

#[actix_rt::test]
async fn a_token_that_is_refused_changes_nothing() {
    let (app, clock) = engine(|_| {}).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut socket = app.connect(&ada).await;
    let gone = app.sign_in("ada").await;
    log_out(&app, Some(&gone), None).await;
    for (token, code) in [
        (ben.token.as_str(), "auth.another_user"),
        (&gone.token, "auth.token_invalid"),
        ("nonsense", "auth.token_invalid"),
        (&ada.refresh_token, "auth.token_invalid"),
    ] {
        let answer = renew(&mut socket, token).await;
        assert_eq!((&answer["code"], &answer["retry"]), (&json!(code), &json!("never")), "{answer}");
    }
    assert_eq!(socket.ask(json!({ "type": "auth.renew" })).await["code"], "protocol.invalid_frame");
    clock.advance(LIFE);
    assert_eq!(renew(&mut socket, &ada.token).await["code"], "auth.token_expired");
    clock.advance(GRACE - A_SECOND);
    lives_on(&app, &mut socket).await;
    // The other's sign-out is not this session's.
    log_out(&app, None, Some(json!({ "refresh_token": ben.refresh_token }))).await;
    lives_on(&app, &mut socket).await;
    clock.advance(A_SECOND);
    assert_eq!(socket.closed().await, 4500);
}

#[actix_rt::test]
async fn a_session_ends_with_the_sign_in_that_its_token_came_from_last() {
    let (app, clock) = engine(|_| {}).await;
    let first = app.sign_up("ada").await;
    let second = app.sign_in("ada").await;
    let mut socket = app.connect(&first).await;
    assert_eq!(renew(&mut socket, &second.token).await["type"], "ok");
    log_out(&app, Some(&first), None).await;
    clock.advance(A_SECOND);
    lives_on(&app, &mut socket).await;
    log_out(&app, Some(&second), None).await;
    assert_eq!(socket.closed().await, 4501);
}

#[actix_rt::test]
async fn a_renewal_before_hello_is_told_to_say_hello() {
    let (app, _) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let mut socket = WsClient::open(&app.base).await;
    assert_eq!(renew(&mut socket, &ada.token).await["code"], "protocol.hello_first");
}

#[actix_rt::test]
async fn renewals_at_once_are_answered_each_and_one_of_them_counts() {
    let (app, clock) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    let command = json!({ "type": "auth.renew", "token": ada.token });
    for answer in socket.burst(vec![command; 20]).await {
        let busy = answer["code"] == "engine.busy" && answer["retry"] == "later";
        assert!(busy || answer["expires_at"] == shown(&clock, LIFE), "{answer}");
    }
    assert_eq!(renew(&mut socket, &ada.token).await["type"], "ok");
}

#[actix_rt::test]
async fn a_session_by_an_outside_issuers_token_ends_and_is_renewed_alike() {
    let issuer = OutsideIssuer::new();
    let (app, clock) = engine(|config| config.auth.external = vec![issuer.config()]).await;
    let token = |life: Duration, key| issuer.token("cleo", clock.now() + life, key);
    let mut socket = WsClient::open(&app.base).await;
    let ready = socket.hello(&token(LIFE, 0), json!({})).await;
    assert_eq!(ready["expires_at"], shown(&clock, LIFE));
    clock.advance(LIFE);
    assert_eq!(renew(&mut socket, &issuer.token("dan", clock.now() + LIFE, 0)).await["code"], "auth.another_user");

    // The issuer has another key, and is away: nobody knows whether the token is good.
    issuer.publish(0);
    let answer = renew(&mut socket, &token(LIFE, 1)).await;
    assert_eq!((&answer["code"], &answer["retry"]), (&json!("engine.unavailable"), &json!("later")), "{answer}");
    clock.advance(GRACE - A_SECOND);
    lives_on(&app, &mut socket).await;
    issuer.publish(2);
    let answer = renew(&mut socket, &token(LIFE, 1)).await;
    assert_eq!(answer["expires_at"], shown(&clock, LIFE), "{answer}");
    clock.advance(LIFE + GRACE - A_SECOND);
    lives_on(&app, &mut socket).await;
    clock.advance(A_SECOND);
    assert_eq!(socket.closed().await, 4500);
}

#[actix_rt::test]
async fn a_token_without_an_end_in_sight_is_no_trouble() {
    let issuer = OutsideIssuer::new();
    let (app, clock) = engine(|config| config.auth.external = vec![issuer.config()]).await;
    let mut socket = WsClient::open(&app.base).await;
    let ready = socket.hello(&issuer.token("cleo", DateTime::<chrono::Utc>::MAX_UTC, 0), json!({})).await;
    assert_eq!(ready["type"], "ready", "{ready}");
    clock.advance(LIFE + GRACE);
    lives_on(&app, &mut socket).await;
}

#[actix_rt::test]
async fn whoever_has_only_a_refresh_token_left_signs_out_with_it() {
    let (app, clock) = engine(|_| {}).await;
    let ada = app.sign_up("ada").await;
    let used = ada.refresh_token.clone();
    let ada = app.refreshed(&ada).await;
    let mut socket = app.connect(&ada).await;
    clock.advance(LIFE);
    let (status, problem) = log_out(&app, Some(&ada), None).await;
    assert_eq!((status, &problem["code"]), (401, &json!("auth.token_expired")));
    let (status, problem) = log_out(&app, None, Some(json!({ "refresh_token": "A".repeat(43) }))).await;
    assert_eq!((status, &problem["code"]), (401, &json!("auth.refresh_refused")));
    let (status, problem) = log_out(&app, None, None).await;
    assert_eq!((status, &problem["code"]), (401, &json!("auth.token_missing")));
    let with = |token: &str| Some(json!({ "refresh_token": token }));
    assert_eq!(log_out(&app, Some(&ada), with(&ada.refresh_token)).await.0, 204);
    assert_eq!(socket.closed().await, 4501);
    // Twice is no error, with an older token of the device neither.
    assert_eq!(log_out(&app, None, with(&used)).await.0, 204);
    let body = json!({ "refresh_token": ada.refresh_token });
    assert_eq!(app.call(Method::POST, "/auth/refresh", None, Some(body)).await.1["code"], "auth.refresh_refused");
}

#[actix_rt::test]
async fn a_good_access_token_says_who_signs_out_whatever_else_comes_with_it() {
    let (app, clock) = engine(|_| {}).await;
    let (here, there) = (app.sign_up("ada").await, app.sign_in("ada").await);
    let (mut hers, mut others) = (app.connect(&here).await, app.connect(&there).await);
    assert_eq!(log_out(&app, Some(&here), Some(json!({ "refresh_token": there.refresh_token }))).await.0, 204);
    assert_eq!(hers.closed().await, 4501);
    clock.advance(A_SECOND);
    lives_on(&app, &mut others).await;
    // What cannot be read is no sign-out, for anybody.
    assert_eq!(log_out(&app, Some(&there), Some(json!({ "refresh_token": 7 }))).await.0, 422);
    lives_on(&app, &mut others).await;
}
