//! A room into memory.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;

use crate::order::{EventRow, MessageRow, Row, RowBody};
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::facts::{Member, RoomFacts};
use crate::rooms::permissions::RoomKind;
use crate::rooms::state::{Departure, Snapshot};
use crate::rooms::wire;
use parlance_foundation::ids::{MessageId, RoomId, SpaceId, TeamId, UserId};
use parlance_foundation::party::{NoParty, Party, PartyColumns, PartyKind};
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
        "SELECT user_id, agent_id, team_id, contact_id, via_team_id, role, delivered_seq, read_seq
         FROM room_members WHERE room_id = $1",
        id.0
    )
    .fetch_all(&mut *transaction)
    .await?;
    let members = members
        .into_iter()
        .filter_map(|row| {
            let (user_id, agent_id, team_id, contact_id) = (row.user_id, row.agent_id, row.team_id, row.contact_id);
            let party = PartyColumns { user_id, agent_id, team_id, contact_id }.party()?;
            let role = row.role.parse().ok()?;
            let member = Member { role, delivered_seq: row.delivered_seq, read_seq: row.read_seq };
            Some((party, member, row.via_team_id.map(TeamId)))
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
    let facts = RoomFacts {
        id,
        kind,
        name: room.name,
        topic: room.topic,
        space_id: room.space_id.map(SpaceId),
        created_at: room.created_at,
        pair: room.direct_low.zip(room.direct_high).map(|(low, high)| (UserId(low), UserId(high))),
        members,
    };
    let (last_event_at, last_seq) = (room.last_event_at, room.last_seq);
    Ok(Some(Snapshot { facts, last_event_at, last_seq, departures, recent }))
}

/// A row of `messages` as reads of messages alone select it.
pub(super) struct StoredMessage {
    pub seq: i64,
    pub id: uuid::Uuid,
    pub sender: Option<uuid::Uuid>,
    pub sender_kind: Option<String>,
    pub client_id: Option<String>,
    pub kind: String,
    pub content: String,
    pub parts: Option<String>,
    pub reply_to: Option<uuid::Uuid>,
    pub edited_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl StoredMessage {
    pub fn into_row(self) -> Result<Row, sqlx::Error> {
        let message = MessageRow {
            id: MessageId(self.id),
            sender: party(self.sender_kind.as_deref(), self.sender)?,
            client_id: self.client_id,
            kind: self.kind,
            content: self.content,
            parts: self.parts,
            reply_to: self.reply_to.map(MessageId),
            edited_at: self.edited_at,
            deleted_at: self.deleted_at,
        };
        Ok(Row { seq: self.seq, at: self.created_at, body: RowBody::Message(message) })
    }
}

/// The party of a kind and an id, both of which may be NULL: the engine itself.
fn party(kind: Option<&str>, id: Option<uuid::Uuid>) -> Result<Option<Party>, sqlx::Error> {
    let Some((kind, id)) = kind.zip(id) else { return Ok(None) };
    let kind: PartyKind = kind.parse().map_err(|error: NoParty| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Party::new(kind, id)))
}

/// Who sent these, with their own ids for them.
pub type Sends = [(Option<Party>, String)];

/// Of these messages and changes, by author and client id, those that were made before.
pub async fn sent_before(storage: &Storage, room: RoomId, sends: &Sends) -> Result<Vec<Row>, ChatError> {
    if sends.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query_as!(
        StoredRow,
        r#"
        SELECT seq AS "seq!", id AS "id!", at AS "at!", kind AS "kind!", author, client_id, content, parts, reply_to,
               author_kind, edited_at, deleted_at, payload AS "payload: _", touches, is_message AS "is_message!"
        FROM UNNEST($2::uuid[], $3::text[]) AS given (by_id, sent_id)
        CROSS JOIN LATERAL (
            SELECT seq, id, created_at AS at, kind, COALESCE(sender_user_id, sender_agent_id, sender_contact_id) AS author, client_id,
                   content, parts::text, reply_to, NULL::json AS payload, NULL::uuid AS touches, true AS is_message,
                   parlance_party_kind(sender_user_id, sender_agent_id, NULL, sender_contact_id) AS author_kind, edited_at, deleted_at
            FROM messages
            WHERE room_id = $1 AND client_id = sent_id
              AND COALESCE(sender_user_id, sender_agent_id, sender_contact_id, '00000000-0000-0000-0000-000000000000') = by_id
            UNION ALL
            SELECT seq, id, created_at, kind, actor_id, client_id, NULL, NULL, NULL, payload, touches, false, actor_kind, NULL, NULL
            FROM room_events
            WHERE room_id = $1 AND client_id = sent_id
              AND COALESCE(actor_id, '00000000-0000-0000-0000-000000000000') = by_id
        ) AS first
        "#,
        room.0,
        &sends.iter().map(|(sender, _)| sender.map_or(uuid::Uuid::nil(), Party::uuid)).collect::<Vec<_>>(),
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
               author_kind, edited_at, deleted_at, payload AS "payload: _", touches, is_message AS "is_message!"
        FROM (
            (SELECT seq, id, created_at AS at, kind, COALESCE(sender_user_id, sender_agent_id, sender_contact_id) AS author, client_id,
                    content, parts::text, reply_to, NULL::json AS payload, NULL::uuid AS touches, true AS is_message,
                    parlance_party_kind(sender_user_id, sender_agent_id, NULL, sender_contact_id) AS author_kind, edited_at, deleted_at
             FROM messages WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
            UNION ALL
            (SELECT seq, id, created_at, kind, actor_id, client_id, NULL, NULL, NULL, payload, touches, false, actor_kind, NULL, NULL
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
    author_kind: Option<String>,
    client_id: Option<String>,
    content: Option<String>,
    parts: Option<String>,
    reply_to: Option<uuid::Uuid>,
    edited_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
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
        let by = party(self.author_kind.as_deref(), self.author).map_err(|error| unreadable(&error.to_string()))?;
        let body = if self.is_message {
            RowBody::Message(MessageRow {
                id: MessageId(id),
                sender: by,
                client_id: self.client_id,
                kind: self.kind,
                content: self.content.unwrap_or_default(),
                parts: self.parts,
                reply_to: self.reply_to.map(MessageId),
                edited_at: self.edited_at,
                deleted_at: self.deleted_at,
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
                becomes: None,
                change,
                effects: Vec::new(),
            })
        };
        Ok(Row { seq, at, body })
    }
}
