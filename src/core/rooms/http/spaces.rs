//! `/spaces`: containers of channels.

use actix_web::web::Path;
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Parts;
use crate::accounts::Caller;
use crate::rooms::error::ChatError;
use crate::rooms::permissions::{Action, Role, may_in_space, outranks};
use crate::rooms::store::{self, NewSpace, Place};
use crate::rooms::strangers::invite;
use crate::rooms::wire::{ChannelListing, EventMember, Invited, Space, SpaceMember};
use crate::rooms::{check_client_id, plain_text};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, ListPage, PageQuery};

/// A space to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateSpace {
    /// The client's own id for it, at most 64 bytes: sending it again returns the first space.
    #[serde(default)]
    client_id: Option<String>,
    name: String,
    #[serde(default)]
    topic: Option<String>,
}

/// Makes a space, with the caller as its owner. The same `client_id` again: 200 and the first one; without one, each
/// request makes another.
#[utoipa::path(
    tag = "spaces", request_body = CreateSpace, security(("bearer" = [])),
    responses(
        (status = 201, body = Space), (status = 200, description = "It had been made before", body = Space),
        (status = 503, description = "engine.unavailable: send it again with the same client_id", body = ProblemBody),
    )
)]
#[post("/spaces")]
pub async fn create_space(parts: Parts, caller: Caller, body: JsonBody<CreateSpace>) -> Result<HttpResponse, Problem> {
    let name = name(&parts, &body.name)?;
    let topic = topic(&parts, body.topic.as_deref())?;
    let client_id = body.client_id.as_deref();
    client_id.map(|client_id| check_client_id(&parts.config, client_id)).transpose()?;
    // What is sent again costs nothing.
    if !store::space_was_made(&parts.storage, caller.user_id, client_id).await? {
        parts.limits.make_room(caller.user_id)?;
    }
    let space = NewSpace {
        id: SpaceId::new(&parts.clock),
        client_id,
        owner: caller.user_id,
        name: &name,
        topic: topic.as_deref().filter(|topic| !topic.is_empty()),
        at: parts.clock.now(),
    };
    let (id, is_new) = store::create_space(&parts.storage, &space).await?;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(store::space_of(&parts.storage, caller.user_id, id).await?))
}

/// The caller's spaces.
#[utoipa::path(tag = "spaces", params(PageQuery), security(("bearer" = [])), responses((status = 200, body = ListPage<Space>)))]
#[get("/spaces")]
pub async fn list_spaces(parts: Parts, caller: Caller, page: PageQuery) -> Result<HttpResponse, Problem> {
    let spaces = store::spaces_of(&parts.storage, caller.user_id, page.cursor()?, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(spaces, &page, |space| space.id.to_string())))
}

/// One space of the caller.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path)), security(("bearer" = [])),
    responses((status = 200, body = Space), (status = 404, description = "chat.space_not_found", body = ProblemBody))
)]
#[get("/spaces/{id}")]
pub async fn get_space(parts: Parts, caller: Caller, id: Path<SpaceId>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(store::space_of(&parts.storage, caller.user_id, *id).await?))
}

/// What to change; what is absent stays, an empty topic clears it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateSpace {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    topic: Option<String>,
}

/// Renames a space or changes its topic.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path)), request_body = UpdateSpace, security(("bearer" = [])),
    responses(
        (status = 200, body = Space),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/spaces/{id}")]
pub async fn update_space(
    parts: Parts,
    caller: Caller,
    id: Path<SpaceId>,
    body: JsonBody<UpdateSpace>,
) -> Result<HttpResponse, Problem> {
    parts.limits.change_room(caller.user_id)?;
    require(&parts, caller.user_id, *id, Action::Describe).await?;
    let name = body.name.as_deref().map(|text| name(&parts, text)).transpose()?;
    let topic = topic(&parts, body.topic.as_deref())?;
    let at = parts.clock.now();
    store::describe_space(&parts.storage, *id, name.as_deref(), topic.as_deref(), at).await?;
    Ok(HttpResponse::Ok().json(store::space_of(&parts.storage, caller.user_id, *id).await?))
}

/// The channels of a space that the caller may find, joined or not.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path), PageQuery), security(("bearer" = [])),
    responses((status = 200, body = ListPage<ChannelListing>), (status = 404, description = "chat.space_not_found", body = ProblemBody))
)]
#[get("/spaces/{id}/rooms")]
pub async fn list_space_rooms(
    parts: Parts,
    caller: Caller,
    id: Path<SpaceId>,
    page: PageQuery,
) -> Result<HttpResponse, Problem> {
    require(&parts, caller.user_id, *id, Action::Read).await?;
    let after = page.cursor::<RoomId>()?;
    let channels = store::channels_of_space(&parts.storage, caller.user_id, *id, after, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(channels, &page, |channel| channel.id.to_string())))
}

/// The people of a space.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path), PageQuery), security(("bearer" = [])),
    responses((status = 200, body = ListPage<SpaceMember>), (status = 404, description = "chat.space_not_found", body = ProblemBody))
)]
#[get("/spaces/{id}/members")]
pub async fn list_space_members(
    parts: Parts,
    caller: Caller,
    id: Path<SpaceId>,
    page: PageQuery,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor::<UserId>()?;
    let members = store::space_members(&parts.storage, caller.user_id, *id, after, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(members, &page, |member| member.user.id.to_string())))
}

