//! Changing the rooms that are there, and who is in the channels.

use std::rc::Rc;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::Actor;
use super::{Outcome, shape};
use crate::client::Device;

/// A room of the town. Nobody of these people ever leaves it.
struct Made<'a> {
    room: Uuid,
    maker: &'a Device,
    /// Who may be an admin at any time.
    helpers: &'a [usize],
    /// Who never is one: what takes a role must be refused to them.
    plain: &'a [usize],
}

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

    async fn describe(&self, what: Value) -> anyhow::Result<Outcome> {
        let Some(made) = self.made_room() else { return Ok(Outcome::Nothing) };
        self.rule(&made, &format!("/api/v1/rooms/{}", made.room), what).await
    }

    pub async fn change_role(self) -> anyhow::Result<Outcome> {
        let role = json!({ "role": if self.random.is_multiple_of(2) { "admin" } else { "member" } });
        let Some(made) = self.made_room() else { return Ok(Outcome::Nothing) };
        let Some(helper) = self.device_of(made.helpers, 16) else { return Ok(Outcome::Nothing) };
        self.rule(&made, &format!("/api/v1/rooms/{}/members/{}", made.room, helper.person.id), role).await
    }

    /// What takes a role, mostly by who made the room; now and then somebody tries who may not.
    async fn rule(&self, made: &Made<'_>, path: &str, what: Value) -> anyhow::Result<Outcome> {
        if !self.random.rotate_right(40).is_multiple_of(4) {
            return self.call_as(made.maker, Method::PATCH, path, Some(what), &[]).await;
        }
        let Some(plain) = self.device_of(made.plain, 8) else { return Ok(Outcome::Nothing) };
        let outcome = self.call_as(plain, Method::PATCH, path, Some(what), &[403]).await?;
        anyhow::ensure!(outcome != Outcome::Done, "PATCH {} was granted to somebody without the role", shape(path));
        Ok(outcome)
    }

    fn made_room(&self) -> Option<Made<'_>> {
        let town = &self.crew.town;
        let places: Vec<usize> = (0..town.rooms.len()).collect();
        let place = *self.pick(&places, 24)?;
        let (maker, others) = town.members.get(place)?.split_first()?;
        let (helpers, plain) = others.split_at(others.len().div_ceil(2));
        Some(Made { room: *town.rooms.get(place)?, maker: self.crew.devices.get(*maker)?, helpers, plain })
    }

    fn device_of(&self, people: &[usize], salt: u32) -> Option<&Device> {
        self.crew.devices.get(*self.pick(people, salt)?).map(Rc::as_ref)
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
