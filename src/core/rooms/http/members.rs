//! `/rooms/{id}/members`: who is in a room, and as what.
//!
//! Invariant: a change under an `Idempotency-Key` is made once. What was committed under it is looked up before anything else
//! is asked, so that the first answer holds whatever has changed since; requests that come at once meet in the room.

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Parts;
use super::teams::{add_team, naming_team, remove_team};
use crate::accounts::Caller;
use crate::order::{CoreChange, Row};
use crate::rooms::error::ChatError;
use crate::rooms::mailbox::{ChangeRoom, Changed, Command, Posted};
use crate::rooms::permissions::Role;
use crate::rooms::state::{Change, Right, WantedChange};
use crate::rooms::store::{self, Place};
use crate::rooms::strangers::invite;
use crate::rooms::wire::{EventMember, Invited, RoomMember};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::party::{NoParty, Party};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{IdempotencyKey, JsonBody, ListPage, PageQuery};

/// A room's members, a page at a time.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path), PageQuery), security(("bearer" = [])),
    responses((status = 200, body = ListPage<RoomMember>), (status = 404, description = "chat.room_not_found", body = ProblemBody))
)]
#[get("/rooms/{id}/members")]
pub async fn list_members(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    page: PageQuery,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor::<uuid::Uuid>()?;
    let mut members = store::members(&parts.storage, caller.user_id, *id, after, page.one_more()).await?;
    let parties: Vec<Party> = members.iter().filter_map(|member| member.party).collect();
    let mut profiles = parts.profiles.of(caller.user_id, &parties).await?;
    for member in &mut members {
        member.profile = member.party.and_then(|party| profiles.remove(&party));
    }
    Ok(HttpResponse::Ok().json(ListPage::of(members, &page, RoomMember::cursor)))
}

/// Whom to add: a person by `user_id`, or anybody as `party`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AddMember {
    #[serde(default)]
    user_id: Option<UserId>,
    #[serde(default)]
    party: Option<Party>,
    /// `member` when absent.
    #[serde(default)]
    role: Option<Role>,
}

impl AddMember {
    fn party(&self) -> Result<Party, ChatError> {
        match (self.user_id, self.party) {
            (Some(user), None) => Ok(Party::User(user)),
            (None, Some(party)) => Ok(party),
            _ => Err(ChatError::Invalid { field: "party", wanted: "or user_id must be given, one of the two".into() }),
        }
    }
}

/// Adds someone to a group or channel; in a channel of a space, its people may add themselves. Somebody who is in it already
/// stays what they are (200). A team is added by one of its people, and comes with all of them: they are in the room as long
/// as it is.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path), IdempotencyKey), request_body = AddMember, security(("bearer" = [])),
    responses(
        (status = 201, body = EventMember),
        (status = 200, description = "They were in it already, or this very change added them before, in this role", body = EventMember),
        (status = 202, description = "They share no room or space with the caller, and are asked first", body = Invited),
        (status = 403, description = "chat.not_allowed, chat.not_invited", body = ProblemBody),
        (status = 409, description = "chat.room_full, chat.too_many_rooms, chat.too_many_invitations", body = ProblemBody),
        (status = 422, description = "chat.user_not_found, chat.party_not_found, chat.direct_room, chat.invalid, limits.people_at_once", body = ProblemBody),
        (status = 429, description = "limits.people, limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/rooms/{id}/members")]