/// Whom to add.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AddSpaceMember {
    user_id: UserId,
    /// `member` when absent.
    #[serde(default)]
    role: Option<Role>,
}

/// Adds someone to a space; they may then join its channels. Somebody who is in it already stays what they are (200).
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path)), request_body = AddSpaceMember, security(("bearer" = [])),
    responses(
        (status = 201, body = EventMember),
        (status = 200, description = "They were in it already, in this role", body = EventMember),
        (status = 202, description = "They share no room or space with the caller, and are asked first", body = Invited),
        (status = 403, description = "chat.not_allowed, chat.not_invited", body = ProblemBody),
        (status = 409, description = "chat.too_many_invitations", body = ProblemBody),
        (status = 422, description = "chat.user_not_found", body = ProblemBody),
        (status = 429, description = "limits.people: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/spaces/{id}/members")]
pub async fn add_space_member(
    parts: Parts,
    caller: Caller,
    id: Path<SpaceId>,
    body: JsonBody<AddSpaceMember>,
) -> Result<HttpResponse, Problem> {
    let own = require(&parts, caller.user_id, *id, Action::AddMember).await?;
    let (user_id, role) = (body.user_id, body.role.unwrap_or(Role::Member));
    if !outranks(own, role) {
        return Err(ChatError::NotAllowed.into());
    }
    if !store::user_exists(&parts.storage, caller.user_id, user_id).await? {
        return Err(ChatError::UserNotFound(user_id.to_string()).into());
    }
    if user_id != caller.user_id {
        parts.limits.add_people(caller.user_id, 1)?;
    }
    if let Some(invited) = invite(&parts.rooms, Place::Space(*id), caller.user_id, user_id, role).await? {
        return Ok(HttpResponse::Accepted().json(invited));
    }
    let (role, is_new) = store::add_space_member(&parts.storage, *id, user_id, role, parts.clock.now()).await?;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(EventMember::new(user_id.into(), role)))
}

/// The member's new role.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetSpaceRole {
    role: Role,
}

/// Changes what someone is in a space. An owner makes another owner, and may then step down or leave.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path), ("user_id" = UserId, Path)), request_body = SetSpaceRole,
    security(("bearer" = [])),
    responses(
        (status = 200, body = EventMember),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.space_not_found, chat.not_a_member", body = ProblemBody),
        (status = 409, description = "chat.last_owner", body = ProblemBody),
    )
)]
#[patch("/spaces/{id}/members/{user_id}")]
pub async fn set_space_member_role(
    parts: Parts,
    caller: Caller,
    path: Path<(SpaceId, UserId)>,
    body: JsonBody<SetSpaceRole>,
) -> Result<HttpResponse, Problem> {
    let (id, user_id) = path.into_inner();
    let role = body.role;
    store::set_space_role(&parts.storage, id, caller.user_id, user_id, role).await?;
    Ok(HttpResponse::Ok().json(EventMember::new(user_id.into(), role)))
}

/// Removes someone from a space and from all of its channels; removing oneself is leaving. They read nothing of the channels
/// from then on, and each channel tells its members by `member.removed`. Whoever is out already stays out (204): if they have an
/// invitation, it is taken back; one's own invitations everybody may take back.
#[utoipa::path(
    tag = "spaces", params(("id" = SpaceId, Path), ("user_id" = UserId, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 404, description = "chat.space_not_found", body = ProblemBody),
        (status = 409, description = "chat.last_owner", body = ProblemBody),
    )
)]
#[delete("/spaces/{id}/members/{user_id}")]
pub async fn remove_space_member(
    parts: Parts,
    caller: Caller,
    path: Path<(SpaceId, UserId)>,
) -> Result<HttpResponse, Problem> {
    let (id, user_id) = path.into_inner();
    let by = caller.user_id;
    // A task of its own: a caller who hangs up does not keep the channels from hearing of it.
    let leaving = actix_web::rt::spawn(async move {
        let place = Place::Space(id);
        let channels = match store::leave_space(&parts.storage, id, by, user_id).await {
            Err(ChatError::NotAllowed) if store::revoke(&parts.storage, place, user_id, Some(by)).await? => {
                return Ok(());
            }
            left => left?,
        };
        parts.rooms.members_departed(user_id, channels).await;
        if by != user_id {
            store::revoke(&parts.storage, place, user_id, None).await?;
        }
        Ok::<_, ChatError>(())
    });
    leaving.await.map_err(|_| Problem::internal())??;
    Ok(HttpResponse::NoContent().finish())
}

async fn require(parts: &Parts, user: UserId, space: SpaceId, action: Action) -> Result<Role, ChatError> {
    let role = store::space_role(&parts.storage, user, space).await?.ok_or(ChatError::SpaceNotFound)?;
    if may_in_space(role, action) { Ok(role) } else { Err(ChatError::NotAllowed) }
}

fn name(parts: &Parts, text: &str) -> Result<String, ChatError> {
    let name = plain_text("name", text, parts.config.name_chars_max)?;
    if name.is_empty() {
        return Err(ChatError::Invalid { field: "name", wanted: "must not be empty".into() });
    }
    Ok(name)
}

fn topic(parts: &Parts, text: Option<&str>) -> Result<Option<String>, ChatError> {
    text.map(|text| plain_text("topic", text, parts.config.topic_chars_max)).transpose()
}
