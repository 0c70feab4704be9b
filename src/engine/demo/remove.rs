//! What there is of the demo, and its end.

use super::store;
use crate::accounts::store::accounts;
use crate::clock::Clock;
use crate::ids::{RoomId, SpaceId, UserId};
use crate::rooms::store as rooms;
use crate::storage::Storage;

/// What there is of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// There was one, and it was removed.
    pub is_removed: bool,
    pub people: usize,
    pub rooms: usize,
    pub spaces: usize,
    /// The usernames of others who are in its rooms or spaces.
    pub others: Vec<String>,
}

/// What went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    pub people: u64,
    pub rooms: u64,
    pub spaces: u64,
}

/// Why nothing was removed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("there is no demo in this database")]
    NotThere,
    #[error(
        "{} of those in the demo's rooms and spaces are not of the demo ({}): what they said there would be gone for good. If \
         that is meant, say so with --yes",
        .0.len(),
        .0.join(", ")
    )]
    OthersInIt(Vec<String>),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What was made.
struct Made {
    people: Vec<UserId>,
    rooms: Vec<RoomId>,
    spaces: Vec<SpaceId>,
}

impl Made {
    async fn read(conn: &mut sqlx::PgConnection) -> sqlx::Result<Self> {
        Ok(Self {
            people: store::made(conn, "user").await?.into_iter().map(UserId).collect(),
            rooms: store::made(conn, "room").await?.into_iter().map(RoomId).collect(),
            spaces: store::made(conn, "space").await?.into_iter().map(SpaceId).collect(),
        })
    }
}

/// What there is of the demo.
pub async fn status(storage: &Storage) -> Result<Status, DemoError> {
    let mut conn = storage.engine().acquire().await?;
    let Made { people, rooms, spaces } = Made::read(&mut conn).await?;
    Ok(Status {
        is_removed: store::is_removed(&mut conn).await?,
        others: rooms::others_in(&mut conn, &rooms, &spaces, &people).await?,
        people: people.len(),
        rooms: rooms.len(),
        spaces: spaces.len(),
    })
}

/// Deletes what was made, and the rooms and spaces that nobody but the demo's people is in; all of it or nothing.
pub async fn remove(storage: &Storage, clock: &Clock, also_of_others: bool) -> Result<Removed, DemoError> {
    let mut transaction = storage.engine().begin().await?;
    store::take_turn(&mut transaction).await?;
    let made = Made::read(&mut transaction).await?;
    if made.people.is_empty() {
        return Err(DemoError::NotThere);
    }
    let others = rooms::others_in(&mut transaction, &made.rooms, &made.spaces, &made.people).await?;
    if !others.is_empty() && !also_of_others {
        return Err(DemoError::OthersInIt(others));
    }
    // Channels first, so that they count as rooms.
    let gone_rooms = rooms::delete_rooms(&mut transaction, &made.rooms, &made.people).await?;
    let gone_spaces = rooms::delete_spaces(&mut transaction, &made.spaces, &made.people).await?;
    let people = accounts::delete_users(&mut transaction, &made.people).await?;
    store::removed(&mut transaction, clock.now()).await?;
    transaction.commit().await?;
    Ok(Removed { people, rooms: gone_rooms, spaces: gone_spaces })
}
