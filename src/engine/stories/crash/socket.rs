//! A WebSocket whose other end may be killed at any moment: every step may fail, and failing says nothing more.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than the engine itself waits for a Postgres that is away; heartbeats come more rarely than this.
const PATIENCE: Duration = Duration::from_secs(40);
const RECONNECT_PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects and says hello, until there is an engine that is ready.
    pub async fn greet(base: &str, token: &str, resume: &Value) -> Self {
        loop {
            if let Some(socket) = Self::try_greet(base, token, resume).await {
                return socket;
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn try_greet(base: &str, token: &str, resume: &Value) -> Option<Self> {
        let url = format!("{}/api/v1/ws", base.replacen("http", "ws", 1));
        let mut socket = Self(tokio::time::timeout(PATIENCE, connect_async(url)).await.ok()?.ok()?.0);
        socket.send(&json!({ "type": "hello", "id": 1, "token": token, "resume": resume })).await?;
        let answer = socket.next().await?;
        if answer["type"] == "error" {
            assert_ne!(answer["retry"], "never", "{answer}");
            return None;
        }
        assert_eq!((&answer["type"], &answer["re"]), (&json!("ready"), &json!(1)), "{answer}");
        Some(socket)
    }

    pub async fn send(&mut self, frame: &Value) -> Option<()> {
        self.0.send(Message::text(frame.to_string())).await.ok()
    }

    /// The next frame; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.ok()?? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(Some(close))) => {
                    let code = u16::from(close.code);
                    assert!((4000..4500).contains(&code), "closed for good with {code}");
                    return None;
                }
                Ok(Message::Close(None)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
