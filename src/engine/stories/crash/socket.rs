//! A WebSocket whose other end may be killed at any moment: every step may fail, and failing says nothing more.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::testing::WsClient;

/// Longer than the engine itself waits for a Postgres that is away; heartbeats come more rarely than this.
const PATIENCE: Duration = Duration::from_secs(40);
const RECONNECT_PAUSE: Duration = Duration::from_millis(20);

/// What a connection closes with that was never told to.
const ENDED: u16 = 1006;

pub(super) struct Socket(WsClient);

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
        let mut socket = Self(timeout(PATIENCE, WsClient::try_open(base)).await.ok()?.ok()?);
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
        self.0.try_send_text(&frame.to_string()).await.ok()
    }

    /// The next frame; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Value> {
        let frame = timeout(PATIENCE, self.0.frame()).await.ok()?;
        if let Err(code) = frame {
            assert!(code == ENDED || (4000..4500).contains(&code), "closed for good with {code}");
        }
        frame.ok()
    }
}
