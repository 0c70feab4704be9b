//! Groups that come and go: as many as a town of this size has, of a few people each, so that a soak does not grow.

use std::rc::Rc;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::Outcome;
use super::actor::Actor;
use crate::scenarios::mixed::crew::Gathering;

/// People of a new group besides who made it.
const OTHERS_MAX: usize = 6;

impl Actor {
    pub async fn new_group(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        let body = json!({ "kind": "group", "name": "a new group", "member_ids": [other] });
        let body = self.perhaps(48, body, "topic", "what it is for");
        Ok(match self.make("/api/v1/rooms", body).await? {
            Ok(id) => {
                let maker = Rc::clone(&self.device);
                self.crew.groups.borrow_mut().push_back(Gathering { id, maker, others: vec![other], channel: None });
                Outcome::Done
            }
            Err(outcome) => outcome,
        })
    }

    /// Whoever made a new group takes one more along.
    pub async fn add_to_group(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        // Nobody else touches it meanwhile: it is emptied with everybody whom it has, or not now.
        let Some(mut group) = self.crew.take_any(&self.crew.groups, self.random) else { return Ok(Outcome::Nothing) };
        if group.others.len() >= OTHERS_MAX || group.others.contains(&other) || group.maker.person.id == other {
            self.crew.groups.borrow_mut().push_back(group);
            return Ok(Outcome::Nothing);
        }
        let path = format!("/api/v1/rooms/{}/members", group.id);
        let added = self.call_as(&group.maker, Method::POST, &path, Some(self.member(other)), &[]).await;
        // Whatever was answered: an engine that says "later" may have done it.
        group.others.push(other);
        self.crew.groups.borrow_mut().push_back(group);
        added
    }

    /// Whoever made the oldest new group empties it, while there are enough of them.
    pub async fn leave_group(self) -> anyhow::Result<Outcome> {
        let Some(group) = self.crew.take_oldest(&self.crew.groups) else { return Ok(Outcome::Nothing) };
        let emptied = self.empty_room(group.id, &group).await;
        if !matches!(emptied, Ok(Outcome::Done)) {
            // The next one finishes it.
            self.crew.groups.borrow_mut().push_front(group);
        }
        emptied
    }

    /// Empties a room of these people; nobody answers any more to what was posted there.
    pub async fn empty_room(&self, room: Uuid, gathering: &Gathering) -> anyhow::Result<Outcome> {
        let emptied = self.empty(&format!("rooms/{room}"), gathering).await?;
        if emptied == Outcome::Done {
            self.crew.newest.borrow_mut().remove(&room);
        }
        Ok(emptied)
    }

    /// Removes the others, and then who made it.
    pub async fn empty(&self, place: &str, gathering: &Gathering) -> anyhow::Result<Outcome> {
        for member in gathering.others.iter().chain([&gathering.maker.person.id]) {
            let path = format!("/api/v1/{place}/members/{member}");
            // Gone already when an earlier try got that far.
            match self.call_as(&gathering.maker, Method::DELETE, &path, None, &[404]).await? {
                Outcome::Done | Outcome::Refused => {}
                outcome => return Ok(outcome),
            }
        }
        Ok(Outcome::Done)
    }
}
