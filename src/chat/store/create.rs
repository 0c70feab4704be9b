//! Making rooms.

use chrono::{DateTime, Utc};

use crate::chat::error::ChatError;
use crate::chat::permissions::{Role, RoomKind};
use crate::ids::{RoomId, SpaceId, UserId};
use crate::storage::Storage;

/// A room to be made.
#[derive(Debug)]
pub struct NewRoom {
    pub id: RoomId,
    pub kind: RoomKind,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub space_id: Option<SpaceId>,
    pub created_by: UserId,
    /// Everyone in it, the maker included.
    pub members: Vec<(UserId, Role)>,
    pub at: DateTime<Utc>,
}

/// Makes the room with its members, or finds the direct room that these two people have. Returns its id and whether
/// it is new.
pub async fn create_room(storage: &Storage, room: &NewRoom) -> Result<(RoomId, bool), ChatError> {
    let mut transaction = storage.engine().begin().await?;
    let (low, high) = match (room.kind, room.members.as_slice()) {
        (RoomKind::Direct, [(a, _), (b, _)]) => (Some(a.0.min(b.0)), Some(a.0.max(b.0))),
        _ => (None, None),
    };
    let made = sqlx::query_scalar!(
        "INSERT INTO rooms (id, kind, name, topic, space_id, direct_low, direct_high, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (direct_low, direct_high) DO NOTHING
         RETURNING id",
        room.id.0,
        room.kind.as_str(),
        room.name.as_deref(),
        room.topic.as_deref(),
        room.space_id.map(|id| id.0),
        low,
        high,
        room.created_by.0,
        room.at,
    )
    .fetch_optional(&mut *transaction)
    .await
    .map_err(unknown_user)?;
    if made.is_none() {
        let id = sqlx::query_scalar!("SELECT id FROM rooms WHERE direct_low = $1 AND direct_high = $2", low, high)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        return Ok((RoomId(id), false));
    }
    sqlx::query!(
        "INSERT INTO room_members (room_id, user_id, role, joined_at)
         SELECT $1, m.user_id, m.role, $4 FROM UNNEST($2::uuid[], $3::text[]) AS m (user_id, role)",
        room.id.0,
        &room.members.iter().map(|(user, _)| user.0).collect::<Vec<_>>(),
        &room.members.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>() as &[&str],
        room.at,
    )
    .execute(&mut *transaction)
    .await
    .map_err(unknown_user)?;
    transaction.commit().await?;
    Ok((room.id, true))
}

/// Whether these two people have their direct room.
pub async fn direct_room_exists(storage: &Storage, members: &[UserId]) -> Result<bool, ChatError> {
    let (low, high) = (members.iter().min(), members.iter().max());
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM rooms WHERE direct_low = $1 AND direct_high = $2) AS "found!""#,
        low.map(|user| user.0),
        high.map(|user| user.0),
    )
    .fetch_one(storage.engine_read("direct_room"))
    .await?;
    Ok(found)
}

/// A foreign key that fails names someone who is not there.
fn unknown_user(error: sqlx::Error) -> ChatError {
    match &error {
        sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
            ChatError::UserNotFound("one of member_ids".into())
        }
        _ => error.into(),
    }
}
