//! What a hello says of its device: refused when it is wrong, and known to the list of devices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::process::until;
use crate::testing::{Person, TestApp, WsClient};

async fn hello(socket: &mut WsClient, by: &Person, device: &Value) -> Value {
    socket.ask(json!({ "type": "hello", "token": by.token, "device": device })).await
}

#[actix_rt::test]
async fn a_device_that_is_named_wrongly_is_told_so_and_may_say_hello_again() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let mut socket = WsClient::open(&app.base).await;
    for device in [
        json!({ "id": "x".repeat(65) }),
        json!({ "id": "" }),
        json!({ "id": "a\u{7}b" }),
        json!({ "id": "phone", "name": "x".repeat(101) }),
        json!({ "name": "two\nlines" }),
        json!({ "name": "\u{200b}" }),
    ] {
        let answer = hello(&mut socket, &ada, &device).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("auth.invalid_device")), "{device}");
        assert_eq!(answer["retry"], "never");
        assert!(answer["message"].as_str().unwrap().starts_with("A device "), "{answer}");
    }
    let device = json!({ "id": "x".repeat(64), "name": "Ω".repeat(100) });
    assert_eq!(hello(&mut socket, &ada, &device).await["type"], "ready");
}

#[actix_rt::test]
async fn the_list_of_devices_shows_what_a_hello_calls_them() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let listed = async || {
        let page = app.ok(Method::GET, "/users/me/devices", &ada, None).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        (page["items"][0]["device_id"].clone(), page["items"][0]["name"].clone())
    };
    let before = listed().await;
    let come = async |device: Value| {
        let mut socket = WsClient::open(&app.base).await;
        assert_eq!(hello(&mut socket, &ada, &device).await["type"], "ready");
    };
    // A name alone changes the name alone.
    come(json!({ "name": " Ada's phone " })).await;
    until("it is called so", async || listed().await == (before.0.clone(), json!("Ada's phone"))).await;
    come(json!({ "id": "phone-1", "name": "Ada's new phone" })).await;
    let kept = if before.0.is_null() { json!("phone-1") } else { before.0.clone() };
    until("it has an id and another name", async || listed().await == (kept.clone(), json!("Ada's new phone"))).await;
    // The id of a sign-in stays: an earlier sign-in ended by it. Neither is unsaid by a hello that says nothing.
    come(json!({ "id": "another" })).await;
    come(json!({})).await;
    come(json!({ "id": "another", "name": "Tablet" })).await;
    until("it is called so", async || listed().await == (kept.clone(), json!("Tablet"))).await;
    // What is known already is not written again.
    let written = "SELECT xmin::text FROM token_families";
    let row = async || sqlx::query_scalar::<_, String>(written).fetch_one(app.database.storage.engine()).await.unwrap();
    let first = row().await;
    for _ in 0..3 {
        come(json!({ "id": "another", "name": "Tablet" })).await;
    }
    assert_eq!(row().await, first);
}
