//! Whoever is a member, sends, acts or reads: a person, an AI agent, a team or an outside contact.
//!
//! In Postgres a party is one of four columns, each with a foreign key of its own ([`PartyColumns`]), or where nothing is
//! to be followed its kind and its id.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::{AgentId, ContactId, TeamId, UserId};

/// See the module. On the wire `{"type":"user","id":"…"}`; in a path or query `user:ID`, or a user's id alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "id", rename_all = "lowercase")]
pub enum Party {
    User(UserId),
    Agent(AgentId),
    Team(TeamId),
    Contact(ContactId),
}

/// Which of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    User,
    Agent,
    Team,
    Contact,
}

impl PartyKind {
    pub const ALL: [Self; 4] = [Self::User, Self::Agent, Self::Team, Self::Contact];

    /// As it stands in Postgres and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Contact => "contact",
        }
    }
}

impl FromStr for PartyKind {
    type Err = NoParty;

    fn from_str(text: &str) -> Result<Self, NoParty> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(NoParty)
    }
}

/// A party as four columns, of which one is not null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartyColumns {
    pub user_id: Option<Uuid>,
    pub agent_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
}

impl PartyColumns {
    /// Whose they are; `None` when all are null.
    pub fn party(self) -> Option<Party> {
        let Self { user_id, agent_id, team_id, contact_id } = self;
        user_id
            .map(|id| Party::User(UserId(id)))
            .or(agent_id.map(|id| Party::Agent(AgentId(id))))
            .or(team_id.map(|id| Party::Team(TeamId(id))))
            .or(contact_id.map(|id| Party::Contact(ContactId(id))))
    }
}

impl Party {
    pub fn new(kind: PartyKind, id: Uuid) -> Self {
        match kind {
            PartyKind::User => Self::User(UserId(id)),
            PartyKind::Agent => Self::Agent(AgentId(id)),
            PartyKind::Team => Self::Team(TeamId(id)),
            PartyKind::Contact => Self::Contact(ContactId(id)),
        }
    }

    pub fn kind(self) -> PartyKind {
        match self {
            Self::User(_) => PartyKind::User,
            Self::Agent(_) => PartyKind::Agent,
            Self::Team(_) => PartyKind::Team,
            Self::Contact(_) => PartyKind::Contact,
        }
    }

    /// The id without its kind. No two parties share one, whatever they are.
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.0,
            Self::Agent(id) => id.0,
            Self::Team(id) => id.0,
            Self::Contact(id) => id.0,
        }
    }

    /// The person, if it is one.
    pub fn user(self) -> Option<UserId> {
        if let Self::User(id) = self { Some(id) } else { None }
    }

    pub fn team(self) -> Option<TeamId> {
        if let Self::Team(id) = self { Some(id) } else { None }
    }

    pub fn columns(self) -> PartyColumns {
        let none = PartyColumns::default();
        match self {
            Self::User(id) => PartyColumns { user_id: Some(id.0), ..none },
            Self::Agent(id) => PartyColumns { agent_id: Some(id.0), ..none },
            Self::Team(id) => PartyColumns { team_id: Some(id.0), ..none },
            Self::Contact(id) => PartyColumns { contact_id: Some(id.0), ..none },
        }
    }
}

impl From<UserId> for Party {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind().as_str(), self.uuid())
    }
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// It names no party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a party is user:ID, agent:ID, team:ID or contact:ID, or the id of a user alone")]
pub struct NoParty;

impl FromStr for Party {
    type Err = NoParty;

    fn from_str(text: &str) -> Result<Self, NoParty> {
        let (kind, id) = match text.split_once(':') {
            Some((kind, id)) => (kind.parse()?, id),
            None => (PartyKind::User, text),
        };
        Ok(Self::new(kind, id.parse().map_err(|_| NoParty)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_the_same_in_a_path_on_the_wire_and_in_columns() {
        for (n, kind) in (1..).zip(PartyKind::ALL) {
            let party = Party::new(kind, Uuid::from_u128(n));
            assert_eq!(party.to_string().parse(), Ok(party));
            assert_eq!(party.columns().party(), Some(party));
            let json = serde_json::json!({ "type": kind.as_str(), "id": Uuid::from_u128(n) });
            assert_eq!(serde_json::to_value(party).unwrap(), json);
            assert_eq!(serde_json::from_value::<Party>(json).unwrap(), party);
        }
        let user = Party::User(UserId(Uuid::from_u128(7)));
        assert_eq!(Uuid::from_u128(7).to_string().parse(), Ok(user), "an id alone is a user's");
        for text in ["", "user", "user:", "user:7", "robot:00000000-0000-0000-0000-000000000007", ":", "team:x"] {
            assert_eq!(text.parse::<Party>(), Err(NoParty), "{text}");
        }
        assert_eq!(PartyColumns::default().party(), None);
    }
}
