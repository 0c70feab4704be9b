//! Passwords, devices and names as somebody meets them who is connected meanwhile.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{PASSWORD, Person, TestApp};

/// Another sign-in of the same person.
async fn again(app: &TestApp, person: &Person, device: &str) -> Person {
    let body = json!({ "login": person.username, "password": PASSWORD, "device": { "id": device, "name": device } });
    let (status, answer) = app.call(Method::POST, "/auth/login", None, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    Person { token: text("access_token"), refresh_token: text("refresh_token"), ..person.clone() }
}

#[actix_rt::test]
async fn a_new_password_leaves_only_this_device_connected() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let phone = again(&app, &ada, "phone").await;
    let (mut here, mut there) = (app.connect(&ada).await, app.connect(&phone).await);
    let body = json!({ "current_password": PASSWORD, "new_password": "staple correct horse" });
    app.ok(Method::PUT, "/users/me/password", &ada, Some(body)).await;
    assert_eq!(there.closed().await, 4501);
    assert_eq!(here.ask(json!({ "type": "ping" })).await["type"], "pong");
    let refresh = json!({ "refresh_token": phone.refresh_token });
    assert_eq!(app.call(Method::POST, "/auth/refresh", None, Some(refresh)).await.0, 401);
    let devices = app.ok(Method::GET, "/users/me/devices", &ada, None).await;
    assert_eq!(devices["items"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn a_lost_device_is_signed_out_from_another() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let phone = again(&app, &ada, "phone").await;
    let (mut here, mut there) = (app.connect(&ada).await, app.connect(&phone).await);
    let devices = app.ok(Method::GET, "/users/me/devices", &ada, None).await;
    let lost = devices["items"].as_array().unwrap().iter().find(|device| device["name"] == "phone").unwrap();
    assert_eq!((&lost["device_id"], &lost["current"]), (&json!("phone"), &json!(false)));
    let path = format!("/users/me/devices/{}", lost["id"].as_str().unwrap());
    app.ok(Method::DELETE, &path, &ada, None).await;
    assert_eq!(there.closed().await, 4501);
    assert_eq!(app.call(Method::GET, "/users/me", Some(&phone), None).await.0, 401);
    assert_eq!(here.ask(json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_rt::test]
async fn a_link_ends_what_a_thief_has_open() {
    let app = TestApp::start().await;
    let (root, ada) = (app.sign_up("root").await, app.sign_up("ada").await);
    app.engine().auth.set_role("root", crate::accounts::UserRole::Admin).await.unwrap();
    let mut open = app.connect(&ada).await;
    let link = app.ok(Method::POST, &format!("/admin/users/{}/reset-link", ada.id), &root, None).await;
    let body = json!({ "token": link["token"], "new_password": "staple correct horse" });
    let (status, answer) = app.call(Method::POST, "/auth/reset", None, Some(body)).await;
    assert_eq!((status, answer), (204, Value::Null));
    assert_eq!(open.closed().await, 4501);
}

#[actix_rt::test]
async fn names_that_nobody_sees_name_nothing() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    for unseen in ["\u{200b}", "\u{3164}", "\u{2060}", "\u{feff}", "\u{202e}", "\u{2800}", "\u{e0061}\u{e007f}"] {
        let group = json!({ "kind": "group", "name": unseen, "topic": unseen, "member_ids": [] });
        let room = app.ok(Method::POST, "/rooms", &ada, Some(group)).await;
        assert_eq!((room.get("name"), room.get("topic")), (None, None), "as if none was given: {room}");
        for (method, path, body) in [
            (Method::POST, "/spaces", json!({ "name": unseen })),
            (Method::PATCH, "/users/me", json!({ "full_name": unseen })),
            (Method::PATCH, "/users/me", json!({ "status_message": unseen })),
        ] {
            assert_eq!(app.call(method, path, Some(&ada), Some(body)).await.0, 422, "{path} {unseen:?}");
        }
    }
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "\u{202e}Bu\u{308}ro\u{200b}" }))).await;
    assert_eq!(space["name"], "Büro");
    let channel = json!({ "kind": "channel", "space_id": space["id"], "name": "plans", "member_ids": [] });
    let channel = app.ok(Method::POST, "/rooms", &ada, Some(channel)).await;
    let path = format!("/rooms/{}", channel["id"].as_str().unwrap());
    for unseen in ["", "\u{2060}"] {
        let (status, answer) = app.call(Method::PATCH, &path, Some(&ada), Some(json!({ "name": unseen }))).await;
        assert_eq!((status, &answer["code"]), (422, &json!("chat.invalid")), "a channel keeps a name");
    }
    // And found however it is typed.
    let named = json!({ "full_name": "Jos\u{e9} \u{1f469}\u{200d}\u{1f680}" });
    app.ok(Method::PATCH, "/users/me", &ada, Some(named)).await;
    let found = app.ok(Method::GET, "/users?query=JOSE%CC%81", &ada, None).await;
    assert_eq!(found["items"][0]["username"], "ada", "{found}");
}
