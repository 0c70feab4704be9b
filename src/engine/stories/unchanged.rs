//! A change that changes nothing is answered with what is so, and takes no place in the order.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp};

async fn last_seq(app: &TestApp, by: &Person, room: &str) -> Value {
    app.ok(Method::GET, &format!("/rooms/{room}"), by, None).await["last_seq"].clone()
}

#[actix_rt::test]
async fn what_is_so_already_is_no_event() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben]).await;
    let (path, members) = (format!("/rooms/{room}"), format!("/rooms/{room}/members"));
    app.ok(Method::PATCH, &path, &ada, Some(json!({ "name": "quay", "topic": "tides" }))).await;
    let mut bens = app.connect(&ben).await;
    let before = last_seq(&app, &ada, &room).await;
    for (name, topic) in [(Some("quay"), None), (None, Some("tides")), (Some(" quay "), Some("tides")), (None, None)] {
        let body = json!({ "name": name, "topic": topic });
        let (status, answer) = app.call(Method::PATCH, &path, Some(&ada), Some(body)).await;
        assert_eq!((status, &answer["name"], &answer["topic"]), (200, &json!("quay"), &json!("tides")));
    }
    for (person, role) in [(&ben, "member"), (&ada, "owner")] {
        let set = app
            .call(Method::PATCH, &format!("{members}/{}", person.id), Some(&ada), Some(json!({ "role": role })))
            .await;
        assert_eq!(set, (200, json!({ "user_id": person.id, "role": role })));
    }
    // Whoever may not set a role is told so, whatever it is.
    let set =
        app.call(Method::PATCH, &format!("{members}/{}", ada.id), Some(&ben), Some(json!({ "role": "owner" }))).await;
    assert_eq!(set.0, 403);
    // A member stays what they are.
    let add = app.call(Method::POST, &members, Some(&ada), Some(json!({ "user_id": ben.id, "role": "guest" }))).await;
    assert_eq!(add, (200, json!({ "user_id": ben.id, "role": "member" })));
    let remove = app.call(Method::DELETE, &format!("{members}/{}", cleo.id), Some(&ada), None).await;
    assert_eq!(remove.0, 204);
    assert_eq!(last_seq(&app, &ada, &room).await, before);
    // The next thing that anybody hears is the next thing that happened.
    app.post(&ada, &room, "m1", "hello").await;
    let event = bens.events_of_room(&room, 1).await.remove(0);
    assert_eq!((&event["type"], event["seq"].as_i64()), (&json!("message.posted"), before.as_i64().map(|seq| seq + 1)));
}

#[actix_rt::test]
async fn a_member_can_be_added_again_who_is_in_as_many_rooms_as_anybody_may() {
    let app = TestApp::with(|config| config.chat.rooms_per_user_max = 1).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let add =
        app.call(Method::POST, &format!("/rooms/{room}/members"), Some(&ada), Some(json!({ "user_id": ben.id }))).await;
    assert_eq!(add, (200, json!({ "user_id": ben.id, "role": "member" })));
}

#[actix_rt::test]
async fn a_space_that_is_described_as_it_is_and_members_that_are_what_they_are_stay_so() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let path = format!("/spaces/{}", space["id"].as_str().unwrap());
    let add = json!({ "user_id": ben.id });
    assert_eq!(app.call(Method::POST, &format!("{path}/members"), Some(&ada), Some(add.clone())).await.0, 201);
    assert_eq!(app.call(Method::POST, &format!("{path}/members"), Some(&ada), Some(add)).await.0, 200);
    let role = Some(json!({ "role": "member" }));
    assert_eq!(app.call(Method::PATCH, &format!("{path}/members/{}", ben.id), Some(&ada), role).await.0, 200);
    assert_eq!(app.call(Method::DELETE, &format!("{path}/members/{}", cleo.id), Some(&ada), None).await.0, 204);
    let same = app.ok(Method::PATCH, &path, &ada, Some(json!({ "name": "Harbour" }))).await;
    assert_eq!((&same["name"], &same["member_count"]), (&json!("Harbour"), &json!(2)));
}
