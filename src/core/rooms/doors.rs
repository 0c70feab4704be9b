//! What features ask of rooms beside sending them commands.

use std::sync::Arc;

use super::action::{RoomAction, WantedAction};
use super::directory::Rooms;
use super::error::ChatError;
use super::messages::{Act, Acted, Command, Posted};
use super::state::Right;
use super::store;
use parlance_foundation::ids::RoomId;
use parlance_foundation::party::Party;
use parlance_foundation::storage::Storage;

/// So often a room is asked about a message that it does not have in memory: each time something newer may have changed it.
const READS_MAX: usize = 5;

impl Rooms {
    /// Does what a feature wants done in a room; `None`: it was so already. Reads the message that it is about from
    /// Postgres, if the room does not know it.
    pub async fn act(
        &self,
        storage: &Storage,
        room: RoomId,
        by: Party,
        client_id: Option<String>,
        action: Arc<dyn RoomAction>,
    ) -> Result<Option<Posted>, ChatError> {
        let right = match by.user() {
            Some(user) => store::role_in_space_of(storage, user, room).await?.map_or(Right::Own, Right::OfSpace),
            None => Right::Own,
        };
        let mut wanted = WantedAction { by, right, client_id, action, target: None };
        for _ in 0..=READS_MAX {
            let again = wanted.clone();
            match self.ask(room, |reply| Command::Act(Act { wanted: again, reply })).await? {
                Acted::Done(posted) => return Ok(Some(posted)),
                Acted::Settled => return Ok(None),
                Acted::Needs(message) => {
                    let target = store::target(storage, room, message).await?.ok_or(ChatError::MessageNotFound)?;
                    wanted.target = Some(target);
                }
            }
        }
        Err(ChatError::Busy)
    }
}
