//! `message.edit` and `message.delete`.

use std::rc::Rc;
use std::sync::Arc;

use parlance_core::commands::{Command, Desk, Listed, Run, listed};
use parlance_core::rooms::RoomAction;
use parlance_core::rooms::commands::RoomBatch;
use parlance_core::rooms::error::ChatError;
use parlance_core::rooms::http::ChatParts;
use parlance_core::rooms::mailbox::Posted;
use parlance_core::rooms::wire::event;
use parlance_core::wire::asyncapi::FrameDoc;
use parlance_foundation::ids::RoomId;
use parlance_foundation::problem::Problem;

use super::http::{edit, wanted};
use super::metrics::count;
use super::wire::{DeleteMessage, EditMessage, MessageChanged, MessageDeleted, MessageEdited};
use super::{Delete, Edit};

/// What clients may ask for.
pub const COMMANDS: &[Listed<Run<EditDoors>>] = &[listed::<EditMessage>(), listed::<DeleteMessage>()];

/// What members hear of it.
pub const FRAMES: &[FrameDoc] = &[
    event::<MessageEdited>("A message says something else"),
    event::<MessageDeleted>("A message was deleted; its place stays"),
];

/// What these commands need.
pub struct EditDoors {
    parts: ChatParts,
    batch: Rc<RoomBatch>,
}

impl EditDoors {
    pub fn new(parts: &ChatParts) -> Self {
        Self { parts: parts.clone(), batch: RoomBatch::new(parts.rooms.clone()) }
    }

    /// Has the room do it, after what its client asked for before.
    fn act(
        &self,
        desk: Desk<'_, MessageChanged>,
        room: RoomId,
        client_id: String,
        bytes: usize,
        action: Result<Arc<dyn RoomAction>, Problem>,
    ) {
        let Self { parts, batch } = self;
        let allowed = action.and_then(|action| wanted(parts, desk.caller(), Some(client_id), bytes, action));
        let wanted = match allowed {
            Ok(wanted) => wanted,
            Err(problem) => return desk.refuse(problem),
        };
        desk.send_in_order(batch, |batch, reply| {
            let answer = |done: Result<Option<Posted>, ChatError>| {
                count(done.as_ref().ok().and_then(Option::as_ref));
                reply.send(done.map(MessageChanged::from));
            };
            batch.add(room, parts.rooms.action(room, wanted, answer));
        });
    }
}

impl Command for EditMessage {
    const KIND: &'static str = "message.edit";
    const SUMMARY: &'static str = "A message of one's own says something else; of any age";
    const ERRORS: &'static [&'static str] = &[
        "chat.room_not_found",
        "chat.message_not_found",
        "message.not_yours",
        "message.deleted",
        "chat.invalid",
        "chat.content_too_large",
        "chat.key_reused",
        "limits.messages",
        "limits.bytes",
    ];
    type Answer = MessageChanged;
    type Doors = EditDoors;

    fn run(self, desk: Desk<'_, MessageChanged>, doors: &EditDoors) {
        let Self { room_id, message_id, client_id, content, parts } = self;
        let edit = edit(&doors.parts.config, message_id, content, parts);
        let bytes = edit.as_ref().map_or(0, Edit::bytes);
        doors.act(desk, room_id, client_id, bytes, edit.map(|edit| Arc::new(edit) as Arc<dyn RoomAction>));
    }
}

impl Command for DeleteMessage {
    const KIND: &'static str = "message.delete";
    const SUMMARY: &'static str = "A message is not to be read any more: one's own, or as a moderator";
    const ERRORS: &'static [&'static str] =
        &["chat.room_not_found", "chat.message_not_found", "message.not_yours", "chat.key_reused", "limits.messages"];
    type Answer = MessageChanged;
    type Doors = EditDoors;

    fn run(self, desk: Desk<'_, MessageChanged>, doors: &EditDoors) {
        let Self { room_id, message_id, client_id } = self;
        doors.act(desk, room_id, client_id, 0, Ok(Arc::new(Delete { message_id })));
    }
}
