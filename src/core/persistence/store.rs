//! The SQL of a flush.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::batch::{Batch, Run};
use super::{FirstResult, Write};
use crate::order::{EventRow, MessageRow, Row, RowBody};
use parlance_foundation::ids::{MessageId, RoomId};
use parlance_foundation::party::Party;

/// Has the statements of a flush planned once a connection. Left alone, Postgres plans each anew as soon as there are more
/// than a few rooms, which takes longer than writing the rows. Without scans of whole tables, a plan that was made while
/// they were small is right when they have grown. It holds for all that a flush does, also the effects of features, which
/// find their rows by index as well.
pub async fn plan_once(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";
    sqlx::raw_sql(SETTINGS).execute(connection).await.map(|_| ())
}

/// Commits a batch, whose fences are `runs`, and returns the rooms whose fence held; the others changed nothing.
///
/// Rows alone are one statement, which is its own transaction: one round trip. What events change besides follows in the
/// same transaction, a writer at a time.
pub async fn flush(connection: &mut PgConnection, batch: &Batch, runs: &[Run]) -> Result<HashSet<RoomId>, sqlx::Error> {
    if !batch.has_effects() && batch.watermarks.is_empty() {
        return insert_rows(connection, batch, runs).await;
    }
    let mut transaction = connection.begin().await?;
    let held =
        if batch.writes.is_empty() { HashSet::new() } else { insert_rows(&mut transaction, batch, runs).await? };
    for (writer, effects) in batch.effects(&held) {
        writer.write(&mut transaction, &effects).await?;
    }
    raise_watermarks(&mut transaction, batch).await?;
    transaction.commit().await?;
    Ok(held)
}

/// Commits something that takes room on the disk and leaves nothing behind: with a disk that is merely nearly full, a
/// commit of nothing would succeed where the next flush fails.
pub async fn try_to_write(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let filled = sqlx::query(
        "CREATE TEMP TABLE parlance_room_on_disk ON COMMIT DROP
             AS SELECT repeat('x', 1000) AS filling FROM generate_series(1, 512)",
    )
    .execute(&mut *transaction)
    .await;
    match filled {
        Err(error) if may_not(&error) => {
            // Somebody took the right to temporary tables away: then the log of Postgres alone must do.
            transaction.rollback().await?;
            sqlx::query("SELECT pg_current_xact_id()").execute(connection).await.map(|_| ())
        }
        Err(error) => Err(error),
        Ok(_) => transaction.commit().await,
    }
}

fn may_not(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|refusal| refusal.code().as_deref() == Some("42501"))
}

#[derive(Default)]
struct MessageColumns<'a> {
    rooms: Vec<Uuid>,
    seqs: Vec<i64>,
    ids: Vec<Uuid>,
    users: Vec<Option<Uuid>>,
    agents: Vec<Option<Uuid>>,
    contacts: Vec<Option<Uuid>>,
    client_ids: Vec<Option<&'a str>>,
    kinds: Vec<&'a str>,
    contents: Vec<&'a str>,
    parts: Vec<Option<&'a str>>,
    replies: Vec<Option<Uuid>>,
    times: Vec<DateTime<Utc>>,
}

#[derive(Default)]
struct EventColumns<'a> {
    rooms: Vec<Uuid>,
    seqs: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    actors: Vec<Option<Uuid>>,
    actor_kinds: Vec<Option<&'static str>>,
    client_ids: Vec<Option<&'a str>>,
    payloads: Vec<&'a str>,
    touches: Vec<Option<Uuid>>,
    times: Vec<DateTime<Utc>>,
}

