//! Rooms follow the teams that are in them.
//!
//! Whatever changes a team enqueues one job for each of its rooms (`team.follow`), in the same transaction; so does a team
//! that comes into a room or leaves it, since its people may have changed after the room was asked. The job compares who is
//! in the teams with who is in the room with them, and has the room make what differs, in its order.
//!
//! Invariants
//! - It looks at what is, not at what happened: running it twice, late or for nothing changes nothing more.
//! - Whoever is in a room for themselves stays in it, whatever becomes of their teams. Who is, the room itself decides: what
//!   is read here may have changed before the room is asked.
//! - Whoever is in several teams that are here is here with one. When that one goes, they are what the strongest of the others
//!   is.
//! - Who is in as many rooms as one person may be does not come in; they do with the next change of the team.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::ChatError;
use super::http::ChatParts;
use super::mailbox::{ChangeRoom, Command};
use super::permissions::Role;
use super::state::{Change, Right, WantedChange};
use super::store::{self, TeamsHere};
use crate::jobs::{Job, JobError};
use crate::parties::TeamPeople;
use parlance_foundation::ids::{JobId, RoomId, TeamId, UserId};
use parlance_foundation::party::Party;

/// One room is to look at its teams. Written by triggers (`parlance_follow_teams`), which say its key as well: the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowTeams {
    pub room_id: RoomId,
    /// Who changed the team; absent: another hand.
    #[serde(default)]
    pub by: Option<UserId>,
}

impl Job for FollowTeams {
    const KIND: &'static str = "team.follow";

    fn key(&self) -> Option<String> {
        Some(self.room_id.to_string())
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The team is being deleted: it goes, with those who came with it and are in none of these others.
    TeamLeaves(TeamId, Vec<(UserId, TeamId)>),
    /// They are in the team no more.
    Leaves(UserId, TeamId),
    /// They are in that team no more, but in these others that are here.
    Moves {
        user: UserId,
        from: TeamId,
        held: Vec<TeamId>,
    },
    Joins(TeamId, Role, Vec<UserId>),
}

/// The people of those teams that are there and not being deleted.
type Living = HashMap<TeamId, TeamPeople>;

impl TeamsHere {
    /// The other teams that are here and in which `user` is.
    fn holders(&self, living: &Living, user: UserId, but: TeamId) -> impl Iterator<Item = TeamId> {
        let holds = move |team: &TeamId| living.get(team).is_some_and(|team| team.people.contains(&user));
        self.teams.keys().copied().filter(move |team| *team != but && holds(team))
    }

    /// Who of the people of `team` is in which other teams that are here.
    pub fn held(&self, living: &Living, team: TeamId) -> Vec<(UserId, TeamId)> {
        let with = self.via.iter().filter(|(_, via)| **via == team).map(|(user, _)| *user);
        let own = living.get(&team).into_iter().flat_map(|team| team.people.iter().copied());
        let people: BTreeSet<UserId> = with.chain(own).collect();
        people.into_iter().flat_map(|user| self.holders(living, user, team).map(move |other| (user, other))).collect()
    }

