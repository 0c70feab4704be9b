//! The demo world: what a newcomer finds, and that nothing of it stays.

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::demo;
use crate::testing::{Person, TestApp, TestDatabase};

fn wanted(config: &mut Config) {
    config.demo.enabled = Some(true);
}

/// Signed in with what the engine prints.
async fn sign_in(app: &TestApp, username: &str) -> Person {
    let login = app.engine().demo_logins.iter().flatten().find(|login| login.username == username).unwrap();
    let body = json!({ "login": login.username, "password": login.password });
    let (status, answer) = app.call(Method::POST, "/auth/login", None, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    Person::of(&answer)
}

async fn rooms(app: &TestApp, by: &Person) -> Vec<Value> {
    app.ok(Method::GET, "/rooms", by, None).await["items"].as_array().unwrap().clone()
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(count).fetch_one(app.database.storage.engine()).await.unwrap()
}

#[actix_rt::test]
async fn a_newcomer_finds_a_space_and_conversations_with_history_of_which_some_is_unread() {
    let app = TestApp::with(wanted).await;
    let ada = sign_in(&app, "demo-ada").await;
    let spaces = app.ok(Method::GET, "/spaces", &ada, None).await;
    assert_eq!((spaces["items"].as_array().unwrap().len(), &spaces["items"][0]["member_count"]), (1, &json!(5)));
    let rooms = rooms(&app, &ada).await;
    let of_kind = |kind: &str| rooms.iter().filter(|room| room["kind"] == kind).count();
    assert_eq!(["channel", "group", "direct"].map(of_kind), [3, 2, 2]);
    assert!(rooms.iter().filter(|room| room["unread"].as_i64().unwrap() > 0).count() >= 5, "{rooms:#?}");
    let general = rooms.iter().find(|room| room["name"] == "general").unwrap();
    let path = format!("/rooms/{}/messages?limit=100", general["id"].as_str().unwrap());
    let history = app.ok(Method::GET, &path, &ada, None).await;
    let history = history["items"].as_array().unwrap();
    let time =
        |message: &Value| message["created_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(history.len() >= 8 && history.is_sorted_by_key(|message| std::cmp::Reverse(time(message))));
    let days = (time(&history[0]) - time(&history[history.len() - 1])).num_days();
    assert!(days >= 3, "spread over {days} days");
    assert_eq!(general["last_message_at"], history[0]["created_at"]);
    // And it goes on from there.
    let room = general["id"].as_str().unwrap();
    assert_eq!(app.post(&ada, room, "mine", "Save me a piece!").await, history.len() as i64 + 1);
    for username in ["demo-ben", "demo-chen", "demo-dana", "demo-emil"] {
        assert!(!self::rooms(&app, &sign_in(&app, username).await).await.is_empty());
    }
}

#[actix_rt::test]
async fn twice_makes_it_once_and_what_was_cut_off_is_finished_by_the_next_start() {
    let app = TestApp::with(wanted).await;
    let (messages, rooms) = (count(&app, "messages").await, count(&app, "rooms").await);
    let (database, folder) = app.stop().await;
    // Cut off before its end: half of it is there, and nothing says that it is whole.
    for statement in [
        "DELETE FROM demo_parts",
        "DELETE FROM messages m USING rooms r WHERE r.id = m.room_id AND m.seq = r.last_seq",
        "UPDATE rooms SET last_seq = last_seq - 1",
        "UPDATE room_members SET read_seq = 0, delivered_seq = 0",
        "DELETE FROM rooms WHERE kind = 'direct'",
    ] {
        sqlx::query(statement).execute(database.storage.engine()).await.unwrap();
    }
    let app = TestApp::on(database, folder, wanted).await;
    assert_eq!((count(&app, "messages").await, count(&app, "rooms").await), (messages, rooms));
    assert_eq!(count(&app, "users").await, 5);
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, wanted).await;
    assert_eq!((count(&app, "messages").await, count(&app, "demo_parts").await), (messages, 1));
    assert_eq!(app.engine().demo_logins.as_ref().unwrap().len(), 5, "and its logins are known");
}

#[actix_rt::test]
async fn it_is_not_made_where_there_are_people() {
    let database = TestDatabase::create().await;
    let app = TestApp::on(database, tempfile::tempdir().unwrap(), |_| {}).await;
    app.sign_up("ada").await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, wanted).await;
    assert!(app.engine().demo_logins.is_none());
    assert_eq!((count(&app, "users").await, count(&app, "rooms").await, count(&app, "demo_made").await), (1, 0, 0));
}

#[actix_rt::test]
async fn removing_it_leaves_nothing_of_it_and_all_that_is_of_others() {
    let app = TestApp::with(wanted).await;
    let (ada, ben, eve, fay) = (
        sign_in(&app, "demo-ada").await,
        sign_in(&app, "demo-ben").await,
        app.sign_up("eve").await,
        app.sign_up("fay").await,
    );
    // Somebody tried things: rooms of the demo's people alone, of others, and one with somebody else.
    app.group(&[&ada, &ben]).await;
    let others = app.group(&[&eve, &fay]).await;
    let mixed = app.group(&[&ada, &eve]).await;
    app.post(&eve, &mixed, "1", "I was here").await;
    let (storage, clock) = (&app.engine().storage, crate::clock::Clock::system());
    assert_eq!(demo::status(storage).await.unwrap().others, Vec::<String>::new());
    let general = rooms(&app, &ada).await.into_iter().find(|room| room["name"] == "Lunch").unwrap();
    let members = format!("/rooms/{}/members", general["id"].as_str().unwrap());
    let dana = sign_in(&app, "demo-dana").await;
    app.ok(Method::POST, &members, &dana, Some(json!({ "user_id": fay.id }))).await;
    let refused = demo::remove(storage, &clock, false).await.unwrap_err().to_string();
    assert!(refused.contains("fay") && refused.contains("--yes"), "{refused}");
    assert_eq!(count(&app, "users").await, 7, "nothing was removed");
    let removed = demo::remove(storage, &clock, true).await.unwrap();
    assert_eq!((removed.people, removed.rooms, removed.spaces), (5, 9, 1));
    for (table, left) in [("users", 2), ("spaces", 0), ("rooms", 2), ("demo_made", 0)] {
        assert_eq!(count(&app, table).await, left, "{table}");
    }
    assert!(matches!(demo::remove(storage, &clock, true).await, Err(demo::DemoError::NotThere)));
    assert!(demo::status(storage).await.unwrap().is_removed);
    app.post(&fay, &others, "1", "still here").await;
    // Eve owns what Ada made with her, and it tells who left.
    crate::testing::process::until("the room is Eve's", async || {
        rooms(&app, &eve).await.iter().any(|room| room["id"] == mixed.as_str() && room["role"] == "owner")
    })
    .await;
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, wanted).await;
    assert!(app.engine().demo_logins.is_none() && count(&app, "users").await == 2, "it is not made again");
}
