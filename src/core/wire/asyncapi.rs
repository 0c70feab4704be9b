//! The AsyncAPI 3 document of the WebSocket, generated from the types that are really sent and read.
//!
//! Every frame stands in [`FRAMES`]; the test below holds the list to the decoder. The schemas are plain JSON Schema,
//! as OpenAPI 3.1 uses it, so the client generates its types from both documents with one tool.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::close::CLOSE_CODES;
use super::{Empty, ErrorAnswer, Heartbeat, Hello, Ready, Renew, Renewed};
use crate::order::EventPayload;
use crate::rooms::wire as chat;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

/// One kind of frame.
pub struct FrameDoc {
    pub from: From,
    /// Its `type`.
    pub kind: &'static str,
    /// Its name among the schemas.
    name: &'static str,
    numbered: Numbered,
    summary: &'static str,
    body: fn(&mut Schemas) -> Body,
}

/// What a frame carries beside its type and number.
enum Body {
    /// One of these.
    Either(Vec<Value>),
    /// All of these.
    All(Vec<Value>),
}

impl FrameDoc {
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn summary(&self) -> &'static str {
        self.summary
    }
}

/// Whether it carries a number: a command its own `id`, an answer the command's as `re`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbered {
    Id,
    Re,
    No,
}

type Schemas = Map<String, Value>;

macro_rules! frame {
    ($from:ident $kind:literal $name:literal $numbered:ident [$($body:ty),+] $summary:literal) => {
        FrameDoc {
            from: From::$from,
            kind: $kind,
            name: $name,
            numbered: Numbered::$numbered,
            summary: $summary,
            body: |schemas| Body::Either(vec![$(reference::<$body>(schemas)),+]),
        }
    };
}

/// A durable event: its place, and what its kind says.
macro_rules! event {
    ($payload:ty, $name:literal $summary:literal) => {
        FrameDoc {
            from: From::Server,
            kind: <$payload as EventPayload>::KIND,
            name: $name,
            numbered: Numbered::No,
            summary: $summary,
            body: |schemas| Body::All(vec![reference::<chat::EventPlace>(schemas), reference::<$payload>(schemas)]),
        }
    };
}

/// Every frame of the protocol.
pub const FRAMES: &[FrameDoc] = &[
    frame!(Client "hello" "HelloFrame" Id [Hello] "The first frame, within 5 s: who connects, and what it has already"),
    frame!(Client "ping" "PingFrame" Id [Empty] "Are you there? Answered by pong"),
    frame!(Client "message.post" "MessagePostFrame" Id [chat::PostMessage] "Post a message; the ok carries its place"),
    frame!(Client "room.catch_up" "RoomCatchUpFrame" Id [chat::CatchUp] "Everything in the room's order after a seq"),
    frame!(Client "receipt.mark" "ReceiptMarkFrame" Id [chat::MarkReceipt] "Received or read up to here"),
    frame!(Client "auth.renew" "AuthRenewFrame" Id [Renew] "Another token of the same person, before the session's own has run out"),
    frame!(Server "ready" "ReadyFrame" Re [Ready] "Answer to hello; what was missed follows"),
    frame!(Server "ok" "OkFrame" Re [chat::Posted, chat::CaughtUp, Renewed, Empty] "Answer to a command that succeeded"),
    frame!(Server "error" "ErrorFrame" Re [ErrorAnswer] "Answer to a command that failed, and whether to try again"),
    frame!(Server "pong" "PongFrame" Re [Empty] "Answer to ping"),
    frame!(Server "heartbeat" "HeartbeatFrame" No [Heartbeat] "Sent when there was nothing else to say"),
    frame!(Server "message.posted" "MessagePostedFrame" No [chat::MessagePosted] "A message was posted"),
    event!(chat::MemberAdded, "MemberAddedFrame" "Someone was added or joined"),
    event!(chat::MemberRemoved, "MemberRemovedFrame" "Someone was removed or left"),
    event!(chat::MemberRoleChanged, "MemberRoleChangedFrame" "A member has another role"),
    event!(chat::RoomUpdated, "RoomUpdatedFrame" "The room has another name or topic"),
    frame!(Server "room.joined" "RoomJoinedFrame" No [chat::RoomJoined] "You are in this room now: follow it from last_seq"),
    frame!(Server "room.lagged" "RoomLaggedFrame" No [chat::RoomLagged] "Your backlog was shed, or you left while you were behind: catch up from the last seq you have"),
    frame!(Server "invitation.updated" "InvitationUpdatedFrame" No [chat::InvitationUpdated] "You were invited, or what became of that: GET /invitations has what waits for an answer"),
    frame!(Server "space.joined" "SpaceJoinedFrame" No [chat::SpaceJoined] "You are in this space now. Frames of spaces are not kept: ask GET /spaces after each ready"),
    frame!(Server "space.updated" "SpaceUpdatedFrame" No [chat::SpaceUpdated] "A space of yours has another name or topic, or you another role in it. Not kept"),
    frame!(Server "space.left" "SpaceLeftFrame" No [chat::SpaceLeft] "You are in this space no more: you left, were removed, or it is gone. Not kept"),
    frame!(Server "receipt.updated" "ReceiptUpdatedFrame" No [chat::ReceiptUpdated] "How far a member has received and read"),
];

