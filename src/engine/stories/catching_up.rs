//! A device was away and misses nothing, from memory or from Postgres, whichever way it asks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::testing::{Person, TestApp, contents, seqs};

/// Small enough that most of what a device missed has left memory.
fn small_window(config: &mut Config) {
    config.chat.window_events_max = 16;
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("m{n}")).collect()
}

/// An engine with a room of two in which the first has posted `count` messages while the second was away.
async fn posted_while_away(count: usize, change: impl FnOnce(&mut Config)) -> (TestApp, Person, Person, String) {
    let app = TestApp::with(|config| {
        config.sessions.inflight_commands_max = 2_000;
        change(config);
    })
    .await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ada).await;
    let answers = socket.post_all(&room, numbered(count)).await;
    assert!(answers.iter().all(|answer| answer["type"] == "ok"), "{answers:?}");
    (app, ada, ben, room)
}

async fn events_over_http(app: &TestApp, by: &Person, room: &str, mut after: i64, limit: usize) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after={after}&limit={limit}"), by, None).await;
        events.extend_from_slice(page["events"].as_array().unwrap());
        after = events.last().map_or(after, |event: &Value| event["seq"].as_i64().unwrap());
        if page["more"] == json!(false) {
            return events;
        }
    }
}

async fn a_thousand_messages_are_caught_up_exactly(change: impl FnOnce(&mut Config)) {
    let (app, ada, ben, room) = posted_while_away(1_000, change).await;
    let resume = |seq: i64| json!({ &room: seq });
    // In hello, from the beginning and from somewhere inside.
    for (after, last) in [(0, 1_000), (371, 1_001)] {
        let (mut socket, ready) = app.resume(&ben, resume(after)).await;
        assert_eq!(ready["rooms"][0]["last_seq"], json!(last));
        let missed = socket.events_of_room(&room, (last - after) as usize).await;
        assert_eq!(seqs(&missed), (after + 1..=last).collect::<Vec<_>>());
        assert_eq!(contents(&missed)[..1_000 - after as usize], numbered(1_000)[after as usize..]);
        // Live events follow what was missed, with nothing in between.
        assert_eq!(app.post(&ada, &room, &format!("after-{after}"), "live").await, last + 1);
        assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [last + 1]);
    }
    // In pages, over the socket and over HTTP: the same frames.
    let mut socket = app.connect(&ben).await;
    let paged = socket.catch_up(&room, 10, 99).await;
    assert_eq!(seqs(&paged), (11..=1_002).collect::<Vec<_>>());
    assert_eq!(events_over_http(&app, &ben, &room, 10, 200).await, paged);
}

#[actix_rt::test]
async fn a_device_away_for_a_thousand_messages_catches_up_from_memory() {
    a_thousand_messages_are_caught_up_exactly(|config| config.chat.window_events_max = 2_000).await;
}

#[actix_rt::test]
async fn a_device_away_for_a_thousand_messages_catches_up_from_postgres() {
    a_thousand_messages_are_caught_up_exactly(small_window).await;
}

#[actix_rt::test]
async fn a_device_catches_up_while_others_go_on_talking() {
    let (app, ada, ben, room) = posted_while_away(300, small_window).await;
    let mut speaker = app.connect(&ada).await;
    let talking = speaker.post_all(&room, (301..=600).map(|n| format!("m{n}")));
    let returning = async {
        let (mut socket, _) = app.resume(&ben, json!({ &room: 5 })).await;
        socket.events_of_room(&room, 595).await
    };
    let (answers, heard) = futures_util::future::join(talking, returning).await;
    assert!(answers.iter().all(|answer| answer["type"] == "ok"));
    assert_eq!(contents(&heard), numbered(600)[5..]);
    assert_eq!(seqs(&heard), (6..=600).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn catching_up_brings_changes_as_well_as_messages() {
    let app = TestApp::with(small_window).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    app.post(&ada, &room, "c1", "one").await;
    app.ok(Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "name": "harbour" }))).await;
    app.ok(Method::POST, &format!("/rooms/{room}/members"), &ada, Some(json!({ "user_id": cleo.id }))).await;
    app.ok(Method::DELETE, &format!("/rooms/{room}/members/{}", cleo.id), &cleo, None).await;
    let from_memory = events_over_http(&app, &ben, &room, 0, 50).await;
    for n in 0..20 {
        app.post(&ada, &room, &format!("more-{n}"), "more").await;
    }
    let kinds = |events: &[Value]| events.iter().map(|event| event["type"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&from_memory), ["message.posted", "room.updated", "member.added", "member.removed"]);
    // The same bytes' worth from Postgres, now that memory has moved on.
    assert_eq!(events_over_http(&app, &ben, &room, 0, 200).await[..4], from_memory[..]);
}

#[actix_rt::test]
async fn a_room_survives_an_engine_restart_with_its_order() {
    let (app, ada, ben, room) = posted_while_away(30, |_| {}).await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_eq!(app.post(&ada, &room, "after", "after").await, 31);
    let (mut socket, ready) = app.resume(&ben, json!({ &room: 25 })).await;
    assert_eq!(ready["rooms"][0]["last_seq"], 31);
    assert_eq!(seqs(&socket.events_of_room(&room, 6).await), (26..=31).collect::<Vec<_>>());
}
