//! Somebody who does something now, and the ways in which they can ask the engine.

use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, question};
use super::{Outcome, shape};
use crate::client::{Answer, Device, Person, Reached};
use crate::scenarios::mixed::crew::Crew;

/// What somebody can be in a room or a space.
pub const ROLES: [&str; 4] = ["guest", "member", "admin", "owner"];

/// See the module.
pub struct Actor {
    pub crew: Rc<Crew>,
    pub device: Rc<Device>,
    /// Their place among the people of the town.
    pub who: usize,
    pub due: Instant,
    pub random: u64,
    /// What this act says that it sends.
    pub calls: &'static [Call],
}

impl Actor {
    /// One of so many places; which one differs by `salt`.
    pub fn place(&self, count: usize, salt: u32) -> usize {
        usize::try_from(self.random.rotate_right(salt)).unwrap_or(0) % count.max(1)
    }

    /// One of these; which one differs by `salt`.
    pub fn pick<'a, T>(&self, from: &'a [T], salt: u32) -> Option<&'a T> {
        from.get(self.place(from.len(), salt))
    }

    /// True once in so many acts; in which differs by `salt`.
    pub fn one_in(&self, many: usize, salt: u32) -> bool {
        self.place(many, salt) == 0
    }

    /// This body; in half of all acts with a field that may be left out.
    pub fn perhaps(&self, salt: u32, body: Value, field: &str, value: impl Into<Value>) -> Value {
        if self.one_in(2, salt) { with(body, field, value) } else { body }
    }

    /// Whom to add to a room or a space; in half of all acts it is said as what.
    pub fn member(&self, user: Uuid) -> Value {
        let role = self.pick(&ROLES, 52).copied().unwrap_or_default();
        self.perhaps(50, json!({ "user_id": user }), "role", role)
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
        self.http_with(Some(&device.person.token), method, path, body).await
    }

    /// With this access token, or with none.
    pub async fn http_with(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Reached> {
        self.note_sent(&format!("{method} {}", shape(path)), path, body.as_ref().unwrap_or(&Value::Null))?;
        self.crew.accounts.reach(method, path, token, body).await
    }

    /// Keeps which fields were sent. What this act does not say that it sends is a mistake of ours.
    pub fn note_sent(&self, call: &str, path: &str, body: &Value) -> anyhow::Result<()> {
        let declared = self.calls.iter().find(|declared| declared.name == call);
        let declared = declared.with_context(|| format!("{call} is not among the calls of this act"))?;
        let filled = [declared.filled(&question(path))?, declared.filled(body)?].concat();
        self.crew.tally.fields.borrow_mut().extend(filled.into_iter().map(|field| (declared.name, field)));
        Ok(())
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
        outcome_of(&method, path, &reached, refusals)
    }

    /// Makes something, under an id of its own; the engine's id of it, or why there is none.
    pub async fn make(&self, path: &str, body: Value) -> anyhow::Result<Result<Uuid, Outcome>> {
        let body = with(body, "client_id", Uuid::now_v7().to_string());
        let reached = self.http(Method::POST, path, Some(body)).await?;
        Ok(match outcome_of(&Method::POST, path, &reached, &[])? {
            Outcome::Done => {
                let body = reached.body();
                Ok(body.get("id").and_then(Value::as_str).context("the id of what was made")?.parse()?)
            }
            outcome => Err(outcome),
        })
    }

    /// A page of a list, or why there is none.
    pub async fn page(&self, path: &str, refusals: &[u16]) -> anyhow::Result<Result<Value, Outcome>> {
        let reached = self.http(Method::GET, path, None).await?;
        done(&Method::GET, path, &reached, refusals)
    }

    /// A command, and what it was answered if it was obeyed.
    pub async fn command(&self, kind: &str, body: &Value) -> anyhow::Result<Result<Value, Outcome>> {
        self.command_on(&self.device, kind, body).await
    }

    /// The same on another connection.
    pub async fn command_on(
        &self,
        device: &Device,
        kind: &str,
        body: &Value,
    ) -> anyhow::Result<Result<Value, Outcome>> {
        self.note_sent(kind, "", body)?;
        let text = body.to_string();
        let fields = text.get(1..text.len() - 1).unwrap_or_default();
        Ok(match device.command(kind, fields).await? {
            Answer::Ok(answer) => Ok(answer),
            Answer::Later => Err(Outcome::Later),
            Answer::Gone => Err(Outcome::Away),
            // They left the room, or were removed from it, meanwhile.
            Answer::Never(code) if code == "chat.room_not_found" => Err(Outcome::Refused),
            Answer::Never(code) => bail!("{kind}: {code}"),
        })
    }

    /// A command whose answer says nothing but that.
    pub async fn obey(&self, kind: &str, body: &Value) -> anyhow::Result<Outcome> {
        Ok(self.command(kind, body).await?.map_or_else(|outcome| outcome, |_| Outcome::Done))
    }
}

/// This body with one more field.
pub fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
    body
}

/// The body of an answer, or why nothing was done.
pub fn done(
    method: &Method,
    path: &str,
    reached: &Reached,
    refusals: &[u16],
) -> anyhow::Result<Result<Value, Outcome>> {
    Ok(match outcome_of(method, path, reached, refusals)? {
        Outcome::Done => Ok(reached.body()),
        outcome => Err(outcome),
    })
}

fn outcome_of(method: &Method, path: &str, reached: &Reached, refusals: &[u16]) -> anyhow::Result<Outcome> {
    match reached.status {
        status if status.is_success() => Ok(Outcome::Done),
        status if refusals.contains(&status.as_u16()) => Ok(Outcome::Refused),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Ok(Outcome::Later),
        status => bail!("{method} {}: {status} {}", shape(path), reached.text),
    }
}
