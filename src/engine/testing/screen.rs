//! What a client shows: what it has read, and the frames that it has heard since applied to it by the rules of the protocol.
//! Pure.
//!
//! All of it is JSON as the engine told it, so that what a client shows and what it would read afresh compare as they are.
//! What no frame tells is left out: how many members a space has, teams and people that are renamed.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

/// A badge says 99+.
const UNREAD_MAX: i64 = 100;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    /// Whose it is.
    pub me: String,
    pub rooms: BTreeMap<String, RoomScreen>,
    pub spaces: BTreeMap<String, Value>,
    /// What waits for an answer.
    pub invitations: BTreeMap<String, Value>,
}

/// One room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomScreen {
    /// As lists have it.
    pub summary: Value,
    /// By `team:ID` or the user's id.
    pub members: BTreeMap<String, Value>,
    /// The order from its first place on, in its present form.
    pub events: Vec<Value>,
}

/// What a frame leaves a client to ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The room is new on the screen, or not as it was known: all of it but the summary.
    Room(String),
    /// Events of this room are missing.
    Missed(String),
    /// These came into the room: who are they?
    People(String, Vec<String>),
    Invitations,
}

impl Screen {
    /// Applies a frame that is no answer.
    pub fn hear(&mut self, frame: &Value) -> Option<Ask> {
        let text = |field: &str| frame[field].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap_or_default() {
            "room.joined" => {
                let room = RoomScreen { summary: frame["room"].clone(), ..RoomScreen::default() };
                let id = text_of(&frame["room"]["id"]);
                self.rooms.insert(id.clone(), room);
                return Some(Ask::Room(id));
            }
            "room.lagged" => return Some(Ask::Missed(text("room_id"))),
            "receipt.updated" => self.mark(frame),
            "space.joined" | "space.updated" => {
                self.spaces.insert(text_of(&frame["space"]["id"]), frame["space"].clone());
            }
            "space.left" => {
                self.spaces.remove(&text("space_id"));
                // One is in its channels no more, either.
                self.rooms.retain(|_, room| room.summary["space_id"] != frame["space_id"]);
            }
            "invitation.updated" if frame["state"] == "pending" => return Some(Ask::Invitations),
            "invitation.updated" => drop(self.invitations.remove(&text("id"))),
            _ if frame["seq"].is_i64() => return self.apply(frame),
            kind => panic!("a frame that clients do not know: {kind}"),
        }
        None
    }

    fn mark(&mut self, frame: &Value) {
        let member = member_of(frame);
        let Some(room) = self.rooms.get_mut(&text_of(&frame["room_id"])) else { return };
        for field in ["delivered_seq", "read_seq"] {
            if let Some(mark) = room.members.get_mut(&member) {
                raise(mark, field, &frame[field]);
            }
            if member == self.me {
                raise(&mut room.summary, field, &frame[field]);
            }
        }
        if member == self.me {
            room.summary["unread"] = json!(room.unread(&self.me));
        }
    }

    /// A durable event.
    fn apply(&mut self, event: &Value) -> Option<Ask> {
        let id = text_of(&event["room_id"]);
        // Of a room that is about to be announced, or that was left.
        let room = self.rooms.get_mut(&id)?;
        let seq = event["seq"].as_i64().unwrap_or_default();
        let last = room.summary["last_seq"].as_i64().unwrap_or_default();
        if seq > last + 1 {
            panic!("after {last} came {event}");
        }
        let is_news = seq == last + 1;
        room.keep(event);
        let people = people_of(event);
        let is_unread =
            is_news && Some(seq) > room.summary["read_seq"].as_i64() && !is_own(&event["message"], &self.me);
        match event["type"].as_str().unwrap_or_default() {
            "member.removed" if people.contains(&self.me) => {
                self.rooms.remove(&id);
                return None;
            }
            "message.posted" if is_unread => {
                count(&mut room.summary, "unread", 1);
                room.summary["unread"] = json!(room.summary["unread"].as_i64().min(Some(UNREAD_MAX)));
            }
            "member.added" if is_news => count(&mut room.summary, "member_count", how_many(people.len())),
            "member.removed" if is_news && stays_as(event, &self.me).is_some() => {
                room.summary["role"] = stays_as(event, &self.me).cloned().unwrap_or_default();
                count(&mut room.summary, "member_count", -how_many(people.len()));
            }
            "member.removed" if is_news => count(&mut room.summary, "member_count", -how_many(people.len())),
            "room.updated" if is_news => {
                for field in ["name", "topic"] {
                    put(&mut room.summary, field, event[field].clone());
                }
            }
            "member.role_changed" if is_news && people.contains(&self.me) => {
                room.summary["role"] = event["role"].clone();
            }
            _ => {}
        }
        if is_news {
            room.summary["last_seq"] = json!(seq);
            let at = if event["type"] == "message.posted" { &event["message"]["created_at"] } else { &event["at"] };
            put(&mut room.summary, "last_message_at", at.clone());
        }
        let came = room.members_changed(event, &people);
        (!came.is_empty()).then_some(Ask::People(id, came))
    }

