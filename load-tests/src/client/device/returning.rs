//! Coming back after the engine ended the connection, or could not be reached.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::Device;
use crate::client::frame::{Heard, hear};
use crate::client::socket::{Message, Socket};

/// The first pause before another try; each is twice the one before, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Half a minute of tries.
const TRIES_MAX: u32 = 12;
/// Close codes that say not to come back.
const FOR_GOOD: std::ops::Range<u16> = 4500..5000;
const HELLO_PATIENCE: Duration = Duration::from_secs(60);

impl Device {
    /// The heartbeat of this engine, as `ready` tells it: clients that are silent for twice as long are closed.
    pub async fn heartbeat_of(address: SocketAddr, token: &str) -> anyhow::Result<Duration> {
        let asking = async {
            let socket = Socket::open(address).await?;
            socket.send(format!("{{\"type\":\"hello\",\"id\":1,\"token\":\"{token}\"}}").as_bytes()).await?;
            let mut told = None;
            let mut open = true;
            while open && told.is_none() {
                let each = |message: Message<'_>| match message {
                    Message::Text(frame) if hear(frame) == Heard::Ready => {
                        let ready: Value = serde_json::from_slice(frame).unwrap_or_default();
                        told = ready.get("heartbeat_ms").and_then(Value::as_u64);
                    }
                    _ => {}
                };
                open = socket.read(each).await?;
            }
            socket.close().await?;
            told.map(Duration::from_millis).context("hello was not answered")
        };
        tokio::time::timeout(HELLO_PATIENCE, asking).await.context("no answer to hello")?
    }

    /// A tunnel: the connection is cut without a word, and the device comes back with what it has.
    pub async fn come_back(self: &Rc<Self>) -> anyhow::Result<()> {
        self.cut();
        let connected = self.connect().await;
        if connected.is_err() {
            self.return_soon();
        }
        connected
    }

    /// The connection has ended. One that the device has left or replaced itself is none any more.
    pub(super) fn lose(self: &Rc<Self>, socket: &Rc<Socket>, code: Option<u16>) {
        let is_ours = |connection: &super::Connection| Rc::ptr_eq(&connection.socket, socket);
        if !self.connection.borrow().as_ref().is_some_and(is_ours) {
            return;
        }
        self.connection.take();
        self.answers.borrow_mut().clear();
        self.watcher.ended(code);
        if !code.is_some_and(|code| FOR_GOOD.contains(&code)) {
            self.return_soon();
        }
    }

    fn return_soon(self: &Rc<Self>) {
        let device = Rc::clone(self);
        tokio::task::spawn_local(async move { device.keep_coming().await });
    }

    /// Tries to connect, less and less often; thousands that lost their engine at once do not come back at once.
    async fn keep_coming(self: Rc<Self>) {
        let (mut pause, mut last) = (PAUSE_FIRST, None);
        for _ in 0..TRIES_MAX {
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
            if self.has_left.get() || self.is_connected() {
                return;
            }
            match self.connect().await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        let why = last.map(|error| format!("{error:#}")).unwrap_or_default();
        self.watcher.broken(format!("{} could not come back: {why}", self.person.id));
    }
}
