//! The commands of rooms: their bodies, their answers, and how they reach the room.
//!
//! Commands of one connection reach rooms in the order in which they were sent. What was heard in one go is sent in one go: a
//! room that is woken finds all of it, and commits it together.

use std::cell::RefCell;
use std::rc::Rc;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::directory::Rooms;
use super::error::ChatError;
use super::http::ChatParts;
use super::mailbox::{self, Reply};
use super::missed::PageWanted;

use crate::answer;
use crate::commands::{Batch, Command, Desk, Listed, Run, listed};
use crate::order::{MessageRow, Page, Row, Watermark};
use crate::wire::{Answer, Empty};
use parlance_foundation::ids::{MessageId, RoomId};

/// What clients may ask of rooms.
pub const COMMANDS: &[Listed<Run<RoomDoors>>] =
    &[listed::<PostMessage>(), listed::<CatchUp>(), listed::<MarkReceipt>()];

/// The batches of a thread are kept for its next ones, up to this many commands.
const KEPT_COMMANDS_MAX: usize = 1_024;

/// What these commands need.
pub struct RoomDoors {
    chat: ChatParts,
    batch: Rc<RoomBatch>,
}

impl RoomDoors {
    pub fn new(chat: &ChatParts) -> Self {
        Self { chat: chat.clone(), batch: RoomBatch::new(chat.rooms.clone()) }
    }
}

/// Commands of a thread's sessions that leave for their rooms together.
pub struct RoomBatch {
    rooms: Rooms,
    waiting: RefCell<Vec<(RoomId, mailbox::Command)>>,
}

impl RoomBatch {
    pub fn new(rooms: Rooms) -> Rc<Self> {
        Rc::new(Self { rooms, waiting: RefCell::default() })
    }

    pub fn add(&self, room: RoomId, command: mailbox::Command) {
        self.waiting.borrow_mut().push((room, command));
    }
}

impl Batch for RoomBatch {
    fn send(&self) {
        let mut waiting = self.waiting.take();
        for (room, command) in waiting.drain(..) {
            self.rooms.send(room, command);
        }
        if waiting.capacity() <= KEPT_COMMANDS_MAX {
            self.waiting.replace(waiting);
        }
    }
}

/// The body of `POST /rooms/{id}/messages`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PostMessageBody {
    /// The sender's own id for this message, at most 64 bytes: sending it again returns the first result.
    pub client_id: String,
    #[serde(default)]
    pub content: String,
    /// `text` when absent; `system` is the engine's own.
    #[serde(default)]
    pub kind: Option<String>,
    /// Structured content: an array of objects, told as it was sent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<Vec<Box<RawValue>>>,
    /// The id of a message in the same room.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
}

/// Command `message.post`: the body of the HTTP call with its room. Written out, because flattening would parse twice.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PostMessage {
    pub room_id: RoomId,
    pub client_id: String,
    #[serde(default)]
    pub content: String,
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub parts: Option<Vec<Box<RawValue>>>,
    #[serde(default)]
    pub reply_to: Option<MessageId>,
}

impl PostMessage {
    /// Where, and what.
    pub fn apart(self) -> (RoomId, PostMessageBody) {
        let Self { room_id, client_id, content, kind, parts, reply_to } = self;
        (room_id, PostMessageBody { client_id, content, kind, parts, reply_to })
    }
}

/// Command `room.catch_up`: everything in the room's order after `after`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CatchUp {
    pub room_id: RoomId,
    pub after: i64,
    /// Events on this page at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Command `receipt.mark`: received or read up to here.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MarkReceipt {
    pub room_id: RoomId,
    #[serde(default)]
    pub delivered_seq: Option<i64>,
    #[serde(default)]
    pub read_seq: Option<i64>,
}

/// Answer to `message.post`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Posted {
    pub room_id: RoomId,
    pub seq: i64,
    pub message_id: MessageId,
    pub created_at: DateTime<Utc>,
}

/// Answer to `room.catch_up`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents what `caught_up` splices together")]
pub struct CaughtUp {
    /// The same frames that were or would have been sent live, in order.
    #[schema(value_type = Vec<Object>)]
    events: Vec<serde_json::Value>,
    last_seq: i64,
    /// Whether there is another page after the last of these.
    more: bool,
}

