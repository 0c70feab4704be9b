//! People talk.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::testing::{TestApp, contents, seqs};

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

#[actix_rt::test]
async fn a_late_joiner_receives_what_it_missed() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada]).await;
    for n in 1..=5 {
        app.post(&ada, &room, &format!("c{n}"), &format!("m{n}")).await;
    }
    let mut socket = app.connect(&ben).await;
    app.ok(Method::POST, &format!("/rooms/{room}/members"), &ada, Some(json!({ "user_id": ben.id }))).await;
    let joined = socket.event_of("room.joined").await;
    assert_eq!((&joined["room"]["id"], &joined["room"]["last_seq"]), (&json!(room), &json!(6)));
    // What was said before is theirs to read, but nobody owes the past.
    assert_eq!((&joined["room"]["unread"], &joined["room"]["read_seq"]), (&json!(0), &json!(6)));
    let past = socket.catch_up(&room, 0, 3).await;
    assert_eq!((seqs(&past), contents(&past).len()), ((1..=6).collect(), 5));
    app.post(&ada, &room, "c6", "m6").await;
    assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [7]);
}

#[actix_rt::test]
async fn five_devices_of_one_user_see_the_same() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut devices = join_all((0..5).map(|_| app.connect(&ada))).await;
    let mut other = app.connect(&ben).await;
    for (n, device) in devices.iter_mut().enumerate() {
        assert_eq!(device.post(&room, &format!("c{n}"), &format!("from {n}")).await["seq"], json!(n + 1));
    }
    other.post(&room, "c", "from ben").await;
    let expected = ["from 0", "from 1", "from 2", "from 3", "from 4", "from ben"];
    for device in devices.iter_mut().chain([&mut other]) {
        let events = device.events_of_room(&room, 6).await;
        assert_eq!((seqs(&events), contents(&events)), ((1..=6).collect(), expected.map(str::to_owned).to_vec()));
    }
}

#[actix_rt::test]
async fn a_thousand_messages_from_twenty_sockets_have_one_order_for_everyone() {
    let app = TestApp::start().await;
    let people = join_all((0..10).map(|n| {
        let name = format!("user{n}");
        let app = &app;
        async move { app.sign_up(&name).await }
    }))
    .await;
    let room = app.group(&people.iter().collect::<Vec<_>>()).await;
    let mut sockets = join_all((0..20).map(|n| app.connect(&people[n % 10]))).await;
    let talking = sockets.iter_mut().enumerate().map(|(n, socket)| {
        let room = room.clone();
        async move { socket.post_all(&room, (0..50).map(|m| format!("{n}/{m}"))).await }
    });
    let answers = join_all(talking).await;
    let mut taken = Vec::new();
    for answers in &answers {
        assert!(answers.iter().all(|answer| answer["type"] == "ok"), "{answers:?}");
        // Pipelined posts of one socket keep their order.
        assert!(seqs(answers).is_sorted());
        taken.extend(seqs(answers));
    }
    taken.sort_unstable();
    assert_eq!(taken, (1..=1_000).collect::<Vec<_>>());
    let mut orders = Vec::new();
    for socket in &mut sockets {
        let (events, _) = socket.follow(&room, 1_000).await;
        assert_eq!(seqs(&events), (1..=1_000).collect::<Vec<_>>());
        orders.push(contents(&events));
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
}

#[actix_rt::test]
async fn pipelined_posts_keep_their_order_while_their_room_is_being_opened() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    for _ in 0..10 {
        let room = app.group(&[&ada]).await;
        let answers = socket.post_all(&room, (1..=200).map(|n| format!("m{n}"))).await;
        assert_eq!(seqs(&answers), (1..=200).collect::<Vec<_>>());
    }
}

#[actix_rt::test]
async fn an_acknowledgement_comes_after_the_message_it_acknowledges() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    for n in 1..=20 {
        let id = socket
            .send(json!({ "type": "message.post", "room_id": room, "client_id": n.to_string(), "content": "x" }))
            .await;
        assert_eq!(socket.frame().await.unwrap()["seq"], json!(n));
        assert_eq!(socket.frame().await.unwrap()["re"], json!(id));
    }
}

#[actix_rt::test]
async fn replies_point_at_messages_of_the_same_room_only() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let (room, other) = (app.group(&[&ada]).await, app.group(&[&ada]).await);
    let mut socket = app.connect(&ada).await;
    let here = socket.post(&room, "c1", "question").await["message_id"].clone();
    let elsewhere = socket.post(&other, "c1", "other").await["message_id"].clone();
    let unknown = json!("0190a000-0000-7000-8000-000000000000");
    for (n, (reply_to, right)) in [(&here, true), (&elsewhere, false), (&unknown, false)].into_iter().enumerate() {
        let client_id = format!("r{n}");
        let body = json!({ "client_id": client_id, "content": "answer", "reply_to": reply_to });
        let mut command = body.clone();
        (command["type"], command["room_id"]) = (json!("message.post"), json!(room));
        let answer = socket.ask(command).await;
        let (status, shown) = app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ada), Some(body)).await;
        if right {
            assert_eq!((&answer["type"], status), (&json!("ok"), 200));
            assert_eq!(&shown["reply_to"], reply_to);
        } else {
            assert_eq!((&answer["code"], &answer["retry"]), (&json!("chat.reply_not_found"), &json!("never")));
            assert_eq!((status, &shown["code"]), (422, &json!("chat.reply_not_found")));
        }
    }
}

#[actix_rt::test]
async fn a_reply_keeps_its_place_between_pipelined_messages() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let first = socket.post(&room, "c0", "question").await["message_id"].clone();
    let post = |n: usize| {
        let mut command =
            json!({ "type": "message.post", "room_id": room, "client_id": format!("p{n}"), "content": "x" });
        if n % 3 == 1 {
            command["reply_to"] = first.clone();
        }
        command
    };
    let answers = socket.burst((0..30).map(post).collect()).await;
    assert_eq!(seqs(&answers), (2..=31).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn history_is_paged_in_both_directions() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    for n in 1..=3 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    // A change takes a place in the order, but is no message.
    app.ok(Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "topic": "boats" }))).await;
    for n in 5..=8 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    for (query, pages) in
        [("", [vec![8, 7, 6], vec![5, 3, 2], vec![1]]), ("after", [vec![1, 2, 3], vec![5, 6, 7], vec![8]])]
    {
        let mut cursor = if query.is_empty() { String::new() } else { "&after=0".to_owned() };
        for (n, expected) in pages.iter().enumerate() {
            let page = app.ok(Method::GET, &format!("/rooms/{room}/messages?limit=3{cursor}"), &ben, None).await;
            assert_eq!(&seqs(page["items"].as_array().unwrap()), expected);
            assert_eq!(page["next"].is_null(), n == 2, "{page}");
            cursor = format!("&{}={}", if query.is_empty() { "before" } else { "after" }, page["next"]);
        }
    }
    let page = app.ok(Method::GET, &format!("/rooms/{room}/messages?before=1"), &ben, None).await;
    assert_eq!(page, json!({ "items": [], "next": null }));
}
