//! `/rooms`: making, listing and describing rooms.

use actix_web::web::Path;
use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Parts;
use super::members::change;
use crate::accounts::Caller;
use crate::rooms::CreateRoom;
use crate::rooms::plain_text;
use crate::rooms::state::Change;
use crate::rooms::store::{self, NewRoom, RoomsCursor};
use crate::rooms::wire::{MadeRoom, RoomSummary};
use parlance_foundation::ids::RoomId;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{IdempotencyKey, JsonBody, ListPage, PageQuery};

/// Makes a room. A direct room of the same two people is returned (200), not made twice; and so is a room that the caller made
/// under the same `client_id`, whatever else is sent with it. Without one, each request makes another.
#[utoipa::path(
    tag = "rooms", request_body = CreateRoom, security(("bearer" = [])),
    responses(
        (status = 201, body = MadeRoom), (status = 200, description = "It had been made before", body = MadeRoom),
        (status = 403, description = "chat.not_invited: the other one of a direct room cannot be asked", body = ProblemBody),
        (status = 409, description = "chat.room_full, chat.too_many_rooms, chat.too_many_invitations", body = ProblemBody),
        (status = 422, description = "chat.invalid, chat.user_not_found, chat.direct_room, limits.people_at_once", body = ProblemBody),
        (status = 503, description = "engine.unavailable: send it again with the same client_id", body = ProblemBody),
        (status = 429, description = "limits.rooms, limits.people: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/rooms")]
pub async fn create_room(parts: Parts, caller: Caller, body: JsonBody<CreateRoom>) -> Result<HttpResponse, Problem> {
    let room = parts.rooms.plan(caller.user_id, body.into_inner()).await?;
    require_allowance(&parts, &room).await?;
    let (is_new, made) = parts.rooms.create(room).await?;
    if is_new {
        let place = format!("/api/v1/rooms/{}", made.room.id);
        return Ok(HttpResponse::Created().insert_header(("location", place)).json(made));
    }
    Ok(HttpResponse::Ok().json(made))
}

/// Whether its maker may make it now. One that is there already is found all the same, and costs nothing.
async fn require_allowance(parts: &Parts, room: &NewRoom) -> Result<(), Problem> {
    if store::was_made(&parts.storage, room).await? {
        return Ok(());
    }
    // Who is asked counts as who is added.
    parts.limits.add_people(room.created_by, (room.members.len() + room.strangers.len()).saturating_sub(1))?;
    Ok(parts.limits.make_room(room.created_by)?)
}

/// The caller's rooms, those with the newest activity (`last_message_at`, else `created_at`) first.
///
/// Rooms may move up while the pages are read. Those that changed since the first page come again at the end, so that none
/// is left out: of a room that came twice, the later one is right.
#[utoipa::path(
    tag = "rooms", params(PageQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = ListPage<RoomSummary>),
    )
)]
#[get("/rooms")]
pub async fn list_rooms(parts: Parts, caller: Caller, page: PageQuery) -> Result<HttpResponse, Problem> {
    let after = page.cursor::<RoomsCursor>()?;
    let (items, next) = store::rooms_page(&parts.storage, caller.user_id, after, page.limit).await?;
    Ok(HttpResponse::Ok().json(ListPage { items, next: next.map(|cursor| cursor.to_string()) }))
}

/// One room, as the caller sees it.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path)), security(("bearer" = [])),
    responses((status = 200, body = RoomSummary), (status = 404, description = "chat.room_not_found", body = ProblemBody))
)]
#[get("/rooms/{id}")]
pub async fn get_room(parts: Parts, caller: Caller, id: Path<RoomId>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(store::room_of(&parts.storage, caller.user_id, *id).await?))
}

/// What to change; what is absent stays, an empty text clears.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateRoom {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    topic: Option<String>,
}

/// Renames a room or changes its topic.
#[utoipa::path(
    tag = "rooms", params(("id" = RoomId, Path), IdempotencyKey), request_body = UpdateRoom, security(("bearer" = [])),
    responses(
        (status = 200, body = RoomSummary),
        (status = 403, description = "chat.not_allowed", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/rooms/{id}")]
pub async fn update_room(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    key: IdempotencyKey,
    body: JsonBody<UpdateRoom>,
) -> Result<HttpResponse, Problem> {
    let UpdateRoom { name, topic } = body.into_inner();
    let name = name.map(|name| plain_text("name", &name, parts.config.name_chars_max)).transpose()?;
    let topic = topic.map(|topic| plain_text("topic", &topic, parts.config.topic_chars_max)).transpose()?;
    if name.is_some() || topic.is_some() {
        change(&parts, &caller, *id, key, None, Change::Describe { name, topic }).await?;
    }
    Ok(HttpResponse::Ok().json(store::room_of(&parts.storage, caller.user_id, *id).await?))
}
