//! What somebody's devices hear of their spaces. None of it is part of an order, and none of it is kept: `GET /spaces` has
//! what is, for a client that connects.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Space;
use parlance_foundation::ids::SpaceId;

/// Told to a user's devices: they are in this space now. Told once more, it says the same.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "space.joined")]
pub struct SpaceJoined {
    pub space: Space,
}

/// Told to the devices of a space's members: it has another name or topic, or its member another role. Who else comes and
/// goes is not told: `member_count` is as of this frame.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "space.updated")]
pub struct SpaceUpdated {
    pub space: Space,
}

/// Told to a user's devices: they are not in this space any more, nor in its channels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "space.left")]
pub struct SpaceLeft {
    pub space_id: SpaceId,
    pub reason: SpaceLeftBecause,
}

/// Why somebody is not in a space any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpaceLeftBecause {
    /// They left, perhaps with another device.
    Left,
    /// Somebody took them out.
    Removed,
    /// The space is gone, and its channels with it.
    Deleted,
}

crate::text_enum::text_enum!(SpaceLeftBecause {
    SpaceLeftBecause::Left => "left",
    SpaceLeftBecause::Removed => "removed",
    SpaceLeftBecause::Deleted => "deleted",
});
