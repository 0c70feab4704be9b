//! What a client says that it has already, and what of that the engine cannot go on from.
//!
//! Read leniently: an entry that cannot be read is named in the answer, and costs neither the others nor the connection.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use utoipa::ToSchema;

use parlance_foundation::ids::RoomId;

/// So many entries that are none are said back; whoever sends more of them is told enough by these.
const MALFORMED_MAX: usize = 100;

/// Of a key that is no room's id so many characters are said back.
const KEY_CHARS_SHOWN: usize = 64;

/// `resume` of a `hello`: for each room the newest `seq` that the client has.
#[derive(Debug, Default, PartialEq)]
pub struct Resume {
    pub rooms: HashMap<RoomId, i64>,
    /// Keys whose entries are none, as they were sent: the first hundred.
    pub malformed: Vec<String>,
}

/// A room of `resume` that is not resumed: read it anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResumeRefused {
    /// The key as it was sent, at most 64 characters of it.
    pub room_id: String,
    pub reason: RefusedBecause,
}

/// Why a room is not resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBecause {
    /// The log is another one than that of `hello.epoch`: its numbers name other events.
    Epoch,
    /// Beyond the room's newest event: what the client has is of another life of the log.
    Ahead,
    /// There is no such room, or the user is not in it.
    NotAMember,
    /// More rooms have moved on than one hello resumes (`sessions.resume_rooms_max`).
    TooMany,
    /// No room's id, or no seq, which is a whole number from 0.
    Malformed,
}

impl ResumeRefused {
    pub fn room(room: RoomId, reason: RefusedBecause) -> Self {
        Self { room_id: room.to_string(), reason }
    }

    pub fn malformed(key: String) -> Self {
        Self { room_id: key, reason: RefusedBecause::Malformed }
    }
}

impl<'de> Deserialize<'de> for Resume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Resume;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of room ids and seqs")
    }

    /// `null`: nothing.
    fn visit_unit<E>(self) -> Result<Resume, E> {
        Ok(Resume::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Resume, A::Error> {
        let mut resume = Resume::default();
        while let Some((key, seq)) = entries.next_entry::<Cow<'de, str>, Value>()? {
            match (key.parse(), seq.as_i64()) {
                (Ok(room), Some(seq)) if seq >= 0 => drop(resume.rooms.insert(room, seq)),
                _ if resume.malformed.len() >= MALFORMED_MAX => {}
                _ => resume.malformed.push(key.chars().take(KEY_CHARS_SHOWN).collect()),
            }
        }
        Ok(resume)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn read(text: &str) -> Resume {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn entries_that_are_none_are_named_and_cost_the_others_nothing() {
        let (a, b) = (RoomId(Uuid::from_u128(1)), RoomId(Uuid::from_u128(2)));
        let text = format!(
            r#"{{"{a}":3,"{b}":0,"lobby":4,"{}":-1,"x":[[{{}}]],"y":1.5,"z":"7","":null,"{}":1,"w":9223372036854775808}}"#,
            RoomId(Uuid::from_u128(3)),
            "l".repeat(100)
        );
        let resume = read(&text);
        assert_eq!(resume.rooms, HashMap::from([(a, 3), (b, 0)]));
        let negative = RoomId(Uuid::from_u128(3)).to_string();
        assert_eq!(resume.malformed, ["lobby", &negative, "x", "y", "z", "", &"l".repeat(64), "w"]);
        let many: Vec<String> = (0..1_000).map(|n| format!(r#""k{n}":0"#)).collect();
        let resume = read(&format!(r#"{{{},"{a}":3}}"#, many.join(",")));
        assert_eq!((resume.malformed.len(), resume.rooms.len()), (MALFORMED_MAX, 1));
    }

    #[test]
    fn nothing_is_nothing_and_a_list_is_no_resume() {
        assert_eq!((read("null"), read("{}")), (Resume::default(), Resume::default()));
        for text in ["[]", "7", "\"all\"", "true"] {
            assert!(serde_json::from_str::<Resume>(text).is_err(), "{text}");
        }
    }
}
