//! Invitations: asking strangers in, and what became of it. All that are made take turns, so that their limits hold.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::accounts::wire::PublicUser;
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::permissions::{Action, Role, RoomKind, may, may_in_space, outranks};
use crate::rooms::wire::{Invitation, InvitedTo};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
use parlance_foundation::storage::Storage;

/// Rows that one statement of [`delete_forgotten`] deletes, so that it holds no lock for long.
const DELETE_ROWS_MAX: i64 = 5_000;

/// Where somebody is invited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Room(RoomId),
    Space(SpaceId),
}

/// A question to people who do not know the one who asks.
#[derive(Debug)]
pub struct Asking<'a> {
    pub place: Place,
    pub kind: InvitedTo,
    pub name: Option<&'a str>,
    pub inviter: UserId,
    pub role: Role,
}

/// What bounds them, and the time.
#[derive(Debug)]
pub struct Bounds<'a> {
    pub config: &'a ChatConfig,
    pub clock: &'a Clock,
}

impl Bounds<'_> {
    /// What was asked or answered before this is forgotten.
    fn forgotten_before(&self) -> DateTime<Utc> {
        self.clock.now() - chrono::Duration::days(self.config.invitation_days)
    }
}

/// Those of `others` who share no room and no space with `user`.
pub async fn strangers(storage: &Storage, user: UserId, others: &[UserId]) -> Result<Vec<UserId>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT given.id AS "id!" FROM UNNEST($2::uuid[]) AS given (id)
        WHERE given.id <> $1
          AND NOT EXISTS (SELECT FROM room_members mine JOIN room_members theirs ON theirs.room_id = mine.room_id
                          WHERE mine.user_id = $1 AND theirs.user_id = given.id)
          AND NOT EXISTS (SELECT FROM space_members mine JOIN space_members theirs ON theirs.space_id = mine.space_id
                          WHERE mine.user_id = $1 AND theirs.user_id = given.id)
        "#,
        user.0,
        &others.iter().map(|other| other.0).collect::<Vec<_>>(),
    )
    .fetch_all(storage.engine_read("strangers"))
    .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// Asks these people, as far as they may be asked. Returns who has been asked by now, each with the invitation.
pub async fn invite(
    connection: &mut PgConnection,
    asking: &Asking<'_>,
    users: &[UserId],
    bounds: &Bounds<'_>,
) -> Result<Vec<(UserId, Uuid)>, ChatError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let (room, space) = columns(asking.place);
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('parlance invitations'))").fetch_one(&mut *connection).await?;
    forget(connection, asking.inviter, &users, bounds).await?;
    let limit = |max: usize| i64::try_from(max).unwrap_or(i64::MAX);
    let ids: Vec<Uuid> = users.iter().map(|_| bounds.clock.uuid()).collect();
    // A refusal holds for whatever the same person asks; who it is that has too many, they are not told.
    sqlx::query!(
        r#"
        INSERT INTO invitations (id, room_id, space_id, kind, name, inviter_id, user_id, role, state, created_at)
        SELECT given.id, $3, $4, $5, $6, $7, given.user_id, $8, 'pending', $9
        FROM UNNEST($1::uuid[], $2::uuid[]) AS given (id, user_id)
        WHERE NOT EXISTS (SELECT FROM invitations past
                          WHERE past.inviter_id = $7 AND past.user_id = given.user_id AND past.state = 'declined')
          AND (SELECT count(*) FROM invitations open
               WHERE open.user_id = given.user_id AND open.state = 'pending') < $10
          AND (SELECT count(*) FROM invitations open
               WHERE open.inviter_id = $7 AND open.user_id = given.user_id AND open.state = 'pending') < $11
        ON CONFLICT DO NOTHING
        "#,
        &ids,
        &users,
        room,
        space,
        asking.kind.as_str(),
        asking.name,
        asking.inviter.0,
        asking.role.as_str(),
        bounds.clock.now(),
        limit(bounds.config.invitations_received_max),
        limit(bounds.config.invitations_pair_max),
    )
    .execute(&mut *connection)
    .await
    .map_err(super::create::unknown_user)?;
    let sent = sqlx::query_scalar!(
        r#"SELECT count(*) AS "sent!" FROM invitations WHERE inviter_id = $1 AND state = 'pending'"#,
        asking.inviter.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if sent > limit(bounds.config.invitations_sent_max) {
        return Err(ChatError::TooManyInvitations(bounds.config.invitations_sent_max));
    }
    let invited = sqlx::query!(
        "SELECT user_id, id FROM invitations
         WHERE (room_id = $1 OR space_id = $2) AND user_id = ANY($3) AND state = 'pending' ORDER BY user_id",
        room,
        space,
        &users,
    )
    .fetch_all(connection)
    .await?;
    Ok(invited.into_iter().map(|row| (UserId(row.user_id), row.id)).collect())
}

