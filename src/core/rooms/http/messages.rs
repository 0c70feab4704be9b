//! `/rooms/{id}/messages` and `/rooms/{id}/events`: saying something, and reading what was said.

use actix_web::web::{Path, Query};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Parts;
use crate::accounts::Caller;
use crate::order::{Row, RowBody};
use crate::rooms::PageWanted;
use crate::rooms::commands::{PostMessageBody, caught_up};
use crate::rooms::mailbox::Posted;
use crate::rooms::store::{self, History};
use crate::rooms::wire::Message;
use parlance_foundation::ids::RoomId;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// Which messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct HistoryQuery {
    /// Only messages below this seq, newest first: `next` of the page before, when it was asked so.
    before: Option<i64>,
    /// Only messages above this seq, oldest first: `next` of the page before, when it was asked so.
    after: Option<i64>,
    /// Items on the page
    #[param(value_type = Option<i32>)]
    limit: Option<usize>,
}

/// A page of messages; `next` goes into `before` or `after`, whichever was asked with.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage<'a> {
    items: Vec<Message<'a>>,
    next: Option<i64>,
}

/// A room's messages: newest first, or with `after` oldest first.
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path), HistoryQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = MessagePage),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 409, description = "chat.ahead: after is beyond the room's newest event", body = ProblemBody),
    )
)]
#[get("/rooms/{id}/messages")]
pub async fn list_messages(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    query: Query<HistoryQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = parts.config.page_sizes().limit(query.limit)?;
    let range = match (query.before, query.after) {
        (Some(_), Some(_)) => {
            let detail = "Send before or after, not both: each is a direction of its own.";
            return Err(Problem::invalid("request.invalid_page", detail));
        }
        (None, Some(after)) => History::After(after),
        (before, None) => History::Before(before.unwrap_or(i64::MAX)),
    };
    let page = store::messages(&parts.storage, caller.user_id, *id, range, limit).await?;
    let items = page.rows.iter().filter_map(|row| message(*id, row)).collect();
    Ok(HttpResponse::Ok().json(MessagePage { items, next: page.next }))
}

/// Posts a message. The same `client_id` again: 200 and the first one.
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path)), request_body = PostMessageBody, security(("bearer" = [])),
    responses(
        (status = 201, body = Message), (status = 200, description = "It had been posted before", body = Message),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 413, description = "chat.content_too_large", body = ProblemBody),
        (status = 429, description = "limits.messages, limits.bytes: again after retry_after_ms, with the same client_id", body = ProblemBody),
        (status = 503, description = "engine.busy, engine.unavailable: send it again with the same client_id", body = ProblemBody),
    )
)]
#[post("/rooms/{id}/messages")]
pub async fn post_message(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    body: JsonBody<PostMessageBody>,
) -> Result<HttpResponse, Problem> {
    let message = parts.said(caller.user_id, body.into_inner())?;
    answer(*id, &parts.rooms.post(*id, message).await?)
}

/// 201 with the message, 200 if it had been posted before.
pub(super) fn answer(room: RoomId, posted: &Posted) -> Result<HttpResponse, Problem> {
    let shown = message(room, &posted.row).ok_or_else(Problem::internal)?;
    let mut response = if posted.repeated { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(response.json(shown))
}

/// Where to go on, and how far.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct EventsQuery {
    /// The newest seq that the client has; 0 for everything.
    after: i64,
    /// Events on the page
    #[param(value_type = Option<i32>)]
    limit: Option<usize>,
}

/// A page of the order: the `ok` of `room.catch_up` as it is, without its `re`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents what `caught_up` splices together")]
pub struct EventPage {
    #[schema(rename = "type", example = "ok")]
    kind: &'static str,
    /// The same frames that were or would have been sent live, in order.
    #[schema(value_type = Vec<Object>)]
    events: Vec<serde_json::Value>,
    last_seq: i64,
    /// Whether there is another page after the last of these.
    more: bool,
}

/// Everything in the room's order after a seq, as frames: `room.catch_up` without a WebSocket.
#[utoipa::path(
    tag = "messages", params(("id" = RoomId, Path), EventsQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = EventPage),
        (status = 404, description = "chat.room_not_found", body = ProblemBody),
        (status = 409, description = "chat.ahead: after is beyond the room's newest event", body = ProblemBody),
    )
)]
#[get("/rooms/{id}/events")]
pub async fn list_events(
    parts: Parts,
    caller: Caller,
    id: Path<RoomId>,
    query: Query<EventsQuery>,
) -> Result<HttpResponse, Problem> {
    let items_max = parts.config.page_sizes().limit(query.limit)?;
    let wanted = PageWanted { by: caller.user_id, room: *id, after: query.after, items_max };
    let page = parts.rooms.page_after(wanted).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(caught_up(None, &page)))
}

fn message(room: RoomId, row: &Row) -> Option<Message<'_>> {
    match &row.body {
        RowBody::Message(message) => Some(Message::of(room, row, message)),
        RowBody::Event(_) => None,
    }
}
