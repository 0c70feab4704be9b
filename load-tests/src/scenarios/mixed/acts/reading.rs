//! Reading what was written, and looking at rooms.

use reqwest::Method;
use serde_json::Value;

use super::Outcome;
use super::actor::Actor;

/// Events that "catch up" asks for again.
const A_FEW: u64 = 50;
/// Pages that somebody reads who was away for long.
const PAGES_MAX: usize = 5;

impl Actor {
    pub async fn read_newest(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/messages?limit=50"), None, &[404]).await
    }

    pub async fn scroll_back(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let before = self.device.last_seq(room).unwrap_or(1) / 2 + 1;
        let path = format!("/api/v1/rooms/{room}/messages?before={before}&limit=50");
        self.call(Method::GET, &path, None, &[404]).await
    }

    pub async fn catch_up(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let after = self.device.last_seq(room).unwrap_or(0).saturating_sub(A_FEW);
        self.obey("room.catch_up", &format!("\"room_id\":\"{room}\",\"after\":{after}")).await
    }

    /// From anywhere in the room's order, beyond what the engine keeps in memory, a few pages on: none has a gap.
    pub async fn catch_up_far(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let mut after = self.random % self.device.last_seq(room).unwrap_or(0).max(1);
        for _ in 0..PAGES_MAX {
            let body = format!("\"room_id\":\"{room}\",\"after\":{after}");
            let page = match self.command("room.catch_up", &body).await? {
                Ok(page) => page,
                Err(outcome) => return Ok(outcome),
            };
            for event in page.get("events").and_then(Value::as_array).into_iter().flatten() {
                let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
                anyhow::ensure!(seq == after + 1, "a page has {seq} where {} is next", after + 1);
                after = seq;
            }
            if page.get("more").and_then(Value::as_bool) != Some(true) {
                break;
            }
        }
        Ok(Outcome::Done)
    }

    pub async fn events(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let after = self.device.last_seq(room).unwrap_or(0).saturating_sub(A_FEW);
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/events?after={after}&limit=50"), None, &[404]).await
    }

    pub async fn list_rooms(self) -> anyhow::Result<Outcome> {
        self.call(Method::GET, "/api/v1/rooms?limit=50", None, &[]).await
    }

    pub async fn look_at_room(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}"), None, &[404]).await
    }

    pub async fn list_members(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/members?limit=50"), None, &[404]).await
    }
}