    /// Everything as JSON, rooms by newest activity.
    pub fn shown(&self) -> Value {
        let mut order: Vec<&Value> = self.rooms.values().map(|room| &room.summary).collect();
        order.sort_by_key(|room| {
            let at = room["last_message_at"].as_str().or(room["created_at"].as_str()).unwrap_or_default();
            std::cmp::Reverse((DateTime::parse_from_rfc3339(at).unwrap(), text_of(&room["id"])))
        });
        let order: Vec<&Value> = order.into_iter().map(|room| &room["id"]).collect();
        let members: BTreeMap<_, _> = self.rooms.iter().map(|(id, room)| (id, &room.members)).collect();
        let events: BTreeMap<_, _> = self.rooms.iter().map(|(id, room)| (id, &room.events)).collect();
        let messages: BTreeMap<_, _> = self.rooms.iter().map(|(id, room)| (id, room.messages())).collect();
        let rooms: BTreeMap<_, _> = self.rooms.iter().map(|(id, room)| (id, &room.summary)).collect();
        let spaces: BTreeMap<_, _> = self.spaces.iter().map(|(id, space)| (id, without_count(space))).collect();
        json!({ "order": order, "ready": rooms, "rooms": rooms, "members": members, "events": events, "messages": messages,
                "spaces": spaces, "invitations": self.invitations })
    }
}

impl RoomScreen {
    /// A place of the order, unless it is there already; an event that changes a message changes it at its own place.
    pub fn keep(&mut self, event: &Value) {
        let newest = self.events.last().map_or(0, |event| event["seq"].as_i64().unwrap_or_default());
        if event["seq"].as_i64() != Some(newest + 1) {
            return;
        }
        if let "message.edited" | "message.deleted" = event["type"].as_str().unwrap_or_default() {
            for before in &mut self.events {
                change(before, event);
            }
        }
        self.events.push(event.clone());
    }

    fn messages(&self) -> Vec<&Value> {
        self.events.iter().map(|event| &event["message"]).filter(|message| !message.is_null()).collect()
    }

    /// How many messages of others are above what `me` has read, of those that the summary knows.
    fn unread(&self, me: &str) -> i64 {
        let (read, last) = (self.summary["read_seq"].as_i64(), self.summary["last_seq"].as_i64());
        let is_unread = |message: &&&Value| {
            let seq = message["seq"].as_i64();
            seq > read && seq <= last && !is_own(message, me)
        };
        how_many(self.messages().iter().filter(is_unread).count()).min(UNREAD_MAX)
    }

