//! What features do in a room that the core does not understand: edit a message, react to one, start a call.
//!
//! A feature says what it wants as a [`RoomAction`], plain data. The room shows it the [`Scene`] as it is at that place of
//! the order, and the feature answers with the event that it becomes, or that there is nothing to do.
//!
//! What is about a message needs that message in its present form. The room has it while the message, or the newest change
//! of it, is in memory; else it asks for it, and whoever asked reads it from Postgres ([`Target`]) and asks again.
//!
//! Invariant: no decision is made on a form that something newer has changed: a target is refused unless everything that
//! came after it is in memory and none of it touches the message.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::config::ChatConfig;
use super::error::ChatError;
use super::facts::RoomFacts;
use super::permissions::{Role, outranks};
use super::state::Right;
use crate::order::{EventRow, MessageRow, Row};
use parlance_foundation::ids::MessageId;
use parlance_foundation::party::Party;

/// See the module.
pub trait RoomAction: std::fmt::Debug + Send + Sync + 'static {
    /// The kind of the event that it becomes.
    fn kind(&self) -> &'static str;

    /// The message that it is about.
    fn target(&self) -> Option<MessageId> {
        None
    }

    /// The event that it becomes; `None`: it is so already. Pure.
    fn decide(&self, scene: &Scene<'_>) -> Result<Option<EventRow>, ChatError>;
}

/// Whether this action may have become `row`.
pub fn may_be(action: &dyn RoomAction, row: &Row) -> bool {
    row.event().is_some_and(|event| event.kind == action.kind()) && row.touches() == action.target()
}

/// The room as an action finds it.
#[derive(Debug)]
pub struct Scene<'a> {
    pub facts: &'a RoomFacts,
    pub config: &'a ChatConfig,
    pub by: Party,
    /// What they are in the room, or what their role in its space makes them.
    pub role: Role,
    /// The id and the time of the event that may come of it.
    pub id: uuid::Uuid,
    pub at: DateTime<Utc>,
    /// The message that the action is about, in its present form.
    pub target: Option<&'a Row>,
}

impl<'a> Scene<'a> {
    /// The message that the action is about.
    pub fn message(&self) -> Result<(&'a Row, &'a MessageRow), ChatError> {
        self.target.and_then(|row| Some((row, row.message()?))).ok_or(ChatError::MessageNotFound)
    }

    /// Whether they may act on what this party said: as on its role; on what somebody said who has left, or the engine,
    /// whoever rules here.
    pub fn rules_over(&self, author: Option<Party>) -> bool {
        let role = author.and_then(|author| self.facts.role(author));
        self.role >= Role::Admin && role.is_none_or(|role| outranks(self.role, role))
    }
}

/// A message as Postgres had it.
#[derive(Clone, Debug)]
pub struct Target {
    pub row: Arc<Row>,
    /// The room's newest seq at that moment.
    pub as_of: i64,
}

/// An action that somebody wants done: as it was asked for, so that it can be decided again.
#[derive(Clone, Debug)]
pub struct WantedAction {
    pub by: Party,
    pub right: Right,
    /// The author's own id for it: sent again, it is the first one.
    pub client_id: Option<String>,
    pub action: Arc<dyn RoomAction>,
    pub target: Option<Target>,
}

impl WantedAction {
    /// By what `by` is in the room.
    pub fn new(by: Party, client_id: Option<String>, action: Arc<dyn RoomAction>) -> Self {
        Self { by, right: Right::Own, client_id, action, target: None }
    }
}
