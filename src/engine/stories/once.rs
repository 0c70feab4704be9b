//! A send is one message, however often it is sent; so is whatever else is made, and a change is made once.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::testing::{TestApp, seqs};

#[actix_rt::test]
async fn the_same_client_id_twenty_times_at_once_over_sockets_is_one_message() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut listener = app.connect(&ben).await;
    let mut sockets = join_all((0..20).map(|_| app.connect(&ada))).await;
    let answers = join_all(sockets.iter_mut().map(|socket| socket.post(&room, "once", "hello"))).await;
    let results: HashSet<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer["type"], "ok", "{answer}");
            format!("{} {} {}", answer["seq"], answer["message_id"], answer["created_at"])
        })
        .collect();
    assert_eq!(results.len(), 1, "{results:?}");
    app.post(&ada, &room, "next", "next").await;
    assert_eq!(seqs(&listener.events_of_room(&room, 2).await), [1, 2]);
}

#[actix_rt::test]
async fn the_same_client_id_twenty_times_at_once_over_http_is_created_once() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let path = format!("/rooms/{room}/messages");
    let body = || Some(json!({ "client_id": "once", "content": "hello" }));
    let answers = join_all((0..20).map(|_| app.call(Method::POST, &path, Some(&ada), body()))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(answers.iter().map(|(_, message)| message["id"].as_str().unwrap()).collect::<HashSet<_>>().len(), 1);
    assert!(answers.iter().all(|(_, message)| message == &answers[0].1));
    assert_eq!(statuses, [vec![200; 19], vec![201]].concat());
}

#[actix_rt::test]
async fn a_send_is_recognised_when_it_has_long_left_memory_and_after_a_restart() {
    let small = |config: &mut crate::config::Config| config.chat.window_events_max = 4;
    let app = TestApp::with(small).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let path = format!("/rooms/{room}/messages");
    let body = || Some(json!({ "client_id": "first", "content": "the first" }));
    let (status, first) = app.call(Method::POST, &path, Some(&ada), body()).await;
    assert_eq!(status, 201);
    for n in 0..10 {
        app.post(&ada, &room, &format!("m{n}"), "more").await;
    }
    let again = app.call(Method::POST, &path, Some(&ada), body()).await;
    assert_eq!(again, (200, first.clone()));
    // Also when it comes amid others, of which each must be written.
    let mut socket = app.connect(&ada).await;
    let sends = ["x1", "first", "x2", "m3", "x3"].map(str::to_owned);
    let answers = socket.post_all(&room, sends).await;
    assert_eq!(seqs(&answers), [12, 1, 13, 5, 14]);

    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, small).await;
    let again = app.call(Method::POST, &path, Some(&ada), body()).await;
    assert_eq!(again, (200, first));
    let mut socket = app.connect(&ada).await;
    let sends = ["x3", "first", "x4"].map(str::to_owned);
    assert_eq!(seqs(&socket.post_all(&room, sends).await), [14, 1, 15]);
    // A client id is its sender's own.
    assert_eq!(app.post(&ben, &room, "first", "mine").await, 16);
    let history = app.ok(Method::GET, &format!("{path}?limit=50&after=0"), &ben, None).await;
    let all: Vec<i64> = seqs(history["items"].as_array().unwrap());
    assert_eq!(all, (1..=16).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn the_same_client_id_makes_one_room_and_one_space_also_after_a_restart() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    for path in ["/rooms", "/spaces"] {
        let body = |name: &str| Some(json!({ "client_id": "once", "kind": "group", "name": name }));
        let made = join_all((0..20).map(|_| app.call(Method::POST, path, Some(&ada), body("first")))).await;
        let mut statuses: Vec<u16> = made.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 19], vec![201]].concat(), "{made:?}");
        // The first body wins, and another person's id is another one.
        let (status, again) = app.call(Method::POST, path, Some(&ada), body("second")).await;
        assert_eq!((status, &again["id"], &again["name"]), (200, &made[0].1["id"], &json!("first")));
        assert_eq!(app.call(Method::POST, path, Some(&ben), body("his")).await.0, 201);
        assert_eq!(app.ok(Method::GET, path, &ada, None).await["items"].as_array().unwrap().len(), 1);
        let long = Some(json!({ "client_id": "x".repeat(65), "kind": "group", "name": "x" }));
        assert_eq!(app.call(Method::POST, path, Some(&ada), long).await.1["code"], "chat.invalid");
    }
    // A direct room is one for both, whatever either calls it.
    let direct =
        |client_id: &str, other: &str| Some(json!({ "client_id": client_id, "kind": "direct", "member_ids": [other] }));
    let (status, made) = app.call(Method::POST, "/rooms", Some(&ada), direct("d1", &ben.id)).await;
    assert_eq!(status, 201);
    let again = app.call(Method::POST, "/rooms", Some(&ben), direct("d2", &ada.id)).await;
    assert_eq!((again.0, &again.1["id"]), (200, &made["id"]));
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let again = app.call(Method::POST, "/rooms", Some(&ada), direct("d1", &ben.id)).await;
    assert_eq!((again.0, &again.1["id"]), (200, &made["id"]));
}

