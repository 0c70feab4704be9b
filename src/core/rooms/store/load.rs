//! A room into memory.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;

use crate::order::{EventRow, MessageRow, Row, RowBody};
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::permissions::RoomKind;
use crate::rooms::state::{Departure, Member, Snapshot};
use crate::rooms::wire;
use parlance_foundation::ids::{MessageId, RoomId, SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// The room as it is, with its newest rows, as many as its window holds; `None` when there is no such room. One
/// snapshot: the members and rows are those of the `last_seq` that comes with them.
pub async fn load_room(storage: &Storage, id: RoomId, config: &ChatConfig) -> Result<Option<Snapshot>, ChatError> {
    let mut transaction = storage.engine_read("room").begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
    let room = sqlx::query!(
        "SELECT kind, name, topic, space_id, direct_low, direct_high, created_at, last_seq, last_event_at
         FROM rooms WHERE id = $1",
        id.0
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(room) = room else { return Ok(None) };
    // Kinds of later features have actors of their own.
    let Ok(kind) = room.kind.parse::<RoomKind>() else { return Ok(None) };
    let members = sqlx::query!(
        r#"SELECT user_id AS "user_id!", role, delivered_seq, read_seq
           FROM room_members WHERE room_id = $1 AND user_id IS NOT NULL"#,
        id.0
    )
    .fetch_all(&mut *transaction)
    .await?;
    let members = members
        .into_iter()
        .filter_map(|row| {
            let role = row.role.parse().ok()?;
            Some((UserId(row.user_id), Member { role, delivered_seq: row.delivered_seq, read_seq: row.read_seq }))
        })
        .collect();
    let departures =
        sqlx::query!("SELECT id, user_id, by_id, at FROM departures WHERE room_id = $1 ORDER BY at, id", id.0)
            .fetch_all(&mut *transaction)
            .await?;
    let departures = departures
        .into_iter()
        .map(|row| Departure { id: row.id, user_id: UserId(row.user_id), by: UserId(row.by_id), at: row.at })
        .collect();
    let after = room.last_seq.saturating_sub(i64::try_from(config.window_events_max).unwrap_or(i64::MAX));
    let recent = rows_between(&mut transaction, id, after, i64::MAX).await?;
    transaction.commit().await?;
    Ok(Some(Snapshot {
        id,
        kind,
        name: room.name,
        topic: room.topic,
        space_id: room.space_id.map(SpaceId),
        created_at: room.created_at,
        last_event_at: room.last_event_at,
        last_seq: room.last_seq,
        pair: room.direct_low.zip(room.direct_high).map(|(low, high)| (UserId(low), UserId(high))),
        members,
        departures,
        recent,
    }))
}

/// A row of `messages` as reads of messages alone select it.
pub(super) struct StoredMessage {
    pub seq: i64,
    pub id: uuid::Uuid,
    pub sender: uuid::Uuid,
    pub client_id: Option<String>,
    pub kind: String,
    pub content: String,
    pub parts: Option<String>,
    pub reply_to: Option<uuid::Uuid>,
    pub created_at: DateTime<Utc>,
}

impl StoredMessage {
    pub fn into_row(self) -> Row {
        let message = MessageRow {
            id: MessageId(self.id),
            sender: UserId(self.sender),
            client_id: self.client_id,
            kind: self.kind,
            content: self.content,
            parts: self.parts,
            reply_to: self.reply_to.map(MessageId),
        };
        Row { seq: self.seq, at: self.created_at, body: RowBody::Message(message) }
    }
}

/// Of these messages and changes, by author and client id, those that were made before.
pub async fn sent_before(storage: &Storage, room: RoomId, sends: &[(UserId, String)]) -> Result<Vec<Row>, ChatError> {
    if sends.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq AS "seq!", id AS "id!", at AS "at!", kind AS "kind!", author, client_id, content, parts, reply_to,
               payload AS "payload: _", touches, is_message AS "is_message!"
        FROM UNNEST($2::uuid[], $3::text[]) AS given (by_id, sent_id)
        CROSS JOIN LATERAL (
            SELECT seq, id, created_at AS at, kind, sender_user_id AS author, client_id, content, parts::text, reply_to,
                   NULL::json AS payload, NULL::uuid AS touches, true AS is_message
            FROM messages WHERE room_id = $1 AND sender_user_id = by_id AND client_id = sent_id
            UNION ALL
            SELECT seq, id, created_at, kind, actor_id, client_id, NULL, NULL, NULL, payload, touches, false
            FROM room_events WHERE room_id = $1 AND actor_id = by_id AND client_id = sent_id
        ) AS first
        "#,
        room.0,
        &sends.iter().map(|(sender, _)| sender.0).collect::<Vec<_>>(),
        &sends.iter().map(|(_, client_id)| client_id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .fetch_all(storage.engine_read("room"))
    .await?;
    Ok(found.into_iter().map(StoredRow::into_row).collect::<Result<_, _>>()?)
}

/// Messages and events merged, `after < seq`, at most `limit` of them, in order.
pub(super) async fn rows_between(
    connection: &mut sqlx::PgConnection,
    room: RoomId,
    after: i64,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq AS "seq!", id AS "id!", at AS "at!", kind AS "kind!", author, client_id, content, parts, reply_to,
               payload AS "payload: _", touches, is_message AS "is_message!"
        FROM (
            (SELECT seq, id, created_at AS at, kind, sender_user_id AS author, client_id, content, parts::text, reply_to,
                    NULL::json AS payload, NULL::uuid AS touches, true AS is_message
             FROM messages WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
            UNION ALL
            (SELECT seq, id, created_at, kind, actor_id, client_id, NULL, NULL, NULL, payload, touches, false
             FROM room_events WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
        ) AS both_kinds
        ORDER BY 1 LIMIT $3
        "#,
        room.0,
        after,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredRow::into_row).collect()
}

/// A row of `messages` or `room_events`.
struct StoredRow {
    seq: i64,
    id: uuid::Uuid,
    at: DateTime<Utc>,
    kind: String,
    author: Option<uuid::Uuid>,
    client_id: Option<String>,
    content: Option<String>,
    parts: Option<String>,
    reply_to: Option<uuid::Uuid>,
    payload: Option<Json<Box<RawValue>>>,
    touches: Option<uuid::Uuid>,
    is_message: bool,
}

impl StoredRow {
    /// An error, never a hole: what cannot be read at all is named in the log, and its room is not there until it can be.
    fn into_row(self) -> Result<Row, sqlx::Error> {
        let (seq, id, at) = (self.seq, self.id, self.at);
        let unreadable = |what: &str| {
            let error = format!("the row {id} at {seq} of its room cannot be read: {what}");
            sqlx::Error::Decode(error.into())
        };
        let by = self.author.map(UserId);
        let body = if self.is_message {
            RowBody::Message(MessageRow {
                id: MessageId(id),
                sender: by.ok_or_else(|| unreadable("it has no sender that this version knows"))?,
                client_id: self.client_id,
                kind: self.kind,
                content: self.content.unwrap_or_default(),
                parts: self.parts,
                reply_to: self.reply_to.map(MessageId),
            })
        } else {
            let Some(Json(payload)) = self.payload.filter(|payload| payload.get().trim_start().starts_with('{')) else {
                return Err(unreadable("its payload is no object"));
            };
            let change = wire::core_change(&self.kind, &payload).map_err(|error| unreadable(&error.to_string()))?;
            RowBody::Event(EventRow {
                id,
                kind: self.kind.into(),
                by,
                client_id: self.client_id,
                payload: payload.into(),
                touches: self.touches.map(MessageId),
                change,
                effects: Vec::new(),
            })
        };
        Ok(Row { seq, at, body })
    }
}
