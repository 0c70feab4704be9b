//! `/rooms`: making, listing and describing rooms.

use std::time::Duration;

use actix_web::web::Path;
use actix_web::{HttpResponse, get, patch, post};
use bytestring::ByteString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::members::change;
use super::strangers::{bounds, complete_direct, to_be_asked};
use super::{Parts, require_room_for};
use crate::accounts::Caller;
use crate::rooms::error::ChatError;
use crate::rooms::permissions::{Action, Role, RoomKind, may_in_space};
use crate::rooms::state::Change;
use crate::rooms::store::{self, Made, NewRoom, RoomsCursor};
use crate::rooms::wire::{MadeRoom, RoomJoined, RoomSummary, encode};
use crate::rooms::{check_client_id, plain_text};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{IdempotencyKey, JsonBody, ListPage, PageQuery};

/// Pause before the people of a new room are told of it again, when Postgres is away.
const TELL_AGAIN_AFTER: Duration = Duration::from_millis(500);
const TELL_TRIES_MAX: usize = 120;

/// A room to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateRoom {
    /// The client's own id for it, at most 64 bytes: sending it again returns the first room.
    #[serde(default)]
    client_id: Option<String>,
    kind: RoomKind,
    /// Needed for channels; direct rooms have none.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    topic: Option<String>,
    /// The space of a channel; the caller must be a member of it.
    #[serde(default)]
    space_id: Option<SpaceId>,
    /// The other people; the caller is in it anyway. Exactly one for a direct room.
    #[serde(default)]
    member_ids: Vec<UserId>,
}

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
    let room = checked(&parts, caller.user_id, body.into_inner()).await?;
    let by = caller.user_id;
    require_allowance(&parts, &room).await?;
    // A task of its own: a caller who hangs up does not keep the others from hearing of the room.
    let making = actix_web::rt::spawn(async move { make(&parts, by, room).await });
    let (is_new, made) = making.await.map_err(|_| Problem::internal())??;
    if is_new {
        let place = format!("/api/v1/rooms/{}", made.room.id);
        return Ok(HttpResponse::Created().insert_header(("location", place)).json(made));
    }
    Ok(HttpResponse::Ok().json(made))
}

/// Makes or finds the room, and tells everybody. Whether it is new.
async fn make(parts: &Parts, by: UserId, room: NewRoom) -> Result<(bool, MadeRoom), ChatError> {
    let made = store::create_room(&parts.storage, &room, &bounds(parts)).await?;
    let Made { id, is_new, is_unsure, is_pairs, mut invited } = made;
    if is_unsure {
        parts.memory.moved(room.members.iter().map(|(user, _)| *user));
        actix_web::rt::spawn(show_later(parts.clone(), by, room));
        return Err(ChatError::Unavailable);
    }
    if !is_new {
        let other = room.pair.filter(|_| is_pairs).map(|(low, high)| if low == by { high } else { low });
        invited = match other {
            Some(other) => complete_direct(parts, id, by, other).await?,
            None => store::invited_to(&parts.storage, id, by).await?,
        };
        return Ok((false, MadeRoom { room: store::room_of(&parts.storage, by, id).await?, invited }));
    }
    metrics::counter!("parlance_invitations_total", "what" => "made").increment(invited.len() as u64);
    parts.memory.moved(room.members.iter().map(|(user, _)| *user));
    let shown = show(parts, by, &room).await;
    if shown.as_ref().is_err_and(ChatError::is_passing) {
        actix_web::rt::spawn(show_later(parts.clone(), by, room));
    }
    Ok((true, MadeRoom { room: shown?, invited }))
}

/// The room is there, or may be, its maker was told to ask again, and nobody else would tell its people of it.
async fn show_later(parts: Parts, by: UserId, room: NewRoom) {
    for _ in 0..TELL_TRIES_MAX {
        tokio::time::sleep(TELL_AGAIN_AFTER).await;
        if !show(&parts, by, &room).await.is_err_and(|error| error.is_passing()) {
            return;
        }
    }
    tracing::warn!(room_id = %room.id, "its people hear of it when they connect anew: Postgres stayed away");
}

async fn show(parts: &Parts, by: UserId, room: &NewRoom) -> Result<RoomSummary, ChatError> {
    let summary = store::room_of(&parts.storage, by, room.id).await?;
    tell_members(parts, room, &summary).await?;
    Ok(summary)
}

