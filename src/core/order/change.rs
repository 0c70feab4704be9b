//! The changes that the core itself reads: who is in a room, and what it is called.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text_enum::text_enum;
use parlance_foundation::ids::UserId;

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
        user_id: UserId,
        role: Role,
    },
    MemberRemoved {
        user_id: UserId,
        /// Their membership had ended in Postgres before the room heard of it: the event only tells so.
        is_out: bool,
    },
    RoleChanged {
        user_id: UserId,
        role: Role,
    },
    /// Both as they are from here on.
    Described {
        name: Option<String>,
        topic: Option<String>,
    },
}

impl CoreChange {
    /// Whom it is about.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::MemberAdded { user_id, .. }
            | Self::MemberRemoved { user_id, .. }
            | Self::RoleChanged { user_id, .. } => Some(*user_id),
            Self::Described { .. } => None,
        }
    }

    /// Who is in the room from here on, or not any more.
    pub fn moved(&self) -> Option<UserId> {
        match self {
            Self::MemberAdded { user_id, .. } | Self::MemberRemoved { user_id, .. } => Some(*user_id),
            Self::RoleChanged { .. } | Self::Described { .. } => None,
        }
    }
}
