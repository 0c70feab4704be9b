//! What kinds of rooms there are, and what each is like: said once in the code and once in Postgres.

use reqwest::Method;

use crate::rooms::kinds::RoomKind;
use crate::testing::{TestApp, TestDatabase};

#[actix_rt::test]
async fn the_code_and_postgres_say_the_same_of_every_kind() {
    let database = TestDatabase::create().await;
    let query = "SELECT kind, is_pair, has_owners, is_found FROM room_kinds ORDER BY kind";
    let rows: Vec<(String, bool, bool, bool)> =
        sqlx::query_as(query).fetch_all(database.storage.engine()).await.unwrap();
    let mut kinds: Vec<_> = RoomKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), kind.rules()))
        .map(|(name, rules)| (name, rules.is_pair, rules.has_owners, rules.is_found))
        .collect();
    kinds.sort();
    assert_eq!(rows, kinds, "a kind is a row in rooms/kinds.rs and a migration with the same row");
}

#[actix_rt::test]
async fn a_room_of_a_kind_that_this_version_does_not_know_is_in_nobodys_list() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (known, unknown) = (app.group(&[&ada, &ben]).await, app.group(&[&ada, &ben]).await);
    app.sql("INSERT INTO room_kinds VALUES ('harbour', false, true, true)").await;
    app.sql(&format!("UPDATE rooms SET kind = 'harbour' WHERE id = '{unknown}'")).await;
    let listed = app.verify(&[&ada, &ben], app.ok(Method::GET, "/rooms", &ben, None)).await;
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|room| &room["id"]).collect();
    assert_eq!(ids, [&known]);
    let refused = "UPDATE rooms SET kind = 'nonsense'";
    let refused = sqlx::query(refused).execute(app.database.storage.engine()).await.unwrap_err();
    assert!(refused.as_database_error().is_some_and(|error| error.is_foreign_key_violation()), "{refused}");
}

#[actix_rt::test]
async fn postgres_refuses_a_room_that_cannot_be() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let group = app.group(&[&ada, &ben]).await;
    for wrong in [
        "member_count = -1",
        "name = ''",
        "direct_low = created_by",
        "kind = 'direct', direct_low = created_by, direct_high = created_by",
    ] {
        let update = format!("UPDATE rooms SET {wrong} WHERE id = '{group}'");
        let refused = sqlx::query(sqlx::AssertSqlSafe(update)).execute(app.database.storage.engine()).await;
        let refused = refused.expect_err(wrong);
        assert!(refused.as_database_error().is_some_and(|error| error.is_check_violation()), "{wrong}: {refused}");
    }
    app.sql(&format!("UPDATE rooms SET name = 'Harbour' WHERE id = '{group}'")).await;
}

#[actix_rt::test]
async fn what_was_said_in_rooms_goes_with_them() {
    for goes in ["DELETE FROM rooms", "TRUNCATE rooms CASCADE"] {
        let app = TestApp::start().await;
        let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
        let group = app.group(&[&ada, &ben]).await;
        let body = serde_json::json!({"client_id": "m1", "content": "Gone with the room"});
        app.ok(Method::POST, &format!("/rooms/{group}/messages"), &ada, Some(body)).await;
        let left = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM room_events)";
        let before: (i64, i64) = sqlx::query_as(left).fetch_one(app.database.storage.engine()).await.unwrap();
        assert_eq!(before.0, 1, "{goes}");
        app.sql(goes).await;
        let after: (i64, i64) = sqlx::query_as(left).fetch_one(app.database.storage.engine()).await.unwrap();
        assert_eq!(after, (0, 0), "{goes}");
    }
}
