//! What an edit or a deletion becomes. Pure.

use std::sync::Arc;

use parlance_core::order::{EventPayload, EventRow, MessageRow};
use parlance_core::rooms::error::ChatError;
use parlance_core::rooms::{RoomAction, Scene};
use parlance_foundation::ids::MessageId;
use serde_json::value::RawValue;

use super::error::EditError;
use super::store::KeepVersion;
use super::wire::{MessageDeleted, MessageEdited};

/// A message says something else from now on.
#[derive(Clone, Debug)]
pub struct Edit {
    pub message_id: MessageId,
    pub content: String,
    /// JSON text of an array.
    pub parts: Option<String>,
}

/// A message is not to be read any more.
#[derive(Clone, Debug)]
pub struct Delete {
    pub message_id: MessageId,
}

impl Edit {
    /// Of what it says.
    pub fn bytes(&self) -> usize {
        self.content.len() + self.parts.as_ref().map_or(0, String::len)
    }
}

impl RoomAction for Edit {
    fn kind(&self) -> &'static str {
        MessageEdited::KIND
    }

    fn target(&self) -> Option<MessageId> {
        Some(self.message_id)
    }

    fn decide(&self, scene: &Scene<'_>) -> Result<Option<EventRow>, ChatError> {
        let (place, message) = scene.message()?;
        if message.sender != Some(scene.by) {
            return Err(EditError::NotYours.into());
        }
        if message.deleted_at.is_some() {
            return Err(EditError::Deleted.into());
        }
        if (&message.content, &message.parts) == (&self.content, &self.parts) {
            return Ok(None);
        }
        let (content, parts) = (self.content.clone(), self.parts.clone());
        let told = MessageEdited {
            message_id: message.id,
            content: content.clone(),
            // What came in as JSON is JSON.
            parts: parts.clone().and_then(|parts| RawValue::from_string(parts).ok()),
            edited_at: scene.at,
        };
        let form = MessageRow { content, parts, edited_at: Some(scene.at), ..message.clone() };
        let event = EventRow::new(scene.id, Some(scene.by), &told).making(place, form);
        Ok(Some(keeping(event, scene, message)))
    }
}

impl RoomAction for Delete {
    fn kind(&self) -> &'static str {
        MessageDeleted::KIND
    }

    fn target(&self) -> Option<MessageId> {
        Some(self.message_id)
    }

    fn decide(&self, scene: &Scene<'_>) -> Result<Option<EventRow>, ChatError> {
        let (place, message) = scene.message()?;
        let is_own = message.sender == Some(scene.by);
        let is_moderated = scene.facts.kind.rules().has_owners && scene.rules_over(message.sender);
        if !is_own && !is_moderated {
            return Err(EditError::NotYoursToDelete.into());
        }
        if message.deleted_at.is_some() {
            return Ok(None);
        }
        let told = MessageDeleted { message_id: message.id };
        let form = MessageRow { content: String::new(), parts: None, deleted_at: Some(scene.at), ..message.clone() };
        let event = EventRow::new(scene.id, Some(scene.by), &told).making(place, form);
        Ok(Some(keeping(event, scene, message)))
    }
}

/// The event, which keeps what the message was before for the room's moderators.
fn keeping(mut event: EventRow, scene: &Scene<'_>, before: &MessageRow) -> EventRow {
    if scene.facts.kind.rules().has_owners {
        let version =
            KeepVersion { message_id: before.id, content: before.content.clone(), parts: before.parts.clone() };
        event.effects.push(Arc::new(version));
    }
    event
}
