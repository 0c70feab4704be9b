//! What becomes of people who share no room or space with whoever would add them, where `chat.strangers` is `invite`.
//!
//! A direct room with a stranger is there for its maker, who may write into it; the other one sees nothing of it until they
//! accept, and then all of it.

use std::sync::Arc;

use super::directory::Rooms;
use crate::parties::{Acquaintances, StrangersFuture};
use crate::rooms::config::{ChatConfig, Strangers};
use crate::rooms::error::ChatError;
use crate::rooms::mailbox::{ChangeRoom, Command};
use crate::rooms::permissions::Role;
use crate::rooms::state::{Change, Right, WantedChange};
use crate::rooms::store::{self, Bounds, Place};
use crate::rooms::wire::Invited;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::storage::Storage;

/// Who knows whom, for teams: they bring people into rooms, so that nobody is added to one by a stranger.
pub struct Acquainted {
    pub config: Arc<ChatConfig>,
    pub storage: Storage,
}

impl Acquaintances for Acquainted {
    fn strangers<'a>(&'a self, by: UserId, others: &'a [UserId]) -> StrangersFuture<'a> {
        Box::pin(async move {
            match self.config.strangers {
                Strangers::Open => Ok(Vec::new()),
                Strangers::Invite => store::strangers(&self.storage, by, others).await,
            }
        })
    }
}

impl Rooms {
    /// What bounds invitations here.
    pub fn bounds(&self) -> Bounds<'_> {
        Bounds { config: &self.parts.config, clock: &self.parts.clock }
    }
}

/// Those of `others` who have to be asked first.
pub async fn to_be_asked(rooms: &Rooms, by: UserId, others: &[UserId]) -> Result<Vec<UserId>, ChatError> {
    match rooms.parts.config.strangers {
        Strangers::Open => Ok(Vec::new()),
        Strangers::Invite => Ok(store::strangers(&rooms.parts.storage, by, others).await?),
    }
}

/// Invites somebody to a place if they have to be asked first.
pub async fn invite(
    rooms: &Rooms,
    place: Place,
    by: UserId,
    user: UserId,
    role: Role,
) -> Result<Option<Invited>, ChatError> {
    if to_be_asked(rooms, by, &[user]).await?.is_empty() {
        return Ok(None);
    }
    let invitation_id = store::invite_to(&rooms.parts.storage, place, (by, user), role, &rooms.bounds()).await?;
    metrics::counter!("parlance_invitations_total", "what" => "made").increment(1);
    Ok(Some(Invited { user_id: user, role, invitation_id }))
}

/// A direct room that was there: whoever asks for it is in it from now on, and so is the other one, or they are asked. Who
/// is asked by now.
pub async fn complete_direct(rooms: &Rooms, room: RoomId, by: UserId, other: UserId) -> Result<Vec<UserId>, ChatError> {
    let inside = store::in_direct_room(&rooms.parts.storage, room).await?;
    if !inside.contains(&by) {
        enter(rooms, room, (by, None), by, Role::Member).await?;
    }
    if inside.contains(&other) {
        return Ok(Vec::new());
    }
    if to_be_asked(rooms, by, &[other]).await?.is_empty() {
        enter(rooms, room, (by, None), other, Role::Member).await?;
        return Ok(Vec::new());
    }
    store::invite_again(&rooms.parts.storage, room, (by, other), &rooms.bounds()).await
}

/// Somebody comes in who was invited, or is one of the two of a direct room.
pub async fn enter(
    rooms: &Rooms,
    room: RoomId,
    (by, client_id): (UserId, Option<String>),
    user_id: UserId,
    role: Role,
) -> Result<(), ChatError> {
    let change = Change::add(user_id, role);
    let wanted = WantedChange { by: by.into(), right: Right::Invited, client_id, change };
    let ask = |reply| Command::Change(ChangeRoom { wanted, reply });
    rooms.ask(room, ask).await.map(drop)
}
