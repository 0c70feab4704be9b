//! What goes into the tables, in the engine's words.

use chrono::{DateTime, Utc};

use parlance_foundation::ids::{MessageId, UserId};

/// One durable change at one place in a room's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub body: RowBody,
}

/// A new message, or any other change.
#[derive(Clone, Debug, PartialEq)]
pub enum RowBody {
    Message(MessageRow),
    Event(EventRow),
}

/// A row of `messages`.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    pub id: MessageId,
    pub sender: UserId,
    pub client_id: Option<String>,
    pub kind: String,
    pub content: String,
    /// JSON text of an array.
    pub parts: Option<String>,
    pub reply_to: Option<MessageId>,
}

/// A row of `room_events`, and what it changes besides.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub id: uuid::Uuid,
    pub kind: &'static str,
    pub actor: Option<UserId>,
    pub payload: serde_json::Value,
    pub effect: SideEffect,
}

/// What a change does to other tables, in the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum SideEffect {
    AddMember {
        user_id: UserId,
        role: &'static str,
    },
    RemoveMember {
        user_id: UserId,
    },
    /// They are no member any more, and a row of `departures` with the id of the event says that this is yet to be told.
    Depart {
        user_id: UserId,
    },
    SetRole {
        user_id: UserId,
        role: &'static str,
    },
    Describe {
        name: Option<String>,
        topic: Option<String>,
    },
}

/// How far one member has received and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    pub user_id: UserId,
    pub delivered_seq: i64,
    pub read_seq: i64,
}

impl MessageRow {
    /// Bytes of what somebody wrote.
    pub fn text_bytes(&self) -> usize {
        self.content.len() + self.parts.as_ref().map_or(0, String::len)
    }
}

impl Row {
    /// The id that tells this row from any other attempt at the same place.
    pub fn id(&self) -> uuid::Uuid {
        match &self.body {
            RowBody::Message(message) => message.id.0,
            RowBody::Event(event) => event.id,
        }
    }

    /// About how many bytes it takes on the way to Postgres.
    pub fn bytes(&self) -> usize {
        const FIXED: usize = 128;
        FIXED
            + match &self.body {
                RowBody::Message(message) => message.text_bytes(),
                RowBody::Event(_) => FIXED,
            }
    }
}
