//! Editing and deleting messages: near and far from the end of a room, by whom, and what everybody has of it afterwards.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp};

fn path(room: &str, message: &str) -> String {
    format!("/rooms/{room}/messages/{message}")
}

async fn posted(app: &TestApp, by: &Person, room: &str, client_id: &str, content: &str) -> String {
    let body = json!({ "client_id": client_id, "content": content });
    let message = app.ok(Method::POST, &format!("/rooms/{room}/messages"), by, Some(body)).await;
    message["id"].as_str().unwrap().to_owned()
}

/// The room's whole order, as catching up tells it over a socket and over HTTP, which is the same.
async fn told(app: &TestApp, by: &Person, room: &str) -> Vec<Value> {
    let mut client = app.connect(by).await;
    let over_socket = client.catch_up(room, 0, 100).await;
    let over_http = app.ok(Method::GET, &format!("/rooms/{room}/events?after=0"), by, None).await;
    assert_eq!(json!(over_socket), over_http["events"]);
    over_socket
}

#[actix_rt::test]
async fn an_edit_of_any_age_is_told_live_and_its_message_in_its_present_form_ever_after() {
    // One message fits into memory: the first is outside of it.
    let app = TestApp::with(|config| config.chat.window_events_max = 1).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let old = posted(&app, &ada, &room, "m1", "first").await;
    let new = posted(&app, &ada, &room, "m2", "second").await;
    let mut client = app.connect(&ben).await;
    for (seq, message, content) in [(3, &old, "first, mended"), (4, &new, "second, mended"), (5, &old, "and once more")]
    {
        let body = json!({ "client_id": content, "content": content, "parts": [{ "type": "note", "n": seq }] });
        let path = path(&room, message);
        let edit = app.ok(Method::PATCH, &path, &ada, Some(body.clone()));
        let edited = app.verify(&[&ada, &ben], edit).await;
        assert_eq!((&edited["content"], edited["parts"][0]["n"].as_i64()), (&json!(content), Some(seq)), "{edited}");
        let event = client.event_of("message.edited").await;
        assert_eq!(
            (event["seq"].as_i64(), &event["message_id"], &event["by"]),
            (Some(seq), &json!(message), &json!(ada.id))
        );
        assert_eq!((&event["content"], &event["edited_at"]), (&json!(content), &edited["edited_at"]), "{event}");
        // Sent again, it is the first; and what says so already is left as it is.
        app.verify(&[&ada, &ben], app.ok(Method::PATCH, &path, &ada, Some(body.clone()))).await;
        let same = json!({ "content": content, "parts": body["parts"] });
        app.ok(Method::PATCH, &path, &ada, Some(same)).await;
    }
    let contents = |events: &[Value]| -> Vec<String> {
        let of = |event: &Value| {
            event["message"]["content"].as_str().or(event["content"].as_str()).unwrap_or("-").to_owned()
        };
        events.iter().map(of).collect()
    };
    // An edit that another one has followed says no more what it made of the message.
    let expected = ["and once more", "second, mended", "-", "second, mended", "and once more"];
    assert_eq!(contents(&told(&app, &ben, &room).await), expected);
    let page = app.ok(Method::GET, &format!("/rooms/{room}/messages?after=0"), &ben, None).await;
    assert_eq!(page["items"][0]["content"], "and once more");
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_eq!(contents(&told(&app, &ben, &room).await), expected, "with all of it in memory, read from Postgres");
    let body = json!({ "client_id": "and once more", "content": "and once more" });
    app.ok(Method::PATCH, &path(&room, &old), &ada, Some(body)).await;
    assert_eq!(told(&app, &ben, &room).await.len(), 5, "known after a restart");
}