    /// What differs between the room and its teams. `absent`: those people of the teams who are not in the room and may come.
    pub fn steps(&self, living: &Living, absent: &HashSet<UserId>) -> Vec<Step> {
        let ended = self.teams.keys().filter(|team| !living.contains_key(team));
        let mut steps: Vec<Step> = ended.map(|team| Step::TeamLeaves(*team, self.held(living, *team))).collect();
        for (user, via) in &self.via {
            let is_ending = self.teams.contains_key(via) && !living.contains_key(via);
            let is_held =
                self.teams.contains_key(via) && living.get(via).is_some_and(|team| team.people.contains(user));
            if is_ending || is_held {
                continue;
            }
            let held: Vec<TeamId> = self.holders(living, *user, *via).collect();
            steps.push(match held.is_empty() {
                false => Step::Moves { user: *user, from: *via, held },
                true => Step::Leaves(*user, *via),
            });
        }
        let mut joined = HashSet::new();
        let living: BTreeMap<_, _> = living.iter().collect();
        for (team, people) in living {
            let Some(role) = self.teams.get(team) else { continue };
            let comes = |user: &&UserId| absent.contains(*user) && joined.insert(**user);
            let people: Vec<UserId> = people.people.iter().filter(comes).copied().collect();
            if !people.is_empty() {
                steps.push(Step::Joins(*team, *role, people));
            }
        }
        steps
    }
}

/// See the module.
pub async fn follow(parts: &ChatParts, job: FollowTeams, own: JobId) -> Result<(), JobError> {
    let room = job.room_id;
    let here = store::teams_here(&parts.storage, room).await.map_err(failed)?;
    let living = parts.teams.people_of(&here.teams.keys().copied().collect::<Vec<_>>()).await?;
    let all: Vec<UserId> = living.values().flat_map(|team| team.people.iter().copied()).collect();
    let mut absent: HashSet<UserId> =
        store::absent(&parts.storage, room, &all).await.map_err(failed)?.into_iter().collect();
    let asked: Vec<UserId> = absent.iter().copied().collect();
    for user in store::crowded(&parts.storage, &asked, parts.config.rooms_per_user_max).await.map_err(failed)? {
        tracing::warn!(room_id = %room, user_id = %user, "they are in as many rooms as one may be, and do not come with their team");
        absent.remove(&user);
    }
    let steps = here.steps(&living, &absent);
    // Asked after what was read: whoever made the change that was seen has a job behind this one, which says who it was.
    let is_anothers = job.by.is_none()
        && !steps.is_empty()
        && parts.teams.jobs().others_wait(&job, own).await.map_err(|error| JobError::Retry(error.to_string()))?;
    if is_anothers {
        return Ok(());
    }
    for step in steps {
        take(parts, job, step).await?;
    }
    Ok(parts.teams.delete_ended().await?)
}

async fn take(parts: &ChatParts, job: FollowTeams, step: Step) -> Result<(), JobError> {
    let room = job.room_id;
    let (team, change) = match step {
        Step::Moves { user, from, held } => (from, Change::MoveMember { user, held }),
        Step::TeamLeaves(team, held) => (team, Change::RemoveMember { party: Party::Team(team), held }),
        Step::Leaves(user, team) => (team, Change::remove(user)),
        Step::Joins(team, role, people) => (team, Change::AddMember { party: Party::Team(team), role, people }),
    };
    // By another hand: the team itself is who acts.
    let by = job.by.map_or(Party::Team(team), Party::User);
    let wanted = WantedChange { by, right: Right::OfTeam(team), client_id: None, change };
    let ask = |reply| Command::Change(ChangeRoom { wanted, reply });
    match parts.rooms.ask(room, ask).await {
        // The room is gone, or the team has left it meanwhile.
        Ok(_) | Err(ChatError::RoomNotFound | ChatError::NotAMember) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: ChatError) -> JobError {
    match error {
        // Somebody left the space, or was deleted, while it was done.
        ChatError::UserNotFound(_) | ChatError::Refused => JobError::Retry("who is in it has changed".into()),
        error if error.is_passing() => JobError::Retry(error.to_string()),
        error => JobError::Permanent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn team(n: u128) -> TeamId {
        TeamId(Uuid::from_u128(n))
    }

    fn here(teams: &[u128], via: &[(u128, u128)]) -> TeamsHere {
        TeamsHere {
            teams: teams.iter().map(|n| (team(*n), Role::Member)).collect(),
            via: via.iter().map(|(one, with)| (user(*one), team(*with))).collect(),
        }
    }

    fn living(teams: &[(u128, &[u128])]) -> Living {
        let people = |users: &[u128]| TeamPeople { people: users.iter().copied().map(user).collect(), owners: vec![] };
        teams.iter().map(|(n, users)| (team(*n), people(users))).collect()
    }

    fn absent(users: &[u128]) -> HashSet<UserId> {
        users.iter().copied().map(user).collect()
    }

    #[test]
    fn a_room_that_agrees_with_its_teams_has_nothing_to_do() {
        let steps = here(&[10], &[(1, 10), (2, 10)]).steps(&living(&[(10, &[1, 2, 3])]), &absent(&[]));
        assert_eq!(steps, [], "3 is in it for themselves, or may not come");
    }

    #[test]
    fn who_came_into_a_team_comes_in_once_and_who_left_it_leaves() {
        let steps =
            here(&[10, 11], &[(1, 10), (2, 10)]).steps(&living(&[(10, &[1, 3]), (11, &[3, 4])]), &absent(&[3, 4]));
        let joins = |with, one| Step::Joins(team(with), Role::Member, vec![user(one)]);
        assert_eq!(steps, [Step::Leaves(user(2), team(10)), joins(10, 3), joins(11, 4)]);
    }

    #[test]
    fn who_leaves_one_of_two_teams_stays_with_the_other() {
        let steps = here(&[10, 11], &[(1, 10)]).steps(&living(&[(10, &[2]), (11, &[1])]), &absent(&[]));
        assert_eq!(steps, [Step::Moves { user: user(1), from: team(10), held: vec![team(11)] }]);
    }

    #[test]
    fn a_team_that_is_deleted_leaves_with_those_whom_no_other_team_holds() {
        let steps = here(&[10, 11], &[(1, 10), (2, 10)]).steps(&living(&[(11, &[2, 5])]), &absent(&[]));
        assert_eq!(steps, [Step::TeamLeaves(team(10), vec![(user(2), team(11))])]);
    }

    #[test]
    fn who_is_here_with_a_team_that_is_not_here_leaves() {
        let steps = here(&[], &[(1, 10)]).steps(&living(&[(10, &[1])]), &absent(&[]));
        assert_eq!(steps, [Step::Leaves(user(1), team(10))], "its row was deleted by another hand");
    }
}
