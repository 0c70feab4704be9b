//! The client protocol: envelope, codec and close codes. Each feature brings its own frames; here they meet.
//!
//! A frame is one JSON object with a `type`. Decoding scans the text twice, once for `type` and `id` and once for the
//! command's own fields: cheaper than a tagged enum, which would build a tree first, and an error can name the command
//! and carry its `re`.
//!
//! Invariant: unknown fields are ignored; an unknown type or a wrong field is an error answer, never a disconnect.

pub mod asyncapi;
pub mod close;
mod id;
mod resume;

use std::borrow::Cow;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::wire::OwnUser;
use crate::rooms::wire as chat;
use id::{Id, WrongId};
use parlance_foundation::ids::SessionId;
use parlance_foundation::problem::{Problem, Retry};
use parlance_foundation::requests::optional_object;
pub use resume::{RefusedBecause, Resume, ResumeRefused};

/// What a client may say, one variant a command.
#[derive(Debug)]
pub enum ClientFrame {
    Hello(Hello),
    Ping,
    PostMessage(chat::PostMessage),
    CatchUp(chat::CatchUp),
    MarkReceipt(chat::MarkReceipt),
    Renew(Renew),
}

/// Command `hello`: the first frame of a connection.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Hello {
    /// An access token.
    pub token: String,
    /// What the list of one's devices and the engine's log call this connection. A name that the sign-in has not, or another
    /// one, becomes the sign-in's.
    #[serde(default, deserialize_with = "optional_object")]
    pub device: Option<HelloDevice>,
    /// For each room the newest `seq` that the client has: what came after it follows `ready`. What cannot be honoured is
    /// named in `ready.resume_refused`.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::HashMap<String, i64>>)]
    pub resume: Resume,
    /// The `epoch` of the `ready` under which the client got what it has: if it is not ours, nothing is resumed.
    #[serde(default)]
    pub epoch: Option<String>,
}

/// The device that connects.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HelloDevice {
    /// The client's own, stable id of the device: at most 64 characters, as at the sign-in.
    #[serde(default)]
    pub id: Option<String>,
    /// What its owner would call it: one line of at most 100 characters.
    #[serde(default)]
    #[schema(example = "Firefox on Linux")]
    pub name: Option<String>,
}

/// Answer to `hello`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    pub session_id: SessionId,
    pub user: OwnUser,
    /// The server speaks at least this often; a client silent for twice as long is closed.
    pub heartbeat_ms: u64,
    /// When the token expires. The session ends with 4500 a minute later, unless `auth.renew` came.
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// Which life of the log this is. It changes when a backup was restored: a client that kept another one drops what it
    /// has, but for what it has not sent, and reads anew.
    pub epoch: Uuid,
    /// The user's rooms, those with the newest activity (`last_message_at`, else `created_at`) first.
    pub rooms: Vec<chat::RoomSummary>,
    /// There are more rooms than these: the rest comes from `GET /rooms`. Their events arrive all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rooms_truncated: bool,
    /// What of `resume` is not resumed, and why: read those rooms anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resume_refused: Vec<ResumeRefused>,
}

/// Command `auth.renew`: the session goes on with another token of the same person, of whichever sign-in.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Renew {
    /// An access token.
    pub token: String,
}

/// Answer to `auth.renew`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Renewed {
    /// When that token expires.
    pub expires_at: chrono::DateTime<chrono::Utc>,
}

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

/// Reads one frame of a client, and the number under which it wants its answer.
pub fn decode(text: &str) -> Result<(Option<u64>, ClientFrame), BadFrame> {
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
    let kind = &*head.kind;
    let frame = match kind {
        "hello" => body(text, kind, re).map(ClientFrame::Hello),
        "ping" => Ok(ClientFrame::Ping),
        "message.post" => body(text, kind, re).map(ClientFrame::PostMessage),
        "room.catch_up" => body(text, kind, re).map(ClientFrame::CatchUp),
        "receipt.mark" => body(text, kind, re).map(ClientFrame::MarkReceipt),
        "auth.renew" => body(text, kind, re).map(ClientFrame::Renew),
        other => {
            let detail = format!("There is no command {:?}. The list is at /docs.", shown(other));
            Err(BadFrame { garbage: false, re, problem: Problem::malformed("protocol.unknown_type", detail) })
        }
    };
    Ok((re, frame?))
}

