//! From a frame to what laws are about. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::history::{Body, Card, Change, Fact, Form, Kept, RoomNo, STRANGER, SendNo, digest};
use super::world::Numbers;

const CLIENT_ID: &str = "check-";

/// A durable event of a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub room: RoomNo,
    pub seq: u64,
    pub at: Option<DateTime<Utc>>,
    /// Of all in the frame that never changes: however it reaches a reader, it is the same.
    pub frame: u64,
    /// The form of a message that it tells: a message's own, or that which an edit gives.
    pub says: Option<u64>,
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
    let by = || frame.get("by").and_then(|by| numbers.who(by.get("id").unwrap_or(by)));
    let user = |place: &Value| place.get("user_id").and_then(|id| numbers.who(id)).unwrap_or(STRANGER);
    let role = |place: &Value| text(place, "role").unwrap_or_default();
    // Of a party that is no person: its people, as what they are.
    let team = |place: &Value, role: Option<String>| {
        place.get("party")?;
        let people = frame.get("people").and_then(Value::as_array).into_iter().flatten();
        let people = people.map(|id| (numbers.who(id).unwrap_or(STRANGER), role.clone()));
        Some(Fact::Team { by: by(), people: people.collect() })
    };
    let fact = match kind {
        "message.posted" => Fact::Message(kept(numbers, frame.get("message")?)?),
        "room.updated" => Fact::Described { by: by(), name: text(frame, "name"), topic: text(frame, "topic") },
        "member.added" => {
            let member = frame.get("member")?;
            let add = || Fact::Changed { by: by(), change: Change::Add(user(member), role(member)) };
            team(member, Some(role(member))).unwrap_or_else(add)
        }
        "member.removed" => {
            let remove = || Fact::Changed { by: by(), change: Change::Remove(user(frame)) };
            team(frame, None).unwrap_or_else(remove)
        }
        "member.role_changed" => {
            let change = || Fact::Changed { by: by(), change: Change::Role(user(frame), role(frame)) };
            team(frame, Some(role(frame))).unwrap_or_else(change)
        }
        "message.edited" => Fact::Edited { by: by(), message: frame.get("message_id").and_then(uuid)? },
        "message.deleted" => Fact::Deleted { by: by(), message: frame.get("message_id").and_then(uuid)? },
        other => Fact::Other(other.to_owned()),
    };
    let at = frame.get("at").or_else(|| frame.pointer("/message/created_at")).and_then(time);
    let says = match kind {
        "message.posted" => frame.get("message").and_then(form),
        "message.edited" => form(frame),
        _ => None,
    };
    Some(Event {
        room,
        seq,
        at,
        frame: digest(&lasting(frame).to_string()),
        says: says.map(|form| form.digest()),
        fact,
    })
}

/// What edits and deletions change in the frame of a message, and what they take from that of an edit.
const PASSING: [&str; 4] = ["content", "parts", "edited_at", "deleted_at"];

/// The frame without what may change.
fn lasting(frame: &Value) -> Value {
    let mut frame = frame.clone();
    for place in ["", "/message"] {
        let fields = frame.pointer_mut(place).and_then(Value::as_object_mut);
        fields.into_iter().for_each(|fields| fields.retain(|name, _| !PASSING.contains(&name.as_str())));
    }
    frame
}

/// What a message or an edit says, if it does.
fn form(of: &Value) -> Option<Form> {
    Some(Form {
        content: digest(of.get("content")?.as_str()?),
        parts: of.get("parts").map(|parts| digest(&parts.to_string())),
        edited_at: of.get("edited_at").and_then(time),
        deleted_at: of.get("deleted_at").and_then(time),
    })
}

/// A message as it is shown.
pub fn kept(numbers: &Numbers, message: &Value) -> Option<Kept> {
    let client_id = message.get("client_id").and_then(Value::as_str);
    let form = form(message)?;
    let body = Body {
        content: form.content,
        kind: text(message, "kind")?,
        parts: form.parts,
        reply_to: message.get("reply_to").and_then(uuid),
    };
    Some(Kept {
        id: uuid(message.get("id")?)?,
        by: message.pointer("/sender/id").and_then(|id| numbers.who(id)),
        send: client_id.and_then(|id| id.strip_prefix(CLIENT_ID)?.parse().ok()),
        body: Box::new(body),
        says: form.digest(),
    })
}

