//! Spaces: whoever leaves one leaves its channels, at once and for everybody to see; their owners hand over, and rule in
//! their channels.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::process::{Engine, engine_with, until};
use crate::testing::{Api, DataFolder, Person, TestApp, TestDatabase};

/// A space of these people, made by the first; its id.
async fn space(app: &TestApp, people: &[&Person]) -> String {
    let space = app.ok(Method::POST, "/spaces", people[0], Some(json!({ "name": "Harbour" }))).await;
    let id = space["id"].as_str().unwrap().to_owned();
    for person in &people[1..] {
        app.ok(Method::POST, &format!("/spaces/{id}/members"), people[0], Some(json!({ "user_id": person.id }))).await;
    }
    id
}

/// A channel of the space with these people, made by the first; its id.
async fn channel(app: &TestApp, space: &str, people: &[&Person]) -> String {
    let others: Vec<&str> = people[1..].iter().map(|person| person.id.as_str()).collect();
    let body = json!({ "kind": "channel", "name": "quay", "space_id": space, "member_ids": others });
    app.ok(Method::POST, "/rooms", people[0], Some(body)).await["id"].as_str().unwrap().to_owned()
}

async fn leave(app: &TestApp, by: &Person, space: &str, user: &Person) -> (u16, Value) {
    app.call(Method::DELETE, &format!("/spaces/{space}/members/{}", user.id), Some(by), None).await
}

async fn set_role(app: &TestApp, by: &Person, place: &str, user: &Person, role: &str) -> (u16, Value) {
    let body = Some(json!({ "role": role }));
    app.call(Method::PATCH, &format!("/{place}/members/{}", user.id), Some(by), body).await
}

fn outcome((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["code"].as_str().unwrap_or_default())
}

/// What a channel's order says of who was removed, and by whom.
async fn removals(app: &TestApp, by: &Person, room: &str) -> Vec<(Value, Value)> {
    let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after=0"), by, None).await;
    let events = page["events"].as_array().unwrap().iter();
    let removed = events.filter(|event| event["type"] == "member.removed");
    removed.map(|event| (event["user_id"].clone(), event["by"].clone())).collect()
}

#[actix_rt::test]
async fn whoever_is_removed_from_a_space_is_out_of_all_its_channels() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let harbour = space(&app, &[&ada, &ben, &cleo]).await;
    let (open, closed) = (channel(&app, &harbour, &[&ada, &ben]).await, channel(&app, &harbour, &[&ben, &ada]).await);
    let (strange, group) = (channel(&app, &harbour, &[&ada, &cleo]).await, app.group(&[&ada, &ben]).await);
    app.post(&ada, &open, "m1", "m1").await;
    let mut devices = [app.connect(&ben).await, app.connect(&ben).await];
    let mut adas = app.connect(&ada).await;

    assert_eq!(app.verify(&[&ada, &ben, &cleo], leave(&app, &ada, &harbour, &ben)).await.0, 204);
    // From the answer on, nothing is read and nothing is said.
    let body = json!({ "client_id": "x", "content": "x" });
    for room in [&open, &closed] {
        let post = app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ben), Some(body.clone())).await;
        assert_eq!(outcome(&post), (404, "chat.room_not_found"));
        for path in ["", "/messages", "/members", "/events?after=0"] {
            let answer = app.call(Method::GET, &format!("/rooms/{room}{path}"), Some(&ben), None).await;
            assert_eq!(outcome(&answer), (404, "chat.room_not_found"), "{path}");
        }
        let answer = devices[0].ask(json!({ "type": "room.catch_up", "room_id": room, "after": 0 })).await;
        assert_eq!(answer["code"], "chat.room_not_found");
    }
    assert_eq!(outcome(&app.call(Method::GET, &format!("/spaces/{harbour}"), Some(&ben), None).await).0, 404);
    // Each channel tells it in its order, those who are out as well.
    for socket in devices.iter_mut().chain([&mut adas]) {
        let told = [socket.event_of("member.removed").await, socket.event_of("member.removed").await];
        for room in [&open, &closed] {
            assert!(told.iter().any(|event| event["room_id"] == json!(room)), "{told:?}");
        }
    }
    for room in [&open, &closed] {
        assert_eq!(removals(&app, &ada, room).await, [(json!(ben.id), json!(ada.id))]);
    }
    assert_eq!(removals(&app, &ada, &strange).await, []);
    // What is said there afterwards is not for them; elsewhere they are where they were.
    app.post(&ada, &open, "m2", "not for ben").await;
    app.post(&ada, &closed, "m1", "not for ben").await;
    app.post(&ada, &group, "m1", "for ben").await;
    for device in &mut devices {
        assert_eq!(device.event_of("message.posted").await["room_id"], json!(group));
    }
    let (_, ready) = app.resume(&ben, json!({})).await;
    assert_eq!(ready["rooms"].as_array().unwrap().len(), 1);
    // Removing and leaving once more is harmless, and tells nothing twice.
    assert_eq!(leave(&app, &ada, &harbour, &ben).await.0, 204);
    assert_eq!(leave(&app, &ben, &harbour, &ben).await.0, 204);
    assert_eq!(removals(&app, &ada, &open).await.len(), 1);
    // Whoever comes back to the space joins its channels anew.
    let him = || Some(json!({ "user_id": ben.id }));
    let both = [&ada, &ben];
    app.verify(&both, app.ok(Method::POST, &format!("/spaces/{harbour}/members"), &ada, him())).await;
    app.verify(&both, app.ok(Method::POST, &format!("/rooms/{open}/members"), &ben, him())).await;
    assert_eq!(app.ok(Method::GET, &format!("/rooms/{open}"), &ben, None).await["member_count"], 2);
}

