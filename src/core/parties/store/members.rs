//! Who is in a team. Each change is decided on what is read under a lock of the team, so that two owners who leave at once
//! take turns.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::act_as;
use crate::accounts::wire::PublicUser;
use crate::parties::error::TeamError;
use crate::parties::state::{Standing, require_owner};
use crate::parties::wire::{TeamMember, TeamRole};
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::storage::Storage;

/// What somebody is in a team that is there and not being deleted; locks it.
pub(super) async fn role_in(
    connection: &mut PgConnection,
    team: TeamId,
    user: UserId,
) -> Result<Option<TeamRole>, sqlx::Error> {
    let is_there =
        sqlx::query_scalar!("SELECT id FROM teams WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE", team.0)
            .fetch_optional(&mut *connection)
            .await?;
    if is_there.is_none() {
        return Ok(None);
    }
    let role = sqlx::query_scalar!("SELECT role FROM team_members WHERE team_id = $1 AND user_id = $2", team.0, user.0)
        .fetch_optional(connection)
        .await?;
    Ok(role.and_then(|role| role.parse().ok()))
}

/// A page of a team's people, for one of them.
pub async fn members(
    storage: &Storage,
    by: UserId,
    team: TeamId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<TeamMember>, TeamError> {
    let mut transaction = storage.read_as(by).await?;
    let rows = sqlx::query!(
        r#"SELECT m.role, m.joined_at, u.id, u.username::text AS "username!", u.full_name, u.avatar_url, u.created_at
           FROM team_members m JOIN users u ON u.id = m.user_id JOIN teams t ON t.id = m.team_id
           WHERE m.team_id = $1 AND t.deleted_at IS NULL AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"#,
        team.0,
        after.unwrap_or(Uuid::nil()),
        limit
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    // Whoever is in it sees at least themselves: an empty first page is a stranger's.
    if rows.is_empty() && after.is_none() {
        return Err(TeamError::NotFound);
    }
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let user = PublicUser {
                id: UserId(row.id),
                username: row.username,
                full_name: row.full_name,
                avatar_url: row.avatar_url,
                created_at: row.created_at,
            };
            Some(TeamMember { user, role: row.role.parse().ok()?, joined_at: row.joined_at })
        })
        .collect())
}

/// Somebody who is to be added.
#[derive(Clone, Copy, Debug)]
pub struct Joining {
    pub user: UserId,
    pub role: TeamRole,
    pub at: DateTime<Utc>,
    /// As many as a team may have.
    pub people_max: usize,
}

/// Adds somebody. What they are in it now, and whether that is new.
pub async fn add_member(
    storage: &Storage,
    team: TeamId,
    by: UserId,
    joining: &Joining,
) -> Result<(TeamRole, bool), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    let Joining { user, role, at, people_max } = *joining;
    let standing = standing(&mut transaction, team, by, user).await?;
    require_owner(standing.own)?;
    if let Some(there) = standing.target {
        return Ok((there, false));
    }
    let people = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM team_members WHERE team_id = $1"#, team.0)
        .fetch_one(&mut *transaction)
        .await?;
    if usize::try_from(people).unwrap_or(usize::MAX) >= people_max {
        return Err(TeamError::Full(people_max));
    }
    act_as(&mut transaction, by).await?;
    let added = sqlx::query!(
        "INSERT INTO team_members (team_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)",
        team.0,
        user.0,
        role.as_str(),
        at
    )
    .execute(&mut *transaction)
    .await;
    match added {
        Err(sqlx::Error::Database(refusal)) if refusal.is_foreign_key_violation() => Err(TeamError::UserNotFound),
        Err(error) => Err(error.into()),
        Ok(_) => {
            transaction.commit().await?;
            Ok((role, true))
        }
    }
}

/// Takes somebody out.
pub async fn remove_member(storage: &Storage, team: TeamId, by: UserId, user: UserId) -> Result<(), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    if !standing(&mut transaction, team, by, user).await?.may_remove(by == user)? {
        return Ok(());
    }
    act_as(&mut transaction, by).await?;
    sqlx::query!("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2", team.0, user.0)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Changes what somebody is in the team.
pub async fn set_role(
    storage: &Storage,
    team: TeamId,
    by: UserId,
    user: UserId,
    role: TeamRole,
) -> Result<(), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    if standing(&mut transaction, team, by, user).await?.may_set_role(role, by == user)? {
        sqlx::query!(
            "UPDATE team_members SET role = $3 WHERE team_id = $1 AND user_id = $2",
            team.0,
            user.0,
            role.as_str()
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// What both are in the team, until the transaction ends.
async fn standing(
    connection: &mut PgConnection,
    team: TeamId,
    by: UserId,
    user: UserId,
) -> Result<Standing, sqlx::Error> {
    let own = role_in(&mut *connection, team, by).await?;
    let found = sqlx::query!(
        r#"SELECT (SELECT role FROM team_members WHERE team_id = $1 AND user_id = $2) AS target,
                  EXISTS (SELECT FROM team_members WHERE team_id = $1 AND user_id <> $2) AS "has_others!",
                  EXISTS (SELECT FROM team_members WHERE team_id = $1 AND user_id <> $2 AND role = 'owner')
                      AS "has_other_owner!""#,
        team.0,
        user.0
    )
    .fetch_one(connection)
    .await?;
    let target = found.target.and_then(|role| role.parse().ok());
    Ok(Standing { own, target, has_others: found.has_others, has_other_owner: found.has_other_owner })
}
