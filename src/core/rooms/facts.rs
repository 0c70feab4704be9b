//! What a room is and who is in it: the same for its actor, its card and what is read of it. Pure.
//!
//! Invariants
//! - [`RoomFacts::apply`] is the only place where a change becomes fact, so that all three agree.
//! - Whoever is here with a team is here as what the team is.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::permissions::{Role, RoomKind};
use crate::order::{CoreChange, Watermark};
use parlance_foundation::ids::{RoomId, SpaceId, TeamId, UserId};
use parlance_foundation::party::{Party, PartyKind};

/// See the module.
#[derive(Clone, Debug)]
pub struct RoomFacts {
    pub id: RoomId,
    pub kind: RoomKind,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub space_id: Option<SpaceId>,
    pub created_at: DateTime<Utc>,
    /// The two people of a direct room, also while one of them has not accepted it yet.
    pub pair: Option<(UserId, UserId)>,
    pub members: Members,
}

/// Who is in a room. How many they are is asked for each card that is shown: teams are counted as they come.
#[derive(Clone, Debug, Default)]
pub struct Members {
    by_party: HashMap<Party, Member>,
    teams: usize,
    /// The team with which somebody is here; all others are here for themselves. Apart, since most rooms have none.
    via: BTreeMap<UserId, TeamId>,
}

impl FromIterator<(Party, Member)> for Members {
    fn from_iter<I: IntoIterator<Item = (Party, Member)>>(members: I) -> Self {
        let by_party: HashMap<Party, Member> = members.into_iter().collect();
        let teams = by_party.keys().filter(|party| party.kind() == PartyKind::Team).count();
        Self { by_party, teams, via: BTreeMap::new() }
    }
}

/// Each with the team with which they are here, if they are with one.
impl FromIterator<(Party, Member, Option<TeamId>)> for Members {
    fn from_iter<I: IntoIterator<Item = (Party, Member, Option<TeamId>)>>(members: I) -> Self {
        let mut via = BTreeMap::new();
        let with = |(party, member, team): (Party, Member, Option<TeamId>)| {
            via.extend(party.user().zip(team));
            (party, member)
        };
        let members: Self = members.into_iter().map(with).collect();
        Self { via, ..members }
    }
}

impl Members {
    pub fn get(&self, party: &Party) -> Option<&Member> {
        self.by_party.get(party)
    }

    pub fn get_mut(&mut self, party: &Party) -> Option<&mut Member> {
        self.by_party.get_mut(party)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Party, &Member)> {
        self.by_party.iter()
    }

    /// All of them, teams included.
    pub fn parties(&self) -> usize {
        self.by_party.len()
    }

    /// How many they are; of a team its people are.
    pub fn count(&self) -> usize {
        self.by_party.len() - self.teams
    }

    /// The team with which they are here; `None`: they are not here, or for themselves.
    pub fn via(&self, user: UserId) -> Option<TeamId> {
        self.via.get(&user).copied()
    }

    /// Those who are here with a team, in the order of their ids.
    pub fn with(&self, team: TeamId) -> impl Iterator<Item = UserId> + '_ {
        self.via.iter().filter(move |(_, via)| **via == team).map(|(user, _)| *user)
    }

    fn set_role(&mut self, party: Party, role: Role, via: Option<TeamId>) {
        let Some(member) = self.by_party.get_mut(&party) else { return };
        member.role = role;
        self.set_via(party, via);
    }

    fn set_via(&mut self, party: Party, via: Option<TeamId>) {
        match (party.user(), via) {
            (Some(user), Some(team)) => drop(self.via.insert(user, team)),
            (Some(user), None) => drop(self.via.remove(&user)),
            (None, _) => {}
        }
    }

    fn insert(&mut self, party: Party, member: Member, via: Option<TeamId>) {
        self.set_via(party, via);
        if self.by_party.insert(party, member).is_none() && party.kind() == PartyKind::Team {
            self.teams += 1;
        }
    }

    fn remove(&mut self, party: Party) {
        self.set_via(party, None);
        if self.by_party.remove(&party).is_some() && party.kind() == PartyKind::Team {
            self.teams -= 1;
        }
    }
}

/// Somebody in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub role: Role,
    pub delivered_seq: i64,
    pub read_seq: i64,
}

impl Member {
    /// Whoever comes in at `seq` owes nothing of what was before.
    pub fn from(role: Role, seq: i64) -> Self {
        Self { role, delivered_seq: seq, read_seq: seq }
    }

