//! Edits and deletions as clients send and hear them.

use chrono::{DateTime, Utc};
use parlance_core::answer;
use parlance_core::order::EventPayload;
use parlance_core::rooms::mailbox::Posted;
use parlance_foundation::ids::{MessageId, RoomId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Command `message.edit`: the message says this from now on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EditMessage {
    pub room_id: RoomId,
    pub message_id: MessageId,
    /// The author's own id for the edit, at most 64 bytes: sending it again returns the first result.
    pub client_id: String,
    pub content: String,
    /// Absent or empty: none.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<Vec<Box<RawValue>>>,
}

/// Command `message.delete`: the message is not to be read any more.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DeleteMessage {
    pub room_id: RoomId,
    pub message_id: MessageId,
    /// As for an edit.
    pub client_id: String,
}

/// Answer to `message.edit` and `message.delete`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageChanged {
    /// The place of the event that tells it; absent when the message was so already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}

answer!(MessageChanged);

impl From<Option<Posted>> for MessageChanged {
    fn from(done: Option<Posted>) -> Self {
        Self { seq: done.map(|posted| posted.row.seq) }
    }
}

/// Event: a message says something else now. History and catch-up tell it in its present form at its own place; an edit
/// that another one or a deletion has followed is told with `message_id` alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageEdited {
    pub message_id: MessageId,
    #[schema(required = false)]
    pub content: String,
    /// Absent: none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<Box<RawValue>>,
    #[schema(required = false)]
    pub edited_at: DateTime<Utc>,
}

impl EventPayload for MessageEdited {
    const KIND: &'static str = "message.edited";
}

/// Event: a message was deleted: by its author, or by whoever rules the room. Its place stays.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDeleted {
    pub message_id: MessageId,
}

impl EventPayload for MessageDeleted {
    const KIND: &'static str = "message.deleted";
}

/// What a message said before an edit or its deletion.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageVersion {
    /// The place of the event that ended it.
    pub seq: i64,
    pub content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<Box<RawValue>>,
    /// Until when it said so.
    pub until: DateTime<Utc>,
}
