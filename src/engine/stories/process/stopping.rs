//! SIGTERM and SIGINT: an orderly end within ten seconds, whatever goes on.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;

use crate::testing::process::{Engine, engine_on, engine_with, until};
use crate::testing::{Api, DataFolder, Person, TestDatabase, WsClient};

const STOPS_WITHIN: Duration = Duration::from_secs(10);
const SOCKETS: usize = 50;
/// Of the sockets, so many write as fast as they can.
const WRITERS: usize = 10;

#[actix_rt::test]
async fn an_idle_engine_stops_at_once_with_its_postgres() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let folder = DataFolder::new();
        let engine = Engine::start(engine_on(&folder)).await;
        assert_eq!(folder.servers().len(), 1);
        let begun = Instant::now();
        engine.signal(signal);
        let ended = engine.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(begun.elapsed() < STOPS_WITHIN, "{signal}: {:?}", begun.elapsed());
        assert!(!folder.join("postgres/postmaster.pid").exists(), "Postgres was stopped in order");
        assert!(folder.servers().is_empty());
    }
}

#[actix_rt::test]
async fn ctrl_c_in_a_terminal_lets_the_engine_stop_postgres_itself() {
    let folder = DataFolder::new();
    let mut command = engine_on(&folder);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let engine = Engine::start(command).await;
    let ada = Api::new(engine.base()).sign_up("ada").await;
    let mut socket = WsClient::open(&engine.base()).await;
    socket.hello(&ada.token, json!({})).await;
    // A terminal signals all of its foreground group, not only the engine.
    let group = nix::unistd::Pid::from_raw(engine.pid().try_into().unwrap());
    nix::sys::signal::killpg(group, Signal::SIGINT).unwrap();
    assert_eq!(socket.closed().await, 4001);
    let ended = engine.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("Postgres died"), "{}", ended.stderr);
    assert!(folder.servers().is_empty());
}

#[actix_rt::test]
async fn fifty_sockets_under_traffic_are_told_to_come_back_and_lose_nothing() {
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    let api = Api::new(engine.base());
    let people = [api.sign_up("ada").await, api.sign_up("ben").await];
    let room = api.group(&people).await;
    let acknowledged = Rc::new(Cell::new(0));
    let mut sockets = Vec::new();
    for number in 0..SOCKETS {
        let mut socket = WsClient::open(&api.base).await;
        socket.hello(&people[number % 2].token, json!({})).await;
        sockets.push(match number < WRITERS {
            true => actix_rt::spawn(write_until_closed(socket, room.clone(), number, Rc::clone(&acknowledged))),
            false => actix_rt::spawn(async move { socket.closed().await }),
        });
    }
    until("there is traffic", async || acknowledged.get() > 500).await;
    let begun = Instant::now();
    engine.signal(Signal::SIGTERM);
    let codes = join_all(sockets).await;
    for code in codes {
        assert_eq!(code.unwrap(), 4001);
    }
    let ended = engine.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    assert!(folder.servers().is_empty());

    let engine = Engine::start(engine_on(&folder)).await;
    let api = Api::new(engine.base());
    let history = api.history(&room, &people[0].token).await;
    assert!(history.len() >= acknowledged.get(), "{} of {}", history.len(), acknowledged.get());
    engine.stop().await;
}

/// The close code.
async fn write_until_closed(mut socket: WsClient, room: String, writer: usize, acknowledged: Rc<Cell<usize>>) -> u16 {
    for number in 0.. {
        let client_id = format!("{writer}-{number}");
        let post = json!({
            "type": "message.post", "id": number + 2, "room_id": room, "client_id": client_id, "content": "hello"
        });
        // A socket that is closed for reading may still be written to, or not: the frames tell.
        use futures_util::SinkExt;
        let _ = socket.socket.send(tokio_tungstenite::tungstenite::Message::text(post.to_string())).await;
        loop {
            match socket.frame().await {
                Err(code) => return code,
                Ok(frame) if frame["re"] == number + 2 => {
                    if frame["type"] == "ok" {
                        acknowledged.set(acknowledged.get() + 1);
                    }
                    break;
                }
                Ok(_) => {}
            }
        }
    }
    unreachable!("it ends with the socket")
}

#[actix_rt::test]
async fn requests_that_are_never_finished_do_not_keep_it() {
    use tokio::io::AsyncWriteExt;
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let address = engine.base().replace("http://", "");
    let mut halves = Vec::new();
    for text in ["", "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"] {
        let mut half = tokio::net::TcpStream::connect(&address).await.unwrap();
        half.write_all(text.as_bytes()).await.unwrap();
        halves.push(half);
    }
    // A socket that never says hello, and one that never reads.
    let silent = WsClient::open(&engine.base()).await;
    let ada: Person = Api::new(engine.base()).sign_up("ada").await;
    let mut deaf = WsClient::open(&engine.base()).await;
    deaf.hello(&ada.token, json!({})).await;
    let begun = Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    drop((halves, silent, deaf));
}

#[actix_rt::test]
async fn a_stop_during_the_start_is_orderly() {
    for step in ["parlance.lock", "postgres.password", "postgres/postmaster.pid"] {
        let folder = DataFolder::new();
        let engine = Engine::spawn(engine_on(&folder));
        until(step, async || folder.join(step).exists()).await;
        let begun = Instant::now();
        // Signals are caught before the first step.
        engine.signal(Signal::SIGTERM);
        let ended = engine.ended().await;
        assert_eq!(ended.code, Some(0), "{step}: {}", ended.stderr);
        assert!(begun.elapsed() < STOPS_WITHIN, "{step}: {:?}", begun.elapsed());
        // An initdb that was broken off, and the server that it ran, were killed: the kernel takes its moment.
        until("nothing of Postgres is left", async || folder.servers().is_empty()).await;
    }
}

#[actix_rt::test]
async fn a_stop_does_not_wait_for_a_database_that_never_answers() {
    let folder = DataFolder::new();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://ada@{}/x", silent.local_addr().unwrap());
    let engine = Engine::spawn(engine_with(&folder, &url));
    let connection = silent.accept().await.unwrap();
    let begun = Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    drop(connection);
}

#[actix_rt::test]
async fn a_postgres_that_hangs_delays_the_stop_only_so_long() {
    let folder = DataFolder::new();
    let engine = Engine::start(engine_on(&folder)).await;
    let api = Api::new(engine.base());
    let ada = api.sign_up("ada").await;
    let room = api.group(std::slice::from_ref(&ada)).await;
    let path = format!("/api/v1/rooms/{room}/messages");
    let body = |client_id: &str| json!({ "client_id": client_id, "content": "hello" });
    api.ok(Method::POST, &path, &ada.token, Some(body("kept"))).await;
    // As a disk that does not answer: none of its processes ends, and none goes on.
    let frozen = folder.freeze();
    let (status, _) = api.call(Method::GET, "/readyz", "", None).await;
    assert_eq!(status, 503);
    let lost = body("lost");
    let post = api.try_call(Method::POST, &path, &ada.token, Some(&lost));
    let stop = async {
        let begun = Instant::now();
        engine.stop().await;
        assert!(begun.elapsed() < STOPS_WITHIN, "{:?}", begun.elapsed());
    };
    let (answered, ()) = tokio::join!(post, stop);
    let status = answered.map_or(503, |(status, _)| status);
    assert_eq!(status, 503, "nothing that was not committed is acknowledged");
    drop(frozen);

    let engine = Engine::start(engine_on(&folder)).await;
    let history = Api::new(engine.base()).history(&room, &ada.token).await;
    assert_eq!(history[0]["message"]["client_id"], "kept");
    engine.stop().await;
}