    /// Who came by this event, of whom nothing more is known yet.
    fn members_changed(&mut self, event: &Value, people: &[String]) -> Vec<String> {
        let mut came = Vec::new();
        match event["type"].as_str().unwrap_or_default() {
            "member.added" => {
                let (member, role, seq) = (&event["member"], &event["member"]["role"], &event["seq"]);
                let is_team = member["party"]["type"] == "team";
                let party = member_of(member);
                for one in people.iter().chain([&party]) {
                    // A team that gets more people has been there before.
                    if one.is_empty() || one == &party && self.members.contains_key(one) {
                        continue;
                    }
                    let mut joined =
                        json!({ "role": role, "joined_at": event["at"], "delivered_seq": seq, "read_seq": seq });
                    if is_team && one != &party {
                        put(&mut joined, "via_team_id", member["party"]["id"].clone());
                    }
                    self.members.insert(one.clone(), joined);
                    came.push(one.clone());
                }
            }
            "member.removed" => {
                let party = member_of(event);
                self.members.retain(|member, _| !people.contains(member) && *member != party);
                for stays in event["stay"].as_array().into_iter().flatten() {
                    let Some(member) = self.members.get_mut(&text_of(&stays["user_id"])) else { continue };
                    member["role"] = stays["role"].clone();
                    put(member, "via_team_id", stays["via_team_id"].clone());
                }
            }
            "member.role_changed" => {
                let party = member_of(event);
                for one in people.iter().chain([&party]) {
                    let Some(member) = self.members.get_mut(one) else { continue };
                    member["role"] = event["role"].clone();
                    // Whoever is given a role of their own is here for themselves, unless it comes of another team.
                    if *one == party {
                        put(member, "via_team_id", event["via_team_id"].clone());
                    }
                }
            }
            _ => {}
        }
        came
    }
}

/// A member of a list, as screens have it.
pub fn member(listed: &Value) -> (String, Value) {
    let mut shown = listed.clone();
    let key = match listed["user"]["id"].as_str() {
        Some(user) => user.to_owned(),
        None => member_of(listed),
    };
    put(&mut shown, "party", Value::Null);
    (key, shown)
}

/// A space without what no frame tells.
fn without_count(space: &Value) -> Value {
    let mut space = space.clone();
    put(&mut space, "member_count", Value::Null);
    space
}

/// What `later`, an edit or a deletion, makes of what is told at an earlier place.
fn change(earlier: &mut Value, later: &Value) {
    let is_it = |id: &Value| *id == later["message_id"];
    let is_edit = later["type"] == "message.edited";
    if is_it(&earlier["message"]["id"]) {
        let message = &mut earlier["message"];
        message["content"] = if is_edit { later["content"].clone() } else { json!("") };
        put(message, "parts", later["parts"].clone());
        let (field, at) = if is_edit { ("edited_at", &later["edited_at"]) } else { ("deleted_at", &later["at"]) };
        put(message, field, at.clone());
    } else if earlier["type"] == "message.edited" && is_it(&earlier["message_id"]) {
        // What it made of the message is told no more.
        for field in ["content", "parts", "edited_at"] {
            put(earlier, field, Value::Null);
        }
    }
}

/// What `me` is from now on whose team goes and who is here with another one.
fn stays_as<'a>(event: &'a Value, me: &str) -> Option<&'a Value> {
    event["stay"].as_array()?.iter().find(|one| one["user_id"] == me).map(|one| &one["role"])
}

/// The people whom an event of members is about.
fn people_of(event: &Value) -> Vec<String> {
    let own = [&event["user_id"], &event["member"]["user_id"]];
    let all = event["people"].as_array().into_iter().flatten().chain(own);
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whom the fields `user_id` and `party` name.
fn member_of(fields: &Value) -> String {
    match fields["user_id"].as_str() {
        Some(user) => user.to_owned(),
        None => match (fields["party"]["type"].as_str(), fields["party"]["id"].as_str()) {
            (Some(kind), Some(id)) => format!("{kind}:{id}"),
            _ => String::new(),
        },
    }
}

fn is_own(message: &Value, me: &str) -> bool {
    message["sender"]["type"] == "user" && message["sender"]["id"] == me
}

fn how_many(count: usize) -> i64 {
    i64::try_from(count).unwrap()
}

fn count(summary: &mut Value, field: &str, more: i64) {
    summary[field] = json!(summary[field].as_i64().unwrap_or_default() + more);
}

/// Marks only grow.
fn raise(marks: &mut Value, field: &str, to: &Value) {
    if to.as_i64() > marks[field].as_i64() {
        marks[field] = to.clone();
    }
}

/// A field that is null is absent.
pub fn put(object: &mut Value, field: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
}

pub fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
