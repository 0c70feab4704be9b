//! Teams among the members of a room: who is in which team is looked up before the room is asked; who is here with one, the
//! room knows.

use super::Parts;
use super::members::change;
use crate::accounts::Caller;
use crate::rooms::error::ChatError;
use crate::rooms::mailbox::Changed;
use crate::rooms::permissions::Role;
use crate::rooms::state::{Change, Right};
use crate::rooms::store;
use parlance_foundation::ids::{RoomId, TeamId, UserId};
use parlance_foundation::party::Party;
use parlance_foundation::problem::Problem;
use parlance_foundation::requests::IdempotencyKey;

/// Adds a team in which `by` is, with its people; in a channel of a space, those of them who are in the space.
pub(super) async fn add_team(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    key: IdempotencyKey,
    team: TeamId,
    role: Role,
) -> Result<Changed, Problem> {
    let by = caller.user_id;
    let group = parts.teams.people_of(&[team]).await?.remove(&team).filter(|group| group.people.contains(&by));
    let group = group.ok_or(ChatError::PartyNotFound(Party::Team(team)))?;
    let people = store::absent(&parts.storage, room, &group.people).await?;
    if !people.is_empty() {
        parts.limits.add_people(by, people.len())?;
        parts.rooms.require_room_for(&people).await?;
    }
    let wanted = Change::AddMember { party: Party::Team(team), role, people };
    let changed = change(parts, caller, room, key, None, wanted).await?;
    parts.teams.came_or_went();
    Ok(changed)
}

/// Takes a team out, with those who came with it and are in no other team that is here. Its owners may do that as well.
pub(super) async fn remove_team(
    parts: &Parts,
    caller: &Caller,
    room: RoomId,
    key: IdempotencyKey,
    team: TeamId,
) -> Result<Changed, Problem> {
    let by = caller.user_id;
    let here = store::teams_here(&parts.storage, room).await?;
    let mut known: Vec<TeamId> = here.teams.keys().copied().collect();
    known.push(team);
    let living = parts.teams.people_of(&known).await?;
    let owns = here.teams.contains_key(&team) && living.get(&team).is_some_and(|group| group.owners.contains(&by));
    let wanted = Change::RemoveMember { party: Party::Team(team), held: here.held(&living, team) };
    let changed = change(parts, caller, room, key, owns.then_some(Right::OfTeam(team)), wanted).await?;
    parts.teams.came_or_went();
    Ok(changed)
}

/// The room refused to let somebody go who is here with a team: the same, with its name.
pub(super) async fn naming_team(parts: &Parts, room: RoomId, user: UserId, refused: Problem) -> Result<(), Problem> {
    let name = store::came_with(&parts.storage, room, user).await?;
    Err(name.map_or(refused, |name| ChatError::OfTeam(name).into()))
}