pub async fn add_member(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    key: IdempotencyKey,
    body: JsonBody<AddMember>,
) -> Result<HttpResponse, Problem> {
    let role = body.role;
    let user_id = match body.party()? {
        Party::User(user) => user,
        Party::Team(team) => {
            let role = role.unwrap_or(Role::Member);
            let changed = add_team(&parts, &caller, *id, key, team, role).await?;
            return Ok(added(&changed, Party::Team(team), role));
        }
        other => return Err(ChatError::PartyNotFound(other).into()),
    };
    let is_same = |row: &Row| match row.change() {
        Some(CoreChange::MemberAdded { party, role: as_what, .. }) => {
            *party == user_id.into() && role.is_none_or(|role| role == *as_what)
        }
        _ => false,
    };
    if let Some(Changed { role: Some(role), .. }) = made_before(&parts, &caller, *id, &key, is_same).await? {
        return Ok(HttpResponse::Ok().json(EventMember::new(user_id.into(), role)));
    }
    let space = store::channel_space(&parts.storage, caller.user_id, *id).await?;
    let in_space = match space {
        Some(space) => store::space_role(&parts.storage, user_id, space).await?,
        None => None,
    };
    // Guests of a space are guests in its channels, unless someone who may makes them more.
    let role = role.unwrap_or(in_space.unwrap_or(Role::Member).min(Role::Member));
    if space.is_some() && in_space.is_none() {
        return Err(ChatError::UserNotFound(format!("{user_id} is not a member of the channel's space")).into());
    }
    if !store::user_exists(&parts.storage, caller.user_id, user_id).await? {
        return Err(ChatError::UserNotFound(user_id.to_string()).into());
    }
    // Who is in it already costs nothing, and is asked nothing.
    let is_inside = store::is_member(&parts.storage, caller.user_id, *id, user_id).await?;
    if !is_inside {
        if user_id != caller.user_id {
            parts.limits.add_people(caller.user_id, 1)?;
        }
        parts.rooms.require_room_for(&[user_id]).await?;
    }
    if space.is_none()
        && !is_inside
        && let Some(invited) = invite(&parts.rooms, Place::Room(*id), caller.user_id, user_id, role).await?
    {
        return Ok(HttpResponse::Accepted().json(invited));
    }
    let changed = make(&parts, &caller, *id, key, None, Change::add(user_id, role)).await?;
    Ok(added(&changed, user_id.into(), role))
}

/// 201 for whoever came in, 200 for whoever was in it, with what they are in it.
fn added(changed: &Changed, party: Party, role: Role) -> HttpResponse {
    let mut response = if changed.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    response.json(EventMember::new(party, changed.role.unwrap_or(role)))
}

/// A member in a path: a user's id, or `team:ID`.
fn member_in_path(text: &str) -> Result<Party, Problem> {
    text.parse().map_err(|error: NoParty| {
        Problem::not_found("request.invalid_path", format!("There is nothing under this path: {error}."))
    })
}

/// The member's new role.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetRole {
    role: Role,
}

