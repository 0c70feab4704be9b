//! Spaces: looking around in the one where everybody is, and some that come and go.

use std::rc::Rc;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::Outcome;
use super::actor::{Actor, ROLES, with};
use crate::scenarios::mixed::crew::Gathering;

impl Actor {
    pub async fn browse_spaces(self) -> anyhow::Result<Outcome> {
        let space = format!("/api/v1/spaces/{}", self.crew.space);
        match self.place(4, 0) {
            0 => self.call(Method::GET, &space, None, &[]).await,
            1 => self.leaf_through(&format!("{space}/rooms"), &[]).await,
            2 => self.leaf_through(&format!("{space}/members"), &[]).await,
            _ => self.leaf_through("/api/v1/spaces", &[]).await,
        }
    }

    /// A space with one more person than who makes it.
    pub async fn new_space(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        let body = self.perhaps(48, json!({ "name": "a new space" }), "topic", "what it is for");
        let id = match self.make("/api/v1/spaces", body).await? {
            Ok(id) => id,
            Err(outcome) => return Ok(outcome),
        };
        let mut space = Gathering { id, maker: Rc::clone(&self.device), others: vec![other], channel: None };
        let furnished = self.furnish(&mut space, other).await;
        self.crew.spaces.borrow_mut().push_back(space);
        furnished
    }

    /// Adds the other one, and in half of all spaces makes a channel for both.
    async fn furnish(&self, space: &mut Gathering, other: Uuid) -> anyhow::Result<Outcome> {
        let path = format!("/api/v1/spaces/{}/members", space.id);
        let added = self.call(Method::POST, &path, Some(self.member(other)), &[]).await?;
        if added != Outcome::Done || self.one_in(2, 56) {
            return Ok(added);
        }
        let body = json!({ "kind": "channel", "name": "a new channel", "space_id": space.id, "member_ids": [other] });
        let body = self.perhaps(60, body, "topic", "what it is for");
        Ok(match self.make("/api/v1/rooms", body).await? {
            Ok(channel) => {
                space.channel = Some(channel);
                Outcome::Done
            }
            Err(outcome) => outcome,
        })
    }

    /// Another name, or another topic.
    pub async fn rename_space(self) -> anyhow::Result<Outcome> {
        let Some(space) = self.crew.take_any(&self.crew.spaces, self.random) else { return Ok(Outcome::Nothing) };
        let field = if self.one_in(2, 48) { "topic" } else { "name" };
        let body = with(json!({}), field, format!("space {}", self.random % 1_000));
        let path = format!("/api/v1/spaces/{}", space.id);
        let renamed = self.call_as(&space.maker, Method::PATCH, &path, Some(body), &[]).await;
        self.crew.spaces.borrow_mut().push_back(space);
        renamed
    }

    /// Another role for somebody in it; the owner stays one.
    pub async fn change_space_role(self) -> anyhow::Result<Outcome> {
        let Some(space) = self.crew.take_any(&self.crew.spaces, self.random) else { return Ok(Outcome::Nothing) };
        let role = self.pick(&ROLES, 48).copied().unwrap_or_default();
        let changed = match space.others.first() {
            Some(other) => {
                let path = format!("/api/v1/spaces/{}/members/{other}", space.id);
                self.call_as(&space.maker, Method::PATCH, &path, Some(json!({ "role": role })), &[404]).await
            }
            None => Ok(Outcome::Nothing),
        };
        self.crew.spaces.borrow_mut().push_back(space);
        changed
    }

    /// Everybody may write to everybody here, so nobody has one: what is answered is one that is not there.
    pub async fn invitations(self) -> anyhow::Result<Outcome> {
        let id = Uuid::now_v7();
        match self.place(3, 0) {
            0 => self.leaf_through("/api/v1/invitations", &[]).await,
            1 => self.call(Method::POST, &format!("/api/v1/invitations/{id}/accept"), None, &[404]).await,
            _ => self.call(Method::POST, &format!("/api/v1/invitations/{id}/decline"), None, &[404]).await,
        }
    }

    /// Whoever made the oldest new space removes the other one and leaves it, while there are enough of them.
    pub async fn leave_space(self) -> anyhow::Result<Outcome> {
        let Some(space) = self.crew.take_oldest(&self.crew.spaces) else { return Ok(Outcome::Nothing) };
        let emptied = self.dissolve(&space).await;
        if !matches!(emptied, Ok(Outcome::Done)) {
            self.crew.spaces.borrow_mut().push_front(space);
        }
        emptied
    }

    /// In half of them the channel goes first; of the others, it loses everybody with the space.
    async fn dissolve(&self, space: &Gathering) -> anyhow::Result<Outcome> {
        if let Some(channel) = space.channel
            && self.one_in(2, 32)
        {
            let emptied = self.empty_room(channel, space).await?;
            if emptied != Outcome::Done {
                return Ok(emptied);
            }
        }
        let emptied = self.empty(&format!("spaces/{}", space.id), space).await?;
        if let Some(channel) = space.channel.filter(|_| emptied == Outcome::Done) {
            self.crew.newest.borrow_mut().remove(&channel);
        }
        Ok(emptied)
    }
}
