//! From HTTP to a WebSocket: who gets in, what the others are told, and how one leaves.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::testing::{TestApp, WsClient};

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn send(app: &TestApp, request: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    stream
}

/// The response's head and the JSON of its body, read until the engine ends the connection.
async fn answered(app: &TestApp, start: &str, headers: &str) -> (String, Value) {
    let mut stream = send(app, format!("{start} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")).await;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

/// A text frame of a client, its mask zero.
fn masked(command: &Value) -> Vec<u8> {
    let text = command.to_string();
    let mut frame = vec![0x81, 0xfe];
    frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut heard = Vec::new();
    while !heard.ends_with(end) {
        assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0, "{}", String::from_utf8_lossy(&heard));
    }
    heard
}

#[actix_rt::test]
async fn what_is_no_handshake_is_told_so() {
    let app = TestApp::start().await;
    let without = |header: &str| -> String {
        HANDSHAKE.split_inclusive("\r\n").filter(|line| !line.starts_with(header)).collect()
    };
    let closing = "Connection: close\r\n";
    for headers in [
        closing.to_owned(),
        without("Upgrade"),
        without("Connection"),
        without("Sec-WebSocket-Version"),
        without("Sec-WebSocket-Key"),
        HANDSHAKE.replace(": 13", ": 8"),
        HANDSHAKE.replace("dGhl", ""),
        HANDSHAKE.replace("Upgrade: websocket", "Upgrade: h2c, websocket"),
    ] {
        let headers = if headers.contains("Upgrade: websocket") { headers } else { headers + closing };
        let (head, problem) = answered(&app, "GET /api/v1/ws", &headers).await;
        assert!(head.starts_with("http/1.1 400"), "{headers}{head}");
        assert_eq!((&problem["status"], &problem["code"]), (&json!(400), &json!("request.bad_handshake")), "{headers}");
        assert!(head.contains("content-type: application/problem+json") && head.contains("x-request-id: "), "{head}");
        assert_eq!(head.contains("sec-websocket-version: 13"), headers.contains(": 8"), "{head}");
    }
}

#[actix_rt::test]
async fn whoever_asks_for_another_protocol_elsewhere_is_answered_as_anybody() {
    let app = TestApp::start().await;
    let (head, body) = answered(&app, "GET /healthz", HANDSHAKE).await;
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    assert_eq!(body["status"], "ok");
    let (head, problem) = answered(&app, "GET /api/v1/nowhere", HANDSHAKE).await;
    assert!(head.starts_with("http/1.1 404"), "{head}");
    assert_eq!(problem["code"], "request.no_such_endpoint");
    let (head, _) = answered(&app, "CONNECT x:443", "").await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: "), "{head}");
    // As `curl --http2` asks.
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n";
    let mut stream = send(&app, format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{h2c}\r\n")).await;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[actix_rt::test]
async fn a_long_answer_to_an_upgrade_is_whole_for_a_slow_reader() {
    let app = TestApp::start().await;
    let mut stream = send(&app, format!("GET /docs/openapi.json HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}\r\n")).await;
    let mut response = Vec::new();
    let mut piece = [0; 1_024];
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        response.extend_from_slice(&piece[..count]);
        tokio::task::yield_now().await;
    }
    let (status, page) = app.page("/docs/openapi.json").await;
    assert_eq!(status, 200);
    assert!(String::from_utf8(response).unwrap().ends_with(&page));
}

#[actix_rt::test]
async fn what_comes_with_the_handshake_is_heard() {
    let app = TestApp::start().await;
    let ping = json!({ "type": "ping", "id": 7 });
    // Before the answer to the request.
    let bytes = [format!("GET /api/v1/ws HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}\r\n").into_bytes(), masked(&ping)].concat();
    let mut stream = send(&app, bytes).await;
    let heard = read_until(&mut stream, b"}").await;
    let heard = String::from_utf8_lossy(&heard).into_owned();
    assert!(heard.starts_with("HTTP/1.1 101") && heard.contains(r#""type":"pong""#), "{heard}");
    assert!(heard.to_ascii_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{heard}");
}

#[actix_rt::test]
async fn past_the_limit_of_sockets_a_worker_says_come_back_later_until_one_leaves() {
    let app = TestApp::with(|config| (config.server.workers, config.server.connections_max) = (1, 16)).await;
    let ada = app.sign_up("ada").await;
    let mut sockets = Vec::new();
    for _ in 0..16 {
        sockets.push(app.connect(&ada).await);
    }
    let (head, problem) = answered(&app, "GET /api/v1/ws", HANDSHAKE).await;
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: "), "{head}");
    assert_eq!(problem["code"], "engine.busy");
    // Others of HTTP are served, and those who are in stay in.
    assert_eq!(app.page("/readyz").await.0, 200);
    for socket in &mut sockets {
        assert_eq!(socket.ask(json!({ "type": "ping" })).await["type"], "pong");
    }
    let mut leaving = sockets.pop().unwrap();
    leaving.socket.close(None).await.unwrap();
    // Its place is free once the engine has answered its close and ended the connection.
    while leaving.socket.next().await.is_some() {}
    assert_eq!(app.connect(&ada).await.ask(json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_rt::test]
async fn a_close_of_the_client_is_echoed_after_what_was_said_to_it() {
    let app = TestApp::start().await;
    let mut socket = WsClient::open(&app.base).await;
    socket.socket.feed(Message::text(r#"{"type":"ping","id":1}"#)).await.unwrap();
    let close = CloseFrame { code: 4999.into(), reason: "enough".into() };
    socket.socket.feed(Message::Close(Some(close.clone()))).await.unwrap();
    socket.socket.flush().await.unwrap();
    assert!(matches!(socket.socket.next().await, Some(Ok(Message::Text(text))) if text.contains("pong")));
    assert_eq!(socket.socket.next().await.unwrap().unwrap(), Message::Close(Some(close)));
    assert!(socket.socket.next().await.is_none());
}

#[actix_rt::test]
async fn what_a_client_says_after_it_was_hung_up_on_is_not_obeyed() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ben, &ada]).await;
    let hello = masked(&json!({ "type": "hello", "id": 1, "token": ada.token }));
    let bytes = [format!("GET /api/v1/ws HTTP/1.1\r\nHost: x\r\n{HANDSHAKE}\r\n").into_bytes(), hello].concat();
    let mut stream = send(&app, bytes).await;
    let heard = read_until(&mut stream, b"]}").await;
    assert!(String::from_utf8_lossy(&heard).contains(r#""type":"ready""#));
    app.call(reqwest::Method::POST, "/auth/logout", Some(&ada), None).await;
    read_until(&mut stream, b"signed out").await;
    let post = masked(&json!({ "type": "message.post", "id": 2, "room_id": room, "client_id": "c", "content": "x" }));
    let close = [0x88, 0x80, 0, 0, 0, 0];
    stream.write_all(&[&post[..], &close].concat()).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(app.post(&ben, &room, "c1", "first").await, 1);
}
