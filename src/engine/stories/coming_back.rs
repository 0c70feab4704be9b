//! Devices that were cut off come back while the engine still knows everything: Postgres is asked for nothing, and what
//! they are told is what Postgres would have said.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::testing::process::until;
use crate::testing::{Person, Proxy, TestApp, TestDatabase, contents, seqs};

/// An engine behind a network that can stand still.
async fn behind_a_proxy(change: impl FnOnce(&mut Config)) -> (TestApp, Proxy) {
    let database = TestDatabase::create().await;
    let proxy = Proxy::before(&database.url()).await;
    let through = proxy.url().to_owned();
    let app = TestApp::on(database, tempfile::tempdir().unwrap(), |config| {
        config.storage.database_url = Some(through);
        change(config);
    })
    .await;
    app.until_listening(true).await;
    (app, proxy)
}

async fn direct(app: &TestApp, by: &Person, other: &Person) -> String {
    let body = json!({ "kind": "direct", "member_ids": [other.id] });
    app.ok(Method::POST, "/rooms", by, Some(body)).await["id"].as_str().unwrap().to_owned()
}

/// What Postgres says to this person about their rooms and themselves.
async fn truth(app: &TestApp, person: &Person) -> (Value, Value) {
    let rooms = app.ok(Method::GET, "/rooms?limit=200", person, None).await;
    (rooms["items"].clone(), app.ok(Method::GET, "/users/me", person, None).await)
}

/// What a new connection of this person is told, which must be what Postgres says, but for read marks on their way there.
async fn is_greeted_with_the_truth(app: &TestApp, person: &Person) -> Value {
    let (_, ready) = app.resume(person, json!({})).await;
    until("Postgres has what the engine said", async || {
        truth(app, person).await == (ready["rooms"].clone(), ready["user"].clone())
    })
    .await;
    ready
}

#[actix_rt::test]
async fn devices_that_come_back_while_postgres_stands_still_are_told_everything() {
    let (app, proxy) = behind_a_proxy(|_| {}).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben, &cleo]).await;
    let quiet = direct(&app, &ben, &ada).await;
    app.post(&ada, &room, "m1", "m1").await;
    app.heard_everything().await;
    // Everybody was here, and the direct room was never open.
    for person in [&ada, &ben, &cleo] {
        app.connect(person).await;
    }
    for n in 2..=6 {
        app.post(&ada, &room, &format!("m{n}"), &format!("m{n}")).await;
    }
    let told = is_greeted_with_the_truth(&app, &ben).await;
    proxy.stall();
    let back = join_all([&ada, &ben, &cleo].map(|person| app.resume(person, json!({ &room: 2 })))).await;
    for (mut socket, ready) in back {
        let missed = socket.events_of_room(&room, 4).await;
        assert_eq!(
            (seqs(&missed), contents(&missed)),
            (vec![3, 4, 5, 6], ["m3", "m4", "m5", "m6"].map(String::from).to_vec())
        );
        if ready["user"]["username"] == "ben" {
            assert_eq!((&ready["rooms"], &ready["user"]), (&told["rooms"], &told["user"]));
            let summary =
                |id: &str| ready["rooms"].as_array().unwrap().iter().find(|room| room["id"] == id).unwrap().clone();
            assert_eq!((&summary(&room)["unread"], &summary(&room)["member_count"]), (&json!(6), &json!(3)));
            assert_eq!(summary(&quiet)["peer"]["username"], "ada");
        }
    }
    proxy.mend();
}

#[actix_rt::test]
async fn a_room_that_has_closed_is_still_known() {
    let (app, proxy) = behind_a_proxy(|config| config.chat.room_idle_s = 1).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    for n in 1..=3 {
        app.post(&ada, &room, &format!("m{n}"), "x").await;
    }
    app.heard_everything().await;
    app.connect(&ben).await;
    until("the room is let go", async || app.engine().rooms.open_len() == 0).await;
    let told = is_greeted_with_the_truth(&app, &ben).await;
    proxy.stall();
    let (_, ready) = app.resume(&ben, json!({ &room: 3 })).await;
    assert_eq!((&ready["rooms"], &ready["rooms"][0]["unread"]), (&told["rooms"], &json!(3)));
    proxy.mend();
    // It opens again with what happened before, and goes on from there.
    assert_eq!(app.post(&ben, &room, "m4", "x").await, 4);
    assert_eq!(is_greeted_with_the_truth(&app, &ben).await["rooms"][0]["last_seq"], 4);
}