/// A room as somebody's own list of rooms shows it.
pub fn card(room: &Value) -> Option<Card> {
    let number = |field: &str| room.get(field)?.as_u64();
    Some(Card {
        role: text(room, "role").unwrap_or_default(),
        name: text(room, "name"),
        topic: text(room, "topic"),
        last_seq: number("last_seq")?,
        last_at: room.get("last_message_at").and_then(time),
        delivered: number("delivered_seq")?,
        read: number("read_seq")?,
        unread: number("unread")?,
        member_count: number("member_count")?,
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn uuid(value: &Value) -> Option<Uuid> {
    Uuid::parse_str(value.as_str()?).ok()
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(value.as_str()?).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use parlance::protocol::{document, protocol};
    use serde_json::json;

    use super::*;

    /// The fields that a schema has, wherever it takes them from.
    fn fields(document: &Value, schema: &Value) -> BTreeSet<String> {
        let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
        let of_all = schema["allOf"].as_array().into_iter().flatten();
        let referred = schema["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#')));
        own.chain(of_all.chain(referred).flat_map(|schema| fields(document, schema))).collect()
    }

    /// The events that take a place in a room's order, by the reference of the protocol.
    fn durable() -> Vec<&'static str> {
        let document = document();
        let has_place = |name: String| {
            let fields = fields(&document, &document["components"]["schemas"][name]);
            fields.contains("room_id") && fields.contains("seq")
        };
        protocol().frames().filter(|frame| has_place(frame.name())).map(|frame| frame.kind).collect()
    }

    #[test]
    fn no_event_of_a_room_is_unknown() {
        let id = Uuid::from_u128(7);
        let numbers = Numbers::of(&[], &[id]);
        let message = json!({ "id": id, "sender": { "id": id }, "kind": "text", "content": "hello" });
        let member = json!({ "user_id": id, "role": "guest" });
        let kinds = durable();
        assert!(kinds.len() >= 5 && kinds.contains(&"message.posted"), "the reference is found: {kinds:?}");
        for kind in kinds {
            let frame = json!({ "type": kind, "room_id": id, "seq": 1, "message": message, "member": member,
                                "user_id": id, "role": "guest", "name": "a", "topic": "b", "by": id,
                                "message_id": id });
            let fact = event(&numbers, &frame).unwrap().fact;
            assert!(!matches!(fact, Fact::Other(_)), "no law is about {kind}: say here what it does to a room");
        }
    }

    #[test]
    fn a_team_is_what_its_people_are() {
        let ids = [1, 2, 3].map(Uuid::from_u128);
        let people = ids.map(|id| crate::client::Person { id, token: String::new() });
        let numbers = Numbers::of(&people, &ids[..1]);
        let party = json!({ "type": "team", "id": Uuid::from_u128(9) });
        let told = |event: Value| {
            let mut frame = json!({ "room_id": ids[0], "seq": 1, "people": [ids[1], ids[2]], "by": party });
            frame.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
            self::event(&numbers, &frame).unwrap().fact
        };
        let people = |role: Option<&str>| {
            let role = role.map(str::to_owned);
            Fact::Team { by: None, people: vec![(1, role.clone()), (2, role)] }
        };
        let added = json!({ "type": "member.added", "member": { "party": party, "role": "guest" } });
        assert_eq!(told(added), people(Some("guest")));
        let changed = json!({ "type": "member.role_changed", "party": party, "role": "admin" });
        assert_eq!(told(changed), people(Some("admin")));
        assert_eq!(told(json!({ "type": "member.removed", "party": party })), people(None));
        let alone = json!({ "type": "member.removed", "user_id": ids[1], "people": [], "by": ids[0] });
        assert_eq!(told(alone), Fact::Changed { by: Some(0), change: Change::Remove(1) });
    }

    #[test]
    fn what_edits_change_is_the_form_and_nothing_else() {
        let id = Uuid::from_u128(1);
        let numbers = Numbers::of(&[], &[id]);
        let told = |message: Value| {
            let frame = json!({ "type": "message.posted", "room_id": id, "seq": 3, "message": message });
            let event = event(&numbers, &frame).unwrap();
            (event.frame, event.says.unwrap())
        };
        let first = json!({ "id": id, "kind": "text", "content": "hello" });
        let mut edited = first.clone();
        (edited["content"], edited["edited_at"]) = (json!("bye"), json!("2026-01-01T00:00:00Z"));
        let mut deleted = edited.clone();
        (deleted["content"], deleted["deleted_at"]) = (json!(""), json!("2026-01-01T00:00:01Z"));
        let (first, edited, deleted) = (told(first), told(edited), told(deleted));
        assert!(first.0 == edited.0 && edited.0 == deleted.0);
        assert!(first.1 != edited.1 && edited.1 != deleted.1 && first.1 != deleted.1);
        let edit = |rest: Value| {
            let mut frame = json!({ "type": "message.edited", "room_id": id, "seq": 4, "message_id": id });
            frame.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            event(&numbers, &frame).unwrap()
        };
        let told = edit(json!({ "content": "bye", "edited_at": "2026-01-01T00:00:00Z" }));
        let followed = edit(json!({}));
        assert_eq!((told.frame, told.says, followed.says), (followed.frame, Some(edited.1), None));
    }

    #[test]
    fn a_message_is_all_that_it_says() {
        let numbers = Numbers::default();
        let message = json!({ "id": Uuid::from_u128(1), "kind": "text", "content": "hello", "client_id": "check-5" });
        let plain = kept(&numbers, &message).unwrap();
        assert_eq!((plain.send, plain.body.parts, plain.body.reply_to), (Some(5), None, None));
        for (field, value) in [
            ("kind", json!("media")),
            ("content", json!("bye")),
            ("parts", json!([{ "type": "image" }])),
            ("reply_to", json!(Uuid::from_u128(2))),
        ] {
            let mut other = message.clone();
            other[field] = value;
            assert_ne!(kept(&numbers, &other).unwrap(), plain, "{field}");
        }
    }
}
