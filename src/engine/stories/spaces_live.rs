//! Whoever is in a space hears on all of their devices what becomes of it, whoever did it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::party::Party;
use crate::publish::{Class, Key, Publication, Publish, Topic};
use crate::testing::{Person, TestApp, WsClient};

/// A space made by this person; its id.
async fn space(app: &TestApp, by: &Person) -> String {
    let space = app.ok(Method::POST, "/spaces", by, Some(json!({ "name": "Harbour" }))).await;
    space["id"].as_str().unwrap().to_owned()
}

async fn add(app: &TestApp, by: &Person, space: &str, user: &Person) {
    let body = json!({ "user_id": user.id });
    app.ok(Method::POST, &format!("/spaces/{space}/members"), by, Some(body)).await;
}

/// What each of these sockets hears next of this kind.
async fn each(sockets: &mut [WsClient], kind: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    for socket in sockets {
        heard.push(socket.event_of(kind).await);
    }
    heard
}

#[actix_rt::test]
async fn all_devices_of_a_member_hear_what_becomes_of_their_space() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut hers = app.connect(&ada).await;
    let mut his = [app.connect(&ben).await, app.connect(&ben).await];
    let harbour = space(&app, &ada).await;
    assert_eq!(hers.event_of("space.joined").await["space"]["role"], "owner");

    let both = [&ada, &ben];
    app.verify(&both, add(&app, &ada, &harbour, &ben)).await;
    let listed = app.ok(Method::GET, &format!("/spaces/{harbour}"), &ben, None).await;
    for joined in each(&mut his, "space.joined").await {
        assert_eq!(joined, json!({ "type": "space.joined", "space": listed }));
    }
    // Each as that person sees it.
    let (path, what) = (format!("/spaces/{harbour}"), json!({ "name": "Port", "topic": "ships" }));
    app.verify(&both, app.ok(Method::PATCH, &path, &ada, Some(what))).await;
    for updated in each(&mut his, "space.updated").await {
        let space = &updated["space"];
        assert_eq!(
            (&space["name"], &space["topic"], &space["role"]),
            (&json!("Port"), &json!("ships"), &json!("member"))
        );
    }
    assert_eq!(hers.event_of("space.updated").await["space"]["role"], "owner");
    // A role is told to whose it is; what changes nothing is told to nobody.
    app.ok(Method::PATCH, &format!("/spaces/{harbour}"), &ada, Some(json!({ "name": "Port" }))).await;
    let role = Some(json!({ "role": "admin" }));
    let path = format!("/spaces/{harbour}/members/{}", ben.id);
    app.verify(&both, app.ok(Method::PATCH, &path, &ada, role)).await;
    for updated in each(&mut his, "space.updated").await {
        assert_eq!(updated["space"]["role"], "admin");
    }
    // Removed by somebody; and, after another stay, by themselves.
    assert_eq!(app.verify(&both, app.call(Method::DELETE, &path, Some(&ada), None)).await.0, 204);
    for left in each(&mut his, "space.left").await {
        assert_eq!(left, json!({ "type": "space.left", "space_id": harbour, "reason": "removed" }));
    }
    add(&app, &ada, &harbour, &ben).await;
    each(&mut his, "space.joined").await;
    assert_eq!(app.call(Method::DELETE, &path, Some(&ben), None).await.0, 204);
    for left in each(&mut his, "space.left").await {
        assert_eq!(left["reason"], "left");
    }
    // Ada has heard nothing of all that but what was hers: her next is the end of the space.
    app.verify(&both, app.sql(&format!("DELETE FROM spaces WHERE id = '{harbour}'"))).await;
    assert_eq!(hers.event().await, json!({ "type": "space.left", "space_id": harbour, "reason": "deleted" }));
}

#[actix_rt::test]
async fn what_another_hand_does_to_a_space_is_told_as_well() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let harbour = space(&app, &ada).await;
    let mut his = [app.connect(&ben).await, app.connect(&ben).await];
    let row = format!("('{harbour}', '{}', 'guest', now())", ben.id);
    let insert = format!("INSERT INTO space_members (space_id, user_id, role, joined_at) VALUES {row}");
    app.verify(&[&ada, &ben], app.sql(&insert)).await;
    for joined in each(&mut his, "space.joined").await {
        assert_eq!((&joined["space"]["role"], &joined["space"]["member_count"]), (&json!("guest"), &json!(2)));
    }
    app.verify(&[&ada, &ben], app.sql(&format!("UPDATE spaces SET name = 'Dock' WHERE id = '{harbour}'"))).await;
    for updated in each(&mut his, "space.updated").await {
        assert_eq!(updated["space"]["name"], "Dock");
    }
    app.sql(&format!("UPDATE space_members SET role = 'member' WHERE user_id = '{}'", ben.id)).await;
    for updated in each(&mut his, "space.updated").await {
        assert_eq!(updated["space"]["role"], "member");
    }
    app.sql(&format!("DELETE FROM space_members WHERE user_id = '{}'", ben.id)).await;
    for left in each(&mut his, "space.left").await {
        assert_eq!(left["reason"], "removed");
    }
}

#[actix_rt::test]
async fn a_frame_for_a_user_reaches_all_of_their_devices_but_the_one_that_it_comes_from() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let group = app.group(&[&ada, &ben]).await;
    let mut phone = WsClient::open(&app.base).await;
    let ready =
        phone.ask(json!({ "type": "hello", "token": ada.token, "device": { "id": "phone-1", "name": "Phone" } })).await;
    let (mut laptop, mut his) = (app.connect(&ada).await, app.connect(&ben).await);
    let hubs = &app.engine().hubs;
    let user = ada.id.parse().unwrap();
    let session = ready["session_id"].as_str().unwrap().parse().unwrap();

    let mut devices = hubs.devices_of(user).await;
    devices.sort_by_key(|device| device.session != session);
    assert_eq!(devices.len(), 2);
    assert_eq!(
        (devices[0].session, devices[0].id.as_deref(), devices[0].name.as_deref()),
        (session, Some("phone-1"), Some("Phone"))
    );
    assert_eq!((&devices[1].id, devices[0].family == devices[1].family), (&None, true));

    let frame = |text: &str| format!("{{\"type\":\"test.said\",\"text\":\"{text}\"}}").into();
    hubs.publish_all(Publication::of(Topic::User(user), frame("draft"), Class::Must).except(session));
    hubs.publish(Topic::User(user), frame("badge"), Class::Must);
    hubs.publish(Topic::Room(group.parse().unwrap()), frame("for both"), Class::Typing(Key::about(Party::User(user))));
    let told = async |socket: &mut WsClient, count: usize| {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(socket.event_of("test.said").await["text"].as_str().unwrap().to_owned());
        }
        texts
    };
    assert_eq!(told(&mut laptop, 3).await, ["draft", "badge", "for both"]);
    assert_eq!(told(&mut phone, 2).await, ["badge", "for both"]);
    assert_eq!(told(&mut his, 1).await, ["for both"]);
    drop(laptop);
    crate::testing::process::until("the laptop is gone", async || hubs.devices_of(user).await.len() == 1).await;
}
