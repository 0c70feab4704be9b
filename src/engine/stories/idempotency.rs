//! A change over HTTP under an `Idempotency-Key` is made once, however often it is sent.

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp};

/// How many events of this kind are in a room's order.
async fn count(app: &TestApp, room: &str, by: &Person, kind: &str) -> usize {
    let page = app.ok(Method::GET, &format!("/rooms/{room}/events?after=0&limit=200"), by, None).await;
    page["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).count()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

#[actix_rt::test]
async fn ten_at_once_are_one_change_and_a_later_one_undoes_nothing() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada]).await;
    let members = format!("/rooms/{room}/members");
    let add = || app.change(Method::POST, &members, &ada, "\"add ben\"", Some(json!({ "user_id": ben.id })));
    let answers = join_all((0..10).map(|_| add())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 9], vec![201]].concat());
    assert!(answers.iter().all(|(_, member)| *member == json!({ "user_id": ben.id, "role": "member" })), "{answers:?}");
    assert_eq!(count(&app, &room, &ada, "member.added").await, 1);
    // The answer was lost, and ben has left since: he is not brought back.
    let own = format!("{members}/{}", ben.id);
    assert_eq!(app.change(Method::DELETE, &own, &ben, "leave", None).await.0, 204);
    assert_eq!(add().await, (200, json!({ "user_id": ben.id, "role": "member" })));
    assert_eq!(app.call(Method::GET, &format!("/rooms/{room}"), Some(&ben), None).await.0, 404);
    // The other way round: he is in again, and his leaving, sent once more, does not take him out.
    app.ok(Method::POST, &members, &ada, Some(json!({ "user_id": ben.id }))).await;
    assert_eq!(app.change(Method::DELETE, &own, &ben, "leave", None).await.0, 204);
    assert_eq!(app.call(Method::GET, &format!("/rooms/{room}"), Some(&ben), None).await.0, 200);
    assert_eq!(count(&app, &room, &ada, "member.added").await, 2);
}

#[actix_rt::test]
async fn a_change_is_recognised_when_it_has_long_left_memory_and_after_a_restart() {
    let small = |config: &mut crate::config::Config| config.chat.window_events_max = 4;
    let app = TestApp::with(small).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (path, member) = (format!("/rooms/{room}"), format!("/rooms/{room}/members/{}", ben.id));
    let rename = |name: &str| Some(json!({ "name": name }));
    let promote = Some(json!({ "role": "admin" }));
    assert_eq!(app.change(Method::PATCH, &path, &ada, "name", rename("first")).await.1["name"], "first");
    assert_eq!(app.change(Method::PATCH, &member, &ada, "role", promote.clone()).await.0, 200);
    // Another's key is another key.
    assert_eq!(app.change(Method::PATCH, &path, &ben, "name", rename("second")).await.1["name"], "second");
    app.ok(Method::PATCH, &member, &ada, Some(json!({ "role": "member" }))).await;
    for n in 0..10 {
        // A message's client id is no change's.
        app.post(&ada, &room, &format!("m{n}"), "more").await;
    }
    app.post(&ada, &room, "name", "called as the key").await;
    let again = app.change(Method::PATCH, &path, &ada, "name", rename("first")).await;
    assert_eq!((again.0, &again.1["name"]), (200, &json!("second")), "the room as it is");
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, small).await;
    assert_eq!(app.change(Method::PATCH, &path, &ada, "name", rename("first")).await.1["name"], "second");
    // It is answered as it was, and changes nothing.
    assert_eq!(app.change(Method::PATCH, &member, &ada, "role", promote).await.1["role"], "admin");
    assert_eq!(count(&app, &room, &ada, "member.role_changed").await, 2);
    assert_eq!(count(&app, &room, &ada, "room.updated").await, 2);
    // In its author's name also when they may not do so any more.
    let (status, _) = app.change(Method::PATCH, &path, &ben, "name", rename("second")).await;
    assert_eq!(status, 200);
    let reused = app.change(Method::PATCH, &path, &ben, "name", rename("third")).await;
    assert_eq!(code(&reused), (422, "chat.key_reused"));
}

#[actix_rt::test]
async fn a_key_is_for_one_change_only() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (path, member) = (format!("/rooms/{room}"), format!("/rooms/{room}/members/{}", ben.id));
    let rename = |name: &str| app.change(Method::PATCH, &path, &ada, "k1", Some(json!({ "name": name })));
    let (one, other) = join(rename("one"), rename("other")).await;
    let (made, refused) = if one.0 == 200 { (one, other) } else { (other, one) };
    assert_eq!((made.0, code(&refused)), (200, (422, "chat.key_reused")));
    let role = Some(json!({ "role": "admin" }));
    for (method, path, body) in [
        (Method::DELETE, &member, None),
        (Method::PATCH, &member, role),
        (Method::PATCH, &path, Some(json!({ "topic": "t" }))),
    ] {
        let answer = app.change(method, path, &ada, "k1", body).await;
        assert_eq!(code(&answer), (422, "chat.key_reused"), "{path}");
    }
    // In another room it is another key.
    let elsewhere = app.group(&[&ada]).await;
    let topic = Some(json!({ "topic": "t" }));
    assert_eq!(app.change(Method::PATCH, &format!("/rooms/{elsewhere}"), &ada, "k1", topic).await.0, 200);
    for key in ["", "\"open", "\u{e4}", &"x".repeat(129)] {
        let answer = app.change(Method::PATCH, &path, &ada, key, Some(json!({ "name": "x" }))).await;
        assert_eq!(code(&answer), (400, "request.invalid_idempotency_key"), "{key}");
        assert!(answer.1["detail"].as_str().unwrap().contains("printable ASCII"), "{answer:?}");
    }
    assert_eq!(count(&app, &room, &ada, "room.updated").await, 1);
}
