//! Someone who writes: what was not acknowledged is sent again with the same client id, until it is.

use std::collections::HashMap;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use super::socket::Socket;
use crate::testing::Person;

/// A writer pauses about so long between two sends: there is more to see in many small lives than in full queues.
const PAUSE_MS_MAX: u64 = 10;
/// Messages that a writer may have on their way at once.
const IN_FLIGHT_MAX: usize = 8;

/// What the engine has promised to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub room: String,
    pub seq: i64,
    pub id: String,
    pub sender: String,
    pub client_id: String,
    pub content: String,
}

struct Draft {
    room: String,
    client_id: String,
    content: String,
}

pub(super) struct Writer {
    world: World,
    person: Person,
    rng: StdRng,
    drafts: usize,
    acknowledged: Vec<Acknowledged>,
}

impl Writer {
    pub fn new(world: World, person: Person, rng: StdRng) -> Self {
        Self { world, person, rng, drafts: 0, acknowledged: Vec::new() }
    }

    /// Over a WebSocket, several at once.
    pub async fn over_socket(mut self) -> Vec<Acknowledged> {
        let mut drafts: Vec<Draft> = Vec::new();
        while !self.world.enough.get() || !drafts.is_empty() {
            let mut socket = Socket::greet(&self.world.api.base, &self.person.token, &json!({})).await;
            while self.post_all(&mut socket, &mut drafts).await.is_some() {
                self.pause().await;
                if !self.world.enough.get() {
                    let more = self.rng.random_range(1..=IN_FLIGHT_MAX - drafts.len().min(IN_FLIGHT_MAX - 1));
                    drafts.extend((0..more).map(|_| self.draft()).collect::<Vec<_>>());
                } else if drafts.is_empty() {
                    break;
                }
            }
        }
        self.acknowledged
    }

    /// Sends all drafts and takes out those that were acknowledged; `None` when the connection has ended.
    async fn post_all(&mut self, socket: &mut Socket, drafts: &mut Vec<Draft>) -> Option<()> {
        let mut sent: HashMap<u64, Draft> = (2..).zip(drafts.drain(..)).collect();
        let done = self.exchange(socket, &mut sent).await;
        drafts.extend(sent.into_values());
        done
    }

    async fn exchange(&mut self, socket: &mut Socket, sent: &mut HashMap<u64, Draft>) -> Option<()> {
        for (id, draft) in &*sent {
            let Draft { room, client_id, content } = draft;
            let post = json!({
                "type": "message.post", "id": id, "room_id": room, "client_id": client_id, "content": content
            });
            socket.send(&post).await?;
        }
        let mut waiting = sent.len();
        while waiting > 0 {
            let answer = socket.next().await?;
            let Some(id) = answer["re"].as_u64() else { continue };
            waiting -= 1;
            if answer["type"] == "error" {
                assert_ne!(answer["retry"], "never", "{answer}");
                continue;
            }
            let draft = sent.remove(&id).unwrap_or_else(|| panic!("answered twice: {answer}"));
            self.note(draft, &answer["seq"], &answer["message_id"]);
        }
        Some(())
    }

    /// Over HTTP, one after the other.
    pub async fn over_http(mut self) -> Vec<Acknowledged> {
        while !self.world.enough.get() {
            self.pause().await;
            let draft = self.draft();
            let message = self.post_until_acknowledged(&draft).await;
            self.note(draft, &message["seq"], &message["id"]);
        }
        self.acknowledged
    }

    async fn post_until_acknowledged(&mut self, draft: &Draft) -> Value {
        let path = format!("/api/v1/rooms/{}/messages", draft.room);
        let body = json!({ "client_id": draft.client_id, "content": draft.content });
        loop {
            match self.world.api.try_call(Method::POST, &path, &self.person.token, Some(&body)).await {
                Some((200 | 201, message)) => return message,
                // The connection may end in the middle of an answer.
                Some((503, _)) | None => self.pause().await,
                Some((status, answer)) => panic!("{status} {answer}"),
            }
        }
    }

    fn draft(&mut self) -> Draft {
        self.drafts += 1;
        let room = self.world.rooms[self.rng.random_range(0..self.world.rooms.len())].clone();
        let content = format!("{} of {}, {:x}", self.drafts, self.person.username, self.rng.random::<u64>());
        Draft { room, client_id: format!("send-{}", self.drafts), content }
    }

    fn note(&mut self, draft: Draft, seq: &Value, id: &Value) {
        let Draft { room, client_id, content } = draft;
        self.acknowledged.push(Acknowledged {
            room,
            seq: seq.as_i64().unwrap(),
            id: id.as_str().unwrap().to_owned(),
            sender: self.person.id.clone(),
            client_id,
            content,
        });
        self.world.acknowledged.set(self.world.acknowledged.get() + 1);
    }

    async fn pause(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..PAUSE_MS_MAX))).await;
    }
}
