//! `/admin/rooms/{id}/notices`: what the engine itself says in a room, for admins.

use actix_web::web::Path;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Parts;
use super::messages::answer;
use crate::accounts::Admin;
use crate::rooms::commands::PostMessageBody;
use crate::rooms::wire::Message;
use parlance_foundation::ids::RoomId;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// What to say.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PostNotice {
    /// The caller's own id for this notice, at most 64 bytes: sending it again returns the first one, whichever admin sends
    /// it.
    client_id: String,
    content: String,
}

/// Says something to all members of a room, as the engine itself: a message of kind `system` and sender type `system`, which
/// is unread for everybody.
///
/// For admins, whether or not they are in the room. The same `client_id` again: 200 and the first one.
#[utoipa::path(
    tag = "administration", params(("id" = RoomId, Path)), request_body = PostNotice, security(("bearer" = [])),
    responses(
        (status = 201, body = Message), (status = 200, description = "It had been posted before", body = Message),
        (status = 403, description = "auth.not_an_admin", body = ProblemBody),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 413, description = "chat.content_too_large", body = ProblemBody),
        (status = 422, description = "chat.invalid", body = ProblemBody),
        (status = 503, description = "engine.busy, engine.unavailable: send it again with the same client_id", body = ProblemBody),
    )
)]
#[post("/admin/rooms/{id}/notices")]
pub async fn post_notice(
    parts: Parts,
    admin: Admin,
    id: Path<RoomId>,
    body: JsonBody<PostNotice>,
) -> Result<HttpResponse, Problem> {
    let (room, PostNotice { client_id, content }) = (*id, body.into_inner());
    let notice = parts.rooms.compose(None, PostMessageBody { client_id, content, ..PostMessageBody::default() })?;
    let posted = parts.rooms.post(room, notice).await?;
    tracing::info!(room_id = %room, user_id = %admin.0.user_id, seq = posted.row.seq, "a notice was posted");
    answer(room, &posted)
}
