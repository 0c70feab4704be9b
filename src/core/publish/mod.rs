//! How a feature speaks to whoever is connected.
//!
//! What has a place in an order (a room's messages and events) goes out as a [`Delivery`], in order, and is caught up with
//! when it was missed. Everything else is published: to a [`Topic`], in a [`Class`] that says what may become of it on a
//! slow socket. `sessions::hub` knows who listens to which topic; features name topics and know no sockets.
//!
//! Emits to the hubs, through [`Publish`] and [`Audience`]. Persists nothing: what is published and not heard is gone, so a
//! client that comes back asks for the present state.
//!
//! Invariants
//! - [`Class::Must`] is never dropped while the socket lives: a socket that lets too much of it wait is closed (4002).
//! - Of the other classes only the newest frame of a key waits for a socket, at the place of the first; under load typing
//!   goes first, then presence, then receipts.

mod delivery;

use std::sync::Arc;

use bytestring::ByteString;
use uuid::Uuid;

use parlance_foundation::ids::{ListId, RoomId, SessionId, UserId};
use parlance_foundation::party::Party;

pub use delivery::{Audience, Delivery};

/// To whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// All sessions of a room's members. Each listens by itself, from its greeting on.
    Room(RoomId),
    /// All devices of a user. Each listens by itself, from its greeting on.
    User(UserId),
    /// Sessions that asked to be told of a user's presence.
    Watchers(UserId),
    /// Sessions that look at a list.
    List(ListId),
}

/// What a frame is about, for those that replace each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where: a room, or whatever the class is about.
    place: Uuid,
    /// Whom it tells of.
    who: Party,
}

impl Key {
    /// About `who` in a room.
    pub fn in_room(room: RoomId, who: Party) -> Self {
        Self { place: room.0, who }
    }

    /// About `who` alone.
    pub fn about(who: Party) -> Self {
        Self { place: Uuid::nil(), who }
    }
}

/// What may become of a frame that waits for a slow socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It arrives, or the socket is closed.
    Must,
    Receipt(Key),
    Presence(Key),
    Typing(Key),
}

/// The classes that may be shed, in the order in which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Typing,
    Presence,
    Receipt,
}

impl Grade {
    /// What is shed first stands first.
    pub const ALL: [Self; 3] = [Self::Typing, Self::Presence, Self::Receipt];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Typing => "typing",
            Self::Presence => "presence",
            Self::Receipt => "receipt",
        }
    }
}

impl Class {
    /// `None`: it may not be shed.
    pub fn grade(&self) -> Option<Grade> {
        match self {
            Self::Must => None,
            Self::Receipt(_) => Some(Grade::Receipt),
            Self::Presence(_) => Some(Grade::Presence),
            Self::Typing(_) => Some(Grade::Typing),
        }
    }
}

/// One frame with its class.
#[derive(Clone, Debug)]
pub struct Frame {
    pub class: Class,
    pub text: ByteString,
}

/// Frames for one topic. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Publication {
    pub topic: Topic,
    /// In this order.
    pub frames: Arc<[Frame]>,
    /// The connection that it comes from, if that is not to hear it.
    pub except: Option<SessionId>,
}

impl Publication {
    /// One frame.
    pub fn of(topic: Topic, text: ByteString, class: Class) -> Self {
        Self::all(topic, [Frame { class, text }])
    }

    /// Several at once: one message to each hub.
    pub fn all(topic: Topic, frames: impl IntoIterator<Item = Frame>) -> Self {
        Self { topic, frames: frames.into_iter().collect(), except: None }
    }

    /// Not for this connection.
    pub fn except(self, session: SessionId) -> Self {
        Self { except: Some(session), ..self }
    }

    /// Whether any of it has to arrive.
    pub fn is_must(&self) -> bool {
        self.frames.iter().any(|frame| frame.class == Class::Must)
    }
}

/// The door for features: the hubs, or a probe in tests. Implementations must not block.
pub trait Publish: Send + Sync + 'static {
    /// Says all of it to whoever listens to its topic now.
    fn publish_all(&self, publication: Publication);

    /// Says one frame to whoever listens to `topic` now.
    fn publish(&self, topic: Topic, text: ByteString, class: Class) {
        self.publish_all(Publication::of(topic, text, class));
    }
}