impl Posted {
    /// The place of a committed message.
    pub fn of(room_id: RoomId, row: &Row) -> Self {
        Self { room_id, seq: row.seq, message_id: MessageId(row.id()), created_at: row.at }
    }
}

answer!(Posted);

impl Answer for Page {
    type Schema = CaughtUp;

    fn encode(&self, re: Option<u64>) -> ByteString {
        caught_up(re, self)
    }
}

/// The answer to `room.catch_up`. The frames are spliced in as they are: they were encoded once.
pub fn caught_up(re: Option<u64>, page: &Page) -> ByteString {
    let re = re.map(|re| format!("\"re\":{re},")).unwrap_or_default();
    let events = page.frames.join(",");
    let (last_seq, more) = (page.last_seq, page.more);
    ByteString::from(format!("{{\"type\":\"ok\",{re}\"events\":[{events}],\"last_seq\":{last_seq},\"more\":{more}}}"))
}

impl Command for PostMessage {
    const KIND: &'static str = "message.post";
    const SUMMARY: &'static str = "Post a message; the ok carries its place. Sent again, it answers with the first one";
    const ERRORS: &'static [&'static str] = &[
        "chat.room_not_found",
        "chat.not_allowed",
        "chat.reply_not_found",
        "chat.invalid",
        "chat.content_too_large",
        "limits.messages",
        "limits.bytes",
    ];
    type Answer = Posted;
    type Doors = RoomDoors;

    fn run(self, desk: Desk<'_, Posted>, doors: &RoomDoors) {
        let (room, body) = self.apart();
        let message = match doors.chat.said(desk.caller(), body) {
            Ok(message) => message,
            Err(problem) => return desk.refuse(problem),
        };
        let Some(looking) = doors.chat.rooms.before_posting(room, &message) else {
            return post(desk, &doors.batch, room, message);
        };
        let batch = Rc::clone(&doors.batch);
        // Waited for, so that the client's messages keep their order.
        desk.wait(looking, move |desk, found| match found {
            Ok(()) => post(desk, &batch, room, message),
            Err(error) => desk.refuse(error),
        });
    }
}

fn post(desk: Desk<'_, Posted>, batch: &Rc<RoomBatch>, room: RoomId, message: MessageRow) {
    desk.send_in_order(batch, |batch, reply| {
        let reply = Reply::new(move |posted: Result<mailbox::Posted, ChatError>| {
            reply.send(posted.map(|posted| Posted::of(room, &posted.row)));
        });
        batch.add(room, mailbox::Command::post(message, reply));
    });
}

impl Command for MarkReceipt {
    const KIND: &'static str = "receipt.mark";
    const SUMMARY: &'static str = "Received or read up to here";
    const ERRORS: &'static [&'static str] = &["chat.room_not_found"];
    type Answer = Empty;
    type Doors = RoomDoors;

    fn run(self, desk: Desk<'_, Empty>, doors: &RoomDoors) {
        let Self { room_id, delivered_seq, read_seq } = self;
        let by = desk.caller();
        desk.send_in_order(&doors.batch, |batch, reply| {
            let reply = Reply::new(move |marked: Result<Option<Watermark>, ChatError>| {
                reply.send(marked.map(|_| Empty {}));
            });
            batch.add(
                room_id,
                mailbox::Command::Mark(mailbox::MarkReceipt { by: by.into(), delivered_seq, read_seq, reply }),
            );
        });
    }
}

impl Command for CatchUp {
    const KIND: &'static str = "room.catch_up";
    const SUMMARY: &'static str = "Everything in the room's order after a seq";
    const ERRORS: &'static [&'static str] = &["chat.room_not_found", "chat.ahead"];
    type Answer = Page;
    type Doors = RoomDoors;

    fn run(self, desk: Desk<'_, Page>, doors: &RoomDoors) {
        let items_max = self.limit.unwrap_or(doors.chat.config.page_items_max);
        let wanted = PageWanted { by: desk.caller(), room: self.room_id, after: self.after, items_max };
        let rooms = doors.chat.rooms.clone();
        desk.answer_page(async move { rooms.page_after(wanted).await });
    }
}