    /// How far they have received and read.
    pub fn mark(&self, party: Party) -> Watermark {
        Watermark { party, delivered_seq: self.delivered_seq, read_seq: self.read_seq }
    }

    /// Marks never fall. Whether that changes anything.
    pub fn raise(&mut self, mark: &Watermark) -> bool {
        let raised = (self.delivered_seq.max(mark.delivered_seq), self.read_seq.max(mark.read_seq));
        let changes = raised != (self.delivered_seq, self.read_seq);
        (self.delivered_seq, self.read_seq) = raised;
        changes
    }
}

impl RoomFacts {
    /// Those of a group without a name, for tests.
    #[cfg(test)]
    pub fn of_group(members: Members) -> Self {
        Self {
            id: RoomId(uuid::Uuid::nil()),
            kind: RoomKind::Group,
            name: None,
            topic: None,
            space_id: None,
            created_at: DateTime::default(),
            pair: None,
            members,
        }
    }

    pub fn apply(&mut self, seq: i64, change: &CoreChange) {
        match change {
            CoreChange::MemberAdded { party: added, role, .. } => {
                for party in change.parties() {
                    // A team that gets more people has been there before.
                    if party.kind() != PartyKind::Team || !self.is_member(party) {
                        self.members.insert(party, Member::from(*role, seq), added.team());
                    }
                }
            }
            CoreChange::MemberRemoved { stay, .. } => {
                for party in change.parties() {
                    self.members.remove(party);
                }
                for stays in stay {
                    self.members.set_role(stays.user.into(), stays.role, Some(stays.via));
                }
            }
            CoreChange::RoleChanged { party: changed, role, via, .. } => {
                for party in change.parties() {
                    self.members.set_role(party, *role, changed.team().or(*via));
                }
            }
            CoreChange::Described { name, topic } => (self.name, self.topic) = (name.clone(), topic.clone()),
        }
    }

    pub fn is_member(&self, party: Party) -> bool {
        self.members.get(&party).is_some()
    }

    pub fn role(&self, party: Party) -> Option<Role> {
        self.members.get(&party).map(|member| member.role)
    }

    /// The people in it.
    pub fn people(&self) -> impl Iterator<Item = UserId> + '_ {
        self.members.iter().filter_map(|(party, _)| party.user())
    }

    /// How far each member has received and read. A team does neither: its people do.
    pub fn marks(&self) -> Vec<Watermark> {
        let readers = self.members.iter().filter(|(party, _)| party.kind() != PartyKind::Team);
        readers.map(|(party, member)| member.mark(*party)).collect()
    }

    /// A member has received or read up to there. Whether that changes anything.
    pub fn raise(&mut self, mark: &Watermark) -> bool {
        self.members.get_mut(&mark.party).is_some_and(|member| member.raise(mark))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use parlance_foundation::ids::TeamId;

    #[test]
    fn a_team_is_as_many_as_its_people() {
        let user = |n| UserId(Uuid::from_u128(n));
        let team = Party::Team(TeamId(Uuid::from_u128(9)));
        let mut facts = RoomFacts::of_group([(user(1).into(), Member::from(Role::Owner, 0))].into_iter().collect());
        let comes = |people: &[u128]| {
            let people = people.iter().map(|n| user(*n)).collect();
            CoreChange::MemberAdded { party: team, role: Role::Guest, people }
        };
        facts.apply(1, &comes(&[2, 3]));
        assert_eq!((facts.members.count(), facts.members.parties()), (3, 4));
        facts.apply(2, &comes(&[4]));
        assert_eq!((facts.members.count(), facts.role(user(4).into())), (4, Some(Role::Guest)));
        assert_eq!(facts.members.get(&team).map(|member| member.read_seq), Some(1), "it was there before");
        let goes =
            CoreChange::MemberRemoved { party: team, is_out: false, people: vec![user(2), user(3)], stay: Vec::new() };
        assert!(facts.marks().iter().all(|mark| mark.party != team), "a team reads nothing");
        facts.apply(3, &goes);
        facts.apply(4, &goes);
        assert_eq!((facts.members.count(), facts.members.parties()), (2, 2));
        let read: Members = facts
            .members
            .iter()
            .map(|(party, member)| (*party, *member))
            .chain([(team, Member::from(Role::Guest, 5))])
            .collect();
        assert_eq!((read.count(), read.parties()), (2, 3));
    }
}