/// Of these people, what is too old to count.
async fn forget(
    connection: &mut PgConnection,
    inviter: UserId,
    users: &[Uuid],
    bounds: &Bounds<'_>,
) -> Result<(), ChatError> {
    sqlx::query!(
        "DELETE FROM invitations
         WHERE (inviter_id = $1 OR user_id = ANY($2)) AND COALESCE(answered_at, created_at) < $3",
        inviter.0,
        users,
        bounds.forgotten_before(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Invites somebody to a room or a space that is there, if the one who asks may add them.
pub async fn invite_to(
    storage: &Storage,
    place: Place,
    (inviter, user): (UserId, UserId),
    role: Role,
    bounds: &Bounds<'_>,
) -> Result<Uuid, ChatError> {
    let mut transaction = storage.engine().begin().await?;
    let (kind, name) = match place {
        Place::Room(room) => may_invite_to_room(&mut transaction, room, inviter, role).await?,
        Place::Space(space) => may_invite_to_space(&mut transaction, space, inviter, role).await?,
    };
    let asking = Asking { place, kind, name: name.as_deref(), inviter, role };
    let invited = invite(&mut transaction, &asking, &[user], bounds).await?;
    transaction.commit().await?;
    invited.first().map(|(_, id)| *id).ok_or(ChatError::NotInvited)
}

/// The lock has whoever leaves wait, and so revoke this as well.
async fn may_invite_to_room(
    connection: &mut PgConnection,
    room: RoomId,
    inviter: UserId,
    role: Role,
) -> Result<(InvitedTo, Option<String>), ChatError> {
    let found = sqlx::query!(
        "SELECT own.role, rooms.kind, rooms.name FROM room_members own JOIN rooms ON rooms.id = own.room_id
         WHERE own.room_id = $1 AND own.user_id = $2 FOR KEY SHARE OF own",
        room.0,
        inviter.0
    )
    .fetch_optional(connection)
    .await?
    .ok_or(ChatError::RoomNotFound)?;
    let (Ok(own), Ok(kind)) = (found.role.parse::<Role>(), found.kind.parse::<RoomKind>()) else {
        return Err(ChatError::RoomNotFound);
    };
    if kind.rules().is_pair {
        return Err(ChatError::DirectRoom);
    }
    if may(own, Action::AddMember, kind) && outranks(own, role) {
        Ok((kind.into(), found.name))
    } else {
        Err(ChatError::NotAllowed)
    }
}

async fn may_invite_to_space(
    connection: &mut PgConnection,
    space: SpaceId,
    inviter: UserId,
    role: Role,
) -> Result<(InvitedTo, Option<String>), ChatError> {
    let found = sqlx::query!(
        "SELECT own.role, spaces.name FROM space_members own JOIN spaces ON spaces.id = own.space_id
         WHERE own.space_id = $1 AND own.user_id = $2 FOR KEY SHARE OF own",
        space.0,
        inviter.0
    )
    .fetch_optional(connection)
    .await?
    .ok_or(ChatError::SpaceNotFound)?;
    let own = found.role.parse::<Role>().map_err(|_| ChatError::SpaceNotFound)?;
    if may_in_space(own, Action::AddMember) && outranks(own, role) {
        Ok((InvitedTo::Space, Some(found.name)))
    } else {
        Err(ChatError::NotAllowed)
    }
}

/// Asks the other one of a direct room that is there.
pub async fn invite_again(
    storage: &Storage,
    room: RoomId,
    (inviter, user): (UserId, UserId),
    bounds: &Bounds<'_>,
) -> Result<Vec<UserId>, ChatError> {
    let asking = Asking { place: Place::Room(room), kind: InvitedTo::Direct, name: None, inviter, role: Role::Member };
    let mut transaction = storage.engine().begin().await?;
    let invited = invite(&mut transaction, &asking, &[user], bounds).await?;
    transaction.commit().await?;
    Ok(invited.into_iter().map(|(user, _)| user).collect())
}

/// Whom `inviter` has asked into a room, who have not answered yet.
pub async fn invited_to(storage: &Storage, room: RoomId, inviter: UserId) -> Result<Vec<UserId>, ChatError> {
    let found = sqlx::query_scalar!(
        "SELECT user_id FROM invitations WHERE room_id = $1 AND inviter_id = $2 AND state = 'pending' ORDER BY user_id",
        room.0,
        inviter.0
    )
    .fetch_all(storage.engine_read("invitations"))
    .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// Those of the two of a direct room who are in it.
pub async fn in_direct_room(storage: &Storage, room: RoomId) -> Result<Vec<UserId>, ChatError> {
    let found = sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id!" FROM room_members WHERE room_id = $1 AND user_id IS NOT NULL"#,
        room.0
    )
    .fetch_all(storage.engine_read("invitations"))
    .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// A page of what `user` has not answered yet, newest first.
pub async fn invitations_of(
    storage: &Storage,
    user: UserId,
    after: Option<Uuid>,
    limit: i64,
    bounds: &Bounds<'_>,
) -> Result<Vec<Invitation>, ChatError> {
    list(storage, user, None, after, limit, bounds).await
}

/// One of them, answered or not.
pub async fn invitation_of(
    storage: &Storage,
    user: UserId,
    id: Uuid,
    bounds: &Bounds<'_>,
) -> Result<Invitation, ChatError> {
    list(storage, user, Some(id), None, 1, bounds).await?.pop().ok_or(ChatError::InvitationNotFound)
}

async fn list(
    storage: &Storage,
    user: UserId,
    only: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
    bounds: &Bounds<'_>,
) -> Result<Vec<Invitation>, ChatError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"
        SELECT i.id, i.room_id, i.space_id, i.kind, i.name, i.role, i.state, i.created_at,
               u.id AS inviter_id, u.username::text AS "username!", u.full_name, u.avatar_url,
               u.created_at AS inviter_created_at
        FROM invitations i JOIN users u ON u.id = i.inviter_id
        WHERE i.user_id = $1 AND (i.id = $2 OR ($2 IS NULL AND i.state = 'pending'))
          AND ($3::uuid IS NULL OR i.id < $3) AND COALESCE(i.answered_at, i.created_at) >= $5
        ORDER BY i.id DESC LIMIT $4
        "#,
        user.0,
        only,
        after,
        limit,
        bounds.forgotten_before(),
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Invitation {
                id: row.id,
                kind: row.kind.parse().ok()?,
                room_id: row.room_id.map(RoomId),
                space_id: row.space_id.map(SpaceId),
                name: row.name,
                role: row.role.parse().ok()?,
                state: row.state.parse().ok()?,
                inviter: PublicUser {
                    id: UserId(row.inviter_id),
                    username: row.username,
                    full_name: row.full_name,
                    avatar_url: row.avatar_url,
                    created_at: row.inviter_created_at,
                },
                created_at: row.created_at,
            })
        })
        .collect())
}

