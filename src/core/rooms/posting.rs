//! Saying something in a room: one way for people, agents, contacts, jobs and the engine itself.
//!
//! Whoever speaks composes first, which needs nobody, and then posts. What a person may send in a while is for those to look
//! at who take it from their client.

use super::commands::PostMessageBody;
use super::compose::compose;
use super::directory::Rooms;
use super::error::ChatError;
use super::mailbox::{Command, Posted};
use super::store;
use crate::order::MessageRow;
use parlance_foundation::ids::RoomId;
use parlance_foundation::party::Party;

impl Rooms {
    /// What `by` says, with a new id, or what is wrong with it; `None`: the engine itself.
    pub fn compose(&self, by: Option<Party>, body: PostMessageBody) -> Result<MessageRow, ChatError> {
        compose(&self.parts.config, &self.parts.clock, by, body)
    }

    /// Posts it, as its sender. Sent again under its client id, the first one is the answer.
    pub async fn post(&self, room: RoomId, message: MessageRow) -> Result<Posted, ChatError> {
        if let Some(looking) = self.before_posting(room, &message) {
            looking.await?;
        }
        self.ask(room, |reply| Command::post(message, reply)).await
    }

    /// What has to be looked up before the message can go to its room: that what it replies to is there.
    pub fn before_posting(
        &self,
        room: RoomId,
        message: &MessageRow,
    ) -> Option<impl Future<Output = Result<(), ChatError>> + use<>> {
        let (reply_to, sender, parts) = (message.reply_to?, message.sender, self.parts.clone());
        Some(async move {
            let is_there = match sender.and_then(Party::user) {
                Some(user) => store::message_is_in_room(&parts.storage, user, room, reply_to).await?,
                // Whether they are in the room, the room itself looks at.
                None => store::target(&parts.storage, room, reply_to).await?.is_some(),
            };
            if is_there { Ok(()) } else { Err(ChatError::ReplyNotFound) }
        })
    }
}
