//! Whoever is deleted with their account leaves no group without an owner, no direct room without its past, and nobody
//! without news of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::process::{Engine, engine_with, until};
use crate::testing::{Api, DataFolder, Person, TestApp, TestDatabase};

async fn delete(app: &TestApp, people: &[&Person]) {
    let ids: Vec<String> = people.iter().map(|person| format!("'{}'", person.id)).collect();
    app.sql(&format!("DELETE FROM users WHERE id IN ({})", ids.join(","))).await;
}

async fn set_role(app: &TestApp, by: &Person, place: &str, user: &Person, role: &str) {
    let path = format!("/{place}/members/{}", user.id);
    app.ok(Method::PATCH, &path, by, Some(json!({ "role": role }))).await;
}

/// Waits until nothing is left to be inherited.
async fn settled(app: &TestApp) {
    until("ownership is passed on", async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = 'rooms.pass_ownership'")
            .fetch_one(app.database.storage.engine())
            .await
            .unwrap();
        left == 0
    })
    .await;
}

/// The role of each member of a room or space.
async fn roles(app: &TestApp, by: &Person, place: &str) -> Vec<(String, String)> {
    let page = app.ok(Method::GET, &format!("/{place}/members"), by, None).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(|m| (text(&m["user"]["username"]), text(&m["role"]))).collect()
}

fn role_of<'a>(roles: &'a [(String, String)], person: &Person) -> &'a str {
    &roles.iter().find(|(username, _)| *username == person.username).unwrap().1
}

#[actix_rt::test]
async fn a_group_passes_in_its_order_to_the_admin_who_has_been_in_it_for_longest() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (cleo, dan) = (app.sign_up("cleo").await, app.sign_up("dan").await);
    let room = app.group(&[&ada, &ben]).await;
    for person in [&cleo, &dan] {
        app.ok(Method::POST, &format!("/rooms/{room}/members"), &ada, Some(json!({ "user_id": person.id }))).await;
    }
    let place = format!("rooms/{room}");
    for person in [&dan, &cleo] {
        set_role(&app, &ada, &place, person, "admin").await;
    }
    app.post(&ada, &room, "m1", "hello").await;
    let mut bens = app.connect(&ben).await;
    delete(&app, &[&ada]).await;
    let left = bens.event_of("member.removed").await;
    assert_eq!((&left["room_id"], &left["user_id"]), (&json!(room), &json!(ada.id)));
    let passed = bens.event_of("member.role_changed").await;
    assert_eq!(
        (&passed["user_id"], &passed["role"], &passed["by"]),
        (&json!(cleo.id), &json!("owner"), &json!(ada.id))
    );
    assert_eq!(passed["seq"].as_i64().unwrap(), left["seq"].as_i64().unwrap() + 1);
    let roles = roles(&app, &ben, &place).await;
    assert_eq!([&cleo, &dan, &ben].map(|person| role_of(&roles, person)), ["owner", "admin", "member"]);
    // The new owner owns.
    app.ok(Method::PATCH, &format!("/rooms/{room}"), &cleo, Some(json!({ "name": "inherited" }))).await;
    assert_eq!(app.connect(&ben).await.catch_up(&room, 0, 200).await.len() as i64, passed["seq"].as_i64().unwrap() + 1);
}

#[actix_rt::test]
async fn a_group_of_members_passes_to_the_first_of_them_and_one_with_another_owner_stays() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let (alone, owned) = (app.group(&[&ada]).await, app.group(&[&ada, &ben, &cleo]).await);
    for person in [&cleo, &ben] {
        app.ok(Method::POST, &format!("/rooms/{alone}/members"), &ada, Some(json!({ "user_id": person.id }))).await;
    }
    set_role(&app, &ada, &format!("rooms/{owned}"), &cleo, "owner").await;
    let mut bens = app.connect(&ben).await;
    delete(&app, &[&ada]).await;
    let passed = bens.event_of("member.role_changed").await;
    assert_eq!((&passed["room_id"], &passed["user_id"]), (&json!(alone), &json!(cleo.id)));
    settled(&app).await;
    let roles = roles(&app, &ben, &format!("rooms/{owned}")).await;
    assert_eq!([&cleo, &ben].map(|person| role_of(&roles, person)), ["owner", "member"]);
}