#[actix_rt::test]
async fn whoever_an_operator_takes_out_of_a_space_is_out_of_its_channels() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let harbour = space(&app, &[&ada, &ben]).await;
    let room = channel(&app, &harbour, &[&ada, &ben]).await;
    let mut bens = app.connect(&ben).await;
    let taken_out = format!("DELETE FROM space_members WHERE user_id = '{}'", ben.id);
    app.verify(&[&ada, &ben], app.sql(&taken_out)).await;
    assert_eq!(bens.event_of("member.removed").await["by"], json!(ben.id));
    assert_eq!(removals(&app, &ada, &room).await, [(json!(ben.id), json!(ben.id))]);
    // With the account, or with the space, there is nothing to tell.
    app.ok(Method::POST, &format!("/spaces/{harbour}/members"), &ada, Some(json!({ "user_id": ben.id }))).await;
    app.ok(Method::POST, &format!("/rooms/{room}/members"), &ben, Some(json!({ "user_id": ben.id }))).await;
    app.verify(&[&ada], app.sql(&format!("DELETE FROM users WHERE id = '{}'", ben.id))).await;
    app.verify(&[&ada], app.sql(&format!("DELETE FROM spaces WHERE id = '{harbour}'"))).await;
    let left = "SELECT (SELECT count(*) FROM departures) + (SELECT count(*) FROM room_members)";
    let left: i64 = sqlx::query_scalar(left).fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(left, 0);
}

