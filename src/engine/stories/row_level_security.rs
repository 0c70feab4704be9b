//! What row level security lets nobody see of rooms, whatever a query asks for.

use serde_json::json;
use uuid::Uuid;

use crate::ids::UserId;
use crate::testing::TestApp;

/// What `user` sees of a room when the query asks for everything.
async fn rows_seen(app: &TestApp, user: UserId, room: Uuid) -> Vec<(&'static str, i64)> {
    let mut transaction = app.database.storage.read_as(user).await.unwrap();
    let mut seen = Vec::new();
    for (table, query) in [
        ("rooms", "SELECT count(*) FROM rooms WHERE id = $1"),
        ("room_members", "SELECT count(*) FROM room_members WHERE room_id = $1"),
        ("messages", "SELECT count(*) FROM messages WHERE room_id = $1"),
        ("room_events", "SELECT count(*) FROM room_events WHERE room_id = $1"),
    ] {
        seen.push((table, sqlx::query_scalar(query).bind(room).fetch_one(&mut *transaction).await.unwrap()));
    }
    seen
}

#[actix_rt::test]
async fn a_stranger_reads_nothing_even_when_the_query_forgets_to_ask() {
    let app = TestApp::start().await;
    let (ada, ben, eve) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("eve").await);
    let room = app.group(&[&ada, &ben]).await;
    app.post(&ada, &room, "c1", "secret").await;
    app.ok(reqwest::Method::PATCH, &format!("/rooms/{room}"), &ada, Some(json!({ "topic": "secret" }))).await;
    let room: Uuid = room.parse().unwrap();
    let id = |text: &str| UserId(text.parse().unwrap());
    let counts = |rooms, members, messages, events| {
        vec![("rooms", rooms), ("room_members", members), ("messages", messages), ("room_events", events)]
    };
    assert_eq!(rows_seen(&app, id(&ben.id), room).await, counts(1, 2, 1, 1));
    assert_eq!(rows_seen(&app, id(&eve.id), room).await, counts(0, 0, 0, 0));
    assert_eq!(rows_seen(&app, UserId(Uuid::nil()), room).await, counts(0, 0, 0, 0));
    app.ok(reqwest::Method::DELETE, &format!("/rooms/{room}/members/{}", ben.id), &ada, None).await;
    assert_eq!(rows_seen(&app, id(&ben.id), room).await, counts(0, 0, 0, 0));
}

#[actix_rt::test]
async fn a_read_for_a_user_cannot_write() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room: Uuid = app.group(&[&ada]).await.parse().unwrap();
    for statement in [
        "DELETE FROM messages WHERE room_id = $1",
        "UPDATE rooms SET last_seq = 7 WHERE id = $1",
        "UPDATE room_members SET role = 'owner' WHERE room_id = $1",
    ] {
        let mut transaction = app.database.storage.read_as(UserId(ada.id.parse().unwrap())).await.unwrap();
        let refused = sqlx::query(statement).bind(room).execute(&mut *transaction).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied") || refused.to_string().contains("read-only"));
    }
}
