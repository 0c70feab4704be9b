//! Too much at once: each command is answered, and others do not notice.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::testing::{TestApp, WsClient, seqs};

#[actix_rt::test]
async fn ten_thousand_commands_in_a_burst_are_each_answered_and_others_go_on() {
    let app = TestApp::start().await;
    let (flooder, ada, ben) = (app.sign_up("flooder").await, app.sign_up("ada").await, app.sign_up("ben").await);
    let (own, shared) = (app.group(&[&flooder]).await, app.group(&[&ada, &ben]).await);
    let (mut flood, mut speaker, mut listener) =
        (app.connect(&flooder).await, app.connect(&ada).await, app.connect(&ben).await);
    let flooding = flood.post_all(&own, (0..10_000).map(|n| format!("m{n}")));
    let chatting = async {
        for n in 1..=50 {
            assert_eq!(speaker.post(&shared, &format!("c{n}"), "calm").await["seq"], json!(n));
            assert_eq!(seqs(&listener.events_of_room(&shared, 1).await), [n]);
        }
    };
    let (answers, ()) = futures_util::future::join(flooding, chatting).await;
    let mut taken = Vec::new();
    for answer in &answers {
        match answer["type"].as_str() {
            Some("ok") => taken.push(answer["seq"].as_i64().unwrap()),
            _ => {
                assert_eq!((&answer["code"], &answer["retry"]), (&json!("engine.busy"), &json!("later")), "{answer}");
                assert!(answer["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0));
            }
        }
    }
    // What was taken kept its order and left no hole; what was refused can be sent again.
    assert!(taken.iter().copied().eq(1..=taken.len() as i64), "{} were taken", taken.len());
    let refused = answers.iter().position(|answer| answer["type"] != "ok");
    if let Some(refused) = refused {
        let again = flood.post(&own, &format!("m{refused}"), "again").await;
        assert_eq!(again["seq"], json!(taken.len() + 1));
    }
}

#[actix_rt::test]
async fn a_room_with_more_waiting_than_it_takes_on_says_busy() {
    let app = TestApp::with(|config| {
        config.chat.room_pending_max = 4;
        config.sessions.inflight_commands_max = 10_000;
    })
    .await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let answers = socket.post_all(&room, (0..500).map(|n| format!("m{n}"))).await;
    let ok = answers.iter().filter(|answer| answer["type"] == "ok").count();
    assert!(answers.iter().all(|answer| answer["type"] == "ok" || answer["code"] == "engine.busy"));
    let events = socket.events_of_room(&room, ok).await;
    assert!(seqs(&events).into_iter().eq(1..=ok as i64));
    // Sent again until taken, everything is there once.
    let mut waiting: Vec<String> = (0..500).map(|n| format!("m{n}")).collect();
    while !waiting.is_empty() {
        let answers = socket.post_all(&room, waiting.clone()).await;
        let mut taken = answers.iter().map(|answer| answer["type"] == "ok");
        waiting.retain(|_| !taken.next().unwrap());
    }
    let all = socket.catch_up(&room, 0, 200).await;
    assert!(seqs(&all).into_iter().eq(1..=500));
}

#[actix_rt::test]
async fn a_flood_of_pings_also_before_hello_is_answered_with_the_newest_and_others_go_on() {
    let app = TestApp::with(|config| {
        config.server.workers = 1;
        // Far less than a pong for each ping would take.
        (config.sessions.outbox_bytes_max, config.sessions.outbox_bytes_limit) = (4_096, 8_192);
    })
    .await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut calm = app.connect(&ada).await;
    for greeted in [false, true] {
        let mut flood = if greeted { app.connect(&ada).await } else { WsClient::open(&app.base).await };
        let flooding = async {
            for number in 0..50_000_u32 {
                flood.socket.feed(Message::Ping(number.to_be_bytes().to_vec().into())).await.unwrap();
            }
            flood.socket.flush().await.unwrap();
            // The newest is answered, however many before it were not.
            while !matches!(flood.socket.next().await, Some(Ok(Message::Pong(payload))) if payload[..] == 49_999_u32.to_be_bytes())
            {
            }
        };
        let chatting = async {
            for n in 0..20 {
                assert_eq!(calm.post(&room, &format!("{greeted}-{n}"), "calm").await["type"], "ok");
            }
        };
        futures_util::future::join(flooding, chatting).await;
    }
}

#[actix_rt::test]
async fn half_open_and_abandoned_connections_leave_nothing_behind() {
    let app = TestApp::with(|config| config.sessions.hello_timeout_ms = 300).await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for beginning in [
        "",
        "GET",
        "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\n",
        "POST /api/v1/rooms HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        held.push(stream);
    }
    for _ in 0..20 {
        // Greeted, in the middle of a frame, and gone without a word.
        let mut socket = app.connect(&ada).await;
        let stream = socket.socket.get_mut();
        stream.write_all(&[0x81, 0xfe, 0x10]).await.unwrap();
        drop(socket);
    }
    let mut mute = WsClient::open(&app.base).await;
    assert_eq!(mute.closed().await, 4503);
    let mut socket = app.connect(&ada).await;
    assert_eq!(socket.post(&room, "c1", "hello").await["seq"], 1);
    drop(held);
}
