//! Reading everybody's own list of rooms in the end: over HTTP, where it comes from Postgres, and with hello, where it
//! comes from what the engine remembers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::events::card;
use super::finals::Finals;
use super::history::{Board, Card, Pass, Record, STRANGER, Who};
use crate::client::{Message, Person, Socket};

/// Small, so that a list of a handful of rooms has several pages.
const PAGE_ITEMS: u32 = 2;
/// An answer to hello is waited for so long; one that asks to come later is none, for a while.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

impl Finals<'_> {
    /// Records what everybody, and somebody who takes no part, is shown of each room.
    pub async fn record_cards(&self, pass: Pass) -> anyhow::Result<()> {
        let people = (0..).zip(&self.world.people).chain([(STRANGER, &self.world.outsider)]);
        for (who, person) in people {
            self.note_cards(pass, Board::List, who, &self.list_of(person).await?)?;
            self.note_cards(pass, Board::Ready, who, &self.greet(who, person).await?)?;
        }
        Ok(())
    }

    /// A record for each room, also for those that are not shown.
    fn note_cards(&self, pass: Pass, board: Board, who: Who, rooms: &[Value]) -> anyhow::Result<()> {
        let mut shown: Vec<Vec<Card>> = vec![Vec::new(); self.world.rooms.len()];
        for room in rooms {
            let id = room.get("id").with_context(|| format!("no id in {room}"))?;
            let number = self.world.numbers().room(id);
            match number.and_then(|number| shown.get_mut(usize::from(number))) {
                Some(cards) => cards.push(card(room).with_context(|| format!("no summary of a room: {room}"))?),
                None if who != STRANGER => self.world.note_leak(who, id, &json!({ "type": "a list of rooms" })),
                None => {}
            }
        }
        for (room, cards) in self.world.room_numbers().zip(shown) {
            self.world.recorder.note(room, Record::Carded { pass, board, who, cards });
        }
        Ok(())
    }

    async fn list_of(&self, person: &Person) -> anyhow::Result<Vec<Value>> {
        let (mut rooms, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/rooms?limit={PAGE_ITEMS}{after}");
            let page = self.accounts.call(Method::GET, &path, &person.token, None).await?;
            rooms.extend(page.get("items").and_then(Value::as_array).context("items")?.iter().cloned());
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(rooms),
            }
        }
    }

    /// The rooms in the answer to a hello.
    async fn greet(&self, who: Who, person: &Person) -> anyhow::Result<Vec<Value>> {
        let lane =
            self.world.lanes.get(usize::from(who)).or(self.world.lanes.first()).context("a way to the engine")?;
        let begun = Instant::now();
        let ready = loop {
            let answer = tokio::time::timeout(HELLO_PATIENCE, hello(lane.address, &person.token)).await;
            match answer.context("no answer to hello").flatten() {
                Ok(ready) => break ready,
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        Ok(ready.get("rooms").and_then(Value::as_array).context("rooms in the answer to hello")?.clone())
    }
}

/// The whole of `ready`.
async fn hello(address: SocketAddr, token: &str) -> anyhow::Result<Value> {
    let socket = Socket::open(address).await?;
    socket.send(json!({ "type": "hello", "id": 1, "token": token }).to_string().as_bytes()).await?;
    let (mut answer, mut open) = (None, true);
    while answer.is_none() && open {
        let hear = |message: Message<'_>| {
            if let Message::Text(frame) = message {
                let frame: Value = serde_json::from_slice(frame).unwrap_or_default();
                answer = answer.take().or_else(|| Some(frame).filter(|frame| frame.get("re").is_some()));
            }
        };
        open = socket.read(hear).await?;
    }
    let answer = answer.context("the engine closed before it answered hello")?;
    // A good-bye that does not get through is as good.
    let _ = socket.close().await;
    if answer.get("type").is_none_or(|kind| kind != "ready") {
        bail!("hello was refused: {answer}");
    }
    Ok(answer)
}
