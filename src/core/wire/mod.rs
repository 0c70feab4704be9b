//! The client protocol: envelope, codec and close codes. Each feature brings its own commands and frames.
//!
//! A frame is one JSON object with a `type`. Decoding scans the text twice, once for `type` and `id` and once for the
//! command's own fields: cheaper than a tagged enum, which would build a tree first, and an error can name the command
//! and carry its `re`.
//!
//! Invariant: unknown fields are ignored; an unknown type or a wrong field is an error answer, never a disconnect.

pub mod answer;
pub mod asyncapi;
pub mod close;
mod id;
mod resume;

use std::borrow::Cow;

use bytestring::ByteString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use answer::{Answer, Empty, error};
use id::{Id, WrongId};
use parlance_foundation::problem::{Problem, Retry};
pub use resume::{RefusedBecause, Resume, ResumeRefused};

/// Sent when the server had nothing else to say for `heartbeat_ms`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename = "heartbeat")]
pub struct Heartbeat {
    pub at: chrono::DateTime<chrono::Utc>,
}

/// Answer to a command that failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorAnswer {
    /// The same stable code as in HTTP problems.
    #[schema(example = "chat.room_not_found")]
    pub code: String,
    pub message: String,
    pub retry: Retry,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// A frame that could not be decoded, with what its sender is told.
#[derive(Debug)]
pub struct BadFrame {
    /// It is no frame at all; otherwise a command that is unknown or wrong.
    pub garbage: bool,
    pub re: Option<u64>,
    pub problem: Problem,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Id<'a>,
}

/// What is read of a frame whose head is wrong: whether it says under which number to answer all the same.
#[derive(Deserialize)]
struct Numbered<'a> {
    #[serde(default, borrow)]
    id: Id<'a>,
}

impl Numbered<'_> {
    fn of(object: &str) -> Option<u64> {
        let numbered: Numbered<'_> = serde_json::from_str(object).ok()?;
        numbered.id.number().unwrap_or_else(|wrong| wrong.re)
    }
}

/// A frame of a client whose head was read: which command it is, and under which number it wants its answer.
#[derive(Debug)]
pub struct Heard<'a> {
    pub kind: Cow<'a, str>,
    pub re: Option<u64>,
    text: &'a str,
}

/// Reads the head of one frame of a client.
pub fn decode(text: &str) -> Result<Heard<'_>, BadFrame> {
    // serde would take an array for a struct as well.
    let object = if text.trim_ascii_start().starts_with('{') { text } else { "" };
    let head: Head<'_> = serde_json::from_str(object).map_err(|error| {
        let detail = format!(
            "A frame is one JSON object with a text \"type\" and, to be answered, an \"id\" that is a positive integer: {error}."
        );
        let problem = Problem::malformed("protocol.invalid_frame", detail);
        BadFrame { garbage: true, re: Numbered::of(object), problem }
    })?;
    let re = head.id.number().map_err(|WrongId { re, detail }| {
        let problem = Problem::malformed("protocol.invalid_frame", format!("{}: {detail}", shown(&head.kind)));
        BadFrame { garbage: false, re, problem }
    })?;
    Ok(Heard { kind: head.kind, re, text })
}

impl Heard<'_> {
    /// The command's own fields.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, BadFrame> {
        serde_json::from_str(self.text).map_err(|error| {
            let detail = format!("{}: {error}.", shown(&self.kind));
            BadFrame { garbage: false, re: self.re, problem: Problem::malformed("protocol.invalid_frame", detail) }
        })
    }

    /// Of a command that there is not, where `nearest` is the one that may be meant.
    pub fn unknown(&self, nearest: Option<&str>) -> BadFrame {
        let hint = nearest.map(|kind| format!(" Is {kind:?} meant?")).unwrap_or_default();
        let detail = format!("There is no command {:?}.{hint} The list is at /docs.", shown(&self.kind));
        BadFrame { garbage: false, re: self.re, problem: Problem::malformed("protocol.unknown_type", detail) }
    }
}

/// As much of a `type` as an answer repeats.
pub(crate) fn shown(kind: &str) -> String {
    kind.chars().take(40).collect()
}