async fn insert_rows(
    connection: &mut PgConnection,
    batch: &Batch,
    runs: &[Run],
) -> Result<HashSet<RoomId>, sqlx::Error> {
    let (messages, events) = columns(&batch.writes);
    // Rows whose room's fence did not hold are left out. `IS TRUE` keeps Postgres from making a join of that, which for a
    // plan made once might be one of each row with each room; so it looks into a hash of the rooms.
    let held = sqlx::query_scalar!(
        r#"
        WITH fence AS (
            UPDATE rooms SET last_seq = run.to_seq, last_event_at = run.at
            FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[])
                AS run (room_id, from_seq, to_seq, at)
            WHERE rooms.id = run.room_id AND rooms.last_seq = run.from_seq
            RETURNING rooms.id
        ), new_messages AS (
            INSERT INTO messages
                (room_id, seq, id, sender_user_id, sender_agent_id, sender_contact_id, client_id, kind, content, parts,
                 reply_to, created_at)
            SELECT m.room_id, m.seq, m.id, m.user_id, m.agent_id, m.contact_id, m.client_id, m.kind, m.content,
                   m.parts::json, m.reply_to, m.at
            FROM UNNEST($5::uuid[], $6::bigint[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[],
                        $13::text[], $14::text[], $15::uuid[], $16::timestamptz[])
                AS m (room_id, seq, id, user_id, agent_id, contact_id, client_id, kind, content, parts, reply_to, at)
            WHERE (m.room_id IN (SELECT id FROM fence)) IS TRUE
        ), new_events AS (
            INSERT INTO room_events
                (room_id, seq, id, kind, actor_id, actor_kind, client_id, payload, touches, created_at)
            SELECT e.room_id, e.seq, e.id, e.kind, e.actor_id, e.actor_kind, e.client_id, e.payload::json, e.touches, e.at
            FROM UNNEST($17::uuid[], $18::bigint[], $19::uuid[], $20::text[], $21::uuid[], $22::text[], $23::text[],
                        $24::text[], $25::uuid[], $26::timestamptz[])
                AS e (room_id, seq, id, kind, actor_id, actor_kind, client_id, payload, touches, at)
            WHERE (e.room_id IN (SELECT id FROM fence)) IS TRUE
        )
        SELECT id FROM fence
        "#,
        &runs.iter().map(|run| run.room_id.0).collect::<Vec<_>>(),
        &runs.iter().map(|run| run.from_seq).collect::<Vec<_>>(),
        &runs.iter().map(|run| run.to_seq).collect::<Vec<_>>(),
        &runs.iter().map(|run| run.at).collect::<Vec<_>>() as &[Option<DateTime<Utc>>],
        &messages.rooms,
        &messages.seqs,
        &messages.ids,
        &messages.users as &[Option<Uuid>],
        &messages.agents as &[Option<Uuid>],
        &messages.contacts as &[Option<Uuid>],
        &messages.client_ids as &[Option<&str>],
        &messages.kinds as &[&str],
        &messages.contents as &[&str],
        &messages.parts as &[Option<&str>],
        &messages.replies as &[Option<Uuid>],
        &messages.times,
        &events.rooms,
        &events.seqs,
        &events.ids,
        &events.kinds as &[&str],
        &events.actors as &[Option<Uuid>],
        &events.actor_kinds as &[Option<&str>],
        &events.client_ids as &[Option<&str>],
        &events.payloads as &[&str],
        &events.touches as &[Option<Uuid>],
        &events.times,
    )
    .fetch_all(connection)
    .await?;
    Ok(held.into_iter().map(RoomId).collect())
}

fn columns(writes: &[Write]) -> (MessageColumns<'_>, EventColumns<'_>) {
    let (mut messages, mut events) = (MessageColumns::default(), EventColumns::default());
    for (room, row) in writes.iter().flat_map(|write| write.rows.iter().map(move |row| (write.room_id.0, row))) {
        match &row.body {
            RowBody::Message(message) => {
                messages.rooms.push(room);
                messages.seqs.push(row.seq);
                messages.ids.push(message.id.0);
                let sender = message.sender.map(Party::columns).unwrap_or_default();
                messages.users.push(sender.user_id);
                messages.agents.push(sender.agent_id);
                messages.contacts.push(sender.contact_id);
                messages.client_ids.push(message.client_id.as_deref());
                messages.kinds.push(&message.kind);
                messages.contents.push(&message.content);
                messages.parts.push(message.parts.as_deref());
                messages.replies.push(message.reply_to.map(|id| id.0));
                messages.times.push(row.at);
            }
            RowBody::Event(event) => {
                events.rooms.push(room);
                events.seqs.push(row.seq);
                events.ids.push(event.id);
                events.kinds.push(&event.kind);
                events.actors.push(event.by.map(Party::uuid));
                events.actor_kinds.push(event.by.map(|by| by.kind().as_str()));
                events.client_ids.push(event.client_id.as_deref());
                events.payloads.push(event.payload.get());
                events.touches.push(event.touches.map(|id| id.0));
                events.times.push(row.at);
            }
        }
    }
    (messages, events)
}

/// Whether a flush failed because somebody was to come into a channel who is not in its space: no other part of a flush
/// looks for a row that must be there.
pub fn is_out_of_space(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::RowNotFound)
}

