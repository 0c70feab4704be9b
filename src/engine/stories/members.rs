//! People come and go: everyone sees it in the room's order, and nobody hears what is not for them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp, seqs};

async fn add(app: &TestApp, by: &Person, room: &str, user: &Person, role: &str) -> (u16, Value) {
    let body = json!({ "user_id": user.id, "role": role });
    app.call(Method::POST, &format!("/rooms/{room}/members"), Some(by), Some(body)).await
}

async fn remove(app: &TestApp, by: &Person, room: &str, user: &Person) -> (u16, Value) {
    app.call(Method::DELETE, &format!("/rooms/{room}/members/{}", user.id), Some(by), None).await
}

async fn set_role(app: &TestApp, by: &Person, room: &str, user: &Person, role: &str) -> (u16, Value) {
    let body = Some(json!({ "role": role }));
    app.call(Method::PATCH, &format!("/rooms/{room}/members/{}", user.id), Some(by), body).await
}

fn outcome((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["code"].as_str().unwrap_or_default())
}

#[actix_rt::test]
async fn changes_of_members_and_names_stand_in_the_order_with_the_messages() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ben).await;
    let all = [&ada, &ben, &cleo];
    let place = format!("/rooms/{room}");
    let describe = |what: Value| app.ok(Method::PATCH, &place, &cleo, Some(what));
    app.verify(&all, app.post(&ada, &room, "c1", "one")).await;
    assert_eq!(app.verify(&all, add(&app, &ada, &room, &cleo, "guest")).await.0, 201);
    assert_eq!(app.verify(&all, set_role(&app, &ada, &room, &cleo, "admin")).await.0, 200);
    app.verify(&all, describe(json!({ "name": "Harbour" }))).await;
    let shown = app.verify(&all, describe(json!({ "topic": "boats" }))).await;
    assert_eq!((&shown["name"], &shown["topic"]), (&json!("Harbour"), &json!("boats")));
    app.verify(&all, describe(json!({ "topic": "" }))).await;
    assert_eq!(app.verify(&all, remove(&app, &cleo, &room, &cleo)).await.0, 204);
    app.verify(&all, app.post(&ada, &room, "c2", "two")).await;

    let events = socket.events_of_room(&room, 8).await;
    assert_eq!(seqs(&events), (1..=8).collect::<Vec<_>>());
    let told = |event: &Value, fields: &[(&str, Value)]| {
        for (pointer, wanted) in fields {
            assert_eq!(event.pointer(pointer), Some(wanted), "{event}");
        }
        assert!(event["at"].is_string());
    };
    let (by_ada, by_cleo) = (("/by", json!(ada.id)), ("/by", json!(cleo.id)));
    let kind = |kind: &str| ("/type", json!(kind));
    told(
        &events[1],
        &[kind("member.added"), ("/member/user_id", json!(cleo.id)), ("/member/role", json!("guest")), by_ada.clone()],
    );
    told(&events[2], &[kind("member.role_changed"), ("/user_id", json!(cleo.id)), ("/role", json!("admin")), by_ada]);
    let renamed = [kind("room.updated"), ("/name", json!("Harbour")), ("/topic", Value::Null), by_cleo.clone()];
    told(&events[3], &renamed);
    told(&events[4], &[("/name", json!("Harbour")), ("/topic", json!("boats"))]);
    told(&events[5], &[("/name", json!("Harbour")), ("/topic", Value::Null)]);
    told(&events[6], &[kind("member.removed"), ("/user_id", json!(cleo.id)), by_cleo]);
}

