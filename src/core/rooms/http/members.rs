//! `/rooms/{id}/members`: who is in a room, and as what.

use actix_web::web::Path;
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::strangers::invite;
use super::{ListPage, Parts, require_room_for};
use crate::accounts::Caller;
use crate::rooms::error::ChatError;
use crate::rooms::messages::{ChangeRoom, Changed, Command};
use crate::rooms::permissions::Role;
use crate::rooms::state::{Change, Right, WantedChange};
use crate::rooms::store::{self, Place};
use crate::rooms::wire::{EventMember, Invited, RoomMember};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, PageQuery};

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
    let members = store::members(&parts.storage, caller.user_id, *id, after, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(members, &page, RoomMember::cursor)))
}

/// Whom to add.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AddMember {
    user_id: UserId,
    /// `member` when absent.
    #[serde(default)]
    role: Option<Role>,
}

/// Adds someone to a group or channel; in a channel of a space, its people may add themselves. Somebody who is in it already
/// stays what they are (200).
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path)), request_body = AddMember, security(("bearer" = [])),
    responses(
        (status = 201, body = EventMember),
        (status = 200, description = "They were in it already, in this role", body = EventMember),
        (status = 202, description = "They share no room or space with the caller, and are asked first", body = Invited),
        (status = 403, description = "chat.not_allowed, chat.not_invited", body = ProblemBody),
        (status = 409, description = "chat.room_full, chat.too_many_rooms, chat.too_many_invitations", body = ProblemBody),
        (status = 422, description = "chat.user_not_found", body = ProblemBody),
        (status = 429, description = "limits.people, limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/rooms/{id}/members")]
pub async fn add_member(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    body: JsonBody<AddMember>,
) -> Result<HttpResponse, Problem> {
    let AddMember { user_id, role } = body.into_inner();
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
        require_room_for(&parts, &[user_id]).await?;
    }
    if space.is_none()
        && !is_inside
        && let Some(invited) = invite(&parts, Place::Room(*id), caller.user_id, user_id, role).await?
    {
        return Ok(HttpResponse::Accepted().json(invited));
    }
    let changed = change(&parts, &caller, *id, Change::add(user_id, role)).await?;
    let mut response = if changed.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(EventMember::new(user_id.into(), changed.role.unwrap_or(role))))
}

/// The member's new role.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetRole {
    role: Role,
}

/// Changes a member's role.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path), ("user_id" = UserId, Path)), request_body = SetRole,
    security(("bearer" = [])),
    responses(
        (status = 200, body = EventMember),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.room_not_found, chat.not_a_member", body = ProblemBody),
        (status = 409, description = "chat.last_owner", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/rooms/{id}/members/{user_id}")]
pub async fn set_member_role(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, UserId)>,
    body: JsonBody<SetRole>,
) -> Result<HttpResponse, Problem> {
    let (id, user_id) = path.into_inner();
    let role = body.role;
    change(&parts, &caller, id, Change::set_role(user_id, role)).await?;
    Ok(HttpResponse::Ok().json(EventMember::new(user_id.into(), role)))
}

/// Removes a member; removing oneself is leaving. Whoever is out already stays out (204): if they have an invitation, it is
/// taken back; one's own invitations everybody may take back.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path), ("user_id" = UserId, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 409, description = "chat.last_owner", body = ProblemBody),
        (status = 422, description = "chat.direct_room", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[delete("/rooms/{id}/members/{user_id}")]
pub async fn remove_member(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, UserId)>,
) -> Result<HttpResponse, Problem> {
    let (id, user_id) = path.into_inner();
    match change(&parts, &caller, id, Change::remove(user_id)).await {
        Ok(_) => drop(store::revoke(&parts.storage, Place::Room(id), user_id, None).await?),
        Err(problem)
            if problem.code == "chat.not_allowed"
                && store::revoke(&parts.storage, Place::Room(id), user_id, Some(caller.user_id)).await? => {}
        // As of a room that is there and not theirs: an id reveals nothing.
        Err(problem) if caller.user_id == user_id && problem.code == "chat.room_not_found" => {}
        Err(problem) => return Err(problem),
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Has the room make a change, by what the caller is in it and in its space.
pub(super) async fn change(parts: &Parts, caller: &Caller, room: RoomId, change: Change) -> Result<Changed, Problem> {
    let by = caller.user_id;
    parts.limits.change_room(by)?;
    let right = store::role_in_space_of(&parts.storage, by, room).await?.map_or(Right::Own, Right::OfSpace);
    Ok(parts
        .rooms
        .ask(room, |reply| {
            let wanted = WantedChange { by: by.into(), right, client_id: None, change };
            Command::Change(ChangeRoom { wanted, reply })
        })
        .await?)
}
