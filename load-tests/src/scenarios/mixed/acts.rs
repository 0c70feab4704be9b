//! What people do, and how often each: weights out of about a thousand.
//!
//! A feature of the engine that clients can use belongs into this list.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::crew::Crew;
use crate::client::{Answer, Device, Reached};
use crate::scenarios::chatter::Content;

/// One thing that people do.
pub struct Act {
    pub name: &'static str,
    pub weight: u32,
    pub run: fn(Rc<Crew>, usize, Instant, u64) -> Acting,
}

/// An act under way.
type Acting = Pin<Box<dyn Future<Output = anyhow::Result<Outcome>>>>;

/// How it went.
pub enum Outcome {
    Done,
    /// The engine asked to come later.
    Later,
    /// There was nothing to do: no room yet, or away at the moment.
    Nothing,
}

/// Somebody who does something now.
struct Actor {
    crew: Rc<Crew>,
    device: Rc<Device>,
    due: Instant,
    random: u64,
}

macro_rules! acts {
    ($($weight:literal $name:literal $act:ident),* $(,)?) => {
        /// Everything, with its weight.
        pub const ACTS: &[Act] = &[$(Act {
            name: $name,
            weight: $weight,
            run: |crew, who, due, random| Box::pin(async move {
                let Some(device) = crew.devices.get(who).map(Rc::clone) else { return Ok(Outcome::Nothing) };
                Actor { crew, device, due, random }.$act().await
            }),
        }),*];
    };
}

acts! {
    450 "post" post,
    30 "post over HTTP" post_over_http,
    150 "read newest" read_newest,
    40 "scroll back" scroll_back,
    80 "mark as read" mark_read,
    20 "catch up" catch_up,
    10 "events over HTTP" events,
    60 "come back" come_back,
    30 "list rooms" list_rooms,
    15 "look at room" look_at_room,
    15 "list members" list_members,
    15 "find people" find_people,
    10 "look at person" look_at_person,
    8 "new group" new_group,
    8 "leave group" leave_group,
    8 "new direct" new_direct,
    5 "rename" rename,
    12 "join channel" join_channel,
    12 "leave channel" leave_channel,
    3 "change role" change_role,
    8 "spaces" browse_space,
    4 "edit profile" edit_profile,
    10 "ping" ping,
    4 "sign in" sign_in,
}

impl Actor {
    /// One of the rooms that the device knows.
    fn room(&self) -> Option<Uuid> {
        let rooms = self.device.rooms();
        rooms.get(usize::try_from(self.random).unwrap_or(0) % rooms.len().max(1)).copied()
    }

    fn channel(&self) -> Option<Uuid> {
        let channels = &self.crew.channels;
        channels.get(usize::try_from(self.random).unwrap_or(0) % channels.len().max(1)).copied()
    }

    fn somebody(&self) -> Option<Uuid> {
        let people = &self.crew.town.people;
        people.get(usize::try_from(self.random >> 8).unwrap_or(0) % people.len().max(1)).map(|person| person.id)
    }

