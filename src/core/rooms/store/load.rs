//! A room into memory.

use chrono::{DateTime, Utc};

use crate::persistence::{EventRow, MessageRow, Row, RowBody, SideEffect};
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::permissions::RoomKind;
use crate::rooms::state::{Change, Departure, Member, Snapshot};
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

/// Of these sends, by sender and client id, the messages that were posted before.
pub async fn sent_before(storage: &Storage, room: RoomId, sends: &[(UserId, String)]) -> Result<Vec<Row>, ChatError> {
    if sends.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query_as!(
        StoredMessage,
        r#"
        SELECT m.seq, m.id, m.sender_user_id AS "sender!", m.client_id, m.kind, m.content, m.parts::text AS parts,
               m.reply_to, m.created_at
        FROM UNNEST($2::uuid[], $3::text[]) AS given (sender, client_id)
        JOIN messages m ON m.room_id = $1 AND m.sender_user_id = given.sender AND m.client_id = given.client_id
        "#,
        room.0,
        &sends.iter().map(|(sender, _)| sender.0).collect::<Vec<_>>(),
        &sends.iter().map(|(_, client_id)| client_id.as_str()).collect::<Vec<_>>() as &[&str],
    )
    .fetch_all(storage.engine_read("room"))
    .await?;
    Ok(found.into_iter().map(StoredMessage::into_row).collect())
}

/// Messages and events merged, `after < seq`, at most `limit` of them, in order.
pub(super) async fn rows_between(
    connection: &mut sqlx::PgConnection,
    room: RoomId,
    after: i64,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT seq AS "seq!", id AS "id!", at AS "at!", kind AS "kind!", sender, client_id, content,
               parts::text AS parts, reply_to, payload, is_message AS "is_message!"
        FROM (
            (SELECT seq, id, created_at AS at, kind, sender_user_id AS sender, client_id, content, parts, reply_to,
                    NULL::jsonb AS payload, true AS is_message
             FROM messages WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
            UNION ALL
            (SELECT seq, id, created_at, kind, actor_id, NULL, NULL, NULL, NULL, payload, false
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
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let body = if row.is_message {
                RowBody::Message(MessageRow {
                    id: MessageId(row.id),
                    // The CHECK on messages has exactly one sender; agents and contacts come with their features.
                    sender: UserId(row.sender?),
                    client_id: row.client_id,
                    kind: row.kind,
                    content: row.content.unwrap_or_default(),
                    parts: row.parts,
                    reply_to: row.reply_to.map(MessageId),
                })
            } else {
                let payload = row.payload.unwrap_or_default();
                RowBody::Event(event(row.id, &row.kind, row.sender.map(UserId), payload)?)
            };
            Some(Row { seq: row.seq, at: row.at, body })
        })
        .collect())
}

/// An event as it was decided, from its stored payload.
fn event(id: uuid::Uuid, kind: &str, actor: Option<UserId>, payload: serde_json::Value) -> Option<EventRow> {
    let id_in = |value: &serde_json::Value| Some(UserId(value.get("user_id")?.as_str()?.parse().ok()?));
    let role_in = |value: &serde_json::Value| {
        let role: crate::rooms::permissions::Role = value.get("role")?.as_str()?.parse().ok()?;
        Some(role.as_str())
    };
    let text = |key: &str| payload.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let (kind, effect) = match kind {
        "member.added" => {
            let member = payload.get("member")?;
            ("member.added", SideEffect::AddMember { user_id: id_in(member)?, role: role_in(member)? })
        }
        "member.removed" => ("member.removed", SideEffect::RemoveMember { user_id: id_in(&payload)? }),
        "member.role_changed" => {
            ("member.role_changed", SideEffect::SetRole { user_id: id_in(&payload)?, role: role_in(&payload)? })
        }
        "room.updated" => ("room.updated", SideEffect::Describe { name: text("name"), topic: text("topic") }),
        _ => return None,
    };
    Some(EventRow { id, kind, actor, payload, effect })
}

/// The change that an event came from, to decide it again.
pub fn change_of(event: &EventRow) -> Option<Change> {
    Some(match &event.effect {
        SideEffect::AddMember { user_id, role } => Change::AddMember { user_id: *user_id, role: role.parse().ok()? },
        SideEffect::RemoveMember { user_id } => Change::RemoveMember { user_id: *user_id },
        // Postgres has it until it is told.
        SideEffect::Depart { .. } => return None,
        SideEffect::SetRole { user_id, role } => Change::SetRole { user_id: *user_id, role: role.parse().ok()? },
        SideEffect::Describe { name, topic } => Change::Describe {
            name: Some(name.clone().unwrap_or_default()),
            topic: Some(topic.clone().unwrap_or_default()),
        },
    })
}
