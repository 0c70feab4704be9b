//! Greeting, heartbeats, and why sockets end.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{PASSWORD, TestApp, WsClient};

#[actix_rt::test]
async fn ready_says_who_and_where_one_is() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    app.post(&ben, &room, "c1", "hello").await;
    let (_, ready) = app.resume(&ada, json!({})).await;
    assert_eq!((&ready["user"]["id"], &ready["heartbeat_ms"]), (&json!(ada.id), &json!(25_000)));
    assert!(ready["session_id"].is_string());
    let shown = &ready["rooms"][0];
    for (field, wanted) in [
        ("id", json!(room)),
        ("kind", json!("group")),
        ("name", json!("test")),
        ("role", json!("owner")),
        ("last_seq", json!(1)),
        ("read_seq", json!(0)),
        ("unread", json!(1)),
    ] {
        assert_eq!(shown[field], wanted, "{field}");
    }
}

#[actix_rt::test]
async fn a_ping_is_answered_also_before_hello() {
    let app = TestApp::start().await;
    let mut socket = WsClient::open(&app.base).await;
    assert_eq!(socket.ask(json!({ "type": "ping" })).await, json!({ "type": "pong", "re": 1 }));
    let ada = app.sign_up("ada").await;
    assert_eq!(socket.hello(&ada.token, json!({})).await["type"], "ready");
    assert_eq!(socket.ask(json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_rt::test]
async fn a_hello_that_never_comes_ends_the_socket_with_4503() {
    let app = TestApp::with(|config| config.sessions.hello_timeout_ms = 200).await;
    let mut silent = WsClient::open(&app.base).await;
    let mut busy = WsClient::open(&app.base).await;
    // Anything but hello does not count.
    busy.ask(json!({ "type": "ping" })).await;
    assert_eq!((silent.closed().await, busy.closed().await), (4503, 4503));
}

#[actix_rt::test]
async fn a_bad_token_is_answered_and_ends_the_socket_with_4500() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    for token in ["", "nonsense", "a.b.c", ada.refresh_token.as_str(), &ada.token[..ada.token.len() - 4]] {
        let mut socket = WsClient::open(&app.base).await;
        let answer = socket.hello(token, json!({})).await;
        assert_eq!((&answer["type"], &answer["retry"]), (&json!("error"), &json!("never")), "{answer}");
        assert_eq!(socket.closed().await, 4500);
    }
}

#[actix_rt::test]
async fn signing_out_ends_the_sockets_of_that_sign_in_only() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let body = json!({ "login": "ada", "password": PASSWORD });
    let (_, other) = app.call(Method::POST, "/auth/login", None, Some(body)).await;
    let mut other_person = ada.clone();
    other_person.token = other["access_token"].as_str().unwrap().to_owned();
    let mut sockets = [app.connect(&ada).await, app.connect(&ada).await];
    let mut stays = app.connect(&other_person).await;
    let (status, _) = app.call(Method::POST, "/auth/logout", Some(&ada), None).await;
    assert_eq!(status, 204);
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4501);
    }
    assert_eq!(stays.ask(json!({ "type": "ping" })).await["type"], "pong");
    let mut again = WsClient::open(&app.base).await;
    again.hello(&ada.token, json!({})).await;
    assert_eq!(again.closed().await, 4500);
}

#[actix_rt::test]
async fn an_idle_server_sends_heartbeats_and_a_silent_client_is_closed_with_4003() {
    let app = TestApp::with(|config| config.sessions.heartbeat_ms = 200).await;
    let ada = app.sign_up("ada").await;
    let (mut silent, mut lively) = (app.connect(&ada).await, app.connect(&ada).await);
    let mut heartbeats = 0;
    let code = loop {
        // The lively one is heard meanwhile.
        assert_eq!(lively.ask(json!({ "type": "ping" })).await["type"], "pong");
        // Read without tungstenite's automatic answers getting in the way: it only answers pings, and gets none.
        match silent.frame().await {
            Ok(frame) => {
                assert_eq!(frame["type"], "heartbeat");
                assert!(frame["at"].is_string());
                heartbeats += 1;
            }
            Err(code) => break code,
        }
    };
    assert_eq!(code, 4003);
    assert!(heartbeats > 0);
}

#[actix_rt::test]
async fn an_engine_that_stops_says_come_back_with_4001() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut sockets = vec![WsClient::open(&app.base).await];
    for _ in 0..5 {
        sockets.push(app.connect(&ada).await);
    }
    let answer = sockets[1].post(&room, "c1", "last words").await;
    assert_eq!(answer["seq"], 1);
    let (stopped, codes) = futures_util::future::join(app.stop(), async {
        let mut codes = Vec::new();
        for socket in &mut sockets {
            codes.push(socket.closed().await);
        }
        codes
    })
    .await;
    assert_eq!(codes, [4001; 6]);
    let app = TestApp::on(stopped.0, stopped.1, |_| {}).await;
    let history = app.ok(Method::GET, &format!("/rooms/{room}/messages"), &ada, None).await;
    assert_eq!(history["items"][0]["content"], "last words");
}

#[actix_rt::test]
async fn what_was_posted_while_the_engine_stops_is_either_acknowledged_and_kept_or_not_acknowledged() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let (send, hear) = (300, &mut socket);
    for n in 0..send {
        hear.send(json!({ "type": "message.post", "room_id": room, "client_id": format!("c{n}"), "content": "x" }))
            .await;
    }
    let ((database, folder), acknowledged) = futures_util::future::join(app.stop(), async {
        let mut acknowledged = Vec::new();
        while let Ok(frame) = hear.frame().await {
            if frame["type"] == "ok" {
                acknowledged.push((frame["seq"].as_i64().unwrap(), frame["message_id"].clone()));
            }
        }
        acknowledged
    })
    .await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let mut kept: Vec<(i64, Value)> = Vec::new();
    let mut socket = app.connect(&ada).await;
    for event in socket.catch_up(&room, 0, 200).await {
        kept.push((event["seq"].as_i64().unwrap(), event["message"]["id"].clone()));
    }
    assert!(acknowledged.iter().all(|one| kept.contains(one)));
    assert!(kept.iter().map(|(seq, _)| *seq).eq(1..=kept.len() as i64));
}
