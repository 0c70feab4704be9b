//! Teams and profiles as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::wire::PublicUser;
use crate::text_enum::text_enum;
use parlance_foundation::ids::TeamId;
use parlance_foundation::party::{Party, PartyKind};

/// What somebody is in a team, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TeamRole {
    Member,
    /// Runs the team.
    Owner,
}

text_enum!(TeamRole { TeamRole::Owner => "owner", TeamRole::Member => "member" });

/// People who come into rooms together.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Team {
    pub id: TeamId,
    #[schema(example = "Support")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The caller's role; absent for somebody who only shares a room with the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<TeamRole>,
    /// How many are in it; told to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_count: Option<i64>,
    pub created_at: DateTime<Utc>,
}

/// Somebody in a team.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TeamMember {
    pub user: PublicUser,
    pub role: TeamRole,
    pub joined_at: DateTime<Utc>,
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateTeam {
    /// The client's own id for it, at most 64 bytes: sending it again returns the first team.
    #[serde(default)]
    pub client_id: Option<String>,
    #[schema(example = "Support")]
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
}

/// What to change; what is absent stays, an empty description clears it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateTeam {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}

/// Whom to add to a team.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AddTeamMember {
    #[schema(value_type = Uuid)]
    pub user_id: parlance_foundation::ids::UserId,
    /// `member` when absent.
    #[serde(default)]
    pub role: Option<TeamRole>,
}

/// The new role of somebody in a team.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetTeamRole {
    pub role: TeamRole,
}

/// Who a party is, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartyProfile {
    #[serde(rename = "type")]
    pub kind: PartyKind,
    pub id: Uuid,
    /// To be shown: a person's full name, or else their username.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// Of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

impl PartyProfile {
    /// The profile of a party that has no more than a name.
    pub fn named(party: Party, name: String) -> Self {
        Self { kind: party.kind(), id: party.uuid(), name, username: None, avatar_url: None }
    }

    pub fn party(&self) -> Party {
        Party::new(self.kind, self.id)
    }
}

impl From<&PublicUser> for PartyProfile {
    fn from(user: &PublicUser) -> Self {
        Self {
            kind: PartyKind::User,
            id: user.id.0,
            name: user.full_name.clone().unwrap_or_else(|| user.username.clone()),
            username: Some(user.username.clone()),
            avatar_url: user.avatar_url.clone(),
        }
    }
}

/// Profiles, in the order in which they were asked for. Who is not there, or not the caller's to see, is left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartyList {
    pub parties: Vec<PartyProfile>,
}