#[actix_rt::test]
async fn what_an_engine_had_not_told_when_it_was_killed_is_told_once_by_the_next() {
    let database = TestDatabase::create().await;
    let folder = DataFolder::new();
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let api = Api::new(engine.base());
    let (ada, ben) = (api.sign_up("ada").await, api.sign_up("ben").await);
    let made = api.ok(Method::POST, "/api/v1/spaces", &ada.token, Some(json!({ "name": "Harbour" }))).await;
    let harbour = made["id"].as_str().unwrap().to_owned();
    let people = format!("/api/v1/spaces/{harbour}/members");
    api.ok(Method::POST, &people, &ada.token, Some(json!({ "user_id": ben.id }))).await;
    let body = json!({ "kind": "channel", "name": "quay", "space_id": harbour, "member_ids": [ben.id] });
    let room = api.ok(Method::POST, "/api/v1/rooms", &ada.token, Some(body)).await;
    let room = room["id"].as_str().unwrap().to_owned();
    engine.kill().await;
    // As after a kill between the transaction and the event.
    sqlx::query("DELETE FROM space_members WHERE user_id = $1")
        .bind(uuid::Uuid::parse_str(&ben.id).unwrap())
        .execute(database.storage.engine())
        .await
        .unwrap();
    for _ in 0..2 {
        let engine = Engine::start(engine_with(&folder, &database.url())).await;
        let api = Api::new(engine.base());
        let ada = api.sign_in("ada", crate::testing::PASSWORD).await.unwrap();
        let mut told = Vec::new();
        until("the channel has told it", async || {
            told = api.history(&room, &ada.token).await;
            !told.is_empty()
        })
        .await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&told[0]["type"], &told[0]["user_id"]), (&json!("member.removed"), &json!(ben.id)));
        engine.kill().await;
    }
    let untold: i64 =
        sqlx::query_scalar("SELECT count(*) FROM departures").fetch_one(database.storage.engine()).await.unwrap();
    assert_eq!(untold, 0);
}

#[actix_rt::test]
async fn nobody_stays_in_a_channel_who_joins_it_while_they_are_removed_from_its_space() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let harbour = space(&app, &[&ada, &ben]).await;
    let mut channels = Vec::new();
    for _ in 0..4 {
        channels.push(channel(&app, &harbour, &[&ada]).await);
    }
    let people = format!("/spaces/{harbour}/members");
    for _ in 0..12 {
        app.ok(Method::POST, &people, &ada, Some(json!({ "user_id": ben.id }))).await;
        let joining = channels.iter().map(|room| {
            let body = json!({ "user_id": ben.id });
            let app = &app;
            let ben = &ben;
            async move { app.call(Method::POST, &format!("/rooms/{room}/members"), Some(ben), Some(body)).await }
        });
        let making = app.call(
            Method::POST,
            "/rooms",
            Some(&ada),
            Some(json!({ "kind": "channel", "name": "new", "space_id": harbour, "member_ids": [ben.id] })),
        );
        let all = futures_util::future::join_all(joining);
        let (joined, made, left) = futures_util::future::join3(all, making, leave(&app, &ada, &harbour, &ben)).await;
        assert_eq!(left.0, 204, "{left:?}");
        for answer in joined.iter().chain([&made]) {
            assert!(matches!(answer.0, 200 | 201 | 404 | 422), "{answer:?}");
        }
        let there = "SELECT count(*) FROM room_members m JOIN users u ON u.id = m.user_id WHERE u.username = 'ben'";
        let there: i64 = sqlx::query_scalar(there).fetch_one(app.database.storage.engine()).await.unwrap();
        assert_eq!(there, 0, "ben is in a channel of a space that he is not in");
    }
    // What the orders tell, replayed, says the same.
    for room in &channels {
        until("everything is told", async || {
            let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after=0&limit=200"), &ada, None).await;
            let told =
                |kind: &str| page["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).count();
            told("member.added") == told("member.removed")
        })
        .await;
    }
    let untold: i64 =
        sqlx::query_scalar("SELECT count(*) FROM departures").fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(untold, 0);
}

