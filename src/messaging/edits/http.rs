//! `PATCH` and `DELETE /rooms/{id}/messages/{message_id}`, and what it was before.

use std::sync::Arc;

use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpResponse, delete, get, patch};
use parlance_core::accounts::Caller;
use parlance_core::rooms::config::ChatConfig;
use parlance_core::rooms::http::ChatParts;
use parlance_core::rooms::wire::Message;
use parlance_core::rooms::{RoomAction, WantedAction, check_client_id, contents, store as rooms_store};
use parlance_foundation::ids::{MessageId, RoomId, UserId};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, ListPage, PageQuery};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{OpenApi, ToSchema};

use super::metrics::count;
use super::wire::MessageVersion;
use super::{Delete, Edit, store};

type Parts = Data<ChatParts>;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(edit_message).service(delete_message).service(list_versions);
}

/// The part of the OpenAPI document that is about edits; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(paths(edit_message, delete_message, list_versions))]
pub struct ApiDoc;

/// What a message says from now on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EditMessageBody {
    /// The author's own id for the edit, at most 64 bytes: sending it again returns the first result.
    #[serde(default)]
    client_id: Option<String>,
    content: String,
    /// Absent or empty: none.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    parts: Option<Vec<Box<RawValue>>>,
}

/// Edits a message; only its author may. One that says this already is left as it is.
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path), ("message_id" = MessageId, Path)), request_body = EditMessageBody,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 403, description = "message.not_yours", body = ProblemBody),
        (status = 404, description = "chat.room_not_found, chat.message_not_found", body = ProblemBody),
        (status = 409, description = "message.deleted", body = ProblemBody),
        (status = 413, description = "chat.content_too_large", body = ProblemBody),
        (status = 429, description = "limits.messages, limits.bytes: again after retry_after_ms, with the same client_id", body = ProblemBody),
        (status = 503, description = "engine.busy, engine.unavailable: send it again with the same client_id", body = ProblemBody),
    )
)]
#[patch("/rooms/{id}/messages/{message_id}")]
pub async fn edit_message(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, MessageId)>,
    body: JsonBody<EditMessageBody>,
) -> Result<HttpResponse, Problem> {
    let (room, message_id) = path.into_inner();
    let EditMessageBody { client_id, content, parts: of_content } = body.into_inner();
    let edit = edit(&parts.config, message_id, content, of_content)?;
    change(&parts, &caller, room, client_id, edit.bytes(), Arc::new(edit)).await?;
    let target = rooms_store::target(&parts.storage, room, message_id).await?.ok_or_else(Problem::internal)?;
    let message = target.row.message().ok_or_else(Problem::internal)?;
    Ok(HttpResponse::Ok().json(Message::of(room, &target.row, message)))
}

/// Deletes a message: its place stays, without content. Its author may, and in a group or channel whoever rules over them.
/// One that is deleted already stays so (204).
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path), ("message_id" = MessageId, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "message.not_yours", body = ProblemBody),
        (status = 404, description = "chat.room_not_found, chat.message_not_found", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
        (status = 503, description = "engine.busy, engine.unavailable: send it again", body = ProblemBody),
    )
)]
#[delete("/rooms/{id}/messages/{message_id}")]
pub async fn delete_message(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, MessageId)>,
) -> Result<HttpResponse, Problem> {
    let (room, message_id) = path.into_inner();
    change(&parts, &caller, room, None, 0, Arc::new(Delete { message_id })).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a message said before it was edited or deleted, the oldest first: for owners and admins of the room.
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path), ("message_id" = MessageId, Path), PageQuery),
    security(("bearer" = [])),
    responses(
        (status = 200, body = ListPage<MessageVersion>),
        (status = 403, description = "message.not_a_moderator", body = ProblemBody),
        (status = 404, description = "chat.room_not_found, chat.message_not_found", body = ProblemBody),
    )
)]
#[get("/rooms/{id}/messages/{message_id}/versions")]
pub async fn list_versions(
    parts: Parts,
    caller: Caller,
    path: Path<(RoomId, MessageId)>,
    page: PageQuery,
) -> Result<HttpResponse, Problem> {
    let (room, message_id) = path.into_inner();
    let after = page.cursor::<i64>()?.unwrap_or(0);
    let versions = store::versions(&parts.storage, caller.user_id, room, message_id, after, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(versions, &page, |version| version.seq.to_string())))
}

async fn change(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    client_id: Option<String>,
    bytes: usize,
    action: Arc<dyn RoomAction>,
) -> Result<(), Problem> {
    let wanted = wanted(parts, caller.user_id, client_id, bytes, action)?;
    let done = parts.rooms.act(room, wanted).await?;
    count(done.as_ref());
    Ok(())
}

/// What a person wants done with a client of theirs, if that is within what they may send in a while.
pub(super) fn wanted(
    parts: &ChatParts,
    by: UserId,
    client_id: Option<String>,
    bytes: usize,
    action: Arc<dyn RoomAction>,
) -> Result<WantedAction, Problem> {
    client_id.as_deref().map(|client_id| check_client_id(&parts.config, client_id)).transpose()?;
    parts.limits.post(by, bytes)?;
    Ok(WantedAction::new(by.into(), client_id, action))
}

/// What is wanted, if it may be said.
pub(super) fn edit(
    config: &ChatConfig,
    message_id: MessageId,
    content: String,
    parts: Option<Vec<Box<RawValue>>>,
) -> Result<Edit, Problem> {
    let (content, parts) = contents(config, content, parts)?;
    Ok(Edit { message_id, content, parts })
}