    async fn http(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Reached> {
        self.crew.accounts.reach(method, path, Some(&self.device.person.token), body).await
    }

    /// A call that must work, or must fail in one of these ways when somebody else was first.
    async fn call(&self, method: Method, path: &str, body: Option<Value>, fine: &[u16]) -> anyhow::Result<Outcome> {
        Ok(match self.http(method.clone(), path, body).await? {
            Reached { status, .. } if status.is_success() || fine.contains(&status.as_u16()) => Outcome::Done,
            Reached { status: StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, .. } => Outcome::Later,
            Reached { status, text } => bail!("{method} {}: {status} {text}", shape(path)),
        })
    }

    async fn command(&self, kind: &str, body: &str) -> anyhow::Result<Outcome> {
        if !self.device.is_connected() {
            return Ok(Outcome::Nothing);
        }
        Ok(match self.device.command(kind, body).await? {
            Answer::Ok(_) => Outcome::Done,
            Answer::Later => Outcome::Later,
            // Somebody left the room, or was removed from it, meanwhile.
            Answer::Never(code) if code == "chat.room_not_found" => Outcome::Nothing,
            Answer::Never(code) => bail!("{kind}: {code}"),
        })
    }

    async fn post(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let text = Content::of(80).due_at(self.crew.meter.nanos(self.due));
        let body = format!("\"room_id\":\"{room}\",\"client_id\":\"{}\",\"content\":\"{text}\"", self.random);
        self.command("message.post", &body).await
    }

    async fn post_over_http(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let text = Content::of(80).due_at(self.crew.meter.nanos(self.due));
        let body = json!({ "client_id": self.random.to_string(), "content": text });
        self.call(Method::POST, &format!("/api/v1/rooms/{room}/messages"), Some(body), &[404]).await
    }

    async fn read_newest(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/messages?limit=50"), None, &[404]).await
    }

    async fn scroll_back(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let before = self.device.last_seq(room).unwrap_or(1) / 2 + 1;
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/messages?before={before}&limit=50"), None, &[404]).await
    }

    async fn mark_read(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let seq = self.device.last_seq(room).unwrap_or(0);
        self.command("receipt.mark", &format!("\"room_id\":\"{room}\",\"read_seq\":{seq}")).await
    }

    async fn catch_up(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let after = self.device.last_seq(room).unwrap_or(0).saturating_sub(50);
        self.command("room.catch_up", &format!("\"room_id\":\"{room}\",\"after\":{after}")).await
    }

    async fn events(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let after = self.device.last_seq(room).unwrap_or(0).saturating_sub(50);
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/events?after={after}&limit=50"), None, &[404]).await
    }

    /// A tunnel: the connection is cut, and a moment later the device resumes.
    async fn come_back(self) -> anyhow::Result<Outcome> {
        if !self.device.is_connected() {
            return Ok(Outcome::Nothing);
        }
        self.device.cut();
        self.device.connect().await?;
        Ok(Outcome::Done)
    }

    async fn list_rooms(self) -> anyhow::Result<Outcome> {
        self.call(Method::GET, "/api/v1/rooms?limit=50", None, &[]).await
    }

    async fn look_at_room(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}"), None, &[404]).await
    }

    async fn list_members(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/rooms/{room}/members?limit=50"), None, &[404]).await
    }

    async fn find_people(self) -> anyhow::Result<Outcome> {
        let part = self.random % 100;
        self.call(Method::GET, &format!("/api/v1/users?query=load-{part}&limit=20"), None, &[]).await
    }

    async fn look_at_person(self) -> anyhow::Result<Outcome> {
        let Some(person) = self.somebody() else { return Ok(Outcome::Nothing) };
        self.call(Method::GET, &format!("/api/v1/users/{person}"), None, &[]).await
    }

    async fn new_group(self) -> anyhow::Result<Outcome> {
        let Some(other) = self.somebody() else { return Ok(Outcome::Nothing) };
        let body = json!({ "kind": "group", "name": "a new group", "member_ids": [other] });
        match self.http(Method::POST, "/api/v1/rooms", Some(body)).await? {
            Reached { status, text } if status.is_success() => {
                let room =
                    serde_json::from_str::<Value>(&text)?["id"].as_str().context("the new room's id")?.parse()?;
                self.crew.new_groups.borrow_mut().push_back((room, Rc::clone(&self.device), other));
                Ok(Outcome::Done)
            }
            Reached { status: StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, .. } => {
                Ok(Outcome::Later)
            }
            Reached { status, text } => bail!("new group: {status} {text}"),
        }
    }

    /// Groups come and go: whoever made the oldest new one empties it, while there are more of them than people.
    async fn leave_group(self) -> anyhow::Result<Outcome> {
        let oldest = {
            let mut groups = self.crew.new_groups.borrow_mut();
            if groups.len() > self.crew.devices.len() { groups.pop_front() } else { None }
        };
        let Some((room, maker, other)) = oldest else { return Ok(Outcome::Nothing) };
        let maker = Self { device: maker, ..self };
        for member in [other, maker.device.person.id] {
            let path = format!("/api/v1/rooms/{room}/members/{member}");
            maker.call(Method::DELETE, &path, None, &[403, 404, 409]).await?;
        }
        Ok(Outcome::Done)
    }

