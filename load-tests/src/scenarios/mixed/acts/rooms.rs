//! Changing the rooms that are there, and who is in the channels.

use std::rc::Rc;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::{Actor, ROLES};
use super::{Outcome, shape};
use crate::client::Device;

/// A room of the town. Nobody of these people ever leaves it.
struct Made<'a> {
    room: Uuid,
    maker: &'a Device,
    /// Who may have any role at any time.
    helpers: &'a [usize],
    /// Who never has more than they began with: what takes a role must be refused to them.
    plain: &'a [usize],
}

impl Actor {
    /// With one of the few whom everybody who does so writes to alone.
    pub async fn new_direct(self) -> anyhow::Result<Outcome> {
        let place = self.place(self.crew.goers().len(), 16);
        let (goer, friend) = (self.crew.goers().get(place), self.crew.friend_of(place, self.place(2, 0)));
        let (Some(goer), Some(friend)) = (goer, friend) else { return Ok(Outcome::Nothing) };
        let body = json!({ "kind": "direct", "member_ids": [friend] });
        self.call_as(goer, Method::POST, "/api/v1/rooms", Some(body), &[]).await
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
        let role = json!({ "role": self.pick(&ROLES, 48) });
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
        let place = self.place(town.rooms.len(), 24);
        let (maker, others) = town.members.get(place)?.split_first()?;
        let (helpers, plain) = others.split_at(others.len().div_ceil(2));
        Some(Made { room: *town.rooms.get(place)?, maker: self.crew.devices.get(*maker)?, helpers, plain })
    }

    fn device_of(&self, people: &[usize], salt: u32) -> Option<&Device> {
        self.crew.devices.get(*self.pick(people, salt)?).map(Rc::as_ref)
    }

    /// One that they are not in yet, as far as the device knows.
    pub async fn join_channel(self) -> anyhow::Result<Outcome> {
        let Some((goer, channel)) = self.channel(false) else { return Ok(Outcome::Nothing) };
        let body = json!({ "user_id": goer.person.id });
        self.call_as(goer, Method::POST, &format!("/api/v1/rooms/{channel}/members"), Some(body), &[409]).await
    }

    /// Whoever made a channel is told to stay while others are in it.
    pub async fn leave_channel(self) -> anyhow::Result<Outcome> {
        let Some((goer, channel)) = self.channel(true) else { return Ok(Outcome::Nothing) };
        let path = format!("/api/v1/rooms/{channel}/members/{}", goer.person.id);
        self.call_as(goer, Method::DELETE, &path, None, &[404, 409]).await
    }

    /// Somebody who comes and goes, and a channel that they are in, or are not.
    fn channel(&self, joined: bool) -> Option<(&Device, Uuid)> {
        let goer = self.pick(self.crew.goers(), 40)?;
        let channels = self.crew.channels.iter().copied();
        let some: Vec<Uuid> = channels.filter(|channel| goer.last_seq(*channel).is_some() == joined).collect();
        Some((Rc::as_ref(goer), *self.pick(&some, 32)?))
    }
}
