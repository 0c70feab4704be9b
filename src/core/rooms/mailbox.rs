//! What rooms are asked to do, and how they answer.

use std::sync::Arc;

use actix::Message;

use super::action::WantedAction;
use super::error::ChatError;
use super::permissions::Role;
use super::state::WantedChange;
use crate::order::{CoreChange, MessageRow, Page, Row, Watermark};
use parlance_foundation::ids::MessageId;
use parlance_foundation::party::Party;

/// Everything a room can be asked; one type, so that a room that is loading can keep commands in order.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Command {
    Post(PostMessage),
    Change(ChangeRoom),
    Act(Act),
    CatchUp(CatchUp),
    Mark(MarkReceipt),
    Compare(CompareMembers),
}

/// Command: take this message into the order.
pub struct PostMessage {
    /// `None`: the engine itself.
    pub by: Option<Party>,
    pub message: MessageRow,
    pub reply: Reply<Posted>,
}

/// A message's place, after its commit.
#[derive(Clone, Debug)]
pub struct Posted {
    pub row: Arc<Row>,
    /// It had been posted before: nothing new was written.
    pub repeated: bool,
}

/// Command: change the room or its members.
pub struct ChangeRoom {
    pub wanted: WantedChange,
    pub reply: Reply<Changed>,
}

/// What became of a change, after its commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// If not, it was so already, and nothing was written.
    pub is_new: bool,
    /// What the person that it is about is in the room now, if they are in it.
    pub role: Option<Role>,
    /// The event that made it so, unless it has been so for longer.
    pub row: Option<Arc<Row>>,
}

impl Changed {
    /// It was so already.
    pub fn before(role: Option<Role>) -> Self {
        Self { is_new: false, role, row: None }
    }

    /// Whether this very change, by its author and client id, was made before.
    pub fn is_repeat(&self, by: Party, client_id: Option<&str>) -> bool {
        let key = self.row.as_ref().filter(|_| !self.is_new).and_then(|row| row.client_key());
        key.is_some_and(|(author, first)| author == Some(by) && Some(first) == client_id)
    }

    /// By the event that made it so.
    pub fn by(posted: Posted) -> Self {
        let role = match posted.row.change() {
            Some(CoreChange::MemberAdded { role, .. } | CoreChange::RoleChanged { role, .. }) => Some(*role),
            Some(CoreChange::MemberRemoved { .. } | CoreChange::Described { .. }) | None => None,
        };
        Self { is_new: !posted.repeated, role, row: Some(posted.row) }
    }
}

/// Command: do what a feature wants done.
pub struct Act {
    pub wanted: WantedAction,
    pub reply: Reply<Acted>,
}

/// What became of an action, after its commit.
#[derive(Clone, Debug)]
pub enum Acted {
    /// It is in the order.
    Done(Posted),
    /// It was so already, and nothing was written.
    Settled,
    /// It is about this message, which is not in memory: read it, and ask again.
    Needs(MessageId),
}

/// Command: what came after `after`?
pub struct CatchUp {
    pub by: Party,
    pub after: i64,
    pub items_max: usize,
    /// `None`: further back than memory reaches; ask Postgres.
    pub reply: Reply<Option<Page>>,
}

/// Command: received or read up to here.
pub struct MarkReceipt {
    pub by: Party,
    pub delivered_seq: Option<i64>,
    pub read_seq: Option<i64>,
    pub reply: Reply<Option<Watermark>>,
}

/// Command: Postgres says that these came or went; if the room thinks otherwise, another hand did it.
pub struct CompareMembers {
    pub parties: Vec<Party>,
    /// Whether they are in the room now.
    pub are_members: bool,
    /// That the room has looked.
    pub reply: Reply<()>,
}

/// The way back to whoever asked. Invariant: answered exactly once; one that is dropped, because its room crashed or
/// went idle, is answered [`ChatError::Restarted`].
pub struct Reply<T>(Option<Answer<T>>);

type Answer<T> = Box<dyn FnOnce(Result<T, ChatError>) + Send>;

impl<T> Reply<T> {
    /// Calls `answer` with the result, on the room's thread.
    pub fn new(answer: impl FnOnce(Result<T, ChatError>) + Send + 'static) -> Self {
        Self(Some(Box::new(answer)))
    }

    /// A reply, and the future of its answer.
    pub fn channel() -> (Self, impl Future<Output = Result<T, ChatError>>)
    where
        T: Send + 'static,
    {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let reply = Self::new(move |answer| {
            // The asker may have hung up.
            let _ = sender.send(answer);
        });
        (reply, async { receiver.await.unwrap_or(Err(ChatError::Restarted)) })
    }

    /// Answers.
    pub fn send(mut self, result: Result<T, ChatError>) {
        if let Some(answer) = self.0.take() {
            answer(result);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            answer(Err(ChatError::Restarted));
        }
    }
}

impl Command {
    /// Take this message into the order, as its sender's.
    pub fn post(message: MessageRow, reply: Reply<Posted>) -> Self {
        Self::Post(PostMessage { by: message.sender, message, reply })
    }

    /// Tells whoever asked that it failed.
    pub fn fail(self, error: ChatError) {
        match self {
            Self::Post(command) => command.reply.send(Err(error)),
            Self::Change(command) => command.reply.send(Err(error)),
            Self::Act(command) => command.reply.send(Err(error)),
            Self::CatchUp(command) => command.reply.send(Err(error)),
            Self::Mark(command) => command.reply.send(Err(error)),
            Self::Compare(command) => command.reply.send(Err(error)),
        }
    }
}
