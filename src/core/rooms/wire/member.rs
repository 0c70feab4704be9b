//! What events say of members: who came, who left, and who is what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::order::{EventPayload, Role, Stays};
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::Party;

/// Someone's place in a room, inside events: a user by `user_id`, others as `party`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EventMember {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    pub role: Role,
}

impl EventMember {
    pub fn new(party: Party, role: Role) -> Self {
        let (user_id, party) = apart(party);
        Self { user_id, party, role }
    }
}

/// Event: someone was added, or joined; or a team, with its people. Of a team that is in the room already: more of its
/// people came.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberAdded {
    pub member: EventMember,
    /// The people who came with a team, each in its role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserId>,
}

/// Event: someone was removed, or left, by `user_id` or as `party`; or a team, with its people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberRemoved {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// The people who went with a team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserId>,
    /// The people who came with the team and stay, since another one of theirs is here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stay: Vec<StayingMember>,
}

/// Somebody who is here with another team from now on, and what they are with that.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StayingMember {
    pub user_id: UserId,
    pub via_team_id: TeamId,
    pub role: Role,
}

impl MemberRemoved {
    pub fn new(party: Party, people: Vec<UserId>, stay: &[Stays]) -> Self {
        let (user_id, party) = apart(party);
        let staying = |stays: &Stays| StayingMember { user_id: stays.user, via_team_id: stays.via, role: stays.role };
        Self { user_id, party, people, stay: stay.iter().map(staying).collect() }
    }
}

/// Event: a member, by `user_id` or as `party`, has another role now; of a team, its people as well.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberRoleChanged {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    pub role: Role,
    /// The team with which they are here from now on: they left the one before, and are in this one as well. Absent, of a
    /// person: they are here for themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_team_id: Option<TeamId>,
    /// The people who are here with a team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserId>,
}

impl MemberRoleChanged {
    pub fn new(party: Party, role: Role, via_team_id: Option<TeamId>, people: Vec<UserId>) -> Self {
        let (user_id, party) = apart(party);
        Self { user_id, party, role, via_team_id, people }
    }
}

/// A party as the fields `user_id` and `party`, of which one is there.
pub(super) fn apart(party: Party) -> (Option<UserId>, Option<Party>) {
    party.user().map_or((None, Some(party)), |user| (Some(user), None))
}

/// The party of the two fields.
pub(super) fn together<E: serde::de::Error>(user_id: Option<UserId>, party: Option<Party>) -> Result<Party, E> {
    user_id.map(Party::User).or(party).ok_or_else(|| E::custom("neither user_id nor party"))
}

impl EventPayload for MemberAdded {
    const KIND: &'static str = "member.added";
}

impl EventPayload for MemberRemoved {
    const KIND: &'static str = "member.removed";
}

impl EventPayload for MemberRoleChanged {
    const KIND: &'static str = "member.role_changed";
}
