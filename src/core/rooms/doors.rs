//! What features ask of rooms beside sending them commands.

use std::sync::Arc;

use super::action::{RoomAction, WantedAction};
use super::directory::Rooms;
use super::error::ChatError;
use super::messages::{Act, Acted, Command, Posted, Reply};
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
        let wanted = WantedAction { by, right: Right::Own, client_id, action, target: None };
        let first = wanted.clone();
        let acted = self.ask(room, |reply| Command::Act(Act { wanted: first, reply })).await;
        self.go_on(storage, room, wanted, acted).await
    }

    /// Looks up what the room lacked to do it, as often as it asks.
    async fn go_on(
        &self,
        storage: &Storage,
        room: RoomId,
        mut wanted: WantedAction,
        mut acted: Result<Acted, ChatError>,
    ) -> Result<Option<Posted>, ChatError> {
        for _ in 0..READS_MAX {
            match acted {
                Ok(Acted::Done(posted)) => return Ok(Some(posted)),
                Ok(Acted::Settled) => return Ok(None),
                Ok(Acted::Needs(message)) => {
                    let target = store::target(storage, room, message).await?.ok_or(ChatError::MessageNotFound)?;
                    wanted.target = Some(target);
                }
                // What they are in the room does not allow it; what they are in its space may.
                Err(error) if error.is_of_rights() && wanted.right == Right::Own => {
                    let Some(user) = wanted.by.user() else { return Err(error) };
                    let Some(role) = store::role_in_space_of(storage, user, room).await? else { return Err(error) };
                    wanted.right = Right::OfSpace(role);
                }
                Err(error) => return Err(error),
            }
            let again = wanted.clone();
            acted = self.ask(room, |reply| Command::Act(Act { wanted: again, reply })).await;
        }
        Err(ChatError::Busy)
    }

    /// The command that does the same in the order of a connection's other commands, and answers once it is done.
    pub fn action(
        &self,
        storage: &Storage,
        room: RoomId,
        wanted: WantedAction,
        answer: impl FnOnce(Result<Option<Posted>, ChatError>) + Send + 'static,
    ) -> Command {
        let (rooms, storage, again) = (self.clone(), storage.clone(), wanted.clone());
        let reply = Reply::new(move |acted: Result<Acted, ChatError>| match acted {
            Ok(Acted::Done(posted)) => answer(Ok(Some(posted))),
            Ok(Acted::Settled) => answer(Ok(None)),
            // On the room's thread, after everything that was asked before.
            acted => drop(actix_rt::spawn(async move { answer(rooms.go_on(&storage, room, again, acted).await) })),
        });
        Command::Act(Act { wanted, reply })
    }
}