/// Declines what waits for an answer. Whether it did.
pub async fn decline(storage: &Storage, user: UserId, id: Uuid, at: DateTime<Utc>) -> Result<bool, ChatError> {
    let done = sqlx::query!(
        "UPDATE invitations SET state = 'declined', answered_at = $3
         WHERE id = $1 AND user_id = $2 AND state = 'pending'",
        id,
        user.0,
        at
    )
    .execute(storage.engine())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes back what somebody was asked and has not answered: what anybody asked, or only `inviter`. Whether there was any.
pub async fn revoke(storage: &Storage, place: Place, user: UserId, inviter: Option<UserId>) -> Result<bool, ChatError> {
    let (room, space) = columns(place);
    let done = sqlx::query!(
        "DELETE FROM invitations
         WHERE (room_id = $1 OR space_id = $2) AND user_id = $3 AND ($4::uuid IS NULL OR inviter_id = $4)
           AND state = 'pending'",
        room,
        space,
        user.0,
        inviter.map(|inviter| inviter.0),
    )
    .execute(storage.engine())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes some of those that are too old to count; how many.
pub async fn delete_forgotten(storage: &Storage, bounds: &Bounds<'_>) -> Result<u64, ChatError> {
    let deleted = sqlx::query!(
        "DELETE FROM invitations WHERE id IN (
             SELECT id FROM invitations WHERE COALESCE(answered_at, created_at) < $1 LIMIT $2)",
        bounds.forgotten_before(),
        DELETE_ROWS_MAX,
    )
    .execute(storage.engine())
    .await?;
    Ok(deleted.rows_affected())
}

fn columns(place: Place) -> (Option<Uuid>, Option<Uuid>) {
    match place {
        Place::Room(room) => (Some(room.0), None),
        Place::Space(space) => (None, Some(space.0)),
    }
}