/// Changes a member's role: a user's by their id, a team's and its people's by `team:ID`. Somebody who is here with a team and
/// is given another role is here for themselves from then on.
#[utoipa::path(
    tag = "rooms",
    params(("id" = RoomId, Path), ("party" = String, Path, description = "A user's id, or `team:ID`"), IdempotencyKey),
    request_body = SetRole,
    security(("bearer" = [])),
    responses(
        (status = 200, body = EventMember),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.room_not_found, chat.not_a_member", body = ProblemBody),
        (status = 409, description = "chat.last_owner", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/rooms/{id}/members/{party}")]
pub async fn set_member_role(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, String)>,
    key: IdempotencyKey,
    body: JsonBody<SetRole>,
) -> Result<HttpResponse, Problem> {
    let (id, party) = path.into_inner();
    let (party, role) = (member_in_path(&party)?, body.role);
    match party {
        Party::User(_) | Party::Team(_) => {
            change(&parts, &caller, id, key, None, Change::SetRole { party, role }).await?;
        }
        other => return Err(ChatError::PartyNotFound(other).into()),
    }
    Ok(HttpResponse::Ok().json(EventMember::new(party, role)))
}

/// Removes a member; removing oneself is leaving. Whoever is out already stays out (204): if they have an invitation, it is
/// taken back; one's own invitations everybody may take back. A team, by `team:ID`, goes with those who are here with it and
/// with no other; its owners may take it out as well.
#[utoipa::path(
    tag = "rooms",
    params(("id" = RoomId, Path), ("party" = String, Path, description = "A user's id, or `team:ID`"), IdempotencyKey),
    security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 409, description = "chat.last_owner; chat.of_team: they are here with a team", body = ProblemBody),
        (status = 422, description = "chat.direct_room, chat.party_not_found", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[delete("/rooms/{id}/members/{party}")]
pub async fn remove_member(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, String)>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let (id, party) = path.into_inner();
    match member_in_path(&party)? {
        Party::User(user) => remove_person(&parts, &caller, id, key, user).await?,
        Party::Team(team) => drop(remove_team(&parts, &caller, id, key, team).await?),
        other => return Err(ChatError::PartyNotFound(other).into()),
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn remove_person(
    parts: &Parts,
    caller: &Caller,
    id: RoomId,
    key: IdempotencyKey,
    user_id: UserId,
) -> Result<(), Problem> {
    let wanted = Change::remove(user_id);
    let changed = match made_before(parts, caller, id, &key, |row| wanted.may_be(row)).await? {
        // They may have been invited again since, or be here with a team.
        Some(_) => return Ok(()),
        None => make(parts, caller, id, key.clone(), None, wanted).await,
    };
    match changed {
        // They may have been invited again since.
        Ok(changed) if changed.is_repeat(caller.user_id.into(), key.0.as_deref()) => {}
        Ok(_) => drop(store::revoke(&parts.storage, Place::Room(id), user_id, None).await?),
        Err(problem)
            if problem.code == "chat.not_allowed"
                && store::revoke(&parts.storage, Place::Room(id), user_id, Some(caller.user_id)).await? => {}
        Err(problem) if problem.code == "chat.of_team" => return naming_team(parts, id, user_id, problem).await,
        // As of a room that is there and not theirs: an id reveals nothing.
        Err(problem) if caller.user_id == user_id && problem.code == "chat.room_not_found" => {}
        Err(problem) => return Err(problem),
    }
    Ok(())
}

/// Has the room make a change, unless it was made before under this key: by this right, or else by what the caller is in it.
pub(super) async fn change(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    key: IdempotencyKey,
    right: Option<Right>,
    change: Change,
) -> Result<Changed, Problem> {
    match made_before(parts, caller, room, &key, |row| change.may_be(row)).await? {
        Some(first) => Ok(first),
        None => make(parts, caller, room, key, right, change).await,
    }
}

/// What the caller's change under this key became, if it was made; it must be the same one.
async fn made_before(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    key: &IdempotencyKey,
    is_same: impl Fn(&Row) -> bool,
) -> Result<Option<Changed>, ChatError> {
    let Some(key) = &key.0 else { return Ok(None) };
    let sent = store::sent_before(&parts.storage, room, &[(Some(caller.user_id.into()), key.clone())]).await?;
    match sent.into_iter().find(|row| row.event().is_some()) {
        Some(row) if is_same(&row) => Ok(Some(Changed::by(Posted { row: Arc::new(row), repeated: true }))),
        Some(_) => Err(ChatError::KeyReused),
        None => Ok(None),
    }
}

/// Has the room make a change, by this right, or by what the caller is in it and in its space.
async fn make(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    key: IdempotencyKey,
    right: Option<Right>,
    change: Change,
) -> Result<Changed, Problem> {
    let by = caller.user_id;
    parts.limits.change_room(by)?;
    let right = match right {
        Some(right) => right,
        None => store::role_in_space_of(&parts.storage, by, room).await?.map_or(Right::Own, Right::OfSpace),
    };
    Ok(parts
        .rooms
        .ask(room, |reply| {
            let wanted = WantedChange { by: by.into(), right, client_id: key.0, change };
            Command::Change(ChangeRoom { wanted, reply })
        })
        .await?)
}