/// JSON text of a frame.
pub fn encode<T: Serialize>(frame: &T) -> ByteString {
    // Our own types have string keys and finite numbers only: they always serialise.
    ByteString::from(serde_json::to_string(frame).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_foundation::ids::RoomId;

    #[derive(Debug, Deserialize)]
    struct Post {
        room_id: RoomId,
        #[serde(default)]
        parts: Vec<serde_json::Value>,
    }

    /// A whole command, as a list of them would read it.
    fn post(text: &str) -> Result<(Option<u64>, Post), BadFrame> {
        let heard = decode(text)?;
        Ok((heard.re, heard.body()?))
    }

    fn code(text: &str) -> &'static str {
        post(text).unwrap_err().problem.code
    }

    #[test]
    fn a_command_is_decoded_with_its_number_and_unknown_fields_are_ignored() {
        let room = RoomId(uuid::Uuid::from_u128(7));
        let text = format!(r#"{{"later":[1],"type":"message.post","id":3,"room_id":"{room}","x":{{}}}}"#);
        let (re, post) = post(&text).unwrap();
        assert_eq!((re, post.room_id, post.parts.len()), (Some(3), room, 0));
        assert_eq!(decode(&text).unwrap().kind, "message.post");
    }

    #[test]
    fn what_is_no_frame_is_answered_not_fatal() {
        for text in [
            "",
            "{",
            "[]",
            "7",
            "null",
            "\"hello\"",
            "{}",
            r#"["ping",1]"#,
            r#"{"type":5}"#,
            r#"{"type":"ping","id":-1}"#,
        ] {
            assert_eq!(code(text), "protocol.invalid_frame", "{text}");
        }
    }

    #[test]
    fn of_an_unknown_command_the_error_says_which_may_be_meant_and_where_the_list_is() {
        let text = format!(r#"{{"type":"{}","id":4}}"#, "x".repeat(500));
        let heard = decode(&text).unwrap();
        let bad = heard.unknown(Some("message.post"));
        assert_eq!((bad.garbage, bad.re, bad.problem.code), (false, Some(4), "protocol.unknown_type"));
        assert!(bad.problem.detail.contains("\"message.post\"") && bad.problem.detail.contains("/docs"));
        assert!(heard.unknown(None).problem.detail.len() < 100, "it is not echoed in full");
    }

    #[test]
    fn a_wrong_field_is_named_under_the_number_of_its_command() {
        let bad = post(r#"{"type":"message.post","id":9,"room_id":"nonsense"}"#).unwrap_err();
        assert_eq!(bad.re, Some(9));
        assert!(bad.problem.detail.contains("message.post"), "{}", bad.problem.detail);
    }

    #[test]
    fn a_wrong_id_is_answered_under_what_it_means_and_is_no_garbage() {
        for (id, re) in [
            ("1.0", Some(1)),
            ("\"7\"", Some(7)),
            ("0", None),
            ("-1", None),
            ("null", None),
            ("18446744073709551616", None),
            ("{}", None),
        ] {
            let bad = decode(&format!(r#"{{"type":"ping","id":{id}}}"#)).unwrap_err();
            assert_eq!((bad.re, bad.garbage, bad.problem.code), (re, false, "protocol.invalid_frame"), "{id}");
            assert!(bad.problem.detail.contains(id) && bad.problem.detail.contains("ping"), "{}", bad.problem.detail);
        }
        // A frame that lacks its type says whom to answer all the same.
        for text in [r#"{"id":9}"#, r#"{"type":5,"id":9}"#, r#"{"type":null,"id":"9"}"#] {
            assert_eq!(decode(text).unwrap_err().re, Some(9), "{text}");
        }
        assert_eq!(decode(r#"{"type":5,"id":-9}"#).unwrap_err().re, None);
    }

    #[test]
    fn deep_nesting_is_refused_without_a_stack_overflow() {
        let text = format!(r#"{{"type":"message.post","id":1,"parts":{}"#, "[".repeat(60_000));
        assert_eq!(code(&text), "protocol.invalid_frame");
    }
}
