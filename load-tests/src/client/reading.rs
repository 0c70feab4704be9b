//! Reading the past: pages over HTTP, and catching up over a socket.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Method;
use serde::Deserialize;
use uuid::Uuid;

use super::accounts::Accounts;
use super::frame::{Heard, hear};
use super::session::{Ready, Session};
use super::socket::{Message, Socket};

/// An answer comes within this time, or the run fails.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// Which messages of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    Newest,
    Before(u64),
    After(u64),
}

/// A page of messages.
#[derive(Clone, Debug, Deserialize)]
pub struct Page {
    pub items: Vec<Placed>,
    pub next: Option<u64>,
}

/// Something with a place in a room's order; `kind` only in events.
#[derive(Clone, Debug, Deserialize)]
pub struct Placed {
    #[serde(rename = "type", default)]
    pub kind: String,
    pub seq: u64,
}

/// What came after a place.
#[derive(Clone, Debug, Deserialize)]
pub struct CaughtUp {
    pub events: Vec<Placed>,
    pub last_seq: u64,
    pub more: bool,
}

/// Reads a page; its text, so that parsing it is nobody's latency.
pub async fn fetch_page(
    accounts: &Accounts,
    token: &str,
    room: Uuid,
    history: History,
    limit: u64,
) -> anyhow::Result<String> {
    let range = match history {
        History::Newest => String::new(),
        History::Before(seq) => format!("&before={seq}"),
        History::After(seq) => format!("&after={seq}"),
    };
    accounts.text(Method::GET, &format!("/api/v1/rooms/{room}/messages?limit={limit}{range}"), token, None).await
}

/// A session that asks one thing at a time.
#[derive(Debug)]
pub struct Listener {
    socket: Rc<Socket>,
    asked: u64,
}

impl Listener {
    pub async fn start(address: SocketAddr, token: &str) -> anyhow::Result<(Self, Ready)> {
        let (session, ready) = Session::start(address, token, &[], |_, _| {}).await?;
        Ok((Self { socket: session.socket, asked: 1 }, ready))
    }

    /// `room.catch_up`; the text of the answer.
    pub async fn catch_up(&mut self, room: Uuid, after: u64, limit: u64) -> anyhow::Result<String> {
        self.ask(|id| {
            format!(
                "{{\"type\":\"room.catch_up\",\"id\":{id},\"room_id\":\"{room}\",\"after\":{after},\"limit\":{limit}}}"
            )
        })
        .await
    }

    /// Sends a command and waits for its answer; everything else that comes is passed over.
    pub async fn ask(&mut self, frame: impl FnOnce(u64) -> String) -> anyhow::Result<String> {
        self.asked += 1;
        let wanted = self.asked;
        self.socket.send(frame(wanted).as_bytes()).await?;
        let answer = self.wait_for(|heard, frame| match heard {
            Heard::Ok { re } if *re == wanted => Some(Ok(String::from_utf8_lossy(frame).into_owned())),
            Heard::Error { re: Some(re), code, .. } if *re == wanted => Some(Err(code.clone())),
            _ => None,
        });
        match answer.await? {
            Ok(text) => Ok(text),
            Err(code) => bail!("the engine refused: {code}"),
        }
    }

    /// Reads until `wanted` finds what it looks for.
    pub async fn wait_for<T>(&self, mut wanted: impl FnMut(&Heard<'_>, &[u8]) -> Option<T>) -> anyhow::Result<T> {
        let reading = async {
            loop {
                let mut found = None;
                let open = self
                    .socket
                    .read(|message| {
                        if let (Message::Text(frame), None) = (message, &found) {
                            found = wanted(&hear(frame), frame);
                        }
                    })
                    .await?;
                match found {
                    Some(found) => return Ok(found),
                    None if !open => bail!("the server ended the connection"),
                    None => {}
                }
            }
        };
        tokio::time::timeout(ANSWER_PATIENCE, reading).await.context("no answer")?
    }

    pub async fn close(self) {
        // Whoever is gone needs no good-bye.
        let _ = self.socket.close().await;
        self.socket.drain(Duration::from_secs(2)).await;
    }
}
