//! What a device has of messages: each as the newest news of it says. Pure.
//!
//! Mirrors `web/src/sdk/present-form.ts`: a page tells a message as it is by then, which may be a later form than an edit
//! that is heard after it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use parlance::ids::{MessageId, UserId};
use serde::Deserialize;

use super::postgres::Table;

/// See the module.
#[derive(Default)]
pub struct Held(BTreeMap<(usize, MessageId), Form>);

/// One message.
#[derive(Clone, Debug)]
pub struct Form {
    pub sender: UserId,
    pub content: String,
    edited_at: Option<DateTime<Utc>>,
    /// The place of the edit that said so, if it was heard.
    edited_by: i64,
    pub is_deleted: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum News {
    #[serde(rename = "message.posted")]
    Posted { message: Message },
    #[serde(rename = "message.edited")]
    Edited { message_id: MessageId, seq: i64, content: Option<String>, edited_at: Option<DateTime<Utc>> },
    #[serde(rename = "message.deleted")]
    Deleted { message_id: MessageId },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    id: MessageId,
    sender: Sender,
    content: String,
    edited_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Sender {
    id: UserId,
}

impl Held {
    /// A frame of a room; one that is no news of a message changes nothing.
    pub fn hear(&mut self, room: usize, frame: &str) {
        match serde_json::from_str(frame).unwrap_or(News::Other) {
            News::Posted { message } => {
                let (edited_at, is_deleted) = (message.edited_at, message.deleted_at.is_some());
                let form = || Form {
                    sender: message.sender.id,
                    content: message.content.clone(),
                    edited_at,
                    edited_by: 0,
                    is_deleted,
                };
                let known = self.0.entry((room, message.id)).or_insert_with(form);
                if !known.is_deleted && (is_deleted || edited_at > known.edited_at) {
                    *known = form();
                }
            }
            News::Edited { message_id, seq, content: Some(content), edited_at: edited_at @ Some(_) } => {
                let Some(known) = self.0.get_mut(&(room, message_id)) else { return };
                if !known.is_deleted && edited_at >= known.edited_at && seq >= known.edited_by {
                    (known.content, known.edited_at, known.edited_by) = (content, edited_at, seq);
                }
            }
            News::Deleted { message_id } => {
                if let Some(known) = self.0.get_mut(&(room, message_id)) {
                    (known.content, known.is_deleted) = (String::new(), true);
                }
            }
            // Another change has followed, and says what the message is.
            News::Edited { .. } | News::Other => {}
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = ((usize, MessageId), &Form)> {
        self.0.iter().map(|(place, form)| (*place, form))
    }

    /// Whether all that it has of a room is as Postgres has it; else what is not.
    pub fn is_as_in(&self, room: usize, table: &Table) -> Result<(), String> {
        let here = self.messages().filter(|((of, id), _)| *of == room && !table.adrift.messages.contains(id));
        for ((_, id), form) in here {
            let there = table.message(id);
            let there = there.map(|message| (message.content.as_str(), message.deleted_at.is_some()));
            if there != Some((form.content.as_str(), form.is_deleted)) {
                return Err(format!("{id:?} is {form:?} to it, and {there:?}"));
            }
        }
        Ok(())
    }
}
