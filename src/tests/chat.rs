//! People talk.

use reqwest::Method;
use serde_json::json;

use crate::testing::{TestApp, seqs};

#[actix_rt::test]
async fn two_people_chat() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut ben_socket = app.connect(&ben).await;
    let body = json!({ "kind": "direct", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    assert_eq!(ben_socket.event_of("room.joined").await["room"]["peer"]["username"], "ada");
    let mut ada_socket = app.connect(&ada).await;
    let answer = ada_socket.post(&room, "c1", "hello").await;
    assert_eq!((&answer["type"], &answer["seq"]), (&json!("ok"), &json!(1)));
    for socket in [&mut ada_socket, &mut ben_socket] {
        let event = socket.event_of("message.posted").await;
        assert_eq!((&event["message"]["content"], &event["message"]["id"]), (&json!("hello"), &answer["message_id"]));
    }
    ben_socket.post(&room, "c1", "hello yourself").await;
    assert_eq!(seqs(&ada_socket.events_of_room(&room, 1).await), [2]);
}