#[actix_rt::test]
async fn a_removed_person_hears_of_it_and_then_nothing_more() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ben).await;
    app.post(&ada, &room, "c1", "one").await;
    assert_eq!(remove(&app, &ada, &room, &ben).await.0, 204);
    app.post(&ada, &room, "c2", "not for ben").await;
    assert_eq!(seqs(&socket.events_of_room(&room, 2).await), [1, 2]);
    for command in [
        json!({ "type": "message.post", "room_id": room, "client_id": "x", "content": "x" }),
        json!({ "type": "room.catch_up", "room_id": room, "after": 0 }),
        json!({ "type": "receipt.mark", "room_id": room, "read_seq": 1 }),
    ] {
        let answer = socket.ask(command).await;
        assert_eq!((&answer["code"], &answer["retry"]), (&json!("chat.room_not_found"), &json!("never")), "{answer}");
    }
    for path in ["", "/messages", "/members", "/events?after=0"] {
        let answer = app.call(Method::GET, &format!("/rooms/{room}{path}"), Some(&ben), None).await;
        assert_eq!(outcome(&answer), (404, "chat.room_not_found"), "{path}");
    }
    // A mark in another room, made after all of it: had anything more come, it would have come before.
    let other = app.group(&[&ben]).await;
    assert_eq!(socket.event_of("room.joined").await["room"]["id"], json!(other));
    app.post(&ben, &other, "mark", "mark").await;
    assert_eq!(socket.event().await["room_id"], json!(other));
    let (_, ready) = app.resume(&ben, json!({ &room: 0 })).await;
    assert_eq!(ready["rooms"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn an_added_person_is_told_on_all_devices_and_follows_from_there() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "c1", "before").await;
    let mut devices = [app.connect(&ben).await, app.connect(&ben).await];
    for round in 0..2 {
        assert_eq!(add(&app, &ada, &room, &ben, "member").await.0, 201);
        let posted = app.post(&ada, &room, &format!("during-{round}"), "for ben").await;
        assert_eq!(remove(&app, &ada, &room, &ben).await.0, 204);
        app.post(&ada, &room, &format!("after-{round}"), "not for ben").await;
        for device in &mut devices {
            let joined = device.event_of("room.joined").await["room"].clone();
            assert_eq!((&joined["id"], &joined["role"]), (&json!(room), &json!("member")));
            assert_eq!(joined["last_seq"], json!(posted - 1));
            assert_eq!(seqs(&device.events_of_room(&room, 2).await), [posted, posted + 1]);
        }
    }
}

#[actix_rt::test]
async fn roles_decide_who_may_do_what() {
    let app = TestApp::start().await;
    let (owner, admin, member, guest) = (
        app.sign_up("owner").await,
        app.sign_up("admin").await,
        app.sign_up("member").await,
        app.sign_up("guest").await,
    );
    let (stranger, newcomer) = (app.sign_up("stranger").await, app.sign_up("newcomer").await);
    let room = app.group(&[&owner]).await;
    let all = [&owner, &admin, &member, &guest];
    for (person, role) in [(&admin, "admin"), (&member, "member"), (&guest, "guest")] {
        assert_eq!(app.verify(&all, add(&app, &owner, &room, person, role)).await.0, 201);
    }
    let rename = |by| {
        let (app, room) = (&app, &room);
        async move { app.call(Method::PATCH, &format!("/rooms/{room}"), Some(by), Some(json!({ "name": "x" }))).await }
    };
    const REFUSED: (u16, &str) = (403, "chat.not_allowed");
    const ABSENT: (u16, &str) = (404, "chat.room_not_found");
    assert_eq!(outcome(&rename(&guest).await), REFUSED);
    assert_eq!(outcome(&rename(&member).await), REFUSED);
    assert_eq!(outcome(&rename(&stranger).await), ABSENT);
    assert_eq!(rename(&admin).await.0, 200);
    // Guests bring nobody; members bring equals; nobody makes someone above themselves.
    assert_eq!(outcome(&add(&app, &guest, &room, &newcomer, "guest").await), REFUSED);
    assert_eq!(outcome(&add(&app, &member, &room, &newcomer, "admin").await), REFUSED);
    assert_eq!(outcome(&add(&app, &admin, &room, &newcomer, "admin").await), REFUSED);
    assert_eq!(outcome(&add(&app, &stranger, &room, &stranger, "member").await), ABSENT);
    assert_eq!(add(&app, &member, &room, &newcomer, "member").await.0, 201);
    // Whoever is in it stays what they are.
    let again = add(&app, &admin, &room, &newcomer, "guest").await;
    assert_eq!(again, (200, json!({ "user_id": newcomer.id, "role": "member" })));
    // Removing: from admin up, and never someone above or beside.
    assert_eq!(outcome(&remove(&app, &member, &room, &guest).await), REFUSED);
    assert_eq!(outcome(&remove(&app, &admin, &room, &owner).await), REFUSED);
    assert_eq!(outcome(&remove(&app, &stranger, &room, &guest).await), ABSENT);
    assert_eq!(remove(&app, &admin, &room, &newcomer).await.0, 204);
    assert_eq!(outcome(&set_role(&app, &admin, &room, &newcomer, "guest").await), (404, "chat.not_a_member"));
    // Roles: admins raise to below themselves and may step down; owners do anything.
    assert_eq!(outcome(&set_role(&app, &member, &room, &guest, "member").await), REFUSED);
    assert_eq!(outcome(&set_role(&app, &admin, &room, &admin, "owner").await), REFUSED);
    assert_eq!(outcome(&set_role(&app, &admin, &room, &owner, "guest").await), REFUSED);
    assert_eq!(app.verify(&all, set_role(&app, &admin, &room, &guest, "member")).await.0, 200);
    assert_eq!(app.verify(&all, set_role(&app, &admin, &room, &admin, "member")).await.0, 200);
    assert_eq!(outcome(&rename(&admin).await), REFUSED);
    assert_eq!(set_role(&app, &owner, &room, &member, "owner").await.0, 200);
}