#[actix_rt::test]
async fn what_was_deleted_is_nowhere_but_with_the_moderators() {
    let app = TestApp::start().await;
    let [ada, ben, cleo] = [app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await];
    let room = app.group(&[&ada, &ben, &cleo]).await;
    let message = posted(&app, &ben, &room, "m1", "the secret").await;
    app.ok(Method::PATCH, &path(&room, &message), &ben, Some(json!({ "content": "a secret" }))).await;
    let refused = app.call(Method::DELETE, &path(&room, &message), Some(&cleo), None).await;
    assert_eq!((refused.0, &refused.1["code"]), (403, &json!("message.not_yours")));
    let mut client = app.connect(&cleo).await;
    app.verify(&[&ada, &ben, &cleo], app.ok(Method::DELETE, &path(&room, &message), &ada, None)).await;
    let event = client.event_of("message.deleted").await;
    assert_eq!((event["seq"].as_i64(), &event["message_id"], &event["by"]), (Some(3), &json!(message), &json!(ada.id)));
    app.ok(Method::DELETE, &path(&room, &message), &ben, None).await;
    let refused =
        app.call(Method::PATCH, &path(&room, &message), Some(&ben), Some(json!({ "content": "again" }))).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("message.deleted")));

    let events = told(&app, &cleo, &room).await;
    let tombstone = &events[0]["message"];
    assert_eq!((events.len(), &tombstone["content"], &tombstone["sender"]["id"]), (3, &json!(""), &json!(ben.id)));
    assert!(tombstone["deleted_at"].is_string() && !json!(events).to_string().contains("secret"), "{events:?}");
    assert_eq!(
        events[1],
        json!({ "type": "message.edited", "room_id": room, "seq": 2, "message_id": message,
                                  "by": ben.id, "at": events[1]["at"] })
    );
    let again = json!({ "client_id": "m1", "content": "the secret" });
    let again = app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ben), Some(again)).await;
    assert_eq!((again.0, &again.1["content"]), (200, &json!("")), "not from the memory of sends either");

    let versions = app.ok(Method::GET, &format!("{}/versions", path(&room, &message)), &ada, None).await;
    let contents: Vec<_> = versions["items"].as_array().unwrap().iter().map(|version| &version["content"]).collect();
    assert_eq!(contents, ["the secret", "a secret"], "{versions}");
    let page = app.ok(Method::GET, &format!("{}/versions?limit=1", path(&room, &message)), &ada, None).await;
    let next = format!("{}/versions?limit=1&after={}", path(&room, &message), page["next"].as_str().unwrap());
    let page = app.ok(Method::GET, &next, &ada, None).await;
    assert_eq!((&page["items"][0]["content"], &page["next"]), (&json!("a secret"), &Value::Null));
    let refused = app.call(Method::GET, &format!("{}/versions", path(&room, &message)), Some(&ben), None).await;
    assert_eq!((refused.0, &refused.1["code"]), (403, &json!("message.not_a_moderator")));
}

