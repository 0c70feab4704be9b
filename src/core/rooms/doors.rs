//! What features have rooms do: their own actions.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::action::{WantedAction, may_be};
use super::directory::Rooms;
use super::error::ChatError;
use super::mailbox::{Act, Acted, Command, Posted, Reply};
use super::state::Right;
use super::store;
use crate::order::Row;
use parlance_foundation::ids::{MessageId, RoomId};

/// So often a room is asked about a message that it does not have in memory: each time something newer may have changed it.
const READS_MAX: usize = 5;

/// Look-ups of messages take turns by this many: two of one message never pass each other.
const TURNS: usize = 64;

/// Whose turn it is to look up a message.
#[derive(Clone)]
pub(super) struct LookUps(Arc<[Mutex<()>]>);

impl Default for LookUps {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }
}

impl LookUps {
    fn of(&self, message: MessageId) -> &Mutex<()> {
        let (_, low) = message.0.as_u64_pair();
        // There are as many.
        &self.0[usize::try_from(low % TURNS as u64).unwrap_or(0)]
    }
}

impl Rooms {
    /// Does what a feature wants done in a room; `None`: it was so already. Reads the message that it is about from
    /// Postgres, if the room does not know it.
    pub async fn act(&self, room: RoomId, wanted: WantedAction) -> Result<Option<Posted>, ChatError> {
        let first = wanted.clone();
        let acted = self.ask(room, |reply| Command::Act(Act { wanted: first, reply })).await;
        self.go_on(room, wanted, acted).await
    }

    /// Looks up what the room lacked to do it, as often as it asks.
    async fn go_on(
        &self,
        room: RoomId,
        mut wanted: WantedAction,
        mut acted: Result<Acted, ChatError>,
    ) -> Result<Option<Posted>, ChatError> {
        let storage = &self.parts.storage;
        // Those who ask about the same message go on in the order in which they came.
        let _turn = match (&acted, wanted.action.target()) {
            (Ok(Acted::Done(posted)), _) => return Ok(Some(posted.clone())),
            (_, Some(message)) => Some(self.look_ups.of(message).lock().await),
            (_, None) => None,
        };
        if let Some(first) = self.done_before(room, &wanted).await? {
            return Ok(Some(Posted { row: first, repeated: true }));
        }
        let mut reads = 0;
        loop {
            match acted {
                Ok(Acted::Done(posted)) => return Ok(Some(posted)),
                Ok(Acted::Settled) => return Ok(None),
                Ok(Acted::Needs(_)) if reads == READS_MAX => return Err(ChatError::Busy),
                Ok(Acted::Needs(message)) => {
                    reads += 1;
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
    }

    /// What was done under this client id, further back than the room remembers.
    async fn done_before(&self, room: RoomId, wanted: &WantedAction) -> Result<Option<Arc<Row>>, ChatError> {
        let Some(client_id) = wanted.client_id.clone() else { return Ok(None) };
        let found = store::sent_before(&self.parts.storage, room, &[(Some(wanted.by), client_id)]).await?;
        let Some(first) = found.into_iter().find(|row| row.event().is_some()) else { return Ok(None) };
        if may_be(wanted.action.as_ref(), &first) { Ok(Some(Arc::new(first))) } else { Err(ChatError::KeyReused) }
    }

    /// The command that does the same in the order of a connection's other commands, and answers once it is done.
    pub fn action(
        &self,
        room: RoomId,
        wanted: WantedAction,
        answer: impl FnOnce(Result<Option<Posted>, ChatError>) + Send + 'static,
    ) -> Command {
        let (rooms, again) = (self.clone(), wanted.clone());
        let reply = Reply::new(move |acted: Result<Acted, ChatError>| match acted {
            Ok(Acted::Done(posted)) => answer(Ok(Some(posted))),
            // Also where the reply was dropped, on whatever thread that was.
            Err(error) if error.is_passing() => answer(Err(error)),
            // On the room's thread, after everything that was asked before.
            acted => drop(actix_rt::spawn(async move { answer(rooms.go_on(room, again, acted).await) })),
        });
        Command::Act(Act { wanted, reply })
    }
}
