//! What people do, and how often each: weights out of about a thousand.
//!
//! A feature of the engine that clients can use belongs into this list, with the calls and commands that it makes: the
//! tests compare them with the engine's reference.

mod actor;
mod groups;
mod people;
mod posting;
mod reading;
mod rooms;
mod spaces;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use super::crew::Crew;
use actor::Actor;

/// One thing that people do.
pub struct Act {
    pub name: &'static str,
    pub weight: u32,
    /// As in the reference: `POST /rooms`, or the type of a frame.
    pub calls: &'static [&'static str],
    pub run: fn(Rc<Crew>, usize, Instant, u64, &'static [&'static str]) -> Acting,
}

/// An act under way.
type Acting = Pin<Box<dyn Future<Output = anyhow::Result<Outcome>>>>;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The engine said no, as it should: somebody else was first, or they may not.
    Refused,
    /// The engine asked to come later.
    Later,
    /// The device had no connection, or lost it before the answer came.
    Away,
    /// There was nothing to do.
    Nothing,
}

macro_rules! acts {
    ($($weight:literal $name:literal $act:ident [$($call:literal),+]),* $(,)?) => {
        /// Everything, with its weight.
        pub const ACTS: &[Act] = &[$(Act {
            name: $name,
            weight: $weight,
            calls: &[$($call),+],
            run: |crew, who, due, random, calls| Box::pin(async move {
                let Some(device) = crew.devices.get(who).map(Rc::clone) else { return Ok(Outcome::Nothing) };
                Actor { crew, device, who, due, random, calls }.$act().await
            }),
        }),*];
    };
}

acts! {
    430 "post" post ["message.post"],
    20 "reply" reply ["message.post"],
    30 "post over HTTP" post_over_http ["POST /rooms/{id}/messages"],
    150 "read newest" read_newest ["GET /rooms/{id}/messages"],
    40 "scroll back" scroll_back ["GET /rooms/{id}/messages"],
    80 "mark as read" mark_read ["receipt.mark"],
    20 "catch up" catch_up ["room.catch_up"],
    4 "catch up far" catch_up_far ["room.catch_up"],
    10 "events over HTTP" events ["GET /rooms/{id}/events"],
    60 "come back" come_back ["hello"],
    30 "list rooms" list_rooms ["GET /rooms"],
    15 "look at room" look_at_room ["GET /rooms/{id}"],
    15 "list members" list_members ["GET /rooms/{id}/members"],
    15 "find people" find_people ["GET /users"],
    10 "look at person" look_at_person ["GET /users/{id}"],
    5 "look at oneself" look_at_oneself ["GET /users/me"],
    8 "new group" new_group ["POST /rooms"],
    8 "add to group" add_to_group ["POST /rooms/{id}/members"],
    // More often than one is made: else their number would wander, and with it the memory of a soak.
    10 "leave group" leave_group ["DELETE /rooms/{id}/members/{user_id}"],
    8 "new direct" new_direct ["POST /rooms"],
    5 "change topic" change_topic ["PATCH /rooms/{id}"],
    4 "rename room" rename_room ["PATCH /rooms/{id}"],
    12 "join channel" join_channel ["POST /rooms/{id}/members"],
    12 "leave channel" leave_channel ["DELETE /rooms/{id}/members/{user_id}"],
    3 "change role" change_role ["PATCH /rooms/{id}/members/{user_id}"],
    8 "spaces" browse_spaces ["GET /spaces", "GET /spaces/{id}", "GET /spaces/{id}/rooms", "GET /spaces/{id}/members"],
    3 "new space" new_space ["POST /spaces", "POST /spaces/{id}/members"],
    3 "rename space" rename_space ["PATCH /spaces/{id}"],
    4 "leave space" leave_space ["DELETE /spaces/{id}/members/{user_id}"],
    4 "edit profile" edit_profile ["PATCH /users/me"],
    10 "ping" ping ["ping"],
    4 "sign in" sign_in ["POST /auth/register", "POST /auth/login", "POST /auth/refresh", "POST /auth/logout"],
}

/// A path without its base, its question and its ids, as in the reference: one mistake is one complaint.
fn shape(path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let mut ids = ["{id}", "{user_id}"].into_iter();
    let words = path.split('?').next().unwrap_or_default().split('/');
    let words = words.map(|word| if uuid::Uuid::parse_str(word).is_ok() { ids.next().unwrap_or("…") } else { word });
    words.collect::<Vec<_>>().join("/")
}
