//! The changes that the core itself reads: who is in a room, and what it is called.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text_enum::text_enum;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::Party;

/// What a member is in a room or space, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Guest,
    Member,
    Admin,
    Owner,
}

text_enum!(Role { Role::Owner => "owner", Role::Admin => "admin", Role::Member => "member", Role::Guest => "guest" });

/// What an event says of its room's members or description.
#[derive(Clone, Debug, PartialEq)]
pub enum CoreChange {
    MemberAdded {
        party: Party,
        role: Role,
        /// Of a team: its people who come with it, each in its role.
        people: Vec<UserId>,
    },
    MemberRemoved {
        party: Party,
        /// Their membership had ended in Postgres before the room heard of it: the event only tells so.
        is_out: bool,
        /// Of a team: its people who go with it.
        people: Vec<UserId>,
        /// Of a team: its people who stay, each with another one.
        stay: Vec<Stays>,
    },
    RoleChanged {
        party: Party,
        role: Role,
        /// Of a person: the team with which they are here from now on; `None`: for themselves.
        via: Option<TeamId>,
        /// Of a team: its people, whose role is the team's.
        people: Vec<UserId>,
    },
    /// Both as they are from here on.
    Described { name: Option<String>, topic: Option<String> },
}

/// Somebody who came with a team that leaves, and stays with another one: from here on they are what that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stays {
    pub user: UserId,
    pub via: TeamId,
    pub role: Role,
}

impl CoreChange {
    /// One person came in.
    pub fn added(user: UserId, role: Role) -> Self {
        Self::MemberAdded { party: user.into(), role, people: Vec::new() }
    }

    /// One person left, or was out already.
    pub fn removed(user: UserId, is_out: bool) -> Self {
        Self::MemberRemoved { party: user.into(), is_out, people: Vec::new(), stay: Vec::new() }
    }

    /// One person has another role.
    pub fn role_changed(user: UserId, role: Role) -> Self {
        Self::RoleChanged { party: user.into(), role, via: None, people: Vec::new() }
    }

    /// Whom it is about: a person, a team with its people, an agent, a contact.
    pub fn parties(&self) -> impl Iterator<Item = Party> + '_ {
        let (party, people) = match self {
            Self::MemberAdded { party, people, .. }
            | Self::MemberRemoved { party, people, .. }
            | Self::RoleChanged { party, people, .. } => (Some(*party), people.as_slice()),
            Self::Described { .. } => (None, [].as_slice()),
        };
        party.into_iter().chain(people.iter().copied().map(Party::User))
    }

    pub fn is_about(&self, party: Party) -> bool {
        self.parties().any(|one| one == party)
    }

    /// Whether it changes what `party` is in the room: also who stays while their team leaves.
    pub fn changes(&self, party: Party) -> bool {
        let stays = match self {
            Self::MemberRemoved { stay, .. } => stay.iter().any(|stays| Party::User(stays.user) == party),
            _ => false,
        };
        stays || self.is_about(party)
    }

    /// The people who are in the room from here on.
    pub fn joining(&self) -> impl Iterator<Item = UserId> + '_ {
        self.parties().filter(|_| matches!(self, Self::MemberAdded { .. })).filter_map(Party::user)
    }

    /// The people who are not any more.
    pub fn leaving(&self) -> impl Iterator<Item = UserId> + '_ {
        self.parties().filter(|_| matches!(self, Self::MemberRemoved { .. })).filter_map(Party::user)
    }
}
