//! Who is in a space. Each change is decided on what is read under a lock of the space, so that two owners who leave at
//! once take turns.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::rooms::error::ChatError;
use crate::rooms::permissions::Role;
use crate::rooms::space::{self, Standing};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// A transaction that waits for another one, which waits for it, is ended by Postgres: the other may then go on.
const TRIES_MAX: usize = 5;

/// A user's role in a space; `None` for strangers and spaces that are not there.
pub async fn space_role(storage: &Storage, user: UserId, space: SpaceId) -> Result<Option<Role>, ChatError> {
    let role =
        sqlx::query_scalar!("SELECT role FROM space_members WHERE space_id = $1 AND user_id = $2", space.0, user.0)
            .fetch_optional(storage.engine_read("space"))
            .await?;
    Ok(role.and_then(|role| role.parse().ok()))
}

/// A user's role in the space of a channel; `None` for strangers to it, and for rooms that are not in one.
pub async fn role_in_space_of(storage: &Storage, user: UserId, room: RoomId) -> Result<Option<Role>, ChatError> {
    let role = sqlx::query_scalar!(
        "SELECT own.role FROM rooms JOIN space_members own ON own.space_id = rooms.space_id AND own.user_id = $2
         WHERE rooms.id = $1",
        room.0,
        user.0
    )
    .fetch_optional(storage.engine_read("space"))
    .await?;
    Ok(role.and_then(|role| role.parse().ok()))
}

/// Somebody of `users` who is not in the space, if there is anybody.
pub async fn outsider(storage: &Storage, space: SpaceId, users: &[UserId]) -> Result<Option<UserId>, ChatError> {
    let found = sqlx::query_scalar!(
        r#"SELECT given.id AS "id!" FROM UNNEST($2::uuid[]) AS given (id)
           WHERE NOT EXISTS (SELECT FROM space_members WHERE space_id = $1 AND user_id = given.id) LIMIT 1"#,
        space.0,
        &users.iter().map(|user| user.0).collect::<Vec<_>>(),
    )
    .fetch_optional(storage.engine_read("space"))
    .await?;
    Ok(found.map(UserId))
}

/// Adds someone to a space. What they are in it now, and whether that is new.
pub async fn add_space_member(
    storage: &Storage,
    space: SpaceId,
    user: UserId,
    role: Role,
    at: DateTime<Utc>,
) -> Result<(Role, bool), ChatError> {
    let done = sqlx::query!(
        "INSERT INTO space_members (space_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        space.0,
        user.0,
        role.as_str(),
        at,
    )
    .execute(storage.engine())
    .await?;
    if done.rows_affected() == 1 {
        return Ok((role, true));
    }
    // Out again already: then there is nobody to speak of.
    Ok((space_role(storage, user, space).await?.ok_or(ChatError::NotAMember)?, false))
}

/// Takes someone out of a space and of all its channels, in one transaction. Returns those channels, whose order is yet to
/// tell it.
pub async fn leave_space(
    storage: &Storage,
    space: SpaceId,
    by: UserId,
    user: UserId,
) -> Result<Vec<RoomId>, ChatError> {
    for _ in 1..TRIES_MAX {
        match try_to_leave(storage, space, by, user).await {
            Err(Failed::Sql(error)) if is_deadlock(&error) => {}
            done => return done.map_err(ChatError::from),
        }
    }
    Ok(try_to_leave(storage, space, by, user).await?)
}