#[actix_rt::test]
async fn the_roles_of_a_space_change_and_its_owner_hands_over() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let eve = app.sign_up("eve").await;
    let harbour = space(&app, &[&ada, &ben, &cleo]).await;
    let place = format!("spaces/{harbour}");
    assert_eq!(outcome(&set_role(&app, &ben, &place, &cleo, "guest").await), (403, "chat.not_allowed"));
    assert_eq!(outcome(&set_role(&app, &eve, &place, &cleo, "guest").await), (404, "chat.space_not_found"));
    assert_eq!(outcome(&set_role(&app, &ada, &place, &eve, "guest").await), (404, "chat.not_a_member"));
    assert_eq!(outcome(&set_role(&app, &ada, &place, &ada, "admin").await), (409, "chat.last_owner"));
    assert_eq!(outcome(&leave(&app, &ada, &harbour, &ada).await), (409, "chat.last_owner"));
    assert_eq!(set_role(&app, &ada, &place, &ben, "admin").await, (200, json!({ "user_id": ben.id, "role": "admin" })));
    assert_eq!(set_role(&app, &ben, &place, &cleo, "guest").await.0, 200);
    assert_eq!(outcome(&set_role(&app, &ben, &place, &ben, "owner").await), (403, "chat.not_allowed"));
    assert_eq!(set_role(&app, &ada, &place, &ben, "owner").await.0, 200);
    // Stepping down, and once more for a lost answer.
    for _ in 0..2 {
        assert_eq!(set_role(&app, &ada, &place, &ada, "member").await.0, 200);
    }
    assert_eq!(leave(&app, &ada, &harbour, &ada).await.0, 204);
    let people = app.ok(Method::GET, &format!("/{place}/members"), &ben, None).await;
    let roles: Vec<_> = people["items"].as_array().unwrap().iter().map(|one| one["role"].clone()).collect();
    assert_eq!(roles, ["owner", "guest"]);
    assert_eq!(outcome(&leave(&app, &ben, &harbour, &ben).await), (409, "chat.last_owner"));
}

#[actix_rt::test]
async fn owners_and_admins_of_a_space_rule_in_its_channels() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let dan = app.sign_up("dan").await;
    let harbour = space(&app, &[&ada, &ben, &cleo, &dan]).await;
    set_role(&app, &ada, &format!("spaces/{harbour}"), &dan, "admin").await;
    // Ben's channel, in which they are not.
    let room = channel(&app, &harbour, &[&ben, &cleo]).await;
    let place = format!("rooms/{room}");
    for by in [&ada, &dan] {
        let all = [&ben, &cleo, by];
        let path = format!("/{place}");
        let name = Some(json!({ "name": by.username }));
        let renamed = app.verify(&all, app.ok(Method::PATCH, &path, by, name)).await;
        assert_eq!(renamed["name"], json!(by.username));
        assert_eq!(app.verify(&all, set_role(&app, by, &place, &cleo, "admin")).await.0, 200);
        assert_eq!(app.verify(&all, set_role(&app, by, &place, &cleo, "member")).await.0, 200);
    }
    let body = Some(json!({ "name": "mine" }));
    let refused = app.call(Method::PATCH, &format!("/{place}"), Some(&cleo), body.clone()).await;
    assert_eq!(outcome(&refused), (403, "chat.not_allowed"));
    // They read and speak there once they have joined.
    let read = app.call(Method::GET, &format!("/{place}/messages"), Some(&dan), None).await;
    assert_eq!(outcome(&read), (404, "chat.room_not_found"));
    let (members, himself) = (format!("/{place}/members"), Some(json!({ "user_id": dan.id })));
    app.verify(&[&ben, &dan], app.ok(Method::POST, &members, &dan, himself)).await;
    app.post(&dan, &room, "m1", "hello").await;
    // Also above its own owner, who may go: the space has owners.
    assert_eq!(app.verify(&[&ben, &dan], set_role(&app, &dan, &place, &ben, "member")).await.0, 200);
    let path = format!("/{place}/members/{}", ben.id);
    assert_eq!(app.verify(&[&ben, &dan], app.call(Method::DELETE, &path, Some(&dan), None)).await.0, 204);
    // Who was an admin of the space and is not any more is nobody special.
    set_role(&app, &ada, &format!("spaces/{harbour}"), &dan, "member").await;
    assert_eq!(
        outcome(&app.call(Method::PATCH, &format!("/{place}"), Some(&dan), body).await),
        (403, "chat.not_allowed")
    );
}

#[actix_rt::test]
async fn the_last_owner_of_a_channel_may_leave_it_with_its_space() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let harbour = space(&app, &[&ada, &ben]).await;
    let room = channel(&app, &harbour, &[&ben, &ada]).await;
    assert_eq!(leave(&app, &ben, &harbour, &ben).await.0, 204);
    app.ok(Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "name": "hers now" }))).await;
    assert_eq!(set_role(&app, &ada, &format!("rooms/{room}"), &ada, "owner").await.0, 200);
}
