//! Changing one's mind about what one wrote.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, with};

impl Actor {
    /// Writes, says it otherwise, and now and then takes it back.
    pub async fn edit(self) -> anyhow::Result<Outcome> {
        let (room, message) = match self.write().await? {
            Ok(place) => place,
            Err(outcome) => return Ok(outcome),
        };
        let about = |client_id: &str| json!({ "room_id": room, "message_id": message, "client_id": format!("{}-{client_id}", self.random) });
        let edit = with(about("edit"), "content", "what was meant");
        let edit = self.perhaps(40, edit, "parts", json!([{ "type": "note" }]));
        if let Err(outcome) = self.command("message.edit", &edit).await? {
            return Ok(outcome);
        }
        if self.one_in(4, 44) { self.obey("message.delete", &about("delete")).await } else { Ok(Outcome::Done) }
    }

    /// The same over HTTP; what it was before is shown to those who rule the room, and refused to others.
    pub async fn edit_over_http(self) -> anyhow::Result<Outcome> {
        let (room, message) = match self.write().await? {
            Ok(place) => place,
            Err(outcome) => return Ok(outcome),
        };
        let path = format!("/api/v1/rooms/{room}/messages/{message}");
        let edit = json!({ "content": "what was meant", "client_id": format!("{}-edit", self.random) });
        let edit = self.perhaps(40, edit, "parts", json!([{ "type": "note" }]));
        // Whoever was taken out meanwhile finds nothing.
        let edited = self.call(Method::PATCH, &path, Some(edit), &[404]).await?;
        if edited != Outcome::Done {
            return Ok(edited);
        }
        let page = ["limit=5", "after=0", "before=0"].map(|asked| format!("{path}/versions?{asked}"));
        let Some(page) = self.pick(&page, 44) else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, page, None, &[403, 404]).await?;
        self.call(Method::DELETE, &path, None, &[404]).await
    }

    async fn write(&self) -> anyhow::Result<Result<(Uuid, Uuid), Outcome>> {
        let Some(room) = self.room() else { return Ok(Err(Outcome::Nothing)) };
        let body = json!({ "room_id": room, "client_id": self.random.to_string(), "content": "what was said" });
        Ok(self.command("message.post", &body).await?.and_then(|answer| {
            let id = answer.get("message_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
            id.map(|id| (room, id)).ok_or(Outcome::Nothing)
        }))
    }
}
