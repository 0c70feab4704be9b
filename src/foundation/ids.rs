//! Identifiers: UUIDv7 behind one type each, so that a room's id cannot be passed for a user's.
//!
//! Version 7 puts the time first: ids made later sort later, which keeps B-tree inserts at the right edge.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Clock;

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts by the clock's time.
            pub fn new(clock: &Clock) -> Self {
                Self(clock.uuid())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id_types! {
    /// A person with an account.
    UserId,
    /// An AI agent.
    AgentId,
    /// People who come into rooms together.
    TeamId,
    /// Somebody outside, who writes by way of a bridge.
    ContactId,
    /// A conversation of any kind.
    RoomId,
    /// A container of channels.
    SpaceId,
    /// A list that people look at, such as a view of an inbox.
    ListId,
    /// A message; unique across rooms, while its place in the room is `(room_id, seq)`.
    MessageId,
    /// A durable change in a room that is not a message.
    EventId,
    /// One connected device, for as long as its socket lives.
    SessionId,
    /// One sign-in: the family of refresh tokens that rotate from it.
    FamilyId,
    /// Work that is done after a commit or at a time.
    JobId,
}
