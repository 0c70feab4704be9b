//! Changing the rooms that are there, and who is in the channels.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::actor::Actor;

impl Actor {
    /// With one of the few whom everybody writes to alone.
    pub async fn new_direct(self) -> anyhow::Result<Outcome> {
        let people = &self.crew.town.people;
        let friend = self.who + 1 + usize::from(self.random.is_multiple_of(2));
        let Some(other) = people.get(friend % people.len().max(1)) else { return Ok(Outcome::Nothing) };
        let body = json!({ "kind": "direct", "member_ids": [other.id] });
        self.call(Method::POST, "/api/v1/rooms", Some(body), &[]).await
    }

    pub async fn change_topic(self) -> anyhow::Result<Outcome> {
        let topic = json!({ "topic": format!("topic {}", self.random % 1_000) });
        self.describe(topic).await
    }

    pub async fn rename_room(self) -> anyhow::Result<Outcome> {
        let name = json!({ "name": format!("room {}", self.random % 1_000) });
        self.describe(name).await
    }

    /// Mostly by those who made the room; now and then somebody tries who may not, and is told so.
    async fn describe(&self, what: Value) -> anyhow::Result<Outcome> {
        if self.is_cheeky() {
            let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
            // In a room of two it is nobody's.
            return self.call(Method::PATCH, &format!("/api/v1/rooms/{room}"), Some(what), &[403, 404, 409, 422]).await;
        }
        let Some((room, maker, _)) = self.made_room() else { return Ok(Outcome::Nothing) };
        let Some(maker) = self.crew.devices.get(maker) else { return Ok(Outcome::Nothing) };
        self.call_as(maker, Method::PATCH, &format!("/api/v1/rooms/{room}"), Some(what), &[]).await
    }

    pub async fn change_role(self) -> anyhow::Result<Outcome> {
        let role = json!({ "role": if self.random.is_multiple_of(2) { "admin" } else { "member" } });
        let Some((room, maker, members)) = self.made_room() else { return Ok(Outcome::Nothing) };
        let Some(target) = self.pick(members.get(1..).unwrap_or_default(), 16) else { return Ok(Outcome::Nothing) };
        let Some(person) = self.crew.town.people.get(*target) else { return Ok(Outcome::Nothing) };
        let path = format!("/api/v1/rooms/{room}/members/{}", person.id);
        if self.is_cheeky() {
            return self.call(Method::PATCH, &path, Some(role), &[403, 404, 409, 422]).await;
        }
        let Some(maker) = self.crew.devices.get(maker) else { return Ok(Outcome::Nothing) };
        self.call_as(maker, Method::PATCH, &path, Some(role), &[]).await
    }

    fn is_cheeky(&self) -> bool {
        self.random.rotate_right(40).is_multiple_of(4)
    }

    /// A room of the town, who made it, and everybody who is in it: nobody of these ever leaves.
    fn made_room(&self) -> Option<(Uuid, usize, &[usize])> {
        let town = &self.crew.town;
        let places: Vec<usize> = (0..town.rooms.len()).collect();
        let place = *self.pick(&places, 24)?;
        let members = town.members.get(place)?;
        Some((*town.rooms.get(place)?, *members.first()?, members))
    }

    /// One that they are not in yet, as far as the device knows.
    pub async fn join_channel(self) -> anyhow::Result<Outcome> {
        let Some(channel) = self.channel(false) else { return Ok(Outcome::Nothing) };
        let body = json!({ "user_id": self.device.person.id });
        self.call(Method::POST, &format!("/api/v1/rooms/{channel}/members"), Some(body), &[409]).await
    }

    /// Whoever made a channel is told to stay while others are in it.
    pub async fn leave_channel(self) -> anyhow::Result<Outcome> {
        let Some(channel) = self.channel(true) else { return Ok(Outcome::Nothing) };
        let path = format!("/api/v1/rooms/{channel}/members/{}", self.device.person.id);
        self.call(Method::DELETE, &path, None, &[404, 409]).await
    }

    fn channel(&self, joined: bool) -> Option<Uuid> {
        let channels = self.crew.channels.iter().copied();
        let some: Vec<Uuid> = channels.filter(|channel| self.device.last_seq(*channel).is_some() == joined).collect();
        self.pick(&some, 32).copied()
    }
}
