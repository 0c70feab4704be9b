//! What one account may do, whatever it does it through: past that it is told when to come again, and nobody else notices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::testing::process::until;
use crate::testing::{Person, TestApp, WsClient};

/// An engine with these limits, and little time for anything to come back.
async fn limited(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with(|config| {
        let limits = &mut config.limits;
        (limits.messages_per_minute, limits.rooms_per_hour, limits.people_per_hour) = (1, 1, 1);
        change(config);
    })
    .await
}

/// The code of an answer that says when to come again.
fn later(answer: &Value) -> &str {
    assert!(answer["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0), "{answer}");
    answer["code"].as_str().unwrap()
}

async fn refused(app: &TestApp, path: &str, by: &Person, body: Value) -> String {
    let (status, answer) = app.call(Method::POST, path, Some(by), Some(body)).await;
    assert_eq!(status, 429, "{answer}");
    later(&answer).to_owned()
}

#[actix_rt::test]
async fn messages_of_all_devices_and_doors_come_out_of_one_allowance() {
    let app = limited(|config| config.limits.messages_burst = 6).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (mut phone, mut laptop) = (app.connect(&ada).await, app.connect(&ada).await);
    for n in 0..2 {
        assert_eq!(phone.post(&room, &format!("p{n}"), "x").await["type"], "ok");
        assert_eq!(laptop.post(&room, &format!("l{n}"), "x").await["type"], "ok");
        app.post(&ada, &room, &format!("h{n}"), "x").await;
    }
    for socket in [&mut phone, &mut laptop] {
        let answer = socket.post(&room, "more", "x").await;
        assert_eq!((later(&answer), &answer["retry"]), ("limits.messages", &json!("later")));
    }
    // Changes that everybody hears of are no way around it.
    let rename = app.call(Method::PATCH, &format!("/rooms/{room}"), Some(&ada), Some(json!({ "name": "pier" }))).await;
    assert_eq!((rename.0, later(&rename.1)), (429, "limits.messages"));
    let path = format!("/rooms/{room}/messages");
    assert_eq!(refused(&app, &path, &ada, json!({ "client_id": "more", "content": "x" })).await, "limits.messages");
    // Reading, marking and everybody else go on.
    assert_eq!(phone.ask(json!({ "type": "receipt.mark", "room_id": room, "read_seq": 6 })).await["type"], "ok");
    assert_eq!(phone.catch_up(&room, 0, 50).await.len(), 6);
    app.post(&ben, &room, "b", "x").await;
}

#[actix_rt::test]
async fn bytes_are_counted_besides_messages() {
    let app = limited(|config| {
        (config.limits.bytes_burst, config.limits.bytes_per_minute) = (262_144, 1_024);
    })
    .await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let long = "x".repeat(30_000);
    for n in 0..8 {
        assert_eq!(socket.post(&room, &format!("c{n}"), &long).await["type"], "ok");
    }
    assert_eq!(later(&socket.post(&room, "more", &long).await), "limits.bytes");
    // Parts are text, too.
    let parts = json!([{ "text": long }]);
    let post = json!({ "type": "message.post", "room_id": room, "client_id": "parts", "parts": parts });
    assert_eq!(later(&socket.ask(post).await), "limits.bytes");
    assert_eq!(socket.post(&room, "short", "still possible").await["type"], "ok");
}

#[actix_rt::test]
async fn rooms_and_spaces_are_made_out_of_one_allowance() {
    let app = limited(|config| config.limits.rooms_burst = 4).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let direct = json!({ "kind": "direct", "member_ids": [ben.id] });
    app.ok(Method::POST, "/rooms", &ada, Some(direct.clone())).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Port" }))).await;
    let channel = json!({ "kind": "channel", "name": "quay", "space_id": space["id"] });
    app.ok(Method::POST, "/rooms", &ada, Some(channel.clone())).await;
    app.group(&[&ada, &ben]).await;
    for (path, body) in [
        ("/rooms", channel),
        ("/rooms", json!({ "kind": "group", "member_ids": [ben.id] })),
        ("/spaces", json!({ "name": "Pier" })),
    ] {
        assert_eq!(refused(&app, path, &ada, body).await, "limits.rooms");
    }
    // A direct room that is there is found, however often.
    for _ in 0..10 {
        app.ok(Method::POST, "/rooms", &ada, Some(direct.clone())).await;
    }
    app.group(&[&ben, &ada]).await;
    let rooms = app.ok(Method::GET, "/rooms", &ada, None).await;
    assert_eq!(rooms["items"].as_array().unwrap().len(), 4, "nothing was made of what was refused: {rooms}");
}

#[actix_rt::test]
async fn people_are_added_out_of_one_allowance_and_joining_is_free() {
    let app = limited(|config| config.limits.people_burst = 5).await;
    let mut people = Vec::new();
    for n in 0..7 {
        people.push(app.sign_up(&format!("user{n}")).await);
    }
    let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let ada = &people[0];
    // More than there ever is at once is said to be, rather than put off for ever.
    let crowd = json!({ "kind": "group", "member_ids": ids[1..7] });
    let (status, answer) = app.call(Method::POST, "/rooms", Some(ada), Some(crowd)).await;
    assert_eq!((status, &answer["code"]), (422, &json!("limits.people_at_once")), "{answer}");
    let space = app.ok(Method::POST, "/spaces", ada, Some(json!({ "name": "Port" }))).await["id"].clone();
    let members = format!("/spaces/{}/members", space.as_str().unwrap());
    app.ok(Method::POST, &members, ada, Some(json!({ "user_id": ids[1] }))).await;
    let room = json!({ "kind": "group", "member_ids": ids[1..4] });
    let room = app.ok(Method::POST, "/rooms", ada, Some(room)).await["id"].as_str().unwrap().to_owned();
    app.ok(Method::POST, &format!("/rooms/{room}/members"), ada, Some(json!({ "user_id": ids[4] }))).await;
    for (path, body) in [
        (format!("/rooms/{room}/members"), json!({ "user_id": ids[5] })),
        (members, json!({ "user_id": ids[5] })),
        ("/rooms".to_owned(), json!({ "kind": "direct", "member_ids": [ids[5]] })),
    ] {
        assert_eq!(refused(&app, &path, ada, body).await, "limits.people");
    }
    // Making a room for oneself adds nobody, and going where one may go neither.
    let channel = json!({ "kind": "channel", "name": "quay", "space_id": space });
    let channel = app.ok(Method::POST, "/rooms", ada, Some(channel)).await["id"].as_str().unwrap().to_owned();
    app.ok(Method::POST, &format!("/rooms/{channel}/members"), &people[1], Some(json!({ "user_id": ids[1] }))).await;
}

#[actix_rt::test]
async fn an_account_with_as_many_sockets_as_it_may_is_told_to_come_back() {
    let app = limited(|config| config.limits.sockets_max = 3).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(app.connect(&ada).await);
    }
    let mut more = WsClient::open(&app.base).await;
    let answer = more.hello(&ada.token, json!({})).await;
    assert_eq!((later(&answer), &answer["retry"]), ("limits.sockets", &json!("later")));
    assert_eq!(more.closed().await, 4004);
    app.connect(&ben).await;
    // What was refused took no place, and a place is free as soon as its socket is gone.
    drop(sockets.pop());
    until("a place is free", async || {
        let mut socket = WsClient::open(&app.base).await;
        let answer = socket.hello(&ada.token, json!({})).await;
        let is_in = answer["type"] == "ready";
        if is_in {
            sockets.push(socket);
        }
        is_in
    })
    .await;
    let mut more = WsClient::open(&app.base).await;
    assert_eq!(more.hello(&ada.token, json!({})).await["code"], "limits.sockets");
}