#[actix_rt::test]
async fn the_client_id_of_a_room_that_one_has_left_opens_nothing() {
    let app = TestApp::start().await;
    let (ada, ben, eve) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("eve").await);
    let body = json!({ "client_id": "c1", "kind": "group", "name": "Harbour", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    let members = format!("/rooms/{room}/members");
    let owner = Some(json!({ "role": "owner" }));
    app.ok(Method::PATCH, &format!("{members}/{}", ben.id), &ada, owner).await;
    app.ok(Method::DELETE, &format!("{members}/{}", ada.id), &ben, None).await;
    // Neither the group again nor a direct room, which would have another one in it.
    for body in [
        json!({ "client_id": "c1", "kind": "group", "name": "Harbour" }),
        json!({ "client_id": "c1", "kind": "direct", "member_ids": [eve.id] }),
    ] {
        assert_eq!(app.call(Method::POST, "/rooms", Some(&ada), Some(body)).await.1["code"], "chat.room_not_found");
    }
    let left = app.ok(Method::GET, &members, &ben, None).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    assert_eq!(app.call(Method::GET, &members, Some(&eve), None).await.0, 404);
    // Who is in it finds it by that id, whatever else they ask for, and adds nobody by it.
    let body = |kind: &str, other: &str| Some(json!({ "client_id": "c2", "kind": kind, "member_ids": [other] }));
    let group = app.ok(Method::POST, "/rooms", &ben, body("group", &ada.id)).await;
    let again = app.call(Method::POST, "/rooms", Some(&ben), body("direct", &eve.id)).await;
    assert_eq!((again.0, &again.1["id"], &again.1["member_count"]), (200, &group["id"], &json!(2)), "{}", again.1);
}

#[actix_rt::test]
async fn whoever_is_added_or_removed_many_times_at_once_comes_and_goes_once() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada]).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    for place in [format!("/rooms/{room}"), format!("/spaces/{}", space["id"].as_str().unwrap())] {
        let people = format!("{place}/members");
        let body = || Some(json!({ "user_id": ben.id, "role": "guest" }));
        let added = join_all((0..20).map(|_| app.call(Method::POST, &people, Some(&ada), body()))).await;
        let mut statuses: Vec<u16> = added.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 19], vec![201]].concat());
        assert!(added.iter().all(|(_, member)| member == &json!({ "user_id": ben.id, "role": "guest" })));
        for by in [&ada, &ben] {
            let own = format!("{people}/{}", ben.id);
            let removed = join_all((0..10).map(|_| app.call(Method::DELETE, &own, Some(by), None))).await;
            assert!(removed.iter().all(|(status, _)| *status == 204), "{removed:?}");
        }
    }
    // An unchanged name is no change.
    for _ in 0..2 {
        app.ok(Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "name": "Quay" }))).await;
    }
    let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after=0"), &ada, None).await;
    let told: Vec<_> = page["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(told, ["member.added", "member.removed", "room.updated"]);
    // To leave what one is not in says nothing of what there is.
    for id in [room.as_str(), "0190a000-0000-7000-8000-000000000000"] {
        assert_eq!(app.call(Method::DELETE, &format!("/rooms/{id}/members/{}", ben.id), Some(&ben), None).await.0, 204);
    }
}
