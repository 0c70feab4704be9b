//! Events that this version does not know, and rows that nobody could read.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::testing::TestApp;
use crate::testing::process::until;

/// Puts an event at the end of a closed room's order, as another version would.
async fn write_event(app: &TestApp, room: &str, kind: &str, payload: &str) {
    sqlx::query(
        "WITH placed AS (UPDATE rooms SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq)
         INSERT INTO room_events (room_id, seq, id, kind, payload, created_at)
         SELECT $1, last_seq, gen_random_uuid(), $2, $3::json, now() FROM placed",
    )
    .bind(room.parse::<Uuid>().unwrap())
    .bind(kind)
    .bind(payload)
    .execute(app.database.storage.engine())
    .await
    .unwrap();
}

#[actix_rt::test]
async fn an_event_of_a_later_version_keeps_its_place_and_is_told_as_it_is() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "m1", "before").await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    write_event(&app, &room, "moon.risen", r#"{ "phase" : 0.50, "of": ["b", "a"] }"#).await;
    app.post(&ada, &room, "m2", "after").await;
    let mut app = app;
    for window in ["memory", "Postgres"] {
        if window == "Postgres" {
            let (database, folder) = app.stop().await;
            app = TestApp::on(database, folder, |config| config.chat.window_events_max = 1).await;
        }
        let mut client = app.connect(&ada).await;
        let page = client.ask(json!({ "type": "room.catch_up", "room_id": room, "after": 0 })).await;
        let events = page["events"].as_array().unwrap();
        let seqs: Vec<_> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert_eq!((seqs, page["more"].as_bool()), (vec![1, 2, 3], Some(false)), "{window}: {page}");
        assert_eq!((&events[1]["type"], &events[1]["phase"]), (&json!("moon.risen"), &json!(0.5)), "{page}");
        assert_eq!(events[1]["of"], json!(["b", "a"]));
        let url = format!("{}/api/v1/rooms/{room}/events?after=0", app.base);
        let told = app.http.get(url).bearer_auth(&ada.token).send().await.unwrap().text().await.unwrap();
        assert!(told.contains(r#""phase" : 0.50, "of": ["b", "a"]"#), "byte for byte: {told}");
    }
    let listed = app.ok(Method::GET, &format!("/rooms/{room}"), &ada, None).await;
    assert_eq!((listed["last_seq"].as_i64(), listed["unread"].as_i64()), (Some(3), Some(0)));
}

#[actix_rt::test]
async fn a_row_that_cannot_be_read_is_an_error_and_never_a_hole() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    write_event(&app, &room, "member.removed", r#"{ "user_id": 7 }"#).await;
    let body = json!({ "client_id": "m1", "content": "hello" });
    let (status, problem) = app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ada), Some(body)).await;
    assert_eq!((status, &problem["code"]), (500, &json!("engine.internal")), "{problem}");
    let mut client = app.connect(&ada).await;
    let refused = client.ask(json!({ "type": "room.catch_up", "room_id": room, "after": 0 })).await;
    assert_eq!(refused["type"], "error", "{refused}");
    // Mended by an operator, it is there again.
    let mend = "UPDATE room_events SET payload = json_build_object('user_id', $1::text) WHERE kind = 'member.removed'";
    sqlx::query(mend).bind(&ben.id).execute(app.database.storage.engine()).await.unwrap();
    until("the room is read again", async || {
        let body = json!({ "client_id": "m2", "content": "here again" });
        app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ada), Some(body)).await.0 < 400
    })
    .await;
}