async fn raise_watermarks(connection: &mut PgConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    if batch.watermarks.is_empty() {
        return Ok(());
    }
    let marks = &batch.watermarks;
    // Grouped: one batch may hold two marks of one member, and only one row may update another.
    sqlx::query!(
        "UPDATE room_members AS m
         SET delivered_seq = GREATEST(m.delivered_seq, mark.delivered_seq),
             read_seq = GREATEST(m.read_seq, mark.read_seq)
         FROM (SELECT room_id, party_id, max(delivered_seq) AS delivered_seq, max(read_seq) AS read_seq
               FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
                    AS given (room_id, party_id, delivered_seq, read_seq)
               GROUP BY room_id, party_id) AS mark
         WHERE m.room_id = mark.room_id AND COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id) = mark.party_id",
        &marks.iter().map(|(room, _)| room.0).collect::<Vec<_>>(),
        &marks.iter().map(|(_, mark)| mark.party.uuid()).collect::<Vec<_>>(),
        &marks.iter().map(|(_, mark)| mark.delivered_seq).collect::<Vec<_>>(),
        &marks.iter().map(|(_, mark)| mark.read_seq).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Of these runs, those whose last row is already there: an earlier try whose answer was lost did commit them.
pub async fn recognise(connection: &mut PgConnection, runs: &[(Run, Uuid)]) -> Result<HashSet<RoomId>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT run.room_id AS "room_id!"
        FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[]) AS run (room_id, seq, id)
        WHERE EXISTS (SELECT FROM messages m WHERE m.room_id = run.room_id AND m.seq = run.seq AND m.id = run.id)
           OR EXISTS (SELECT FROM room_events e WHERE e.room_id = run.room_id AND e.seq = run.seq AND e.id = run.id)
        "#,
        &runs.iter().map(|(run, _)| run.room_id.0).collect::<Vec<_>>(),
        &runs.iter().map(|(run, _)| run.to_seq).collect::<Vec<_>>(),
        &runs.iter().map(|(_, id)| *id).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(RoomId).collect())
}

/// What an earlier write of this row made: the message with the same sender and client id, or the very same row.
pub async fn first_result(
    connection: &mut PgConnection,
    room: RoomId,
    row: &Row,
) -> Result<Option<FirstResult>, sqlx::Error> {
    let first = match &row.body {
        RowBody::Message(message) => first_message(connection, room, message).await?,
        RowBody::Event(event) => first_event(connection, room, event).await?,
    };
    Ok(first.map(|row| FirstResult { row: Arc::new(row) }))
}

async fn first_message(
    connection: &mut PgConnection,
    room: RoomId,
    message: &MessageRow,
) -> Result<Option<Row>, sqlx::Error> {
    let found = sqlx::query!(
        "SELECT seq, id, kind, content, parts::text AS parts, reply_to, edited_at, deleted_at, created_at
         FROM messages
         WHERE room_id = $1 AND id = $4
            OR room_id = $1 AND client_id = $3
               AND COALESCE(sender_user_id, sender_agent_id, sender_contact_id,
                            '00000000-0000-0000-0000-000000000000') = $2",
        room.0,
        message.sender.map_or(Uuid::nil(), Party::uuid),
        message.client_id.as_deref(),
        message.id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|found| {
        let first = MessageRow {
            id: MessageId(found.id),
            sender: message.sender,
            client_id: message.client_id.clone(),
            kind: found.kind,
            content: found.content,
            parts: found.parts,
            reply_to: found.reply_to.map(MessageId),
            edited_at: found.edited_at,
            deleted_at: found.deleted_at,
        };
        Row { seq: found.seq, at: found.created_at, body: RowBody::Message(first) }
    }))
}

async fn first_event(
    connection: &mut PgConnection,
    room: RoomId,
    event: &EventRow,
) -> Result<Option<Row>, sqlx::Error> {
    let found = sqlx::query!(
        r#"SELECT seq, id, kind, payload AS "payload: Json<Box<RawValue>>", touches, created_at FROM room_events
           WHERE room_id = $1 AND id = $4
              OR room_id = $1 AND client_id = $3 AND COALESCE(actor_id, '00000000-0000-0000-0000-000000000000') = $2
           ORDER BY seq LIMIT 1"#,
        room.0,
        event.by.map_or(Uuid::nil(), Party::uuid),
        event.client_id.as_deref(),
        event.id
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|found| {
        let (payload, touches) = (found.payload.0.into(), found.touches.map(MessageId));
        // Of another change under the same client id nothing is known here but what it told.
        let change = event.change.clone().filter(|_| found.id == event.id);
        let (kind, effects) = (found.kind.into(), Vec::new());
        let first = EventRow { id: found.id, kind, payload, touches, change, effects, ..event.clone() };
        Row { seq: found.seq, at: found.created_at, body: RowBody::Event(first) }
    }))
}
