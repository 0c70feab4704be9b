//! A group whose last owner was deleted with their account gets another one: the admin who has been in it for longest,
//! else the member, else the guest. The room tells it in its order, as `member.role_changed` by the one who is gone.
//!
//! Postgres keeps what is to be done (`successions`, written by a trigger with the deletion), so that a crash loses nothing;
//! engines look when they start to listen, and when they hear of a deletion. Doing it twice does no harm: a room that has an
//! owner stays as it is.

use std::time::Duration;

use super::directory::Rooms;
use super::error::ChatError;
use super::messages::{ChangeRoom, Command};
use super::permissions::Role;
use super::state::{Change, Right, WantedChange};
use super::store::{self, Succession};
use parlance_foundation::storage::Storage;

/// Pause before a room that is busy, or a Postgres that is away, is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

impl Rooms {
    /// Has each group whose owner was deleted pass on its ownership. Returns when all of them have been asked to.
    pub async fn pass_ownership(&self, storage: &Storage) -> Result<(), sqlx::Error> {
        for succession in store::successions(storage).await? {
            let (rooms, storage) = (self.clone(), storage.clone());
            actix_rt::spawn(async move {
                while let Err(error) = rooms.pass_on(&storage, &succession).await {
                    if !error.is_passing() {
                        tracing::error!(room_id = %succession.room_id, %error, "its ownership could not be passed on");
                        return;
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            });
        }
        Ok(())
    }

    /// The same, begun; goes on until Postgres says what there is.
    pub fn pass_ownership_soon(&self, storage: &Storage) {
        let (rooms, storage) = (self.clone(), storage.clone());
        actix_rt::spawn(async move {
            while let Err(error) = rooms.pass_ownership(&storage).await {
                tracing::warn!(%error, "whether groups have lost their owner is not known yet");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        });
    }

    async fn pass_on(&self, storage: &Storage, succession: &Succession) -> Result<(), ChatError> {
        let Succession { room_id, gone, .. } = *succession;
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
        store::settle_succession(storage, succession).await
    }
}