/// A reference to the schema of `T`, which is added with everything that it refers to.
fn reference<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    let mut used: Vec<(String, RefOr<Schema>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut used);
    for (name, schema) in used {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut messages = Map::new();
    let mut channel_messages = Map::new();
    for frame in FRAMES {
        let schema = frame_schema(frame, &mut schemas);
        schemas.insert(frame.name.to_owned(), schema);
        let payload = json!({ "$ref": format!("#/components/schemas/{}", frame.name) });
        let message = json!({ "name": frame.kind, "summary": frame.summary, "contentType": "application/json", "payload": payload });
        messages.insert(frame.name.to_owned(), message);
        channel_messages
            .insert(frame.name.to_owned(), json!({ "$ref": format!("#/components/messages/{}", frame.name) }));
    }
    schemas.insert("ClientFrame".into(), any_of(From::Client));
    schemas.insert("ServerFrame".into(), any_of(From::Server));
    let codes: Vec<String> = CLOSE_CODES.iter().map(|close| format!("- {}: {}", close.code, close.reason)).collect();
    let description = format!(
        "Text frames, one JSON object each, with a `type`. Unknown fields are ignored; an unknown type is answered with \
         an error. Durable events carry `room_id` and `seq`; per room, `seq` rises by exactly one.\n\nClose codes \
         4000 to 4499 mean: reconnect; 4500 to 4999: do not, or (4500) not with the same token.\n\n{}",
        codes.join("\n")
    );
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "Parlance realtime", "version": env!("CARGO_PKG_VERSION"), "description": description },
        "defaultContentType": "application/json",
        "channels": { "session": { "address": "/api/v1/ws", "messages": channel_messages } },
        "operations": {
            "say": operation("receive", From::Client),
            "hear": operation("send", From::Server),
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn frame_schema(frame: &FrameDoc, schemas: &mut Schemas) -> Value {
    let body = (frame.body)(schemas);
    let mut properties = json!({ "type": { "type": "string", "const": frame.kind } });
    let number = json!({ "type": "integer", "minimum": 1 });
    match frame.numbered {
        Numbered::Id => properties["id"] = number,
        Numbered::Re => properties["re"] = number,
        Numbered::No => {}
    }
    let envelope = json!({ "type": "object", "required": ["type"], "properties": properties });
    let bodies = match body {
        Body::Either(mut bodies) if bodies.len() == 1 => vec![bodies.remove(0)],
        Body::Either(bodies) => vec![json!({ "oneOf": bodies })],
        Body::All(bodies) => bodies,
    };
    let all: Vec<Value> = std::iter::once(envelope).chain(bodies).collect();
    json!({ "description": frame.summary, "allOf": all })
}

fn any_of(from: From) -> Value {
    let refs = FRAMES.iter().filter(|frame| frame.from == from);
    json!({ "oneOf": refs.map(|frame| json!({ "$ref": format!("#/components/schemas/{}", frame.name) })).collect::<Vec<_>>() })
}

fn operation(action: &str, from: From) -> Value {
    let refs = FRAMES.iter().filter(|frame| frame.from == from);
    let refs: Vec<Value> =
        refs.map(|frame| json!({ "$ref": format!("#/channels/session/messages/{}", frame.name) })).collect();
    json!({ "action": action, "channel": { "$ref": "#/channels/session" }, "messages": refs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoder_knows_every_command_of_the_document_and_no_other() {
        for frame in FRAMES {
            let decoded = crate::wire::decode(&json!({ "type": frame.kind, "id": 1 }).to_string());
            let unknown = decoded.is_err_and(|bad| bad.problem.code == "protocol.unknown_type");
            assert_eq!(unknown, frame.from == From::Server, "{}", frame.kind);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
