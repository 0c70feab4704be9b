//! Reading the past, as a user.

use std::sync::Arc;

use bytestring::ByteString;
use sqlx::PgConnection;

use super::load::{StoredMessage, rows_between};
use crate::order::{Page, Row};
use crate::rooms::action::Target;
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::wire;
use parlance_foundation::ids::{MessageId, RoomId, UserId};
use parlance_foundation::storage::Storage;

/// Which messages of a room, and in which direction.
#[derive(Clone, Copy, Debug)]
pub enum History {
    /// The newest below this seq, newest first.
    Before(i64),
    /// The oldest above this seq, oldest first.
    After(i64),
}

/// Messages of one page and where the next one begins.
#[derive(Debug)]
pub struct HistoryPage {
    pub rows: Vec<Row>,
    pub next: Option<i64>,
}

/// A page of messages that `user` may read.
pub async fn messages(
    storage: &Storage,
    user: UserId,
    room: RoomId,
    range: History,
    limit: usize,
) -> Result<HistoryPage, ChatError> {
    let mut transaction = storage.read_in(user, room).await?;
    let last_seq = last_seq(&mut transaction, room).await?;
    if let History::After(after) = range
        && after > last_seq
    {
        return Err(ChatError::Ahead { after, last_seq });
    }
    let (after, before, newest_first) = match range {
        History::Before(seq) => (0, seq, true),
        History::After(seq) => (seq, i64::MAX, false),
    };
    // Two branches, of which one is skipped, so that each can walk the primary key. One more than asked tells whether there is a next page.
    let asked = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let found = sqlx::query_as!(
        StoredMessage,
        r#"
        SELECT seq AS "seq!", id AS "id!", client_id, kind AS "kind!", content AS "content!",
               COALESCE(sender_user_id, sender_agent_id, sender_contact_id) AS sender,
               parlance_party_kind(sender_user_id, sender_agent_id, NULL, sender_contact_id) AS sender_kind,
               parts::text AS parts, reply_to, edited_at, deleted_at, created_at AS "created_at!"
        FROM (
            (SELECT * FROM messages WHERE $4 AND room_id = $1 AND seq < $3 ORDER BY seq DESC LIMIT $5)
            UNION ALL
            (SELECT * FROM messages WHERE NOT $4 AND room_id = $1 AND seq > $2 ORDER BY seq LIMIT $5)
        ) AS one_direction
        ORDER BY CASE WHEN $4 THEN -seq ELSE seq END
        "#,
        room.0,
        after,
        before,
        newest_first,
        asked,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let mut rows: Vec<Row> = found.into_iter().map(StoredMessage::into_row).collect::<Result<_, _>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|row| row.seq) } else { None };
    Ok(HistoryPage { rows, next })
}

/// Everything in the room's order after `after`, from Postgres: for clients that were away longer than memory reaches.
pub async fn events_after(
    storage: &Storage,
    config: &ChatConfig,
    by: UserId,
    room: RoomId,
    after: i64,
    items_max: usize,
) -> Result<Page, ChatError> {
    let mut transaction = storage.read_in(by, room).await?;
    let last_seq = last_seq(&mut transaction, room).await?;
    if after > last_seq {
        return Err(ChatError::Ahead { after, last_seq });
    }
    let limit = items_max.clamp(1, config.page_items_max);
    let rows = rows_between(&mut transaction, room, after, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
    transaction.commit().await?;
    let (mut frames, mut bytes, mut next_after): (Vec<ByteString>, usize, i64) = (Vec::new(), 0, after);
    for row in rows {
        let frame = wire::frame(room, &row);
        bytes += frame.len();
        if bytes > config.page_bytes_max && !frames.is_empty() {
            break;
        }
        next_after = row.seq;
        frames.push(frame);
    }
    // Rows may have been committed between the two reads: the page's own end counts.
    let last_seq = last_seq.max(next_after);
    let more = !frames.is_empty() && next_after < last_seq;
    Ok(Page { frames, next_after, last_seq, more })
}

/// The newest seq of a room that the reader is in.
async fn last_seq(reading: &mut PgConnection, room: RoomId) -> Result<i64, ChatError> {
    let found = sqlx::query_scalar!(
        "SELECT last_seq FROM rooms WHERE id = $1 AND EXISTS (SELECT FROM room_members WHERE room_id = $1)",
        room.0
    );
    found.fetch_optional(reading).await?.ok_or(ChatError::RoomNotFound)
}

/// A message of this room as it is, for whoever decides about it; `None`: there is none.
pub async fn target(storage: &Storage, room: RoomId, message: MessageId) -> Result<Option<Target>, ChatError> {
    let mut transaction = storage.engine_read("target").begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
    let as_of = sqlx::query_scalar!("SELECT last_seq FROM rooms WHERE id = $1", room.0)
        .fetch_optional(&mut *transaction)
        .await?;
    let found = sqlx::query_as!(
        StoredMessage,
        r#"
        SELECT seq, id, client_id, kind, content, COALESCE(sender_user_id, sender_agent_id, sender_contact_id) AS sender,
               parlance_party_kind(sender_user_id, sender_agent_id, NULL, sender_contact_id) AS sender_kind,
               parts::text AS parts, reply_to, edited_at, deleted_at, created_at
        FROM messages WHERE id = $1 AND room_id = $2
        "#,
        message.0,
        room.0,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let Some((as_of, message)) = as_of.zip(found) else { return Ok(None) };
    Ok(Some(Target { row: Arc::new(message.into_row()?), as_of }))
}

/// Whether a message to reply to is in this room, as far as `user` may know: a stranger is told of no room.
pub async fn message_is_in_room(
    storage: &Storage,
    user: UserId,
    room: RoomId,
    message: MessageId,
) -> Result<bool, ChatError> {
    let mut transaction = storage.read_in(user, room).await?;
    let found = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM messages WHERE id = $2 AND room_id = $1) AS "found!",
                  EXISTS (SELECT FROM room_members WHERE room_id = $1) AS "mine!""#,
        room.0,
        message.0
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if found.mine { Ok(found.found) } else { Err(ChatError::RoomNotFound) }
}
