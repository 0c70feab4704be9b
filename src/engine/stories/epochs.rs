//! A database that is not the one that it was: clients can tell, nothing of the old one is kept, and nothing else changes.

use serde_json::json;
use uuid::Uuid;

use crate::testing::process::until;
use crate::testing::{Proxy, TestApp, TestDatabase, contents, seqs};

fn epoch(app: &TestApp) -> Uuid {
    app.engine().storage.epoch().current()
}

#[actix_rt::test]
async fn an_epoch_lasts_over_starts_and_the_next_begins_with_a_restored_backup() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    for n in 1..=3 {
        app.post(&ada, &room, &format!("m{n}"), "kept").await;
    }
    let first = epoch(&app);
    let backup = app.folder.path().join("backup.dump");
    app.database.dump(&backup).await;
    for n in 4..=6 {
        app.post(&ada, &room, &format!("m{n}"), "lost").await;
    }
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_eq!(epoch(&app), first, "a start alone begins none");
    let (database, folder) = app.stop().await;
    database.restore(&backup).await;
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_ne!(epoch(&app), first);
    let mut socket = app.connect(&ada).await;
    socket.post(&room, "m4", "another").await;
    let events = socket.catch_up(&room, 0, 100).await;
    assert_eq!(seqs(&events), [1, 2, 3, 4]);
    assert_eq!(contents(&events), ["kept", "kept", "kept", "another"]);
}

#[actix_rt::test]
async fn a_restore_under_a_running_engine_is_noticed_when_it_hears_again() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::before(&database.url()).await;
    let through = proxy.url().to_owned();
    let app =
        TestApp::on(database, tempfile::tempdir().unwrap(), |config| config.storage.database_url = Some(through)).await;
    app.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "m1", "kept").await;
    let first = epoch(&app);
    let backup = app.folder.path().join("backup.dump");
    app.database.dump(&backup).await;
    for n in 2..=5 {
        app.post(&ada, &room, &format!("m{n}"), "lost").await;
    }
    let mut socket = app.connect(&ada).await;
    proxy.cut();
    app.until_listening(false).await;
    app.database.restore(&backup).await;
    proxy.mend();
    assert_eq!(socket.closed().await, 4000, "come back");
    assert_ne!(epoch(&app), first);
    let (mut socket, ready) = app.resume(&ada, json!({})).await;
    assert_eq!((&ready["rooms"][0]["last_seq"], &ready["rooms"][0]["unread"]), (&json!(1), &json!(0)), "{ready}");
    // The room was open and knew five; what was sent before the restore and lost is sent again.
    assert_eq!(socket.post(&room, "m5", "sent again").await["seq"], 2);
    assert_eq!(contents(&socket.catch_up(&room, 0, 100).await), ["kept", "sent again"]);
}

#[actix_rt::test]
async fn a_new_epoch_by_hand_reaches_every_engine_and_socket() {
    let app = TestApp::start().await;
    let change = |config: &mut crate::config::Config| config.storage.database_url = Some(app.database.url());
    let other = TestApp::on(TestDatabase::create().await, tempfile::tempdir().unwrap(), change).await;
    app.until_listening(true).await;
    other.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    let first = epoch(&app);
    let renewed = other.engine().storage.renew_epoch().await.unwrap();
    assert_ne!(renewed, first);
    assert_eq!(socket.closed().await, 4000);
    assert_eq!((epoch(&app), epoch(&other)), (renewed, renewed));
    app.connect(&ada).await;
    // By SQL as well.
    app.sql("UPDATE log_epoch SET epoch = gen_random_uuid()").await;
    until("both know", async || epoch(&app) != renewed && epoch(&app) == epoch(&other)).await;
}

/// What the fingerprint has of the place where the log is, each by itself.
#[actix_rt::test]
async fn every_part_of_the_fingerprint_begins_a_new_epoch_when_it_is_another() {
    let database = TestDatabase::create().await;
    let storage = &database.storage;
    let known: serde_json::Value =
        sqlx::query_scalar("SELECT fingerprint FROM log_epoch").fetch_one(storage.engine()).await.unwrap();
    for part in ["system", "timeline", "database", "rooms"] {
        assert!(known[part].is_string(), "{part} is not in {known}");
        let before = storage.epoch().current();
        let elsewhere = "UPDATE log_epoch SET fingerprint = jsonb_set(fingerprint, ARRAY[$1], '\"elsewhere\"')";
        sqlx::query(elsewhere).bind(part).execute(storage.engine()).await.unwrap();
        assert!(storage.check_epoch().await.unwrap(), "{part}");
        assert_ne!(storage.epoch().current(), before, "{part}");
        assert!(storage.check_epoch().await.unwrap(), "until it is done, whatever comes between: {part}");
        storage.epoch_begun();
        assert!(!storage.check_epoch().await.unwrap(), "once: {part}");
        // What could not be read is no contradiction once it can.
        let unknown = "UPDATE log_epoch SET fingerprint = fingerprint - $1";
        sqlx::query(unknown).bind(part).execute(storage.engine()).await.unwrap();
        assert!(!storage.check_epoch().await.unwrap(), "{part}");
    }
}

#[actix_rt::test]
async fn a_snapshot_that_was_put_back_shows_in_how_far_the_log_is() {
    let app = TestApp::start().await;
    let first = epoch(&app);
    let (database, folder) = app.stop().await;
    let file = folder.path().join("log.position");
    let text = std::fs::read_to_string(&file).unwrap();
    let position: u64 = text.trim().rsplit(' ').next().unwrap().parse().unwrap();
    // As if the engine had seen more of this log than there is.
    std::fs::write(&file, format!("{first} {}\n", position + (1 << 40))).unwrap();
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_ne!(epoch(&app), first);
    let second = epoch(&app);
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    assert_eq!(epoch(&app), second);
}