async fn try_to_leave(storage: &Storage, space: SpaceId, by: UserId, user: UserId) -> Result<Vec<RoomId>, Failed> {
    let mut transaction = storage.engine().begin().await?;
    let standing = standing(&mut transaction, space, by, user).await?;
    if !space::may_take_out(&standing, by == user)? {
        return Ok(Vec::new());
    }
    // The channels first, as a flush does it that writes to them: whoever takes locks in the same order never waits in a
    // circle.
    let rooms = sqlx::query_scalar!(
        "SELECT rooms.id FROM rooms JOIN room_members own ON own.room_id = rooms.id AND own.user_id = $2
         WHERE rooms.space_id = $1 ORDER BY rooms.id FOR NO KEY UPDATE OF rooms",
        space.0,
        user.0
    )
    .fetch_all(&mut *transaction)
    .await?;
    sqlx::query!("SELECT set_config('parlance.by', $1, true)", by.to_string()).fetch_one(&mut *transaction).await?;
    // A trigger takes them out of the channels, those as well that were joined since.
    sqlx::query!("DELETE FROM space_members WHERE space_id = $1 AND user_id = $2", space.0, user.0)
        .execute(&mut *transaction)
        .await?;
    let left = sqlx::query_scalar!(
        "SELECT departures.room_id FROM departures JOIN rooms ON rooms.id = departures.room_id
         WHERE rooms.space_id = $1 AND departures.user_id = $2",
        space.0,
        user.0
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let mut all: Vec<RoomId> = rooms.into_iter().chain(left).map(RoomId).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Changes what someone is in a space.
pub async fn set_space_role(
    storage: &Storage,
    space: SpaceId,
    by: UserId,
    user: UserId,
    role: Role,
) -> Result<(), ChatError> {
    let mut transaction = storage.engine().begin().await?;
    let standing = standing(&mut transaction, space, by, user).await.map_err(ChatError::from)?;
    if space::may_set_role(&standing, role, by == user)? {
        sqlx::query!(
            "UPDATE space_members SET role = $3 WHERE space_id = $1 AND user_id = $2",
            space.0,
            user.0,
            role.as_str()
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// What both are in the space, until the transaction ends. Members who are made or come meanwhile change nothing about it.
async fn standing(
    connection: &mut PgConnection,
    space: SpaceId,
    by: UserId,
    user: UserId,
) -> Result<Standing, sqlx::Error> {
    // Not FOR UPDATE, which a room that is being made in the space would wait for, as we may for its people.
    sqlx::query!("SELECT id FROM spaces WHERE id = $1 FOR NO KEY UPDATE", space.0)
        .fetch_optional(&mut *connection)
        .await?;
    let found = sqlx::query!(
        r#"
        SELECT (SELECT role FROM space_members WHERE space_id = $1 AND user_id = $2) AS own,
               (SELECT role FROM space_members WHERE space_id = $1 AND user_id = $3) AS target,
               EXISTS (SELECT FROM space_members WHERE space_id = $1 AND user_id <> $3) AS "has_others!",
               EXISTS (SELECT FROM space_members WHERE space_id = $1 AND user_id <> $3 AND role = 'owner')
                   AS "has_other_owner!"
        "#,
        space.0,
        by.0,
        user.0
    )
    .fetch_one(connection)
    .await?;
    let role = |text: Option<String>| text.and_then(|text| text.parse().ok());
    Ok(Standing {
        own: role(found.own),
        target: role(found.target),
        has_others: found.has_others,
        has_other_owner: found.has_other_owner,
    })
}

/// Why a transaction did not come to its end.
enum Failed {
    Sql(sqlx::Error),
    Chat(ChatError),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<ChatError> for Failed {
    fn from(error: ChatError) -> Self {
        Self::Chat(error)
    }
}

impl From<Failed> for ChatError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Sql(error) => error.into(),
            Failed::Chat(error) => error,
        }
    }
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "40P01")
}

/// The channels of whose order somebody's departure is yet to be told, each with those who departed.
pub async fn untold_departures(storage: &Storage) -> Result<Vec<(RoomId, Vec<UserId>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT room_id, array_agg(user_id) AS "users!" FROM departures GROUP BY room_id ORDER BY room_id"#
    )
    .fetch_all(storage.engine_read("departures"))
    .await?;
    Ok(rows.into_iter().map(|row| (RoomId(row.room_id), row.users.into_iter().map(UserId).collect())).collect())
}
