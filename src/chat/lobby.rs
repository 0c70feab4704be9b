//! Where somebody comes in: their rooms as they are now, from memory as far as that reaches.
//!
//! 1. Which rooms: the user's list, or Postgres.
//! 2. Each room: from its card, whether the room is open or not; what has none is read from Postgres, all at once,
//!    without opening anything, and kept for the next who asks.
//! 3. What no card says, the profile of a direct room's other person and a count of unread messages that reaches far
//!    back: the first from `auth`, the second from Postgres.
//!
//! Invariant: a room that says that the user is not in it is left out, whatever the list says. If they just came in,
//! that has not been shown yet: who listens already will hear it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::card::{Card, Seen};
use super::directory::Rooms;
use super::error::ChatError;
use super::memory::RoomMemory;
use super::store;
use super::wire::RoomSummary;
use crate::auth::{Auth, AuthError};
use crate::ids::{RoomId, UserId};
use crate::storage::Storage;

/// Reads of cards at a time. Many who come at once and miss the same rooms wait for one who reads them, for the most
/// part, instead of all reading them.
const CARD_READS_MAX: usize = 4;

/// How long one waits for one's turn to read: as long as Postgres may take, and it is away.
const TURN_PATIENCE: Duration = Duration::from_secs(10);

/// See the module. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Lobby {
    storage: Storage,
    auth: Auth,
    rooms: Rooms,
    memory: RoomMemory,
    turns: Arc<Semaphore>,
}

impl Lobby {
    pub fn new(storage: Storage, auth: Auth, rooms: Rooms, memory: RoomMemory) -> Self {
        Self { storage, auth, rooms, memory, turns: Arc::new(Semaphore::new(CARD_READS_MAX)) }
    }

    /// The first `limit` rooms that `user` is in, in the order of their ids, which is that of their making.
    pub async fn rooms_of(&self, user: UserId, limit: usize) -> Result<Vec<RoomSummary>, ChatError> {
        let roster = self.roster(user).await?;
        let mut found = Vec::with_capacity(roster.len().min(limit));
        let mut unknown = Vec::new();
        let mut strange = false;
        for room in roster.iter().take(limit) {
            match self.look(*room, |card| card.seen_by(user)) {
                Some(Some(seen)) => found.push(seen),
                Some(None) => strange = true,
                None => unknown.push(*room),
            }
        }
        if strange {
            self.memory.moved([user]);
        }
        if !unknown.is_empty() {
            found.extend(self.read(user, unknown).await?);
            found.sort_unstable_by_key(|seen| seen.summary.id);
        }
        self.complete(user, found).await
    }

    async fn roster(&self, user: UserId) -> Result<Arc<[RoomId]>, ChatError> {
        if let Some(known) = self.memory.rosters.get(&user) {
            return Ok(known);
        }
        let ticket = self.memory.rosters.ticket(&user);
        let roster: Arc<[RoomId]> = store::roster(&self.storage, user).await?.into();
        self.memory.rosters.fill(user, ticket, Arc::clone(&roster));
        Ok(roster)
    }

    /// What the room's card says, if there is one.
    fn look<T>(&self, room: RoomId, read: impl FnOnce(&Card) -> T) -> Option<T> {
        match self.rooms.live_card(room) {
            Some(card) => card.read(read),
            None => self.memory.closed.get(&room).map(|card| read(&card)),
        }
    }

    /// What `user` sees of rooms that had no card: what others read meanwhile is not read again.
    async fn read(&self, user: UserId, mut unknown: Vec<RoomId>) -> Result<Vec<Seen>, ChatError> {
        let turn = tokio::time::timeout(TURN_PATIENCE, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| ChatError::Unavailable)?;
        let mut found = Vec::with_capacity(unknown.len());
        unknown.retain(|room| match self.look(*room, |card| card.seen_by(user)) {
            Some(seen) => {
                found.extend(seen);
                false
            }
            None => true,
        });
        if unknown.is_empty() {
            return Ok(found);
        }
        let closed = &self.memory.closed;
        let tickets: HashMap<RoomId, _> = unknown.iter().map(|room| (*room, closed.ticket(room))).collect();
        // A room that is open keeps its own card, as soon as it has loaded.
        let open: HashSet<RoomId> =
            unknown.iter().copied().filter(|room| self.rooms.live_card(*room).is_some()).collect();
        for card in store::cards(&self.storage, &unknown).await? {
            // A room that was opened meanwhile may not have shown yet what Postgres has of it.
            let shown = self.rooms.live_card(card.id).and_then(|live| live.read(|card| card.seen_by(user)));
            found.extend(shown.unwrap_or_else(|| card.seen_by(user)));
            if let Some(ticket) = tickets.get(&card.id).filter(|_| !open.contains(&card.id)) {
                closed.fill(card.id, *ticket, Arc::new(card));
            }
        }
        Ok(found)
    }

    /// Adds what no card says.
    async fn complete(&self, user: UserId, seen: Vec<Seen>) -> Result<Vec<RoomSummary>, ChatError> {
        let peers: Vec<UserId> = seen.iter().filter_map(|seen| seen.peer).collect();
        let people = match peers.as_slice() {
            [] => HashMap::new(),
            peers => self.auth.people(user, peers).await.map_err(away)?,
        };
        let uncounted: Vec<RoomId> =
            seen.iter().filter(|seen| !seen.unread_known).map(|seen| seen.summary.id).collect();
        let unread = match uncounted.as_slice() {
            [] => HashMap::new(),
            rooms => store::unread(&self.storage, user, rooms).await?,
        };
        let complete = |Seen { mut summary, peer, .. }: Seen| {
            summary.unread = unread.get(&summary.id).copied().unwrap_or(summary.unread);
            summary.peer = peer.and_then(|peer| people.get(&peer)).map(|person| person.as_ref().clone());
            summary
        };
        Ok(seen.into_iter().map(complete).collect())
    }
}

fn away(error: AuthError) -> ChatError {
    match error {
        AuthError::Database(error) => error.into(),
        _ => ChatError::Unavailable,
    }
}
