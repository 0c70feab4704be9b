//! Rooms and their members, as a user sees them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::accounts::wire::PublicUser;
use crate::rooms::error::ChatError;
use crate::rooms::kinds::RoomKind;
use crate::rooms::permissions::Role;
use crate::rooms::wire::{RoomMember, RoomSummary};
use parlance_foundation::ids::{RoomId, SpaceId, TeamId, UserId};
use parlance_foundation::party::PartyColumns;
use parlance_foundation::storage::Storage;

/// One room that `user` may see: as a member, or as a channel that they could join.
pub async fn room_of(storage: &Storage, user: UserId, room: RoomId) -> Result<RoomSummary, ChatError> {
    let mut transaction = storage.read_in(user, room).await?;
    let found = summaries(&mut transaction, user, &[room]).await?;
    transaction.commit().await?;
    found.into_iter().next().ok_or(ChatError::RoomNotFound)
}

/// These rooms, as far as `user` may see them, in this order. The connection must read as that user.
pub(super) async fn summaries(
    connection: &mut PgConnection,
    user: UserId,
    rooms: &[RoomId],
) -> Result<Vec<RoomSummary>, ChatError> {
    // Unread messages are counted up to 100, among the first 1000: a badge says 99+, and nobody pays for a year's absence
    // or for a program that posts without ever reading. The inner limit bounds what is read, the outer one ends it early.
    let rows = sqlx::query!(
        r#"
        SELECT r.id, r.kind, r.name, r.topic, r.space_id, r.last_seq, r.last_event_at, r.created_at,
               me.role AS "role?", me.delivered_seq AS "delivered_seq?", me.read_seq AS "read_seq?",
               CASE WHEN me.read_seq < r.last_seq THEN (
                   SELECT count(*) FROM (
                       SELECT FROM (
                           SELECT m.sender_user_id AS sender FROM messages m
                           WHERE m.room_id = r.id AND m.seq > me.read_seq ORDER BY m.seq LIMIT 1000) AS newer
                       WHERE newer.sender IS DISTINCT FROM $1 LIMIT 100) AS of_others) END AS unread,
               r.member_count,
               peer.id AS "peer_id?", peer.username::text AS peer_username, peer.full_name AS peer_full_name,
               peer.avatar_url AS peer_avatar_url, peer.created_at AS "peer_created_at?"
        FROM UNNEST($2::uuid[]) WITH ORDINALITY AS wanted (room_id, place)
        JOIN rooms r ON r.id = wanted.room_id
        LEFT JOIN room_members me ON me.room_id = r.id AND me.user_id = $1
        LEFT JOIN users peer ON peer.id = CASE WHEN r.direct_low = $1 THEN r.direct_high ELSE r.direct_low END
        WHERE r.kind = ANY($3)
        ORDER BY wanted.place
        "#,
        user.0,
        &rooms.iter().map(|room| room.0).collect::<Vec<_>>(),
        RoomKind::known() as &[&str],
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let peer =
                person(row.peer_id, row.peer_username, row.peer_full_name, row.peer_avatar_url, row.peer_created_at);
            Some(RoomSummary {
                id: RoomId(row.id),
                kind: row.kind.parse().ok()?,
                name: row.name,
                topic: row.topic,
                space_id: row.space_id.map(SpaceId),
                role: row.role.and_then(|role| role.parse().ok()),
                last_seq: row.last_seq,
                delivered_seq: row.delivered_seq.unwrap_or(0),
                read_seq: row.read_seq.unwrap_or(0),
                unread: row.unread.unwrap_or(0),
                member_count: row.member_count,
                last_message_at: row.last_event_at,
                created_at: row.created_at,
                peer,
            })
        })
        .collect())
}

fn person(
    id: Option<uuid::Uuid>,
    username: Option<String>,
    full_name: Option<String>,
    avatar_url: Option<String>,
    created_at: Option<DateTime<Utc>>,
) -> Option<PublicUser> {
    Some(PublicUser { id: UserId(id?), username: username?, full_name, avatar_url, created_at: created_at? })
}

