//! Invitations on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::wire::PublicUser;
use crate::rooms::permissions::{Role, RoomKind};
use parlance_foundation::ids::{RoomId, SpaceId, UserId};

/// What somebody is invited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitedTo {
    Direct,
    Group,
    Channel,
    Space,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitationState {
    /// It waits for an answer.
    Pending,
    Accepted,
    Declined,
    /// Whoever invited has left the place, or it is gone.
    Revoked,
}

crate::text_enum::text_enum!(InvitedTo {
    InvitedTo::Direct => "direct",
    InvitedTo::Group => "group",
    InvitedTo::Channel => "channel",
    InvitedTo::Space => "space",
});
crate::text_enum::text_enum!(InvitationState {
    InvitationState::Pending => "pending",
    InvitationState::Accepted => "accepted",
    InvitationState::Declined => "declined",
    InvitationState::Revoked => "revoked",
});

impl From<RoomKind> for InvitedTo {
    fn from(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Direct => Self::Direct,
            RoomKind::Group => Self::Group,
            RoomKind::Channel => Self::Channel,
        }
    }
}

/// Somebody who shares no room or space with the caller asks them in.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Invitation {
    pub id: Uuid,
    pub kind: InvitedTo,
    /// Of all kinds but `space`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_id: Option<SpaceId>,
    /// What the room or space was called when the caller was invited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the caller will be there.
    pub role: Role,
    pub inviter: PublicUser,
    pub state: InvitationState,
    pub created_at: DateTime<Utc>,
}

/// Somebody was not added but invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invited {
    pub user_id: UserId,
    /// What they will be if they accept.
    pub role: Role,
    pub invitation_id: Uuid,
}

/// Told to the devices of whoever is invited: there is an invitation, or one was answered, here or on another device, or
/// revoked. Not part of any order: `GET /invitations` has what waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename = "invitation.updated")]
pub struct InvitationUpdated {
    pub id: Uuid,
    pub state: InvitationState,
}
