//! Writing, and coming back to where others wrote.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::Actor;
use crate::scenarios::chatter::Content;

impl Actor {
    pub async fn post(self) -> anyhow::Result<Outcome> {
        match self.room() {
            Some(room) => self.post_in(room, "").await,
            None => Ok(Outcome::Nothing),
        }
    }

    /// To what was posted last in one of the rooms.
    pub async fn reply(self) -> anyhow::Result<Outcome> {
        let answerable: Vec<(Uuid, Uuid)> = {
            let newest = self.crew.newest.borrow();
            self.device.rooms().iter().filter_map(|room| Some((*room, *newest.get(room)?))).collect()
        };
        let Some((room, message)) = self.pick(&answerable, 0) else { return Ok(Outcome::Nothing) };
        self.post_in(*room, &format!(",\"reply_to\":\"{message}\"")).await
    }

    async fn post_in(&self, room: Uuid, more: &str) -> anyhow::Result<Outcome> {
        let text = Content::of(80).due_at(self.crew.meter.nanos(self.due));
        let body = format!("\"room_id\":\"{room}\",\"client_id\":\"{}\",\"content\":\"{text}\"{more}", self.random);
        match self.command("message.post", &body).await? {
            Ok(answer) => {
                let id = answer.get("message_id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
                if let Some(id) = id {
                    self.crew.newest.borrow_mut().insert(room, id);
                }
                Ok(Outcome::Done)
            }
            Err(outcome) => Ok(outcome),
        }
    }

    pub async fn post_over_http(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let text = Content::of(80).due_at(self.crew.meter.nanos(self.due));
        let body = json!({ "client_id": self.random.to_string(), "content": text });
        self.call(Method::POST, &format!("/api/v1/rooms/{room}/messages"), Some(body), &[404]).await
    }

    pub async fn mark_read(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let seq = self.device.last_seq(room).unwrap_or(0);
        self.obey("receipt.mark", &format!("\"room_id\":\"{room}\",\"read_seq\":{seq}")).await
    }

    /// A tunnel: the connection is cut, and a moment later the device resumes.
    pub async fn come_back(self) -> anyhow::Result<Outcome> {
        if !self.device.is_connected() {
            return Ok(Outcome::Away);
        }
        self.device.come_back().await?;
        Ok(Outcome::Done)
    }

    pub async fn ping(self) -> anyhow::Result<Outcome> {
        self.obey("ping", "").await
    }
}
