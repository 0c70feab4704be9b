//! Spaces: looking around in the one where everybody is, and some that come and go.

use std::rc::Rc;

use anyhow::Context;
use reqwest::Method;
use serde_json::json;

use super::Outcome;
use super::actor::Actor;
use crate::scenarios::mixed::crew::Gathering;

impl Actor {
    pub async fn browse_spaces(self) -> anyhow::Result<Outcome> {
        let space = self.crew.space;
        let paths = [
            "/api/v1/spaces".to_owned(),
            format!("/api/v1/spaces/{space}"),
            format!("/api/v1/spaces/{space}/rooms"),
            format!("/api/v1/spaces/{space}/members?limit=50"),
        ];
        self.call(Method::GET, self.pick(&paths, 0).context("one of four")?, None, &[]).await
    }

    /// A space with one more person than who makes it.
    pub async fn new_space(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody().map(|person| person.id) else { return Ok(Outcome::Nothing) };
        let id = match self.make("/api/v1/spaces", json!({ "name": "a new space" })).await? {
            Ok(id) => id,
            Err(outcome) => return Ok(outcome),
        };
        let body = json!({ "user_id": other });
        let added = self.call(Method::POST, &format!("/api/v1/spaces/{id}/members"), Some(body), &[]).await;
        let maker = Rc::clone(&self.device);
        self.crew.spaces.borrow_mut().push_back(Gathering { id, maker, others: vec![other] });
        added
    }

    pub async fn rename_space(self) -> anyhow::Result<Outcome> {
        let Some(space) = self.crew.take_any(&self.crew.spaces, self.random) else { return Ok(Outcome::Nothing) };
        let body = json!({ "name": format!("space {}", self.random % 1_000) });
        let path = format!("/api/v1/spaces/{}", space.id);
        let renamed = self.call_as(&space.maker, Method::PATCH, &path, Some(body), &[]).await;
        self.crew.spaces.borrow_mut().push_back(space);
        renamed
    }

    /// Whoever made the oldest new space removes the other one and leaves it, while there are enough of them.
    pub async fn leave_space(self) -> anyhow::Result<Outcome> {
        let Some(space) = self.crew.take_oldest(&self.crew.spaces) else { return Ok(Outcome::Nothing) };
        let emptied = self.empty("spaces", &space).await;
        if !matches!(emptied, Ok(Outcome::Done)) {
            self.crew.spaces.borrow_mut().push_front(space);
        }
        emptied
    }
}
