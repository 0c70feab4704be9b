//! What is kept of rooms for those who come back: each user's list of rooms, and the cards of rooms that are not open.
//! The card of an open room is its room's own ([`LiveCard`]).
//!
//! Invariants
//! - A list is forgotten when its user comes into a room or leaves one, after the commit and before the user hears of
//!   it; also when that happens elsewhere (`changes`).
//! - A card is kept here only while its room is not open: opening takes it out, an orderly end puts the newest one in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::card::Card;
use super::config::ChatConfig;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::recent::Recent;

/// See the module. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct RoomMemory {
    /// By user: the rooms that they are in, of those who are in no more than are listed.
    pub(super) rosters: Arc<Recent<UserId, Arc<[RoomId]>>>,
    pub(super) closed: Arc<Recent<RoomId, Arc<Card>>>,
}

impl RoomMemory {
    /// Empty, and keeping nothing until it is trusted.
    pub fn new(config: &ChatConfig) -> Self {
        Self {
            rosters: Arc::new(Recent::new("rosters", config.recent_rosters_max)),
            closed: Arc::new(Recent::new("cards", config.recent_cards_max)),
        }
    }

    /// Whether somebody hears of changes from here on; whatever is known is forgotten either way.
    pub fn trust(&self, trusted: bool) {
        self.rosters.trust(trusted);
        self.closed.trust(trusted);
    }

    /// These users came into a room or left one.
    pub fn moved(&self, users: impl IntoIterator<Item = UserId>) {
        for user in users {
            self.rosters.forget(&user);
        }
    }
}

/// The card of an open room: written by the room, read by anyone. Outlives the room's restarts.
#[derive(Default)]
pub struct LiveCard {
    /// `None` until the room has been loaded for the first time, unless its card was known from before.
    card: RwLock<Option<Card>>,
    /// The room has ended in order: nothing was committed that the card does not say.
    complete: AtomicBool,
}

impl LiveCard {
    /// Of a room that is about to open.
    pub fn new(known: Option<Arc<Card>>) -> Arc<Self> {
        let card = known.map(Arc::unwrap_or_clone);
        Arc::new(Self { card: RwLock::new(card), complete: AtomicBool::new(false) })
    }

    pub fn read<T>(&self, read: impl FnOnce(&Card) -> T) -> Option<T> {
        self.card.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
    }

    pub fn replace(&self, card: Card) {
        *self.card.write().unwrap_or_else(PoisonError::into_inner) = Some(card);
    }

    /// There is no such room.
    pub fn clear(&self) {
        *self.card.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub fn update(&self, update: impl FnOnce(&mut Card)) {
        if let Some(card) = &mut *self.card.write().unwrap_or_else(PoisonError::into_inner) {
            update(card);
        }
    }

    /// The room ends in order.
    pub fn complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// The card that a room leaves behind, if it ended in order.
    pub fn left_behind(&self) -> Option<Card> {
        let complete = self.complete.load(Ordering::Acquire);
        complete.then(|| self.card.write().unwrap_or_else(PoisonError::into_inner).take()).flatten()
    }
}