    /// With one of the few whom everybody writes to alone.
    async fn new_direct(self) -> anyhow::Result<Outcome> {
        let people = &self.crew.town.people;
        let me = people.iter().position(|person| person.id == self.device.person.id).unwrap_or(0);
        let friend = me + 1 + usize::from(self.random.is_multiple_of(2));
        let Some(other) = people.get(friend % people.len().max(1)) else { return Ok(Outcome::Nothing) };
        let body = json!({ "kind": "direct", "member_ids": [other.id] });
        self.call(Method::POST, "/api/v1/rooms", Some(body), &[]).await
    }

    /// Only who may: others are told so.
    async fn rename(self) -> anyhow::Result<Outcome> {
        let Some(room) = self.room() else { return Ok(Outcome::Nothing) };
        let body = json!({ "topic": format!("topic {}", self.random % 1_000) });
        self.call(Method::PATCH, &format!("/api/v1/rooms/{room}"), Some(body), &[403, 404, 409, 422]).await
    }

    async fn join_channel(self) -> anyhow::Result<Outcome> {
        let Some(channel) = self.channel() else { return Ok(Outcome::Nothing) };
        let body = json!({ "user_id": self.device.person.id });
        self.call(Method::POST, &format!("/api/v1/rooms/{channel}/members"), Some(body), &[409]).await
    }

    async fn leave_channel(self) -> anyhow::Result<Outcome> {
        let Some(channel) = self.channel() else { return Ok(Outcome::Nothing) };
        let path = format!("/api/v1/rooms/{channel}/members/{}", self.device.person.id);
        self.call(Method::DELETE, &path, None, &[404, 409]).await
    }

    async fn change_role(self) -> anyhow::Result<Outcome> {
        let (Some(room), Some(somebody)) = (self.room(), self.somebody()) else { return Ok(Outcome::Nothing) };
        let role = if self.random.is_multiple_of(2) { "admin" } else { "member" };
        let path = format!("/api/v1/rooms/{room}/members/{somebody}");
        self.call(Method::PATCH, &path, Some(json!({ "role": role })), &[403, 404, 409, 422]).await
    }

    async fn browse_space(self) -> anyhow::Result<Outcome> {
        let space = self.crew.space;
        let paths = [
            "/api/v1/spaces".to_owned(),
            format!("/api/v1/spaces/{space}"),
            format!("/api/v1/spaces/{space}/rooms"),
            format!("/api/v1/spaces/{space}/members?limit=50"),
        ];
        let path = paths.get(usize::try_from(self.random % 4)?).context("one of four")?;
        self.call(Method::GET, path, None, &[]).await
    }

    async fn edit_profile(self) -> anyhow::Result<Outcome> {
        let body = json!({ "status_message": format!("busy until {}", self.random % 24) });
        self.call(Method::PATCH, "/api/v1/users/me", Some(body), &[]).await
    }

    async fn ping(self) -> anyhow::Result<Outcome> {
        self.command("ping", "").await
    }

    /// A new account signs in, refreshes and signs out: the whole life of a sign-in.
    async fn sign_in(self) -> anyhow::Result<Outcome> {
        let name = format!("{}-{:x}", self.crew.run_name, self.random);
        let password = "a password for one day";
        let accounts = &self.crew.accounts;
        let patience = Duration::from_secs(30);
        let body = json!({ "username": name, "email": format!("{name}@example.com"), "password": password });
        let Some(_) = accounts.open_door("/api/v1/auth/register", None, body, patience).await? else {
            return Ok(Outcome::Later);
        };
        let body = json!({ "login": name, "password": password, "device": { "name": "day" } });
        let Some(signed_in) = accounts.open_door("/api/v1/auth/login", None, body, patience).await? else {
            return Ok(Outcome::Later);
        };
        let refresh = signed_in.get("refresh_token").cloned().context("a refresh token")?;
        let body = json!({ "refresh_token": refresh });
        let Some(again) = accounts.open_door("/api/v1/auth/refresh", None, body, patience).await? else {
            return Ok(Outcome::Later);
        };
        let token = again.get("access_token").and_then(Value::as_str).context("an access token")?;
        accounts.open_door("/api/v1/auth/logout", Some(token), json!({}), patience).await?;
        Ok(Outcome::Done)
    }
}

/// A path without its ids, so that one mistake is one complaint.
fn shape(path: &str) -> String {
    let words = path.split('/').map(|word| if Uuid::parse_str(word).is_ok() { "…" } else { word });
    words.collect::<Vec<_>>().join("/")
}
