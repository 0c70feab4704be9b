//! Making rooms.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::invitations::{Asking, Bounds, Place, invite};
use crate::rooms::error::ChatError;
use crate::rooms::permissions::{Role, RoomKind};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// A room to be made.
#[derive(Debug)]
pub struct NewRoom {
    pub id: RoomId,
    /// The maker's own id for it.
    pub client_id: Option<String>,
    pub kind: RoomKind,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub space_id: Option<SpaceId>,
    pub created_by: UserId,
    /// The two people of a direct room, the smaller id first.
    pub pair: Option<(UserId, UserId)>,
    /// Everyone in it, the maker included.
    pub members: Vec<(UserId, Role)>,
    /// Those who are asked first.
    pub strangers: Vec<UserId>,
    pub at: DateTime<Utc>,
}

/// What became of a wish for a room.
#[derive(Debug)]
pub struct Made {
    pub id: RoomId,
    pub is_new: bool,
    /// Its commit was not answered: it is there or not.
    pub is_unsure: bool,
    /// It is the direct room of the two people that was asked for, not one that a client id stands for.
    pub is_pairs: bool,
    /// Those of the strangers who have been asked.
    pub invited: Vec<UserId>,
}

/// Makes the room with its members, and asks strangers in; or finds the one that was made under this client id, or the
/// direct room that these two people have.
pub async fn create_room(storage: &Storage, room: &NewRoom, bounds: &Bounds<'_>) -> Result<Made, ChatError> {
    let mut transaction = storage.engine().begin().await?;
    let (low, high) = room.pair.map(|(low, high)| (low.0, high.0)).unzip();
    let made = sqlx::query_scalar!(
        "INSERT INTO rooms
             (id, kind, name, topic, space_id, direct_low, direct_high, created_by, client_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         ON CONFLICT DO NOTHING
         RETURNING id",
        room.id.0,
        room.kind.as_str(),
        room.name.as_deref(),
        room.topic.as_deref(),
        room.space_id.map(|id| id.0),
        low,
        high,
        room.created_by.0,
        room.client_id.as_deref(),
        room.at,
    )
    .fetch_optional(&mut *transaction)
    .await
    .map_err(unknown_user)?;
    if made.is_none() {
        let found = sqlx::query!(
            r#"SELECT id AS "id!", (direct_low, direct_high) IS NOT DISTINCT FROM ($3::uuid, $4::uuid) AS "is_pairs!"
               FROM (SELECT id, direct_low, direct_high, 1 AS turn FROM rooms WHERE created_by = $1 AND client_id = $2
                     UNION ALL
                     SELECT id, direct_low, direct_high, 2 FROM rooms WHERE direct_low = $3 AND direct_high = $4
                    ) AS found
               ORDER BY turn LIMIT 1"#,
            room.created_by.0,
            room.client_id.as_deref(),
            low,
            high
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let is_pairs = room.pair.is_some() && found.is_pairs;
        return Ok(Made { id: RoomId(found.id), is_new: false, is_unsure: false, is_pairs, invited: Vec::new() });
    }
    if let Some(space) = room.space_id {
        all_in_space(&mut transaction, space, &room.members).await?;
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
    let asking = Asking {
        place: Place::Room(room.id),
        kind: room.kind.into(),
        name: room.name.as_deref(),
        inviter: room.created_by,
        role: Role::Member,
    };
    let invited = invite(&mut transaction, &asking, &room.strangers, bounds).await?;
    if room.pair.is_some() && room.strangers.len() > invited.len() {
        return Err(ChatError::NotInvited);
    }
    let is_unsure = match transaction.commit().await.map_err(ChatError::from) {
        Err(error) if !error.is_passing() => return Err(error),
        committed => committed.is_err(),
    };
    let invited = invited.into_iter().map(|(user, _)| user).collect();
    Ok(Made { id: room.id, is_new: true, is_unsure, is_pairs: room.pair.is_some(), invited })
}

/// That the people of a new channel are in its space, and stay there until it is made: who leaves meanwhile waits for that,
/// and then leaves the channel as well.
async fn all_in_space(
    connection: &mut PgConnection,
    space: SpaceId,
    members: &[(UserId, Role)],
) -> Result<(), ChatError> {
    let found = sqlx::query_scalar!(
        "SELECT user_id FROM space_members WHERE space_id = $1 AND user_id = ANY($2) ORDER BY user_id FOR KEY SHARE",
        space.0,
        &members.iter().map(|(user, _)| user.0).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    match members.iter().find(|(user, _)| !found.contains(&user.0)) {
        Some((stranger, _)) => Err(ChatError::UserNotFound(format!("{stranger} is not a member of the space"))),
        None => Ok(()),
    }
}

/// Whether this would find a room that is there: under its client id, or the direct room of these two people.
pub async fn was_made(storage: &Storage, room: &NewRoom) -> Result<bool, ChatError> {
    let (low, high) = room.pair.map(|(low, high)| (low.0, high.0)).unzip();
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM rooms WHERE direct_low = $1 AND direct_high = $2)
               OR EXISTS (SELECT FROM rooms WHERE created_by = $3 AND client_id = $4) AS "found!""#,
        low,
        high,
        room.created_by.0,
        room.client_id.as_deref(),
    )
    .fetch_one(storage.engine_read("made_rooms"))
    .await?;
    Ok(found)
}

/// A foreign key that fails names someone who is not there.
pub(super) fn unknown_user(error: sqlx::Error) -> ChatError {
    match &error {
        sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
            ChatError::UserNotFound("one of member_ids".into())
        }
        _ => error.into(),
    }
}