/// Everything that can happen to ben's view while he is away, by its number.
async fn happens(app: &TestApp, people: [&Person; 3], room: &str, what: usize) {
    let [ada, ben, cleo] = people;
    let member = format!("/rooms/{room}/members/{}", ben.id);
    // What does not apply, such as removing whom nobody added, is refused, and that is all right.
    let try_to = async |method, path: &str, by, body| drop(app.call(method, path, Some(by), body).await);
    match what {
        0 => try_to(Method::PATCH, "/users/me", ben, Some(json!({ "full_name": "Ben of the Harbour" }))).await,
        1 => try_to(Method::PATCH, "/users/me", ada, Some(json!({ "full_name": "Ada of the Sea" }))).await,
        2 => try_to(Method::DELETE, &member, ada, None).await,
        3 => try_to(Method::POST, &format!("/rooms/{room}/members"), ada, Some(json!({ "user_id": ben.id }))).await,
        4 => try_to(Method::PATCH, &member, ada, Some(json!({ "role": "admin" }))).await,
        5 => {
            try_to(Method::PATCH, &format!("/rooms/{room}"), ada, Some(json!({ "name": "Pier", "topic": "boats" })))
                .await
        }
        6 => drop(app.group(&[cleo, ben]).await),
        7 => drop(app.post(ada, room, &uuid::Uuid::now_v7().to_string(), "while away").await),
        8 => drop(direct(app, ada, ben).await),
        9 => app.engine().auth.set_role("ben", crate::accounts::UserRole::Admin).await.unwrap(),
        _ => {
            let (mut socket, _) = app.resume(ben, json!({})).await;
            socket.ask(json!({ "type": "receipt.mark", "room_id": room, "read_seq": 1_000_000 })).await;
        }
    }
}

#[actix_rt::test]
async fn in_every_order_of_what_happens_meanwhile_the_greeting_is_true() {
    let app = TestApp::with(|config| config.chat.receipts_every_ms = 5).await;
    app.until_listening(true).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    // Steps that share no factor with the number of things: each thing comes after each other one somewhere.
    for step in [1, 2, 3, 5, 7] {
        for n in 0..11 {
            happens(&app, [&ada, &ben, &cleo], &room, n * step % 11).await;
            is_greeted_with_the_truth(&app, &ben).await;
        }
    }
}

#[actix_rt::test]
async fn whoever_comes_and_goes_while_being_greeted_ends_up_with_the_truth() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let moving = async {
        for _ in 0..30 {
            app.ok(Method::DELETE, &format!("/rooms/{room}/members/{}", ben.id), &ada, None).await;
            app.ok(Method::POST, &format!("/rooms/{room}/members"), &ada, Some(json!({ "user_id": ben.id }))).await;
        }
    };
    // Each is told of every room that he is in at the end: in `ready`, or after it.
    let coming = async {
        let mut sockets = Vec::new();
        for _ in 0..40 {
            sockets.push(app.resume(&ben, json!({})).await);
        }
        sockets
    };
    let ((), sockets) = futures_util::future::join(moving, coming).await;
    let last = app.post(&ada, &room, "last", "last").await;
    for (mut socket, _) in sockets {
        while socket.event_of("message.posted").await["seq"] != last {}
    }
    is_greeted_with_the_truth(&app, &ben).await;
}

#[actix_rt::test]
async fn more_unread_than_is_known_is_counted_by_postgres() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ben).await;
    app.post(&ada, &room, "first", "first").await;
    // Ben talks on without reading: past what the room's card remembers.
    socket.post_all(&room, (0..300).map(|n| format!("b{n}"))).await;
    assert_eq!(is_greeted_with_the_truth(&app, &ben).await["rooms"][0]["unread"], 1);
    let mut other = app.connect(&ada).await;
    other.post_all(&room, (0..150).map(|n| format!("a{n}"))).await;
    assert_eq!(is_greeted_with_the_truth(&app, &ben).await["rooms"][0]["unread"], 100);
    assert_eq!(is_greeted_with_the_truth(&app, &ada).await["rooms"][0]["unread"], 100);
}
