//! From a frame to what laws are about. Pure.

use serde_json::Value;
use uuid::Uuid;

use super::history::{Change, Fact, Kept, RoomNo, STRANGER, SendNo, digest};
use super::world::Numbers;

const CLIENT_ID: &str = "check-";

/// A durable event of a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub room: RoomNo,
    pub seq: u64,
    /// Of the whole frame: however it reaches a reader, it is the same.
    pub frame: u64,
    pub fact: Fact,
}

/// The `client_id` of a message.
pub fn client_id(send: SendNo) -> String {
    format!("{CLIENT_ID}{send}")
}

/// A frame as an event, if it is one.
pub fn event(numbers: &Numbers, frame: &Value) -> Option<Event> {
    let kind = frame.get("type")?.as_str()?;
    let seq = frame.get("seq")?.as_u64()?;
    let room = numbers.room(frame.get("room_id")?)?;
    let by = || frame.get("by").and_then(|by| numbers.who(by));
    let text = |field: &str| frame.get(field).and_then(Value::as_str).map(str::to_owned);
    let user = |place: &Value| place.get("user_id").and_then(|id| numbers.who(id)).unwrap_or(STRANGER);
    let role = |place: &Value| place.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fact = match kind {
        "message.posted" => Fact::Message(kept(numbers, frame.get("message")?)?),
        "room.updated" => Fact::Described { by: by(), name: text("name"), topic: text("topic") },
        "member.added" => {
            let member = frame.get("member")?;
            Fact::Changed { by: by(), change: Change::Add(user(member), role(member)) }
        }
        "member.removed" => Fact::Changed { by: by(), change: Change::Remove(user(frame)) },
        "member.role_changed" => Fact::Changed { by: by(), change: Change::Role(user(frame), role(frame)) },
        other => Fact::Other(other.to_owned()),
    };
    Some(Event { room, seq, frame: digest(&frame.to_string()), fact })
}

/// A message as it is shown.
pub fn kept(numbers: &Numbers, message: &Value) -> Option<Kept> {
    let client_id = message.get("client_id").and_then(Value::as_str);
    Some(Kept {
        id: Uuid::parse_str(message.get("id")?.as_str()?).ok()?,
        by: message.pointer("/sender/id").and_then(|id| numbers.who(id)),
        send: client_id.and_then(|id| id.strip_prefix(CLIENT_ID)?.parse().ok()),
        content: digest(message.get("content")?.as_str()?),
    })
}
