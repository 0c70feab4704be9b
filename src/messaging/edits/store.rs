//! What messages were before: written with the event that changes them, read by moderators.

use parlance_core::order::{Effect, EffectWriter, Placed, Written};
use parlance_core::rooms::error::ChatError;
use parlance_foundation::ids::{MessageId, RoomId, UserId};
use parlance_foundation::storage::Storage;
use serde_json::value::RawValue;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::error::EditError;
use super::wire::MessageVersion;

/// Effect: keep what a message says until the event.
#[derive(Debug)]
pub struct KeepVersion {
    pub message_id: MessageId,
    pub content: String,
    /// JSON text of an array.
    pub parts: Option<String>,
}

impl Effect for KeepVersion {
    fn writer(&self) -> &'static dyn EffectWriter {
        &Versions
    }

    fn bytes(&self) -> usize {
        self.content.len() + self.parts.as_ref().map_or(0, String::len)
    }
}

struct Versions;

impl EffectWriter for Versions {
    fn name(&self) -> &'static str {
        "message_versions"
    }

    fn write<'a>(&'a self, connection: &'a mut PgConnection, effects: &'a [Placed<'a>]) -> Written<'a> {
        let kept = effects.iter().filter_map(|placed| Some((placed, placed.effect::<KeepVersion>()?)));
        Box::pin(keep(connection, kept.collect()))
    }
}

async fn keep(connection: &mut PgConnection, kept: Vec<(&Placed<'_>, &KeepVersion)>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO message_versions (room_id, message_id, seq, content, parts, until)
         SELECT room_id, message_id, seq, content, parts::json, until
         FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
              AS given (room_id, message_id, seq, content, parts, until)",
        &kept.iter().map(|(placed, _)| placed.room_id.0).collect::<Vec<_>>(),
        &kept.iter().map(|(_, version)| version.message_id.0).collect::<Vec<_>>(),
        &kept.iter().map(|(placed, _)| placed.row.seq).collect::<Vec<_>>(),
        &kept.iter().map(|(_, version)| version.content.as_str()).collect::<Vec<_>>() as &[&str],
        &kept.iter().map(|(_, version)| version.parts.as_deref()).collect::<Vec<_>>() as &[Option<&str>],
        &kept.iter().map(|(placed, _)| placed.row.at).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a message was before, the oldest first, for a moderator of its room.
pub async fn versions(
    storage: &Storage,
    user: UserId,
    room: RoomId,
    message: MessageId,
    after: i64,
    limit: i64,
) -> Result<Vec<MessageVersion>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let seen = sqlx::query!(
        r#"SELECT parlance_moderates($1) AS "moderates!",
                  EXISTS (SELECT FROM room_members WHERE room_id = $1) AS "is_member!",
                  EXISTS (SELECT FROM messages WHERE room_id = $1 AND id = $2) AS "is_there!""#,
        room.0,
        message.0,
    )
    .fetch_one(&mut *transaction)
    .await?;
    if !seen.is_member {
        return Err(ChatError::RoomNotFound);
    }
    if !seen.moderates {
        return Err(EditError::NotAModerator.into());
    }
    if !seen.is_there {
        return Err(ChatError::MessageNotFound);
    }
    let rows = sqlx::query!(
        r#"SELECT seq, content, parts AS "parts: Json<Box<RawValue>>", until FROM message_versions
           WHERE room_id = $1 AND message_id = $2 AND seq > $3 ORDER BY seq LIMIT $4"#,
        room.0,
        message.0,
        after,
        limit,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let version = |(seq, content, parts, until): (_, _, Option<Json<Box<RawValue>>>, _)| MessageVersion {
        seq,
        content,
        parts: parts.map(|parts| parts.0),
        until,
    };
    Ok(rows.into_iter().map(|row| version((row.seq, row.content, row.parts, row.until))).collect())
}
