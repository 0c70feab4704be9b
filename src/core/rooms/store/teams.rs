//! Teams in rooms: which are in one, and who is there with them. Who is in a team, `parties` says.

use std::collections::BTreeMap;

use crate::rooms::error::ChatError;
use crate::rooms::permissions::Role;
use parlance_foundation::ids::{RoomId, TeamId, UserId};
use parlance_foundation::storage::Storage;

/// The teams of one room, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamsHere {
    pub teams: BTreeMap<TeamId, Role>,
    /// The people who are in the room with a team, each with that team.
    pub via: BTreeMap<UserId, TeamId>,
}

pub async fn teams_here(storage: &Storage, room: RoomId) -> Result<TeamsHere, ChatError> {
    let rows = sqlx::query!(
        "SELECT team_id, user_id, via_team_id, role FROM room_members
         WHERE room_id = $1 AND (team_id IS NOT NULL OR via_team_id IS NOT NULL)",
        room.0
    )
    .fetch_all(storage.engine_read("teams"))
    .await?;
    let mut here = TeamsHere::default();
    for row in rows {
        if let (Some(user), Some(team)) = (row.user_id, row.via_team_id) {
            here.via.insert(UserId(user), TeamId(team));
        } else if let (Some(team), Ok(role)) = (row.team_id, row.role.parse()) {
            here.teams.insert(TeamId(team), role);
        }
    }
    Ok(here)
}

/// Those of these people who are not in the room and may come in with a team: in a channel of a space, those who are in the
/// space.
pub async fn absent(storage: &Storage, room: RoomId, users: &[UserId]) -> Result<Vec<UserId>, ChatError> {
    let found = sqlx::query_scalar!(
        r#"SELECT given.id AS "id!" FROM UNNEST($2::uuid[]) AS given (id) CROSS JOIN rooms
           WHERE rooms.id = $1
             AND NOT EXISTS (SELECT FROM room_members m WHERE m.room_id = $1 AND m.user_id = given.id)
             AND (rooms.space_id IS NULL OR EXISTS (
                  SELECT FROM space_members own WHERE own.space_id = rooms.space_id AND own.user_id = given.id))
           ORDER BY given.id"#,
        room.0,
        &users.iter().map(|user| user.0).collect::<Vec<_>>(),
    )
    .fetch_all(storage.engine_read("teams"))
    .await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// The name of the team with which `user` is in the room.
pub async fn came_with(storage: &Storage, room: RoomId, user: UserId) -> Result<Option<String>, ChatError> {
    let name = sqlx::query_scalar!(
        "SELECT teams.name FROM room_members theirs JOIN teams ON teams.id = theirs.via_team_id
         WHERE theirs.room_id = $1 AND theirs.user_id = $2",
        room.0,
        user.0
    )
    .fetch_optional(storage.engine_read("teams"))
    .await?;
    Ok(name)
}
