//! What a hello asks to resume and cannot have: it is told which rooms and why, and the connection goes on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{TestApp, WsClient, contents, seqs};

fn refused(ready: &Value) -> Vec<(String, String)> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let entries = ready["resume_refused"].as_array();
    entries.into_iter().flatten().map(|entry| (text(entry, "room_id"), text(entry, "reason"))).collect()
}

fn because(room: &str, reason: &str) -> (String, String) {
    (room.to_owned(), reason.to_owned())
}

#[actix_rt::test]
async fn what_cannot_be_resumed_is_named_and_everything_else_is_resumed() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (room, ahead, left) =
        (app.group(&[&ada, &ben]).await, app.group(&[&ada, &ben]).await, app.group(&[&ada, &ben]).await);
    for n in 1..=3 {
        app.post(&ada, &room, &format!("c{n}"), &format!("m{n}")).await;
    }
    app.ok(Method::DELETE, &format!("/rooms/{left}/members/{}", ben.id), &ada, None).await;
    let absent = "0190a000-0000-7000-8000-000000000000";
    let asked = json!({ &room: 1, &ahead: 1, &left: 0, absent: 5, "lobby": 1, "": { "deep": [[]] } });
    let (mut socket, ready) = app.resume(&ben, asked).await;
    let mut told = refused(&ready);
    told.sort();
    let mut right = vec![
        because("", "malformed"),
        because("lobby", "malformed"),
        because(absent, "not_a_member"),
        because(&ahead, "ahead"),
        because(&left, "not_a_member"),
    ];
    right.sort();
    assert_eq!(told, right);
    assert_eq!(contents(&socket.events_of_room(&room, 2).await), ["m2", "m3"]);
    // A room that is read anew goes on from `ready`, as if nothing had been known of it.
    app.post(&ada, &ahead, "c1", "first").await;
    assert_eq!(seqs(&socket.events_of_room(&ahead, 1).await), [1]);
}

#[actix_rt::test]
async fn a_seq_that_is_none_is_not_moved_to_one_that_is() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    app.post(&ada, &room, "c1", "x").await;
    for (seq, reason) in [
        (json!(2), "ahead"),
        (json!(i64::MAX), "ahead"),
        (json!(-1), "malformed"),
        (json!(i64::MIN), "malformed"),
        (json!(9_223_372_036_854_775_808_u64), "malformed"),
        (json!(0.5), "malformed"),
        (json!("0"), "malformed"),
        (Value::Null, "malformed"),
    ] {
        let (mut socket, ready) = app.resume(&ben, json!({ &room: seq })).await;
        assert_eq!(refused(&ready), [because(&room, reason)], "{seq}");
        assert_eq!(socket.ask(json!({ "type": "ping" })).await["type"], "pong");
    }
    // Up to date, and empty: nothing to say of either.
    for resume in [json!({ &room: 1 }), json!({}), Value::Null] {
        let (_, ready) = app.resume(&ben, resume).await;
        assert_eq!(ready.get("resume_refused"), None);
    }
}

#[actix_rt::test]
async fn past_the_limit_the_rooms_with_the_oldest_activity_are_read_anew() {
    let app = TestApp::with(|config| config.sessions.resume_rooms_max = 3).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut rooms = Vec::new();
    for _ in 0..6 {
        let room = app.group(&[&ada, &ben]).await;
        app.post(&ada, &room, "c1", "x").await;
        rooms.push(room);
    }
    let resume: Value = rooms.iter().map(|room| (room.clone(), json!(0))).collect::<serde_json::Map<_, _>>().into();
    let (mut socket, ready) = app.resume(&ben, resume).await;
    assert_eq!(refused(&ready), [2, 1, 0].map(|n: usize| because(&rooms[n], "too_many")));
    for room in rooms[3..].iter().rev() {
        assert_eq!(seqs(&socket.events_of_room(room, 1).await), [1]);
    }
    // Those that are up to date do not count.
    let resume = json!({ &rooms[0]: 0, &rooms[1]: 0, &rooms[2]: 0, &rooms[3]: 1, &rooms[4]: 1, &rooms[5]: 1 });
    let (_, ready) = app.resume(&ben, resume).await;
    assert_eq!(ready.get("resume_refused"), None);
}

#[actix_rt::test]
async fn another_epoch_resumes_nothing_and_the_same_one_everything() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (room, other) = (app.group(&[&ada, &ben]).await, app.group(&[&ada, &ben]).await);
    app.post(&ada, &room, "c1", "x").await;
    let (_, ready) = app.resume(&ben, json!({})).await;
    let epoch = ready["epoch"].as_str().unwrap().to_owned();
    let hello = async |epoch: Value| {
        let mut socket = WsClient::open(&app.base).await;
        let hello = json!({ "type": "hello", "token": ben.token, "resume": { &room: 0, &other: 0 }, "epoch": epoch });
        let ready = socket.ask(hello).await;
        assert_eq!((&ready["type"], &ready["epoch"]), (&json!("ready"), &ready["epoch"]));
        (socket, ready)
    };
    for same in [json!(epoch), json!(epoch.to_uppercase()), Value::Null] {
        let (mut socket, ready) = hello(same).await;
        assert_eq!(ready.get("resume_refused"), None);
        assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [1]);
    }
    let mut both = [because(&room, "epoch"), because(&other, "epoch")];
    both.sort();
    for different in ["0190a000-0000-7000-8000-000000000000", "", "yesterday"] {
        let (mut socket, ready) = hello(json!(different)).await;
        assert_eq!((refused(&ready), &ready["epoch"]), (both.to_vec(), &json!(epoch)));
        // What comes next is live.
        app.post(&ada, &other, &format!("after {different}"), "live").await;
        assert_eq!(contents(&socket.events_of_room(&other, 1).await), ["live"]);
    }
    // It is the log's, not the engine's.
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let (_, ready) = app.resume(&ben, json!({})).await;
    assert_eq!(ready["epoch"], json!(epoch));
}

#[actix_rt::test]
async fn who_asks_from_beyond_the_end_is_told_so_through_every_door() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
    let room = app.group(&[&ada]).await;
    for n in 1..=3 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    let mut socket = app.connect(&ada).await;
    let mut outside = app.connect(&eve).await;
    let catch_up = |after: i64| json!({ "type": "room.catch_up", "room_id": room, "after": after });
    for after in [4, i64::MAX] {
        let answer = socket.ask(catch_up(after)).await;
        assert_eq!((&answer["code"], &answer["retry"]), (&json!("chat.ahead"), &json!("never")), "{answer}");
        for path in [format!("/rooms/{room}/events?after={after}"), format!("/rooms/{room}/messages?after={after}")] {
            let (status, answer) = app.call(Method::GET, &path, Some(&ada), None).await;
            assert_eq!((status, &answer["code"]), (409, &json!("chat.ahead")), "{answer}");
            let (status, answer) = app.call(Method::GET, &path, Some(&eve), None).await;
            assert_eq!((status, &answer["code"]), (404, &json!("chat.room_not_found")), "{answer}");
        }
        assert_eq!(outside.ask(catch_up(after)).await["code"], "chat.room_not_found");
    }
    let answer = socket.ask(catch_up(3)).await;
    assert_eq!((&answer["events"], &answer["last_seq"], &answer["more"]), (&json!([]), &json!(3), &json!(false)));
}
