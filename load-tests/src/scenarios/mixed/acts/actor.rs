//! Somebody who does something now, and the ways in which they can ask the engine.

use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::{Outcome, shape};
use crate::client::{Answer, Device, Person, Reached};
use crate::scenarios::mixed::crew::Crew;

/// See the module.
pub struct Actor {
    pub crew: Rc<Crew>,
    pub device: Rc<Device>,
    /// Their place among the people of the town.
    pub who: usize,
    pub due: Instant,
    pub random: u64,
    /// What this act says that it calls.
    pub calls: &'static [&'static str],
}

impl Actor {
    /// One of these; which one differs by `salt`.
    pub fn pick<'a, T>(&self, from: &'a [T], salt: u32) -> Option<&'a T> {
        from.get(usize::try_from(self.random.rotate_right(salt)).unwrap_or(0) % from.len().max(1))
    }

    /// One of the rooms that the device knows.
    pub fn room(&self) -> Option<Uuid> {
        self.pick(&self.device.rooms(), 0).copied()
    }

    /// Somebody else of the town.
    pub fn somebody(&self) -> Option<&Person> {
        let somebody = self.pick(&self.crew.town.people, 8)?;
        let next = || self.crew.town.people.get((self.who + 1) % self.crew.town.people.len().max(1));
        if somebody.id == self.device.person.id { next() } else { Some(somebody) }
    }

    pub async fn http(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Reached> {
        self.http_as(&self.device, method, path, body).await
    }

    async fn http_as(
        &self,
        device: &Device,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Reached> {
        let call = format!("{method} {}", shape(path));
        anyhow::ensure!(self.calls.contains(&call.as_str()), "{call} is not among the calls of this act");
        self.crew.accounts.reach(method, path, Some(&device.person.token), body).await
    }

    /// A call that must work, or may be refused in one of these ways when somebody else was first.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        refusals: &[u16],
    ) -> anyhow::Result<Outcome> {
        self.call_as(&self.device, method, path, body, refusals).await
    }

    /// The same by somebody else.
    pub async fn call_as(
        &self,
        device: &Device,
        method: Method,
        path: &str,
        body: Option<Value>,
        refusals: &[u16],
    ) -> anyhow::Result<Outcome> {
        let reached = self.http_as(device, method.clone(), path, body).await?;
        let refused = refusals.contains(&reached.status.as_u16());
        if refused { Ok(Outcome::Refused) } else { outcome_of(&method, path, &reached) }
    }

    /// Makes something; its id, or why there is none.
    pub async fn make(&self, path: &str, body: Value) -> anyhow::Result<Result<Uuid, Outcome>> {
        let reached = self.http(Method::POST, path, Some(body)).await?;
        Ok(match outcome_of(&Method::POST, path, &reached)? {
            Outcome::Done => {
                let body = reached.body();
                Ok(body.get("id").and_then(Value::as_str).context("the id of what was made")?.parse()?)
            }
            outcome => Err(outcome),
        })
    }

    /// A command, and what it was answered if it was obeyed.
    pub async fn command(&self, kind: &str, body: &str) -> anyhow::Result<Result<Value, Outcome>> {
        anyhow::ensure!(self.calls.contains(&kind), "{kind} is not among the calls of this act");
        Ok(match self.device.command(kind, body).await? {
            Answer::Ok(answer) => Ok(answer),
            Answer::Later => Err(Outcome::Later),
            Answer::Gone => Err(Outcome::Away),
            // They left the room, or were removed from it, meanwhile.
            Answer::Never(code) if code == "chat.room_not_found" => Err(Outcome::Refused),
            Answer::Never(code) => bail!("{kind}: {code}"),
        })
    }

    /// A command whose answer says nothing but that.
    pub async fn obey(&self, kind: &str, body: &str) -> anyhow::Result<Outcome> {
        Ok(self.command(kind, body).await?.map_or_else(|outcome| outcome, |_| Outcome::Done))
    }
}

fn outcome_of(method: &Method, path: &str, reached: &Reached) -> anyhow::Result<Outcome> {
    match reached.status {
        status if status.is_success() => Ok(Outcome::Done),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Ok(Outcome::Later),
        status => bail!("{method} {}: {status} {}", shape(path), reached.text),
    }
}
