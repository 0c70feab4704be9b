//! All SQL of teams, by purpose: making and reading them here, changing who is in them beside it.

mod members;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::error::TeamError;
use super::wire::Team;
pub use members::{Joining, add_member, members, remove_member, set_role};
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::storage::Storage;

/// A team to be made.
#[derive(Debug)]
pub struct NewTeam<'a> {
    pub id: TeamId,
    /// The maker's own id for it.
    pub client_id: Option<&'a str>,
    pub owner: UserId,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub at: DateTime<Utc>,
    /// Teams that its owner may own.
    pub owned_max: usize,
}

/// Makes a team, or finds the one that was made under this client id. Returns its id and whether it is new.
pub async fn create(storage: &Storage, team: &NewTeam<'_>) -> Result<(TeamId, bool), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    // So that the limit holds also for teams that are made at the same time.
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('parlance teams ' || $1, 0))", team.owner.to_string())
        .fetch_one(&mut *transaction)
        .await?;
    if let Some(client_id) = team.client_id {
        let first = sqlx::query_scalar!(
            "SELECT id FROM teams WHERE created_by = $1 AND client_id = $2",
            team.owner.0,
            client_id
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(first) = first {
            return Ok((TeamId(first), false));
        }
    }
    let owned = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM team_members own JOIN teams ON teams.id = own.team_id
           WHERE own.user_id = $1 AND own.role = 'owner' AND teams.deleted_at IS NULL"#,
        team.owner.0
    )
    .fetch_one(&mut *transaction)
    .await?;
    if usize::try_from(owned).unwrap_or(usize::MAX) >= team.owned_max {
        return Err(TeamError::TooMany(team.owned_max));
    }
    sqlx::query!(
        "INSERT INTO teams (id, client_id, name, description, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        team.id.0,
        team.client_id,
        team.name,
        team.description,
        team.owner.0,
        team.at
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO team_members (team_id, user_id, role, joined_at) VALUES ($1, $2, 'owner', $3)",
        team.id.0,
        team.owner.0,
        team.at
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((team.id, true))
}

/// The teams that `user` is in, in the order of their making.
pub async fn teams_of(
    storage: &Storage,
    user: UserId,
    after: Option<TeamId>,
    limit: i64,
) -> Result<Vec<Team>, TeamError> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!(
        r#"SELECT t.id, t.name, t.description, t.created_at, me.role,
                  (SELECT count(*) FROM team_members m WHERE m.team_id = t.id) AS "member_count!"
           FROM team_members me JOIN teams t ON t.id = me.team_id
           WHERE me.user_id = $1 AND t.deleted_at IS NULL AND me.team_id > $2
           ORDER BY me.team_id LIMIT $3"#,
        user.0,
        after.map_or(Uuid::nil(), |id| id.0),
        limit,
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows
        .into_iter()
        .map(|row| Team {
            id: TeamId(row.id),
            name: row.name,
            description: row.description,
            role: row.role.parse().ok(),
            member_count: Some(row.member_count),
            created_at: row.created_at,
        })
        .collect())
}

/// One team that `user` is in, or shares a room with.
pub async fn team_of(storage: &Storage, user: UserId, team: TeamId) -> Result<Team, TeamError> {
    let mut transaction = storage.read_as(user).await?;
    let row = sqlx::query!(
        r#"SELECT t.id, t.name, t.description, t.created_at,
                  (SELECT role FROM team_members me WHERE me.team_id = t.id AND me.user_id = $2) AS role,
                  (SELECT count(*) FROM team_members m WHERE m.team_id = t.id) AS "member_count!"
           FROM teams t WHERE t.id = $1 AND t.deleted_at IS NULL"#,
        team.0,
        user.0
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let row = row.ok_or(TeamError::NotFound)?;
    let role = row.role.and_then(|role| role.parse().ok());
    Ok(Team {
        id: TeamId(row.id),
        name: row.name,
        description: row.description,
        role,
        member_count: role.map(|_| row.member_count),
        created_at: row.created_at,
    })
}

/// The names of these teams, as far as `user` may see them.
pub async fn names(storage: &Storage, user: UserId, ids: &[Uuid]) -> Result<Vec<(TeamId, String)>, sqlx::Error> {
    let mut transaction = storage.read_as(user).await?;
    let rows = sqlx::query!("SELECT id, name FROM teams WHERE id = ANY($1)", ids).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(rows.into_iter().map(|row| (TeamId(row.id), row.name)).collect())
}

/// Another name or description; an empty description clears it.
pub async fn describe(
    storage: &Storage,
    team: TeamId,
    by: UserId,
    name: Option<&str>,
    description: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    super::state::require_owner(members::role_in(&mut transaction, team, by).await?)?;
    sqlx::query!(
        "UPDATE teams SET name = COALESCE($2, name), description = NULLIF(COALESCE($3, description), ''), updated_at = $4
         WHERE id = $1",
        team.0,
        name,
        description,
        at
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Begins the end of a team: a trigger has its rooms take it out, and the last of them deletes it.
pub async fn end(storage: &Storage, team: TeamId, by: UserId, at: DateTime<Utc>) -> Result<(), TeamError> {
    let mut transaction = storage.engine().begin().await?;
    super::state::require_owner(members::role_in(&mut transaction, team, by).await?)?;
    act_as(&mut transaction, by).await?;
    sqlx::query!("UPDATE teams SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", team.0, at)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Deletes those teams whose end has begun and that no room has any more, nor anybody who came with them.
pub async fn delete_ended(storage: &Storage) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM teams WHERE deleted_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM room_members WHERE room_members.team_id = teams.id)
           AND NOT EXISTS (SELECT FROM room_members WHERE room_members.via_team_id = teams.id)"
    )
    .execute(storage.engine())
    .await?;
    Ok(())
}

/// The people of a team, as rooms ask for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamPeople {
    /// In the order of their ids.
    pub people: Vec<UserId>,
    pub owners: Vec<UserId>,
}

/// The people of those of these teams that are there and not being deleted.
pub async fn people_of(storage: &Storage, teams: &[TeamId]) -> Result<HashMap<TeamId, TeamPeople>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT t.id, array_agg(m.user_id ORDER BY m.user_id) AS "people!",
                  array_agg(m.user_id) FILTER (WHERE m.role = 'owner') AS owners
           FROM teams t JOIN team_members m ON m.team_id = t.id
           WHERE t.id = ANY($1) AND t.deleted_at IS NULL GROUP BY t.id"#,
        &teams.iter().map(|team| team.0).collect::<Vec<_>>(),
    )
    .fetch_all(storage.engine_read("teams"))
    .await?;
    let users = |ids: Vec<Uuid>| ids.into_iter().map(UserId).collect();
    let people = |row: (Vec<Uuid>, Vec<Uuid>)| TeamPeople { people: users(row.0), owners: users(row.1) };
    Ok(rows.into_iter().map(|row| (TeamId(row.id), people((row.people, row.owners.unwrap_or_default())))).collect())
}

/// Triggers read who acts.
async fn act_as(connection: &mut PgConnection, by: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT set_config('parlance.by', $1, true)", by.to_string()).fetch_one(connection).await?;
    Ok(())
}