async fn checked(parts: &Parts, by: UserId, body: CreateRoom) -> Result<NewRoom, ChatError> {
    let invalid = |field: &'static str, wanted: &str| ChatError::Invalid { field, wanted: wanted.into() };
    let text = |field, text: Option<String>, max| -> Result<Option<String>, ChatError> {
        let text = text.map(|text| plain_text(field, &text, max)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    };
    let name = text("name", body.name, parts.config.name_chars_max)?;
    let topic = text("topic", body.topic, parts.config.topic_chars_max)?;
    body.client_id.as_deref().map(|client_id| check_client_id(&parts.config, client_id)).transpose()?;
    let mut others = body.member_ids;
    others.sort_unstable();
    others.dedup();
    others.retain(|id| *id != by);
    if others.len() >= parts.config.members_max {
        return Err(ChatError::RoomFull(parts.config.members_max));
    }
    match body.kind {
        RoomKind::Direct if others.len() != 1 || name.is_some() || topic.is_some() => {
            return Err(ChatError::DirectRoom);
        }
        RoomKind::Channel if name.is_none() => return Err(invalid("name", "is needed for a channel")),
        RoomKind::Direct | RoomKind::Group if body.space_id.is_some() => {
            return Err(invalid("space_id", "is for channels only"));
        }
        RoomKind::Direct | RoomKind::Group | RoomKind::Channel => {}
    }
    if let Some(space) = body.space_id {
        let role = store::space_role(&parts.storage, by, space).await?.ok_or(ChatError::SpaceNotFound)?;
        if !may_in_space(role, Action::CreateChannel) {
            return Err(ChatError::NotAllowed);
        }
        if let Some(stranger) = store::outsider(&parts.storage, space, &others).await? {
            return Err(ChatError::UserNotFound(format!("{stranger} is not a member of the space")));
        }
    }
    let pair = match (body.kind, others.as_slice()) {
        (RoomKind::Direct, [other]) => Some((by.min(*other), by.max(*other))),
        _ => None,
    };
    let strangers = match body.space_id {
        Some(_) => Vec::new(),
        None => to_be_asked(parts, by, &others).await?,
    };
    let own_role = if body.kind == RoomKind::Direct { Role::Member } else { Role::Owner };
    let mut members = vec![(by, own_role)];
    members.extend(others.into_iter().filter(|user| !strangers.contains(user)).map(|user| (user, Role::Member)));
    Ok(NewRoom {
        id: RoomId::new(&parts.clock),
        client_id: body.client_id,
        kind: body.kind,
        name,
        topic,
        space_id: body.space_id,
        created_by: by,
        pair,
        members,
        strangers,
        at: parts.clock.now(),
    })
}

/// Whether its maker may make it now, and everybody may be in one room more. A direct room that is there already is found
/// all the same, and costs nothing.
async fn require_allowance(parts: &Parts, room: &NewRoom) -> Result<(), Problem> {
    let members: Vec<UserId> = room.members.iter().map(|(user, _)| *user).collect();
    if store::was_made(&parts.storage, room).await? {
        return Ok(());
    }
    // Who is asked counts as who is added.
    parts.limits.add_people(room.created_by, (members.len() + room.strangers.len()).saturating_sub(1))?;
    parts.limits.make_room(room.created_by)?;
    Ok(require_room_for(parts, &members).await?)
}

/// Everybody's devices learn of the room, each with the room as that person sees it.
async fn tell_members(parts: &Parts, room: &NewRoom, own: &RoomSummary) -> Result<(), ChatError> {
    let mut joined: Vec<(UserId, ByteString)> = Vec::with_capacity(room.members.len());
    for (user, role) in &room.members {
        let mut summary = own.clone();
        summary.role = Some(*role);
        if room.kind == RoomKind::Direct && *user != room.created_by {
            summary = store::room_of(&parts.storage, *user, room.id).await?;
        }
        joined.push((*user, encode(&RoomJoined { room: summary })));
    }
    parts.audience.join(room.id, 1, joined);
    // Somebody who found the room before this may have posted already: whoever just joined catches up.
    if let Some(last_seq) = parts.rooms.latest_seq(room.id) {
        parts.audience.announce(room.id.into(), last_seq);
    }
    Ok(())
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
