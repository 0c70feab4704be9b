//! A small installation, and an engine on it: it must behave as on data that has grown.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Parser;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{CaughtUp, Heard, Installation, InstalledRoom, Listener, Message, Session, hear};
use crate::engine::Target;
use crate::report::Report;

/// In the folder of `PARLANCE_TEST_FOLDER`, or in /tmp, and open to others: an engine that runs as root lends Postgres
/// another user, who must get there.
fn folder() -> tempfile::TempDir {
    let parent = std::env::var_os("PARLANCE_TEST_FOLDER").unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new().prefix("parlance-test-").tempdir_in(parent).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// `PARLANCE_BIN`, else where `cargo build` puts it, which is beside the tests' folder.
fn engine() -> PathBuf {
    let beside = || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("parlance");
    let engine = std::env::var_os("PARLANCE_BIN").map_or_else(beside, PathBuf::from);
    assert!(engine.is_file(), "{} is not there: run `cargo build` first (`make test` does)", engine.display());
    engine
}

fn command(folder: &Path, arguments: &[&str]) -> crate::Cli {
    let engine = engine();
    let mut words = vec!["parlance-load", "--engine", engine.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()];
    words.extend(arguments);
    crate::Cli::try_parse_from(words).unwrap()
}

async fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<Report> {
    let cli = command(folder, arguments);
    tokio::task::LocalSet::new().run_until(crate::run(&cli)).await.map(Option::unwrap)
}

const SMALL: [&str; 7] = ["install", "--users", "40", "--messages", "12000", "--rooms", "160"];

#[tokio::test]
async fn an_engine_takes_an_installation_for_its_own_data() {
    let folder = folder();
    let installed = run(folder.path(), &SMALL).await.unwrap();
    assert_eq!(installed.needed("messages").unwrap(), 12_000.0);
    let again = run(folder.path(), &SMALL).await.unwrap_err().to_string();
    assert!(again.contains("is there already"), "{again}");
    let other = run(folder.path(), &[&SMALL[..], &["--name", "other"]].concat()).await.unwrap_err().to_string();
    assert!(other.contains("--force"), "{other}");
    let added = run(folder.path(), &[&SMALL[..], &["--name", "other", "--force"]].concat()).await.unwrap();
    assert_eq!(added.needed("users").unwrap(), 40.0);

    let target = command(folder.path(), &SMALL).target.open(&crate::engine::Needs::default()).await.unwrap();
    tokio::task::LocalSet::new().run_until(live_on(&target)).await;
    target.close().await.unwrap();

    for scenario in [&["history", "--installed", "--seconds", "1", "--warm-up", "0", "--name", "other"][..], &SIZES] {
        let report = run(folder.path(), scenario).await.unwrap();
        assert!(report.failures.is_empty(), "{:?}", report.failures);
    }
}

const SIZES: [&str; 5] = ["at-size", "--samples", "1", "--warm-up", "0"];

/// Reads, posts and comes back, as somebody of the installation.
async fn live_on(target: &Target) {
    let installation = Installation::open(target, "large", super::people::PASSWORD).await.unwrap();
    assert_eq!(installation.users, 40);
    let token = installation.token(17).unwrap();
    let me = installation.accounts.call(Method::GET, "/api/v1/users/me", &token, None).await.unwrap();
    assert!(me["username"].as_str().unwrap().ends_with(".17"), "the subject is the person who was installed: {me}");
    let rooms = installation.rooms(&token).await.unwrap();
    let (mut listener, ready) = Listener::start(target.address, &token).await.unwrap();
    assert_eq!(ready.rooms.len(), rooms.len());
    for room in &rooms {
        assert_eq!(everything(&mut listener, room.id).await, room.last_seq, "the order is whole");
    }
    let room = &rooms[0];
    let first_id = json!({ "client_id": "first", "content": "still here?" });
    let path = format!("/api/v1/rooms/{}/messages", room.id);
    let post = async |body: &Value| installation.accounts.call(Method::POST, &path, &token, Some(body.clone())).await;
    let posted = post(&first_id).await.unwrap();
    assert_eq!(posted["seq"], room.last_seq + 1);
    assert_eq!(post(&first_id).await.unwrap()["id"], posted["id"], "the same send is one message");
    let listed = installation.rooms(&token).await.unwrap();
    assert_eq!(listed.iter().find(|listed| listed.id == room.id).unwrap().last_seq, room.last_seq + 1);
    resume(target, &token, room).await;
    listener.close().await;
}

/// How far the order of a room goes, read from its begin, page after page.
async fn everything(listener: &mut Listener, room: uuid::Uuid) -> u64 {
    let mut after = 0;
    loop {
        let page: CaughtUp = serde_json::from_str(&listener.catch_up(room, after, 200).await.unwrap()).unwrap();
        for event in &page.events {
            after += 1;
            assert_eq!(event.seq, after);
        }
        if !page.more {
            return after;
        }
    }
}

/// Whoever knows all but the last messages is told those, in order.
async fn resume(target: &Target, token: &str, room: &InstalledRoom) {
    const MISSED: u64 = 700;
    let (known, last) = (room.last_seq + 1 - MISSED, room.last_seq + 1);
    let next = std::cell::Cell::new(known);
    let told = |heard: &Heard<'_>| {
        if let Heard::Event { room: of, seq, .. } = heard
            && *of == room.id.as_u128()
        {
            next.set(next.get() + 1);
            assert_eq!(*seq, next.get());
        }
    };
    let (session, _) =
        Session::start(target.address, token, &[(room.id, known)], |heard, _| told(&heard)).await.unwrap();
    while next.get() < last {
        let open = session.socket.read(|message| {
            if let Message::Text(frame) = message {
                told(&hear(frame));
            }
        });
        assert!(open.await.unwrap());
    }
}