#[actix_rt::test]
async fn owners_who_are_deleted_together_leave_no_group_without_one() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (cleo, dan) = (app.sign_up("cleo").await, app.sign_up("dan").await);
    let room = app.group(&[&ada, &ben, &cleo, &dan]).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let space = space["id"].as_str().unwrap().to_owned();
    for person in [&ben, &dan] {
        app.ok(Method::POST, &format!("/spaces/{space}/members"), &ada, Some(json!({ "user_id": person.id }))).await;
    }
    let (in_room, in_space) = (format!("rooms/{room}"), format!("spaces/{space}"));
    set_role(&app, &ada, &in_room, &ben, "owner").await;
    set_role(&app, &ada, &in_room, &dan, "admin").await;
    set_role(&app, &ada, &in_space, &ben, "admin").await;
    let mut cleos = app.connect(&cleo).await;
    delete(&app, &[&ada, &ben]).await;
    let mut heirs = Vec::new();
    while heirs.is_empty() {
        let event = cleos.event_of("member.role_changed").await;
        heirs.push(event["user_id"].clone());
    }
    assert_eq!(heirs, [json!(dan.id)]);
    settled(&app).await;
    assert_eq!(role_of(&roles(&app, &cleo, &in_room).await, &dan), "owner");
    assert_eq!(roles(&app, &dan, &in_space).await, [("dan".to_owned(), "owner".to_owned())]);
}

#[actix_rt::test]
async fn a_direct_room_stays_readable_for_the_one_who_is_left_and_goes_with_the_last() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let body = json!({ "kind": "direct", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    app.post(&ben, &room, "m1", "remember me").await;
    let mut adas = app.connect(&ada).await;
    let mut bens = app.connect(&ben).await;
    delete(&app, &[&ben]).await;
    assert_eq!(bens.closed().await, 4501);
    let left = adas.event_of("member.removed").await;
    assert_eq!((&left["room_id"], &left["user_id"], &left["by"]), (&json!(room), &json!(ben.id), &json!(ben.id)));
    let seen = app.ok(Method::GET, &format!("/rooms/{room}"), &ada, None).await;
    assert_eq!((&seen["member_count"], &seen["peer"], &seen["kind"]), (&json!(1), &Value::Null, &json!("direct")));
    let (_, ready) = app.resume(&ada, json!({})).await;
    assert_eq!(ready["rooms"], json!([seen]));
    let history = app.ok(Method::GET, &format!("/rooms/{room}/messages"), &ada, None).await;
    assert_eq!(history["items"][0]["content"], "remember me");
    delete(&app, &[&ada]).await;
    let rooms: i64 =
        sqlx::query_scalar("SELECT count(*) FROM rooms").fetch_one(app.database.storage.engine()).await.unwrap();
    assert_eq!(rooms, 0);
}

#[actix_rt::test]
async fn whoever_was_deleted_while_no_engine_ran_is_told_of_by_the_next() {
    let database = TestDatabase::create().await;
    let folder = DataFolder::new();
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let api = Api::new(engine.base());
    let (ada, ben) = (api.sign_up("ada").await, api.sign_up("ben").await);
    let room = api.group(&[ada.clone(), ben.clone()]).await;
    engine.kill().await;
    sqlx::query("DELETE FROM users WHERE username = 'ada'").execute(database.storage.engine()).await.unwrap();
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let api = Api::new(engine.base());
    let mut told = Vec::new();
    until("the room has told it", async || {
        let events = api.history(&room, &ben.token).await;
        told = events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        told.len() >= 2
    })
    .await;
    assert_eq!(told, ["member.removed", "member.role_changed"]);
}
