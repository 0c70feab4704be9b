//! Messages that have another form from an event on: edited, deleted.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::order::{Effect, EffectWriter, MessageRow, Placed, RowBody, Written};

/// Effect: the message that the event touches becomes what the event says.
#[derive(Debug)]
pub struct WriteForm;

impl Effect for WriteForm {
    fn writer(&self) -> &'static dyn EffectWriter {
        &Forms
    }
}

struct Forms;

impl EffectWriter for Forms {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn write<'a>(&'a self, connection: &'a mut PgConnection, effects: &'a [Placed<'a>]) -> Written<'a> {
        let forms = effects.iter().filter_map(|placed| {
            let row = placed.event.becomes.as_ref()?;
            match &row.body {
                RowBody::Message(message) => Some(((placed.room_id.0, row.seq), message)),
                RowBody::Event(_) => None,
            }
        });
        // Of several forms of one message the last; in the order of places, so that two shards never wait for each other.
        let forms = forms.collect();
        let events =
            effects.iter().filter_map(|placed| Some((placed.room_id.0, placed.event.touches?.0, placed.row.seq)));
        let events = events.collect();
        Box::pin(async move {
            write(&mut *connection, forms).await?;
            supersede(connection, events).await
        })
    }
}

async fn write(connection: &mut PgConnection, forms: BTreeMap<(Uuid, i64), &MessageRow>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE messages AS m
         SET content = given.content, parts = given.parts::json, edited_at = given.edited_at, deleted_at = given.deleted_at
         FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
              AS given (room_id, seq, content, parts, edited_at, deleted_at)
         WHERE m.room_id = given.room_id AND m.seq = given.seq",
        &forms.keys().map(|(room, _)| *room).collect::<Vec<_>>(),
        &forms.keys().map(|(_, seq)| *seq).collect::<Vec<_>>(),
        &forms.values().map(|form| form.content.as_str()).collect::<Vec<_>>() as &[&str],
        &forms.values().map(|form| form.parts.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &forms.values().map(|form| form.edited_at).collect::<Vec<_>>() as &[Option<_>],
        &forms.values().map(|form| form.deleted_at).collect::<Vec<_>>() as &[Option<_>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Events that gave these messages an earlier form are told without it, as [`superseded`](crate::order::EventRow::superseded)
/// says: what was edited or deleted is not read by catching up either.
async fn supersede(connection: &mut PgConnection, events: Vec<(Uuid, Uuid, i64)>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"UPDATE room_events AS e SET payload = format('{"message_id":"%s"}', e.touches)::json
           FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) AS given (room_id, message_id, seq)
           WHERE e.room_id = given.room_id AND e.touches = given.message_id AND e.seq < given.seq
             AND e.payload -> 'content' IS NOT NULL"#,
        &events.iter().map(|(room, ..)| *room).collect::<Vec<_>>(),
        &events.iter().map(|(_, message, _)| *message).collect::<Vec<_>>(),
        &events.iter().map(|(.., seq)| *seq).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
