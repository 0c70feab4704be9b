//! A client that stops reading costs nobody else anything, and comes level again when it reads on.

use serde_json::{Value, json};

use crate::testing::{TestApp, seqs};

const MESSAGES: usize = 400;
/// Together several MiB: more than the kernel's buffers for one connection take up.
const MESSAGE_BYTES: usize = 30_000;

const OUTBOX_BYTES_MAX: usize = 131_072;

/// Bytes that wait for sockets, in all hubs.
async fn queued_bytes(app: &TestApp) -> usize {
    let reports = app.engine().supervisor.registry().reports(1_000, std::time::Duration::from_secs(10)).await;
    let hubs = reports.iter().filter(|report| report.actor == "Hub");
    let bytes: Vec<u64> = hubs.map(|hub| hub.state["queued_bytes"].as_u64().unwrap()).collect();
    assert_eq!(bytes.len(), 2, "one hub a worker");
    usize::try_from(bytes.iter().sum::<u64>()).unwrap()
}

fn posts(room: &str) -> Vec<Value> {
    let content = "x".repeat(MESSAGE_BYTES);
    (0..MESSAGES)
        .map(|n| json!({ "type": "message.post", "room_id": room, "client_id": n.to_string(), "content": content }))
        .collect()
}

#[actix_rt::test]
async fn a_client_that_stops_reading_holds_up_nobody_and_comes_level_when_it_reads_again() {
    let app = TestApp::with(|config| {
        config.sessions.outbox_bytes_max = OUTBOX_BYTES_MAX;
        config.sessions.outbox_bytes_limit = 67_108_864;
        config.sessions.stalled_socket_ms = 600_000;
        // A sleeper is silent as well, and however long a busy machine takes is not what ends it here.
        config.sessions.heartbeat_ms = 600_000;
    })
    .await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let room = app.group(&[&ada, &ben, &cleo]).await;
    let (mut speaker, mut listener, mut sleeper) =
        (app.connect(&ada).await, app.connect(&ben).await, app.connect(&cleo).await);
    let (answers, (heard, _)) =
        futures_util::future::join(speaker.burst(posts(&room)), listener.follow(&room, MESSAGES as i64)).await;
    assert!(answers.iter().all(|answer| answer["type"] == "ok"));
    assert!(seqs(&heard).into_iter().eq(1..=MESSAGES as i64));

    // Several MiB were meant for the sleeper; what waits for all three is within their bounds.
    assert!(queued_bytes(&app).await <= 3 * (OUTBOX_BYTES_MAX + 2 * MESSAGE_BYTES));
    // It reads on only now.
    let (heard, lagged) = sleeper.follow(&room, MESSAGES as i64).await;
    // Had the backlog not been bounded, all of it would have come in one piece.
    assert!(lagged > 0, "nothing was shed");
    assert!(seqs(&heard).into_iter().eq(1..=MESSAGES as i64));
    // Level again: live.
    speaker.post(&room, "live", "live").await;
    let next = loop {
        let seq = sleeper.event_of("message.posted").await["seq"].as_i64().unwrap();
        if seq > MESSAGES as i64 {
            break seq;
        }
    };
    assert_eq!(next, MESSAGES as i64 + 1);
}

#[actix_rt::test]
async fn a_client_that_never_reads_its_answers_is_ended_as_too_slow() {
    let app = TestApp::with(|config| {
        config.sessions.outbox_bytes_max = 65_536;
        config.sessions.outbox_bytes_limit = 262_144;
        config.sessions.inflight_commands_max = 10_000;
        config.sessions.stalled_socket_ms = 1_000;
    })
    .await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut speaker = app.connect(&ben).await;
    speaker.burst(posts(&room)).await;
    // Asks for pages without end and reads none of them: answers cannot be shed.
    let mut greedy = app.connect(&ada).await;
    let ended = async {
        let ask = json!({ "type": "room.catch_up", "id": 1, "room_id": room, "after": 0, "limit": 200 }).to_string();
        // Blocks once the buffers on the way are full, and fails once the engine has ended the connection.
        while futures_util::SinkExt::send(&mut greedy.socket, ask.as_str().into()).await.is_ok() {}
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.expect("an end in time");
    assert_eq!(speaker.ask(json!({ "type": "ping" })).await["type"], "pong");
    assert_eq!(app.post(&ben, &room, "after", "still here").await, MESSAGES as i64 + 1);
}