/// As much of a `type` as an answer repeats.
fn shown(kind: &str) -> String {
    kind.chars().take(40).collect()
}

fn body<'a, T: Deserialize<'a>>(text: &'a str, kind: &str, re: Option<u64>) -> Result<T, BadFrame> {
    serde_json::from_str(text).map_err(|error| {
        let detail = format!("{kind}: {error}.");
        BadFrame { garbage: false, re, problem: Problem::malformed("protocol.invalid_frame", detail) }
    })
}

#[derive(Serialize)]
struct Answer<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    re: Option<u64>,
    #[serde(flatten)]
    body: &'a T,
}

/// `{"type":"ready",…}`.
pub fn ready(re: Option<u64>, body: &Ready) -> ByteString {
    chat::encode(&Answer { kind: "ready", re, body })
}

/// `{"type":"ok","re":…,…}`.
pub fn ok<T: Serialize>(re: Option<u64>, body: &T) -> ByteString {
    chat::encode(&Answer { kind: "ok", re, body })
}

/// `{"type":"pong","re":…}`.
pub fn pong(re: Option<u64>) -> ByteString {
    chat::encode(&Answer { kind: "pong", re, body: &Empty {} })
}

/// `{"type":"error","re":…,…}`.
pub fn error(re: Option<u64>, problem: &Problem) -> ByteString {
    let body = ErrorAnswer {
        code: problem.code.to_owned(),
        message: problem.detail.clone(),
        retry: problem.retry,
        retry_after_ms: problem.retry_after_ms,
    };
    chat::encode(&Answer { kind: "error", re, body: &body })
}

/// An answer with nothing in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_foundation::ids::RoomId;

    fn code(text: &str) -> &'static str {
        decode(text).unwrap_err().problem.code
    }

    #[test]
    fn a_command_is_decoded_with_its_number_and_unknown_fields_are_ignored() {
        let room = RoomId(uuid::Uuid::from_u128(7));
        let text = format!(r#"{{"later":[1],"type":"room.catch_up","id":3,"room_id":"{room}","after":5,"x":{{}}}}"#);
        let (re, frame) = decode(&text).unwrap();
        assert_eq!(re, Some(3));
        assert!(
            matches!(frame, ClientFrame::CatchUp(chat::CatchUp { room_id, after: 5, limit: None }) if room_id == room)
        );
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
        assert_eq!(code(r#"{"type":"no.such"}"#), "protocol.unknown_type");
    }

    #[test]
    fn a_wrong_field_is_named_under_the_number_of_its_command() {
        let bad = decode(r#"{"type":"message.post","id":9,"room_id":"nonsense"}"#).unwrap_err();
        assert_eq!(bad.re, Some(9));
        assert!(bad.problem.detail.contains("message.post"), "{}", bad.problem.detail);
    }

    #[test]
    fn an_array_is_taken_for_no_object() {
        assert!(decode(r#"{"type":"hello","token":"t","device":{"id":"d"}}"#).is_ok());
        assert_eq!(code(r#"{"type":"hello","token":"t","device":["d","n"]}"#), "protocol.invalid_frame");
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

    #[test]
    fn answers_carry_the_number_back() {
        assert_eq!(&*pong(Some(4)), r#"{"type":"pong","re":4}"#);
        let text = error(Some(2), &Problem::busy(50));
        assert!(text.contains(r#""re":2"#) && text.contains(r#""retry":"later","retry_after_ms":50"#), "{text}");
    }
}
