//! Reading what was written, and looking at rooms.

use reqwest::Method;
use serde_json::{Value, json};

use super::actor::Actor;
use super::{Outcome, shape};

/// Events that "catch up" asks for again.
const A_FEW: u64 = 50;
/// Pages that somebody reads who was away for long.
const PAGES_MAX: usize = 5;
/// Of a list.
const PAGE_ITEMS: usize = 50;

impl Actor {
    pub async fn read_newest(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/messages?limit=50"), None, &[404]).await
    }

    /// From the middle of a room, and now and then forth again.
    pub async fn scroll_back(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let middle = self.device.last_seq(room).unwrap_or(0) / 2;
        // Behind the newest event there is nothing to go on after: an empty room begins at 0.
        let from = if self.one_in(4, 48) { format!("after={middle}") } else { format!("before={}", middle + 1) };
        let path = format!("/api/v1/rooms/{room}/messages?{from}&limit=50");
        self.call(Method::GET, &path, None, &[404]).await
    }

    pub async fn catch_up(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let after = self.device.last_seq(room).unwrap_or(0).saturating_sub(A_FEW);
        let body = self.perhaps(48, json!({ "room_id": room, "after": after }), "limit", A_FEW);
        self.obey("room.catch_up", &body).await
    }

    /// From anywhere in the room's order, beyond what the engine keeps in memory, a few pages on: none has a gap.
    pub async fn catch_up_far(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let mut after = self.random % self.device.last_seq(room).unwrap_or(0).max(1);
        for _ in 0..PAGES_MAX {
            let body = json!({ "room_id": room, "after": after });
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
        self.leaf_through("/api/v1/rooms", &[]).await
    }

    pub async fn look_at_room(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}"), None, &[404]).await
    }

    pub async fn list_members(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.leaf_through(&format!("/api/v1/rooms/{room}/members"), &[404]).await
    }

    /// Both names go on where a page ended.
    pub fn cursor_name(&self) -> &'static str {
        if self.one_in(2, 57) { "before" } else { "after" }
    }

    /// A page of a list; one in four comes in two: its first item, and what follows that.
    pub async fn leaf_through(&self, list: &str, refusals: &[u16]) -> anyhow::Result<Outcome> {
        let and = if list.contains('?') { '&' } else { '?' };
        let page = format!("{list}{and}limit={PAGE_ITEMS}");
        if !self.one_in(4, 48) {
            return self.call(Method::GET, &page, None, refusals).await;
        }
        let first = match self.page(&format!("{list}{and}limit=1"), refusals).await? {
            Ok(first) => first,
            Err(outcome) => return Ok(outcome),
        };
        let Some(next) = first.get("next").and_then(Value::as_str) else { return Ok(Outcome::Done) };
        let cursor = self.cursor_name();
        let rest = match self.page(&format!("{page}&{cursor}={next}"), refusals).await? {
            Ok(rest) => rest,
            Err(outcome) => return Ok(outcome),
        };
        let Some(shown) = first.pointer("/items/0") else { anyhow::bail!("{}: more of nothing", shape(list)) };
        let items = rest.get("items").and_then(Value::as_array).into_iter().flatten();
        for again in items.filter(|item| id_of(item) == id_of(shown)) {
            anyhow::ensure!(may_come_again(shown, again), "{}: the next page repeats an item", shape(list));
        }
        Ok(Outcome::Done)
    }
}

/// A room may have moved up while the pages were read; it comes again then, and as it is now. Nothing else does.
fn may_come_again(before: &Value, again: &Value) -> bool {
    let last_seq = |room: &Value| room.get("last_seq").and_then(Value::as_u64);
    last_seq(before).is_some_and(|before| last_seq(again).is_some_and(|again| again >= before))
}

/// Of what a list has: itself, or somebody as a member.
fn id_of(item: &Value) -> Option<&Value> {
    item.get("id").or_else(|| item.pointer("/user/id"))
}
