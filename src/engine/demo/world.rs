//! What a part of the demo is made with: the people, and the doors, in a time that is moved by hand.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::store;
use crate::accounts::DemoLogin;
use crate::ids::{RoomId, SpaceId, UserId};
use crate::party::Party;
use crate::rooms::commands::PostMessageBody;
use crate::rooms::mailbox::{Command, MarkReceipt};
use crate::rooms::permissions::{Role, RoomKind};
use crate::rooms::store::{self as rooms_store, NewRoom, NewSpace};
use crate::rooms::{RoomParts, Rooms};
use crate::storage::Storage;

/// See the module.
pub struct World {
    now: DateTime<Utc>,
    parts: RoomParts,
    rooms: Rooms,
    people: Vec<(String, UserId)>,
}

impl World {
    pub(super) fn new(now: DateTime<Utc>, parts: RoomParts, rooms: Rooms, logins: &[DemoLogin]) -> Self {
        let people = logins.iter().map(|login| (login.username.clone(), login.user_id)).collect();
        Self { now, parts, rooms, people }
    }

    pub fn storage(&self) -> &Storage {
        &self.parts.storage
    }

    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Somebody by their first name, such as `ada`.
    pub fn person(&self, first_name: &str) -> anyhow::Result<UserId> {
        let found = self.people.iter().find(|(username, _)| username.strip_prefix("demo-") == Some(first_name));
        found.map(|(_, user)| *user).with_context(|| format!("nobody in the demo is called {first_name}"))
    }

    fn everybody(&self, first_names: &[&str]) -> anyhow::Result<Vec<UserId>> {
        first_names.iter().map(|name| self.person(name)).collect()
    }

    /// Goes on to so long before now; never back.
    pub fn go_to(&self, before_now: TimeDelta) {
        let ahead = (self.now - before_now) - self.parts.clock.now();
        self.parts.clock.advance(ahead.to_std().unwrap_or(Duration::ZERO));
    }

    /// Notes what was made, so that it can be removed.
    pub async fn remember(&self, kind: &str, id: Uuid) -> anyhow::Result<()> {
        Ok(store::remember(self.storage(), kind, id).await?)
    }

    /// A space of the first of these people, with the others in it; `client_id` names it.
    pub async fn space(&self, client_id: &str, name: &str, topic: &str, people: &[&str]) -> anyhow::Result<SpaceId> {
        let people = self.everybody(people)?;
        let owner = *people.first().context("a space has an owner")?;
        let at = self.parts.clock.now();
        let space = NewSpace {
            id: SpaceId::new(&self.parts.clock),
            client_id: Some(client_id),
            owner,
            name,
            topic: Some(topic),
            at,
        };
        let (id, _) = rooms_store::create_space(self.storage(), &space).await?;
        self.remember("space", id.0).await?;
        for user in &people[1..] {
            rooms_store::add_space_member(self.storage(), id, *user, Role::Member, at).await?;
        }
        Ok(id)
    }

    /// A room of the first of these people, with the others in it; `client_id` names it. Without a name, and with two
    /// people, it is their direct chat.
    pub async fn room(
        &self,
        client_id: &str,
        name: Option<&str>,
        topic: Option<&str>,
        space_id: Option<SpaceId>,
        people: &[&str],
    ) -> anyhow::Result<RoomId> {
        let people = self.everybody(people)?;
        let (kind, own_role, pair) = match (name, space_id, people.as_slice()) {
            (None, None, [one, other]) => (RoomKind::Direct, Role::Member, Some((*one.min(other), *one.max(other)))),
            (_, None, _) => (RoomKind::Group, Role::Owner, None),
            (_, Some(_), _) => (RoomKind::Channel, Role::Owner, None),
        };
        let role = |place| if place == 0 { own_role } else { Role::Member };
        let room = NewRoom {
            id: RoomId::new(&self.parts.clock),
            client_id: Some(client_id.to_owned()),
            kind,
            name: name.map(str::to_owned),
            topic: topic.map(str::to_owned),
            space_id,
            created_by: *people.first().context("a room has an owner")?,
            pair,
            members: people.iter().enumerate().map(|(place, user)| (*user, role(place))).collect(),
            strangers: Vec::new(),
            at: self.parts.clock.now(),
        };
        let (_, made) = self.rooms.create(room).await?;
        self.remember("room", made.room.id.0).await?;
        Ok(made.room.id)
    }

    /// Somebody says something; its place in the room.
    pub async fn post(&self, room: RoomId, by: &str, client_id: &str, text: &str) -> anyhow::Result<i64> {
        let by = Party::from(self.person(by)?);
        let (client_id, content) = (client_id.to_owned(), text.to_owned());
        let body = PostMessageBody { client_id, content, ..PostMessageBody::default() };
        let message = self.rooms.compose(Some(by), body)?;
        Ok(self.rooms.post(room, message).await?.row.seq)
    }

    /// Somebody has read so far, and got all of it.
    pub async fn read(&self, room: RoomId, by: &str, read_seq: i64, delivered_seq: i64) -> anyhow::Result<()> {
        let by = Party::from(self.person(by)?);
        let (delivered_seq, read_seq) = (Some(delivered_seq), Some(read_seq));
        let mark = |reply| Command::Mark(MarkReceipt { by, delivered_seq, read_seq, reply });
        self.rooms.ask(room, mark).await?;
        Ok(())
    }
}
