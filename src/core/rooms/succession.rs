//! A group whose last owner was deleted with their account gets another one: the admin who has been in it for longest,
//! else the member, else the guest. The room tells it in its order, as `member.role_changed` by the one who is gone.
//!
//! A trigger enqueues the job with the deletion, whoever deletes, so that a crash loses nothing. Doing it twice does no
//! harm: a room that has an owner stays as it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::directory::Rooms;
use super::error::ChatError;
use super::mailbox::{ChangeRoom, Command};
use super::permissions::Role;
use super::state::{Change, Right, WantedChange};
use super::store;
use crate::jobs::{Job, JobError, JobKind, Policy};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::storage::Storage;

/// A room that is busy or opens is asked again soon, and nobody gives a group up: without an owner it cannot be mended.
const POLICY: Policy = Policy {
    attempts_max: 100,
    back_off_base: Duration::from_millis(250),
    back_off_max: Duration::from_secs(600),
    lease: Duration::from_secs(30),
    run_max: Duration::from_secs(60),
    at_once_max: 16,
};

/// As the trigger `parlance_leave_rooms` enqueues it, one a room.
#[derive(Debug, Serialize, Deserialize)]
struct PassOwnership {
    room_id: RoomId,
    /// The owner who is no more.
    gone: UserId,
}

impl Job for PassOwnership {
    const KIND: &'static str = "rooms.pass_ownership";

    fn key(&self) -> Option<String> {
        Some(self.room_id.to_string())
    }

    fn dedupe(&self) -> Option<String> {
        self.key()
    }
}

pub(super) fn kind(rooms: &Rooms, storage: &Storage) -> JobKind {
    let (rooms, storage) = (rooms.clone(), storage.clone());
    JobKind::new(POLICY, move |job: PassOwnership, _| {
        let (rooms, storage) = (rooms.clone(), storage.clone());
        async move { rooms.pass_on(&storage, &job).await.map_err(|error| JobError::Retry(error.to_string())) }
    })
}

impl Rooms {
    async fn pass_on(&self, storage: &Storage, job: &PassOwnership) -> Result<(), ChatError> {
        let PassOwnership { room_id, gone } = *job;
        // First the room has to know that its owner is out of it; it takes commands in their order.
        self.members_departed(gone, vec![room_id]).await;
        if let Some(heir) = store::heir(storage, room_id).await? {
            let change = Change::set_role(heir, Role::Owner);
            let wanted = WantedChange { by: gone.into(), right: Right::Inherited, client_id: None, change };
            let ask = |reply| Command::Change(ChangeRoom { wanted, reply });
            match self.ask(room_id, ask).await {
                // It may count on an owner of whose deletion it has not heard yet.
                Ok(_) if store::heir(storage, room_id).await?.is_some() => return Err(ChatError::Restarted),
                Ok(_) => tracing::info!(%room_id, "a group whose last owner was deleted has another one"),
                // They have left since they were found: somebody else inherits.
                Err(ChatError::NotAMember) => return Err(ChatError::Restarted),
                Err(ChatError::RoomNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
