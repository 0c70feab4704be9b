//! What a room is and who is in it: the same for its actor, its card and what is read of it. Pure.
//!
//! Invariant: [`RoomFacts::apply`] is the only place where a change becomes fact, so that all three agree.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::permissions::{Role, RoomKind};
use crate::order::{CoreChange, Watermark};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};
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
    pub members: HashMap<Party, Member>,
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
    pub fn apply(&mut self, seq: i64, change: &CoreChange) {
        match change {
            CoreChange::MemberAdded { role, .. } => {
                let is_there = |party: Party| party.team().is_some() && self.members.contains_key(&party);
                // A team that gets more people has been there before.
                let joining: Vec<Party> = change.parties().filter(|party| !is_there(*party)).collect();
                self.members.extend(joining.into_iter().map(|party| (party, Member::from(*role, seq))));
            }
            CoreChange::MemberRemoved { .. } => {
                for party in change.parties() {
                    self.members.remove(&party);
                }
            }
            CoreChange::RoleChanged { role, .. } => {
                for party in change.parties() {
                    if let Some(member) = self.members.get_mut(&party) {
                        member.role = *role;
                    }
                }
            }
            CoreChange::Described { name, topic } => (self.name, self.topic) = (name.clone(), topic.clone()),
        }
    }

    pub fn is_member(&self, party: Party) -> bool {
        self.members.contains_key(&party)
    }

    pub fn role(&self, party: Party) -> Option<Role> {
        self.members.get(&party).map(|member| member.role)
    }

    /// The people in it.
    pub fn people(&self) -> impl Iterator<Item = UserId> + '_ {
        self.members.keys().copied().filter_map(Party::user)
    }

    /// How many are in it; of a team its people are.
    pub fn members_len(&self) -> usize {
        self.members.keys().filter(|party| party.kind() != PartyKind::Team).count()
    }

    /// How far each member has received and read.
    pub fn marks(&self) -> Vec<Watermark> {
        self.members.iter().map(|(party, member)| member.mark(*party)).collect()
    }

    /// A member has received or read up to there. Whether that changes anything.
    pub fn raise(&mut self, mark: &Watermark) -> bool {
        self.members.get_mut(&mark.party).is_some_and(|member| member.raise(mark))
    }
}
