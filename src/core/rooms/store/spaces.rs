//! Spaces: containers of channels. Their members are few and change rarely: no actor, plain transactions.

use chrono::{DateTime, Utc};

use crate::accounts::wire::PublicUser;
use crate::rooms::error::ChatError;
use crate::rooms::kinds::RoomKind;
use crate::rooms::permissions::Role;
use crate::rooms::wire::{ChannelListing, Space, SpaceMember};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// A space to be made.
#[derive(Debug)]
pub struct NewSpace<'a> {
    pub id: SpaceId,
    /// The maker's own id for it.
    pub client_id: Option<&'a str>,
    pub owner: UserId,
    pub name: &'a str,
    pub topic: Option<&'a str>,
    pub at: DateTime<Utc>,
}

/// Makes a space, or finds the one that was made under this client id. Returns its id and whether it is new.
pub async fn create_space(storage: &Storage, space: &NewSpace<'_>) -> Result<(SpaceId, bool), ChatError> {
    let NewSpace { id, client_id, owner, name, topic, at } = *space;
    let mut transaction = storage.engine().begin().await?;
    let made = sqlx::query!(
        "INSERT INTO spaces (id, client_id, name, topic, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
        id.0,
        client_id,
        name,
        topic,
        owner.0,
        at
    )
    .execute(&mut *transaction)
    .await?;
    if made.rows_affected() == 0 {
        let first =
            sqlx::query_scalar!("SELECT id FROM spaces WHERE created_by = $1 AND client_id = $2", owner.0, client_id)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        return Ok((SpaceId(first), false));
    }
    sqlx::query!(
        "INSERT INTO space_members (space_id, user_id, role, joined_at) VALUES ($1, $2, 'owner', $3)",
        id.0,
        owner.0,
        at
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((id, true))
}

/// Whether a space was made under this client id.
pub async fn space_was_made(storage: &Storage, owner: UserId, client_id: Option<&str>) -> Result<bool, ChatError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM spaces WHERE created_by = $1 AND client_id = $2) AS "found!""#,
        owner.0,
        client_id
    )
    .fetch_one(storage.engine_read("made_spaces"))
    .await?;
    Ok(found)
}

/// The spaces of a user, in the order of their making.
pub async fn spaces_of(
    storage: &Storage,
    user: UserId,
    after: Option<SpaceId>,
    limit: i64,
) -> Result<Vec<Space>, ChatError> {
    list(storage, user, None, after, limit).await
}

/// One space of a user.
pub async fn space_of(storage: &Storage, user: UserId, space: SpaceId) -> Result<Space, ChatError> {
    list(storage, user, Some(space), None, 1).await?.into_iter().next().ok_or(ChatError::SpaceNotFound)
}

async fn list(
    storage: &Storage,
    user: UserId,
    only: Option<SpaceId>,
    after: Option<SpaceId>,
    limit: i64,
) -> Result<Vec<Space>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"
        SELECT s.id, s.name, s.topic, s.created_at, me.role, s.member_count
        FROM spaces s JOIN space_members me ON me.space_id = s.id AND me.user_id = $1
        WHERE ($2::uuid IS NULL OR s.id = $2) AND ($3::uuid IS NULL OR s.id > $3)
        ORDER BY s.id LIMIT $4
        "#,
        user.0,
        only.map(|id| id.0),
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let role: Role = row.role.parse().ok()?;
            Some(Space {
                id: SpaceId(row.id),
                name: row.name,
                topic: row.topic,
                role,
                member_count: row.member_count,
                created_at: row.created_at,
            })
        })
        .collect())
}

/// Up to `limit` of a space's members after `after`, of `users` if these are given, each with the space as they see it.
pub async fn members_space(
    storage: &Storage,
    space: SpaceId,
    users: Option<&[UserId]>,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<(UserId, Space)>, ChatError> {
    let users: Option<Vec<_>> = users.map(|users| users.iter().map(|user| user.0).collect());
    let rows = sqlx::query!(
        r#"
        SELECT own.user_id, own.role, s.name, s.topic, s.created_at, s.member_count
        FROM spaces s JOIN space_members own ON own.space_id = s.id
        WHERE s.id = $1 AND ($2::uuid[] IS NULL OR own.user_id = ANY($2)) AND ($3::uuid IS NULL OR own.user_id > $3)
        ORDER BY own.user_id LIMIT $4
        "#,
        space.0,
        users.as_deref(),
        after.map(|user| user.0),
        limit,
    )
    .fetch_all(storage.engine_read("space_news"))
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let (name, topic, member_count) = (row.name, row.topic, row.member_count);
            let role: Role = row.role.parse().ok()?;
            Some((
                UserId(row.user_id),
                Space { id: space, name, topic, role, member_count, created_at: row.created_at },
            ))
        })
        .collect())
}

/// A page of a space's members.
pub async fn space_members(
    storage: &Storage,
    user: UserId,
    space: SpaceId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<SpaceMember>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"
        SELECT u.id, u.username::text AS "username!", u.full_name, u.avatar_url, u.created_at, m.role, m.joined_at
        FROM space_members m JOIN users u ON u.id = m.user_id
        WHERE m.space_id = $1 AND m.user_id > $2
        ORDER BY m.user_id LIMIT $3
        "#,
        space.0,
        after.map_or(uuid::Uuid::nil(), |id| id.0),
        limit,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if rows.is_empty() && after.is_none() {
        return Err(ChatError::SpaceNotFound);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let role: Role = row.role.parse().ok()?;
            Some(SpaceMember {
                user: PublicUser {
                    id: UserId(row.id),
                    username: row.username,
                    full_name: row.full_name,
                    avatar_url: row.avatar_url,
                    created_at: row.created_at,
                },
                role,
                joined_at: row.joined_at,
            })
        })
        .collect())
}

/// The channels of a space that `user` may find, joined or not.
pub async fn channels_of_space(
    storage: &Storage,
    user: UserId,
    space: SpaceId,
    after: Option<RoomId>,
    limit: i64,
) -> Result<Vec<ChannelListing>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"
        SELECT r.id, r.name, r.topic, r.last_event_at, r.created_at,
               EXISTS (SELECT FROM room_members me WHERE me.room_id = r.id AND me.user_id = $1) AS "joined!"
        FROM rooms r
        WHERE r.space_id = $2 AND r.kind = ANY($5) AND ($3::uuid IS NULL OR r.id > $3)
        ORDER BY r.id LIMIT $4
        "#,
        user.0,
        space.0,
        after.map(|id| id.0),
        limit,
        RoomKind::found() as &[&str],
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows
        .into_iter()
        .map(|row| ChannelListing {
            id: RoomId(row.id),
            name: row.name,
            topic: row.topic,
            joined: row.joined,
            last_message_at: row.last_event_at,
            created_at: row.created_at,
        })
        .collect())
}

/// Changes a space's name or topic; absent ones stay.
pub async fn describe_space(
    storage: &Storage,
    space: SpaceId,
    name: Option<&str>,
    topic: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), ChatError> {
    sqlx::query!(
        "UPDATE spaces SET name = COALESCE($2, name), topic = NULLIF(COALESCE($3, topic), ''), updated_at = $4
         WHERE id = $1",
        space.0,
        name,
        topic,
        at,
    )
    .execute(storage.engine())
    .await?;
    Ok(())
}