#[actix_rt::test]
async fn a_direct_room_has_no_moderators_and_keeps_nothing() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let body = json!({ "kind": "direct", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    let message = posted(&app, &ben, &room, "m1", "between us").await;
    let refused = app.call(Method::DELETE, &path(&room, &message), Some(&ada), None).await;
    assert_eq!((refused.0, &refused.1["code"]), (403, &json!("message.not_yours")));
    let (path, both) = (path(&room, &message), [&ada, &ben]);
    let edit = app.ok(Method::PATCH, &path, &ben, Some(json!({ "content": "between the two of us" })));
    app.verify(&both, edit).await;
    app.verify(&both, app.ok(Method::DELETE, &path, &ben, None)).await;
    let kept = "SELECT count(*) FROM message_versions WHERE content <> ''";
    let kept: i64 = sqlx::query_scalar(kept).fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(kept, 0);
    let left = "SELECT count(*) FROM messages WHERE content <> ''";
    let left: i64 = sqlx::query_scalar(left).fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(left, 0);
    let told = "SELECT count(*) FROM room_events WHERE payload::text LIKE '%between%'";
    let told: i64 = sqlx::query_scalar(told).fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(told, 0);
}

#[actix_rt::test]
async fn commands_of_one_socket_are_done_in_their_order_also_where_the_room_has_to_look_first() {
    let app = TestApp::with(|config| config.chat.window_events_max = 2).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let old = posted(&app, &ada, &room, "m0", "old").await;
    for n in 1..5 {
        app.post(&ben, &room, &format!("b{n}"), "in between").await;
    }
    let mut client = app.connect(&ada).await;
    let posted = client.post(&room, "m1", "first").await;
    let about = |kind: &str, client_id: &str, message: &Value, content: &str| json!({ "type": kind, "room_id": room, "client_id": client_id, "message_id": message, "content": content });
    let answers = client
        .burst(vec![
            about("message.edit", "e1", &posted["message_id"], "second"),
            about("message.edit", "e2", &posted["message_id"], "third"),
            about("message.edit", "e3", &json!(old), "old, mended"),
            about("message.delete", "d1", &posted["message_id"], ""),
            about("message.edit", "e4", &posted["message_id"], "too late"),
            about("message.edit", "e1", &json!(old), "another under a used id"),
            about("message.delete", "e3", &json!(old), ""),
        ])
        .await;
    assert_eq!((&answers[0]["seq"], &answers[1]["seq"]), (&json!(7), &json!(8)), "{answers:?}");
    let codes: Vec<_> = answers.iter().map(|answer| &answer["code"]).collect();
    let (none, late, reused) = (&Value::Null, &json!("message.deleted"), &json!("chat.key_reused"));
    assert_eq!(codes, [none, none, none, none, late, reused, reused], "{answers:?}");
    // Of a message that the room has to look up, each in its turn.
    let edits = (0..12).map(|n| about("message.edit", &format!("o{n}"), &json!(old), &n.to_string()));
    let edits = client.burst(edits.collect()).await;
    let seqs_of_old: Vec<_> = edits.iter().map(|answer| answer["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs_of_old, (11..23).collect::<Vec<_>>(), "{edits:?}");
    // Long after, it is still known what was done.
    let again = client.ask(about("message.edit", "o3", &json!(old), "3")).await;
    assert_eq!(again["seq"], 14, "{again}");
    let mut seqs: Vec<_> = answers[..4].iter().map(|answer| answer["seq"].as_i64().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, [7, 8, 9, 10]);
    let events = told(&app, &ben, &room).await;
    assert_eq!((&events[0]["message"]["content"], &events[5]["message"]["content"]), (&json!("11"), &json!("")));
}

#[actix_rt::test]
async fn a_space_is_moderated_by_its_admins_who_are_in_the_channel() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let space = space["id"].as_str().unwrap();
    app.ok(Method::POST, &format!("/spaces/{space}/members"), &ada, Some(json!({ "user_id": ben.id }))).await;
    let channel = json!({ "kind": "channel", "name": "quay", "space_id": space, "member_ids": [] });
    let room = app.ok(Method::POST, "/rooms", &ben, Some(channel)).await["id"].as_str().unwrap().to_owned();
    let message = posted(&app, &ben, &room, "m1", "hello").await;
    let refused = app.call(Method::DELETE, &path(&room, &message), Some(&ada), None).await;
    assert_eq!(refused.0, 404, "not from outside: {}", refused.1);
    app.ok(Method::POST, &format!("/rooms/{room}/members"), &ada, Some(json!({ "user_id": ada.id, "role": "member" })))
        .await;
    app.ok(Method::DELETE, &path(&room, &message), &ada, None).await;
    let versions = app.ok(Method::GET, &format!("{}/versions", path(&room, &message)), &ada, None).await;
    assert_eq!(versions["items"][0]["content"], "hello");
}

#[actix_rt::test]
async fn whoever_may_not_edit_learns_why_and_strangers_learn_nothing() {
    let app = TestApp::start().await;
    let [ada, ben, eve] = [app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("eve").await];
    let room = app.group(&[&ada, &ben]).await;
    let other = app.group(&[&ada, &ben]).await;
    let message = posted(&app, &ben, &room, "m1", "hello").await;
    let content = || Some(json!({ "content": "other words" }));
    let gone = uuid::Uuid::now_v7().to_string();
    let long = json!({ "content": "x".repeat(200_000) });
    for (by, room, message, body, status, code) in [
        // Not even an owner puts words into others' mouths.
        (&ada, &room, &message, content(), 403, "message.not_yours"),
        (&eve, &room, &message, content(), 404, "chat.room_not_found"),
        (&ben, &other, &message, content(), 404, "chat.message_not_found"),
        (&ben, &room, &gone, content(), 404, "chat.message_not_found"),
        (&ben, &room, &message, Some(json!({ "content": " " })), 422, "chat.invalid"),
        (&ben, &room, &message, Some(json!({ "content": "a", "client_id": "" })), 422, "chat.invalid"),
        (&ben, &room, &message, Some(json!({ "content": "a", "parts": [1] })), 422, "chat.invalid"),
        (&ben, &room, &message, Some(long), 413, "chat.content_too_large"),
        (&ben, &room, &message, Some(json!({})), 422, "request.invalid_body"),
    ] {
        let (is, problem) = app.call(Method::PATCH, &path(room, message), Some(by), body).await;
        assert_eq!((is, &problem["code"]), (status, &json!(code)), "{problem}");
    }
    for (by, room, message, code) in [
        (&eve, &room, &message, "chat.room_not_found"),
        (&ben, &other, &message, "chat.message_not_found"),
        (&ben, &room, &gone, "chat.message_not_found"),
    ] {
        let (status, problem) = app.call(Method::DELETE, &path(room, message), Some(by), None).await;
        assert_eq!((status, &problem["code"]), (404, &json!(code)), "{problem}");
    }
    assert_eq!(told(&app, &ben, &room).await.len(), 1);
}

#[actix_rt::test]
async fn edits_of_one_message_at_once_are_told_in_one_order_that_its_form_follows() {
    let app = TestApp::with(|config| config.chat.window_events_max = 4).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let message = posted(&app, &ada, &room, "m1", "0").await;
    let edit = async |n: usize| {
        let body = json!({ "client_id": format!("e{n}"), "content": n.to_string() });
        app.ok(Method::PATCH, &path(&room, &message), &ada, Some(body)).await;
        app.post(&ben, &room, &format!("b{n}"), "in between").await;
    };
    app.verify(&[&ada, &ben], futures_util::future::join_all((1..=20).map(edit))).await;
    let events = told(&app, &ben, &room).await;
    let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=41).collect::<Vec<_>>());
    let last = events.iter().rev().find(|event| event["type"] == "message.edited").unwrap();
    assert_eq!(events[0]["message"]["content"], last["content"]);
    assert_eq!(events[0]["message"]["edited_at"], last["edited_at"]);
    let page = app.ok(Method::GET, &format!("/rooms/{room}/messages?after=0&limit=1"), &ben, None).await;
    assert_eq!(page["items"][0], events[0]["message"]);
    let versions = app.ok(Method::GET, &format!("{}/versions", path(&room, &message)), &ada, None).await;
    assert_eq!(versions["items"].as_array().unwrap().len(), 20);
}