#[actix_rt::test]
async fn the_last_owner_stays_until_there_is_another() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    assert_eq!(outcome(&remove(&app, &ada, &room, &ada).await), (409, "chat.last_owner"));
    assert_eq!(outcome(&set_role(&app, &ada, &room, &ada, "member").await), (409, "chat.last_owner"));
    assert_eq!(set_role(&app, &ada, &room, &ben, "owner").await.0, 200);
    // Both go at once, one after the other in the room's order.
    let (first, second) =
        futures_util::future::join(remove(&app, &ada, &room, &ada), remove(&app, &ben, &room, &ben)).await;
    let mut statuses = [first.0, second.0];
    statuses.sort_unstable();
    // The second is alone by then, and the last person may always leave.
    assert_eq!(statuses, [204, 204]);
    // Alone, one may leave, but not leave the room ownerless.
    let room = app.group(&[&ada]).await;
    assert_eq!(outcome(&set_role(&app, &ada, &room, &ada, "member").await), (409, "chat.last_owner"));
    assert_eq!(remove(&app, &ada, &room, &ada).await.0, 204);
}

#[actix_rt::test]
async fn a_room_takes_no_more_members_than_its_limit() {
    let app = TestApp::with(|config| config.chat.members_max = 2).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    assert_eq!(outcome(&add(&app, &ada, &room, &cleo, "member").await), (409, "chat.room_full"));
    let unknown = Person { id: "0190a000-0000-7000-8000-000000000000".into(), ..cleo.clone() };
    assert_eq!(outcome(&add(&app, &ada, &room, &unknown, "member").await), (422, "chat.user_not_found"));
    let body = json!({ "kind": "group", "member_ids": [ben.id, cleo.id] });
    assert_eq!(outcome(&app.call(Method::POST, "/rooms", Some(&ada), Some(body)).await), (409, "chat.room_full"));
}

#[actix_rt::test]
async fn who_is_removed_and_added_again_hears_on() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut socket = app.connect(&ben).await;
    let member = format!("/rooms/{room}/members/{}", ben.id);
    let members = format!("/rooms/{room}/members");
    for round in 0..5 {
        app.verify(&[&ada, &ben], async {
            app.ok(Method::DELETE, &member, &ada, None).await;
            app.ok(Method::POST, &members, &ada, Some(json!({ "user_id": ben.id }))).await;
        })
        .await;
        app.post(&ada, &room, &format!("c{round}"), "welcome back").await;
        let heard = socket.event_of("message.posted").await;
        assert_eq!(heard["seq"], json!(3 * (round + 1)));
    }
}

/// What the lists of rooms and spaces say.
async fn counts(app: &TestApp, by: &Person) -> (Value, Value) {
    let rooms = app.ok(Method::GET, "/rooms", by, None).await;
    let spaces = app.ok(Method::GET, "/spaces", by, None).await;
    (rooms["items"][0]["member_count"].clone(), spaces["items"][0]["member_count"].clone())
}

#[actix_rt::test]
async fn lists_say_how_many_members_there_are() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let people = format!("/spaces/{}/members", space["id"].as_str().unwrap());
    assert_eq!(counts(&app, &ada).await, (json!(2), json!(1)));
    for person in [&ben, &cleo] {
        app.ok(Method::POST, &people, &ada, Some(json!({ "user_id": person.id }))).await;
    }
    assert_eq!(add(&app, &ada, &room, &cleo, "member").await.0, 201);
    assert_eq!(counts(&app, &ada).await, (json!(3), json!(3)));
    assert_eq!(remove(&app, &ben, &room, &ben).await.0, 204);
    assert_eq!(app.call(Method::DELETE, &format!("{people}/{}", ben.id), Some(&ada), None).await.0, 204);
    assert_eq!(counts(&app, &ada).await, (json!(2), json!(2)));
    // Whoever is deleted is no member any more.
    app.until_listening(true).await;
    app.verify(&[&ada], app.sql("DELETE FROM users WHERE username = 'cleo'")).await;
    assert_eq!(counts(&app, &ada).await, (json!(1), json!(1)));
}
