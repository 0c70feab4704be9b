//! Where somebody comes in: their rooms as they are now, from memory as far as that reaches.
//!
//! 1. Which rooms: the user's list, or Postgres. Of somebody in more rooms than are listed, Postgres says each time which
//!    have the newest activity: such lists are long, and these people few.
//! 2. Each room that is listed: from its card, whether the room is open or not; what has none is read from Postgres, all at once,
//!    without opening anything, and kept for the next who asks.
//! 3. What no card says, the profile of a direct room's other person and a count of unread messages that reaches far
//!    back: the first from `auth`, the second from Postgres.
//!
//! Invariant: a room that says that the user is not in it is left out, whatever the list says. If they just came in,
//! that has not been shown yet: who listens already will hear it.

use std::cmp::Reverse;
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
use crate::accounts::{Auth, AuthError};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::storage::Storage;

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
    rooms_per_user_max: usize,
}

/// How much of somebody's rooms is listed.
#[derive(Clone, Copy, Debug)]
pub struct ListingMax {
    pub rooms: usize,
    /// Counted roughly, by [`RoomSummary::bytes_about`].
    pub bytes: usize,
}

/// The rooms of somebody who comes in.
#[derive(Debug)]
pub struct Entrance {
    /// Those with the newest activity, in that order.
    pub listed: Vec<RoomSummary>,
    /// All others, in the same order, each with its newest seq.
    pub others: Vec<(RoomId, i64)>,
}

impl Lobby {
    pub fn new(storage: Storage, auth: Auth, rooms: Rooms, memory: RoomMemory, rooms_per_user_max: usize) -> Self {
        Self { storage, auth, rooms, memory, turns: Arc::new(Semaphore::new(CARD_READS_MAX)), rooms_per_user_max }
    }

    /// All rooms that `user` is in, as much of them listed as `max` allows.
    pub async fn enter(&self, user: UserId, max: ListingMax) -> Result<Entrance, ChatError> {
        let (roster, mut others) = self.roster(user, max.rooms).await?;
        let mut listed = self.list(user, &roster).await?;
        // Memory may know of newer activity than Postgres did, or than the list was made with.
        listed.sort_unstable_by_key(|room| Reverse((room.active_at(), room.id)));
        let mut bytes = 0;
        let fits = listed.iter().take_while(|room| {
            bytes += room.bytes_about();
            bytes <= max.bytes
        });
        let fitting = fits.count();
        let cut = listed.drain(fitting..).map(|room| (room.id, room.last_seq));
        others.splice(0..0, cut);
        Ok(Entrance { listed, others })
    }

    async fn list(&self, user: UserId, roster: &[RoomId]) -> Result<Vec<RoomSummary>, ChatError> {
        let mut found = Vec::with_capacity(roster.len());
        let mut unknown = Vec::new();
        let mut strange = false;
        for room in roster {
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
        }
        self.complete(user, found).await
    }

    /// Which rooms to list, and all others.
    async fn roster(&self, user: UserId, rooms_max: usize) -> Result<(Arc<[RoomId]>, Vec<(RoomId, i64)>), ChatError> {
        if let Some(known) = self.memory.rosters.get(&user) {
            return Ok((known, Vec::new()));
        }
        let token = self.memory.rosters.read_token(&user);
        let mut all = store::roster(&self.storage, user, self.rooms_per_user_max).await?;
        let others = all.split_off(rooms_max.min(all.len()));
        let listed: Arc<[RoomId]> = all.into_iter().map(|(room, _)| room).collect();
        if others.is_empty() {
            self.memory.rosters.fill(user, token, Arc::clone(&listed));
        }
        Ok((listed, others))
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
        let tokens: HashMap<RoomId, _> = unknown.iter().map(|room| (*room, closed.read_token(room))).collect();
        // A room that is open keeps its own card, as soon as it has loaded.
        let open: HashSet<RoomId> =
            unknown.iter().copied().filter(|room| self.rooms.live_card(*room).is_some()).collect();
        for card in store::cards(&self.storage, &unknown).await? {
            // A room that was opened meanwhile may not have shown yet what Postgres has of it.
            let shown = self.rooms.live_card(card.id()).and_then(|live| live.read(|card| card.seen_by(user)));
            found.extend(shown.unwrap_or_else(|| card.seen_by(user)));
            if let Some(token) = tokens.get(&card.id()).filter(|_| !open.contains(&card.id())) {
                closed.fill(card.id(), *token, Arc::new(card));
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
