//! Writing, and coming back to where others wrote.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, with};
use crate::scenarios::chatter::Content;

impl Actor {
    pub async fn post(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.post_in(room, self.message()).await
    }

    /// To what was posted last in one of the rooms that nobody leaves.
    pub async fn reply(self) -> anyhow::Result<Outcome> {
        let answerable: Vec<(Uuid, Uuid)> = {
            let newest = self.crew.newest.borrow();
            let rooms = self.device.rooms().into_iter().filter(|room| self.crew.town.rooms.contains(room));
            rooms.filter_map(|room| Some((room, *newest.get(&room)?))).collect()
        };
        let Some((room, message)) = self.pick(&answerable, 0) else { return Ok(Outcome::Nothing) };
        self.post_in(*room, with(self.message(), "reply_to", message.to_string())).await
    }

    /// What to post, without where: mostly a text that does not say so, now and then one that does, or a picture.
    fn message(&self) -> Value {
        let text = Content::of(80).due_at(self.crew.meter.nanos(self.due));
        let message = json!({ "client_id": self.random.to_string(), "content": text });
        match self.place(8, 48) {
            0 => {
                let picture = json!({ "type": "image", "url": "/media/1", "width": 640, "height": 480 });
                with(with(message, "kind", "media"), "parts", json!([picture]))
            }
            1 => with(message, "kind", "text"),
            _ => message,
        }
    }

    async fn post_in(&self, room: Uuid, message: Value) -> anyhow::Result<Outcome> {
        match self.command("message.post", &with(message, "room_id", room.to_string())).await? {
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

    /// In half of the rooms that nobody leaves, where what was posted last can be read, as an answer to that.
    pub async fn post_over_http(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let newest = self.crew.newest.borrow().get(&room).copied();
        let body = match newest.filter(|_| self.crew.town.rooms.contains(&room)) {
            Some(newest) => self.perhaps(56, self.message(), "reply_to", newest.to_string()),
            None => self.message(),
        };
        self.call(Method::POST, &format!("/api/v1/rooms/{room}/messages"), Some(body), &[404]).await
    }

    /// As read, or only as received, or both at once.
    pub async fn mark_read(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let seq = self.device.last_seq(room).unwrap_or(0);
        let body = match self.place(4, 48) {
            0 => json!({ "room_id": room, "delivered_seq": seq }),
            1 => json!({ "room_id": room, "delivered_seq": seq, "read_seq": seq }),
            _ => json!({ "room_id": room, "read_seq": seq }),
        };
        self.obey("receipt.mark", &body).await
    }

    /// A tunnel: the connection is cut, and a moment later the device resumes.
    pub async fn come_back(self) -> anyhow::Result<Outcome> {
        if !self.device.is_connected() {
            return Ok(Outcome::Away);
        }
        self.note_sent("hello", "", &serde_json::from_str(&format!("{{{}}}", self.device.hello()))?)?;
        self.device.come_back().await?;
        Ok(Outcome::Done)
    }

    pub async fn ping(self) -> anyhow::Result<Outcome> {
        self.obey("ping", &json!({})).await
    }
}