/// A page of a room's members, whatever they are, in the order of their ids. Through a function, which applies the policy
/// by itself: under the policy, the cursor would be compared with all members before it.
pub async fn members(
    storage: &Storage,
    user: UserId,
    room: RoomId,
    after: Option<uuid::Uuid>,
    limit: i64,
) -> Result<Vec<RoomMember>, ChatError> {
    let mut transaction = storage.read_in(user, room).await?;
    let rows = sqlx::query!(
        r#"
        SELECT m.user_id, m.agent_id, m.team_id, m.contact_id, m.via_team_id,
               u.id AS "id?", u.username::text AS username, u.full_name, u.avatar_url, u.created_at AS "created_at?",
               m.role AS "role!", m.joined_at AS "joined_at!", m.delivered_seq AS "delivered_seq!", m.read_seq AS "read_seq!"
        FROM parlance_members_page($1, $2, $3) m LEFT JOIN users u ON u.id = m.user_id
        ORDER BY COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id)
        "#,
        room.0,
        after.unwrap_or(uuid::Uuid::nil()),
        limit,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    // A member sees at least themselves: an empty first page is a stranger's.
    if rows.is_empty() && after.is_none() {
        return Err(ChatError::RoomNotFound);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let role: Role = row.role.parse().ok()?;
            let (user_id, agent_id, team_id, contact_id) = (row.user_id, row.agent_id, row.team_id, row.contact_id);
            let party = PartyColumns { user_id, agent_id, team_id, contact_id }.party()?;
            Some(RoomMember {
                user: person(row.id, row.username, row.full_name, row.avatar_url, row.created_at),
                party: Some(party).filter(|party| party.user().is_none()),
                profile: None,
                via_team_id: row.via_team_id.map(TeamId),
                role,
                joined_at: row.joined_at,
                delivered_seq: row.delivered_seq,
                read_seq: row.read_seq,
            })
        })
        .collect())
}

/// The space of a channel that `user` may see, or `None` when the room is not one.
pub async fn channel_space(storage: &Storage, user: UserId, room: RoomId) -> Result<Option<SpaceId>, ChatError> {
    let mut transaction = storage.read_in(user, room).await?;
    let space = sqlx::query_scalar!("SELECT space_id FROM rooms WHERE id = $1", room.0)
        .fetch_optional(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(space.flatten().map(SpaceId))
}

/// Whether there is such a user to add.
pub async fn user_exists(storage: &Storage, by: UserId, user: UserId) -> Result<bool, ChatError> {
    let mut transaction = storage.read_as(by).await?;
    let found = sqlx::query_scalar!("SELECT EXISTS (SELECT FROM users WHERE id = $1)", user.0)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(found == Some(true))
}

/// Whether `user` is in the room, as far as `by` may see.
pub async fn is_member(storage: &Storage, by: UserId, room: RoomId, user: UserId) -> Result<bool, ChatError> {
    let mut transaction = storage.read_in(by, room).await?;
    let found = sqlx::query_scalar!(
        "SELECT EXISTS (SELECT FROM room_members WHERE room_id = $1 AND user_id = $2)",
        room.0,
        user.0
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(found == Some(true))
}

/// Those of these users who are in `rooms_max` rooms or more.
pub async fn crowded(storage: &Storage, users: &[UserId], rooms_max: usize) -> Result<Vec<UserId>, ChatError> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT one.user_id AS "user_id!" FROM UNNEST($1::uuid[]) AS one (user_id)
        WHERE (SELECT count(*) FROM (SELECT FROM room_members m WHERE m.user_id = one.user_id LIMIT $2) AS counted) >= $2
        "#,
        &users.iter().map(|user| user.0).collect::<Vec<_>>(),
        i64::try_from(rooms_max).unwrap_or(i64::MAX),
    )
    .fetch_all(storage.engine_read("crowded"))
    .await?;
    Ok(found.into_iter().map(UserId).collect())
}
