//! A connection that has said hello.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::frame::{Heard, hear};
use super::keep_alive::keep_alive;
use super::socket::{Message, Socket};

/// A hello is answered within this time, or the run fails.
const HELLO_PATIENCE: Duration = Duration::from_secs(60);

/// The parts of `ready` that a run needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// 0: the broadcaster has none.
    #[serde(default)]
    heartbeat_ms: u64,
    #[serde(default)]
    pub rooms: Vec<ReadyRoom>,
    /// Not all rooms are among these.
    #[serde(default)]
    pub rooms_truncated: bool,
    /// Which life of the log this is; `None`: an engine that does not say, and names no room that it does not resume.
    pub epoch: Option<uuid::Uuid>,
    #[serde(default)]
    pub resume_refused: Vec<ResumeRefused>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ReadyRoom {
    pub id: uuid::Uuid,
    pub last_seq: u64,
}

/// A room that is not resumed, though hello asked for it.
#[derive(Clone, Debug, Deserialize)]
pub struct ResumeRefused {
    /// As it was sent.
    pub room_id: String,
    pub reason: String,
}

impl Ready {
    /// Why a room is not resumed, if it is not.
    pub fn refused(&self, room: uuid::Uuid) -> Option<&str> {
        let refused = self.resume_refused.iter().find(|refused| refused.room_id.parse() == Ok(room))?;
        Some(&refused.reason)
    }
}

/// What a device that comes back has: which life of the log it is of, and how far it is in each room.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub epoch: Option<uuid::Uuid>,
    pub resume: Vec<(uuid::Uuid, u64)>,
}

/// A device that is connected and was greeted. It is kept alive until its socket is dropped.
#[derive(Debug)]
pub struct Session {
    pub socket: Rc<Socket>,
}

impl Session {
    /// Connects and says hello. Frames that come behind `ready` in the same bytes go to `on_frame`.
    pub async fn start(
        address: SocketAddr,
        token: &str,
        resume: &[(uuid::Uuid, u64)],
        on_frame: impl FnMut(Heard<'_>, &[u8]),
    ) -> anyhow::Result<(Self, Ready)> {
        Self::come_back(address, token, &Kept { epoch: None, resume: resume.to_vec() }, on_frame).await
    }

    /// The same, saying of which log it is what is resumed.
    pub async fn come_back(
        address: SocketAddr,
        token: &str,
        kept: &Kept,
        on_frame: impl FnMut(Heard<'_>, &[u8]),
    ) -> anyhow::Result<(Self, Ready)> {
        Self::start_with(address, &hello_fields(token, None, kept), on_frame).await
    }

    /// The same, with a hello that says more.
    pub async fn start_with(
        address: SocketAddr,
        hello: &str,
        on_frame: impl FnMut(Heard<'_>, &[u8]),
    ) -> anyhow::Result<(Self, Ready)> {
        let greeting = Self::greet(address, hello, on_frame);
        let greeted = tokio::time::timeout(HELLO_PATIENCE, greeting).await;
        let seconds = HELLO_PATIENCE.as_secs();
        greeted.with_context(|| {
            format!(
                "no answer to hello for {seconds} s; an engine out of open files (`ulimit -n`) takes no connections"
            )
        })?
    }

    async fn greet(
        address: SocketAddr,
        hello: &str,
        mut on_frame: impl FnMut(Heard<'_>, &[u8]),
    ) -> anyhow::Result<(Self, Ready)> {
        let socket = Socket::open(address).await?;
        socket.send(format!("{{\"type\":\"hello\",\"id\":1,{hello}}}").as_bytes()).await?;
        let mut ready: Option<Ready> = None;
        let mut refused = None;
        while ready.is_none() {
            let open = socket
                .read(|message| match message {
                    Message::Text(frame) => match hear(frame) {
                        Heard::Ready if ready.is_none() => ready = serde_json::from_slice(frame).ok(),
                        Heard::Error { code, .. } if ready.is_none() => refused = Some(code),
                        heard => on_frame(heard, frame),
                    },
                    Message::Close(code) => refused = refused.take().or_else(|| Some(format!("close code {code}"))),
                    Message::Other => {}
                })
                .await?;
            if let Some(refused) = refused {
                bail!("hello was refused: {refused}");
            }
            if !open && ready.is_none() {
                bail!("the server closed before it answered hello");
            }
        }
        let (socket, ready) = (Rc::new(socket), ready.context("ready came")?);
        if ready.heartbeat_ms > 0 {
            keep_alive(&socket, Duration::from_millis(ready.heartbeat_ms));
        }
        Ok((Self { socket }, ready))
    }
}

/// The fields of a hello, without the braces; `device` names the device, where it has a name.
pub fn hello_fields(token: &str, device: Option<uuid::Uuid>, kept: &Kept) -> String {
    let resume: Vec<String> = kept.resume.iter().map(|(room, seq)| format!("\"{room}\":{seq}")).collect();
    let device = device.map(|id| format!("\"device\":{{\"id\":\"{id}\",\"name\":\"parlance-load\"}},"));
    let epoch = kept.epoch.map(|epoch| format!("\"epoch\":\"{epoch}\","));
    let (device, epoch) = (device.unwrap_or_default(), epoch.unwrap_or_default());
    format!("\"token\":\"{token}\",{device}{epoch}\"resume\":{{{}}}", resume.join(","))
}

/// The beginning of the client ids of one run: a second run in the same rooms sends other messages, not the same again.
pub fn run_name() -> String {
    format!("{:08x}", rand::random::<u32>())
}

/// A `message.post`. The content holds no character that JSON would escape.
pub fn post_frame(id: u64, room: &uuid::Uuid, client_id: &str, content: &str) -> String {
    format!(
        "{{\"type\":\"message.post\",\"id\":{id},\"room_id\":\"{room}\",\"client_id\":\"{client_id}\",\"content\":\"{content}\"}}"
    )
}
