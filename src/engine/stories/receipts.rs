//! What was received and what was read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp, WsClient};

async fn mark(socket: &mut WsClient, room: &str, delivered: Option<i64>, read: Option<i64>) {
    let mut command = json!({ "type": "receipt.mark", "room_id": room });
    if let Some(delivered) = delivered {
        command["delivered_seq"] = json!(delivered);
    }
    if let Some(read) = read {
        command["read_seq"] = json!(read);
    }
    let answer = socket.ask(command).await;
    assert_eq!(answer["type"], "ok", "{answer}");
}

/// Everything that is marked comes by in some number of coalesced steps: waits for this one.
async fn told(socket: &mut WsClient, person: &Person, delivered: i64, read: i64) {
    loop {
        let event = socket.event_of("receipt.updated").await;
        assert_eq!(event["user_id"], json!(person.id));
        let now = (event["delivered_seq"].as_i64().unwrap(), event["read_seq"].as_i64().unwrap());
        assert!(now.0 <= delivered && now.1 <= read, "{event}");
        if now == (delivered, read) {
            return;
        }
    }
}

async fn room_of(app: &TestApp, person: &Person, room: &str) -> Value {
    app.ok(Method::GET, &format!("/rooms/{room}"), person, None).await
}

#[actix_rt::test]
async fn marks_only_grow_and_never_pass_the_newest_message() {
    let app = TestApp::with(|config| config.chat.receipts_every_ms = 20).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    for n in 1..=5 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    let (mut sender, mut reader, mut second) =
        (app.connect(&ada).await, app.connect(&ben).await, app.connect(&ben).await);
    for (delivered, read, then) in [
        (Some(2), None, (2, 0)),
        // Reading is receiving.
        (None, Some(3), (3, 3)),
        (Some(5), None, (5, 3)),
        (None, Some(i64::MAX), (5, 5)),
    ] {
        app.verify(&[&ada, &ben], mark(&mut reader, &room, delivered, read)).await;
        for socket in [&mut sender, &mut second, &mut reader] {
            told(socket, &ben, then.0, then.1).await;
        }
    }
    // Backwards, below zero, and nothing at all: fine, and nothing to tell.
    for (delivered, read) in [(Some(1), Some(1)), (Some(i64::MIN), Some(i64::MIN)), (Some(0), None), (None, None)] {
        app.verify(&[&ada, &ben], mark(&mut reader, &room, delivered, read)).await;
    }
    app.verify(&[&ada, &ben], app.post(&ada, &room, "c6", "x")).await;
    mark(&mut reader, &room, Some(6), None).await;
    let next = sender.event_of("receipt.updated").await;
    assert_eq!((&next["delivered_seq"], &next["read_seq"]), (&json!(6), &json!(5)));
}

#[actix_rt::test]
async fn marks_that_are_not_written_yet_outlive_the_loading_of_their_room() {
    let app = TestApp::with(|config| {
        config.chat.window_events_max = 1;
        config.chat.receipts_every_ms = 1_000;
    })
    .await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    for n in 1..=5 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    let (mut sender, mut reader) = (app.connect(&ada).await, app.connect(&ben).await);
    mark(&mut reader, &room, None, Some(5)).await;
    // So old that only Postgres knows it: the room, which took it for new, is loaded anew.
    assert_eq!(app.post(&ada, &room, "c1", "x").await, 1);
    // Another device that is behind.
    mark(&mut reader, &room, None, Some(3)).await;
    let first = sender.event_of("receipt.updated").await;
    assert_eq!((&first["delivered_seq"], &first["read_seq"]), (&json!(5), &json!(5)));
    app.post(&ada, &room, "c6", "x").await;
    mark(&mut reader, &room, None, Some(6)).await;
    let next = sender.event_of("receipt.updated").await;
    assert_eq!((&next["delivered_seq"], &next["read_seq"]), (&json!(6), &json!(6)), "and nothing less between");
}

#[actix_rt::test]
async fn unread_messages_are_counted_and_marks_survive_a_restart() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    for n in 1..=4 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    app.post(&ben, &room, "own", "one's own is not unread").await;
    let shown = room_of(&app, &ben, &room).await;
    assert_eq!((&shown["unread"], &shown["last_seq"], &shown["read_seq"]), (&json!(4), &json!(5), &json!(0)));
    let mut socket = app.connect(&ben).await;
    mark(&mut socket, &room, Some(5), Some(2)).await;
    // The engine stops at once: the mark was acknowledged, and so is kept.
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let (_, ready) = app.resume(&ben, json!({})).await;
    let shown = &ready["rooms"][0];
    assert_eq!((&shown["unread"], &shown["delivered_seq"], &shown["read_seq"]), (&json!(2), &json!(5), &json!(2)));
    let members = app.ok(Method::GET, &format!("/rooms/{room}/members"), &ada, None).await;
    let of_ben = members["items"].as_array().unwrap().iter().find(|member| member["user"]["id"] == json!(ben.id));
    assert_eq!(of_ben.unwrap()["read_seq"], 2);
}

#[actix_rt::test]
async fn unread_messages_are_counted_up_to_a_hundred() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ada).await;
    app.verify(&[&ada, &ben], socket.post_all(&room, (0..120).map(|n| format!("m{n}")))).await;
    assert_eq!(room_of(&app, &ben, &room).await["unread"], 100);
    let mut reader = app.connect(&ben).await;
    for read in [10, 50, 120] {
        app.verify(&[&ada, &ben], mark(&mut reader, &room, None, Some(read))).await;
    }
    assert_eq!(room_of(&app, &ben, &room).await["unread"], 0);
}
