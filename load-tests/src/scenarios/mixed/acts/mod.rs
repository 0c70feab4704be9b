//! What people do, and how often each: weights out of about a thousand.
//!
//! A feature of the engine that clients can use belongs into this list, with the calls and commands that it makes and
//! the fields that it sends, each at least now and then: the tests compare them with the engine's reference.

mod account;
mod actor;
mod administration;
mod call;
mod edits;
mod groups;
mod keys;
mod people;
mod posting;
mod reading;
mod rooms;
mod spaces;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use super::crew::Crew;
use actor::Actor;
use call::Call;
pub use keys::KeyRing;

/// One thing that people do.
pub struct Act {
    pub name: &'static str,
    pub weight: u32,
    /// All that it may send.
    pub calls: &'static [Call],
    pub run: fn(Rc<Crew>, usize, Instant, u64, &'static [Call]) -> Acting,
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
    ($($weight:literal $name:literal $act:ident [$($call:literal $(: $fields:literal)?),+]),* $(,)?) => {
        /// Everything, with its weight.
        pub const ACTS: &[Act] = &[$(Act {
            name: $name,
            weight: $weight,
            calls: &[$(Call { name: $call, fields: concat!($($fields)?) }),+],
            run: |crew, who, due, random, calls| Box::pin(async move {
                let Some(device) = crew.devices.get(who).map(Rc::clone) else { return Ok(Outcome::Nothing) };
                Actor { crew, device, who, due, random, calls }.$act().await
            }),
        }),*];
    };
}

acts! {
    430 "post" post ["message.post": "room_id client_id content kind parts"],
    20 "reply" reply ["message.post": "room_id client_id content kind parts reply_to"],
    30 "post over HTTP" post_over_http ["POST /rooms/{id}/messages": "client_id content kind parts reply_to"],
    10 "edit" edit [
        "message.post": "room_id client_id content",
        "message.edit": "room_id message_id client_id content parts",
        "message.delete": "room_id message_id client_id"
    ],
    5 "edit over HTTP" edit_over_http [
        "message.post": "room_id client_id content",
        "PATCH /rooms/{id}/messages/{message_id}": "client_id content parts",
        "GET /rooms/{id}/messages/{message_id}/versions": "limit before after",
        "DELETE /rooms/{id}/messages/{message_id}"
    ],
    150 "read newest" read_newest ["GET /rooms/{id}/messages": "limit"],
    40 "scroll back" scroll_back ["GET /rooms/{id}/messages": "before after limit"],
    80 "mark as read" mark_read ["receipt.mark": "room_id delivered_seq read_seq"],
    20 "catch up" catch_up ["room.catch_up": "room_id after limit"],
    4 "catch up far" catch_up_far ["room.catch_up": "room_id after"],
    10 "events over HTTP" events ["GET /rooms/{id}/events": "after limit"],
    60 "come back" come_back ["hello": "token device.id device.name resume epoch"],
    30 "list rooms" list_rooms ["GET /rooms": "limit before after"],
    15 "look at room" look_at_room ["GET /rooms/{id}"],
    15 "list members" list_members ["GET /rooms/{id}/members": "limit before after"],
    15 "find people" find_people ["GET /users": "query limit before after"],
    10 "look at person" look_at_person ["GET /users/{id}"],
    5 "look at oneself" look_at_oneself ["GET /users/me"],
    8 "new group" new_group ["POST /rooms": "client_id kind=group name topic member_ids"],
    8 "add to group" add_to_group [
        "POST /rooms/{id}/members": "user_id role=guest role=member role=admin role=owner"
    ],
    // More often than one is made: else their number would wander, and with it the memory of a soak.
    10 "leave group" leave_group ["DELETE /rooms/{id}/members/{party}"],
    8 "new direct" new_direct ["POST /rooms": "kind=direct member_ids"],
    5 "change topic" change_topic ["PATCH /rooms/{id}": "topic"],
    4 "rename room" rename_room ["PATCH /rooms/{id}": "name"],
    12 "join channel" join_channel ["POST /rooms/{id}/members": "user_id"],
    12 "leave channel" leave_channel ["DELETE /rooms/{id}/members/{party}"],
    3 "change role" change_role [
        "PATCH /rooms/{id}/members/{party}": "role=guest role=member role=admin role=owner"
    ],
    8 "spaces" browse_spaces [
        "GET /spaces": "limit before after",
        "GET /spaces/{id}",
        "GET /spaces/{id}/rooms": "limit before after",
        "GET /spaces/{id}/members": "limit before after"
    ],
    3 "new space" new_space [
        "POST /spaces": "client_id name topic",
        "POST /spaces/{id}/members": "user_id role=guest role=member role=admin role=owner",
        "POST /rooms": "client_id kind=channel name topic space_id member_ids"
    ],
    3 "rename space" rename_space ["PATCH /spaces/{id}": "name topic"],
    2 "change role in space" change_space_role [
        "PATCH /spaces/{id}/members/{user_id}": "role=guest role=member role=admin role=owner"
    ],
    4 "leave space" leave_space ["DELETE /spaces/{id}/members/{user_id}", "DELETE /rooms/{id}/members/{party}"],
    3 "invitations" invitations [
        "GET /invitations": "limit before after",
        "POST /invitations/{id}/accept",
        "POST /invitations/{id}/decline"
    ],
    8 "look at parties" look_at_parties ["GET /parties": "ids"],
    3 "team life" team_life [
        "POST /teams": "client_id name description",
        "GET /teams": "limit before after",
        "GET /teams/{id}",
        "PATCH /teams/{id}": "name description",
        "DELETE /teams/{id}",
        "GET /teams/{id}/members": "limit before after",
        "POST /teams/{id}/members": "user_id role=owner role=member",
        "PATCH /teams/{id}/members/{user_id}": "role=owner role=member",
        "DELETE /teams/{id}/members/{user_id}",
        "POST /rooms": "client_id kind=group name member_ids",
        "POST /rooms/{id}/members": "party.type=user party.type=agent party.type=team party.type=contact party.id role=guest role=member role=admin role=owner",
        "PATCH /rooms/{id}/members/{party}": "role=guest role=member role=admin",
        "DELETE /rooms/{id}/members/{party}"
    ],
    4 "edit profile" edit_profile ["PATCH /users/me": "full_name avatar_url status_message phone preferences"],
    10 "ping" ping ["ping"],
    4 "sign in" sign_in [
        "POST /auth/register": "username email password full_name device.id device.name",
        "POST /auth/login": "login password device.id device.name",
        "POST /auth/refresh": "refresh_token",
        "POST /auth/logout": "refresh_token"
    ],
    4 "look at sign-in page" look_at_sign_in_page ["GET /auth/options"],
    2 "tidy devices" tidy_devices [
        "POST /auth/register": "username email password device.id device.name",
        "POST /auth/login": "login password device.id device.name",
        "GET /users/me/devices": "limit before after",
        "DELETE /users/me/devices/{id}",
        "POST /auth/refresh": "refresh_token",
        "POST /auth/logout": "refresh_token",
        "GET /users/me"
    ],
    1 "change password" change_password [
        "POST /auth/register": "username email password device.id device.name",
        "POST /auth/login": "login password device.id device.name",
        "PUT /users/me/password": "current_password new_password",
        "POST /auth/logout": "refresh_token",
        "GET /users/me"
    ],
    1 "forget password" forget_password [
        "POST /auth/register": "username email password device.id device.name",
        "POST /auth/login": "login password device.id device.name",
        "POST /admin/users/{id}/reset-link",
        "POST /auth/reset": "token new_password",
        "GET /users/me"
    ],
    1 "administer" administer [
        "GET /admin/jobs": "state kind limit before after",
        "POST /admin/jobs/{id}/retry",
        "DELETE /admin/jobs/{id}",
        "GET /admin/secrets": "scope limit before after",
        "PUT /admin/secrets/{id}": "value",
        "DELETE /admin/secrets/{id}",
        "POST /admin/rooms/{id}/notices": "client_id content"
    ],
    2 "stay signed in" stay_signed_in [
        "POST /auth/register": "username email password device.id device.name",
        "POST /auth/login": "login password device.id device.name",
        "POST /auth/refresh": "refresh_token",
        "auth.renew": "token",
        "POST /auth/logout": "refresh_token"
    ],
}

/// How many fields there are to be sent.
pub fn fields_in_all() -> usize {
    let calls = ACTS.iter().flat_map(|act| act.calls);
    let fields = calls.flat_map(|call| call.fields.split_whitespace().map(|field| (call.name, field)));
    fields.collect::<BTreeSet<_>>().len()
}

/// A path without its base, its question and its ids, as in the reference: one mistake is one complaint.
fn shape(path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let second = match path {
        path if path.contains("/messages/") => "{message_id}",
        path if path.starts_with("/rooms/") => "{party}",
        _ => "{user_id}",
    };
    let mut ids = ["{id}", second].into_iter();
    let words = path.split('?').next().unwrap_or_default().split('/');
    let is_id = |word: &str| uuid::Uuid::parse_str(word.trim_start_matches("team:")).is_ok();
    let words = words.map(|word| if is_id(word) { ids.next().unwrap_or("…") } else { word });
    words.collect::<Vec<_>>().join("/")
}
