//! The sessions' own commands on the wire: coming in, staying in, and being there at all.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::wire::OwnUser;
use crate::answer;
use crate::rooms::wire::RoomSummary;
use crate::wire::asyncapi::FrameDoc;
use crate::wire::{Heartbeat, Resume, ResumeRefused};
use parlance_foundation::ids::SessionId;
use parlance_foundation::requests::optional_object;

/// What a session says by itself.
pub const FRAMES: &[FrameDoc] = &[FrameDoc::of::<Heartbeat>("heartbeat", "Sent when there was nothing else to say")];

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
    pub expires_at: DateTime<Utc>,
    /// Which life of the log this is. It changes when a backup was restored: a client that kept another one drops what it
    /// has, but for what it has not sent, and reads anew.
    pub epoch: Uuid,
    /// The user's rooms, those with the newest activity (`last_message_at`, else `created_at`) first.
    pub rooms: Vec<RoomSummary>,
    /// There are more rooms than these: the rest comes from `GET /rooms`. Their events arrive all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub rooms_truncated: bool,
    /// What of `resume` is not resumed, and why: read those rooms anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub resume_refused: Vec<ResumeRefused>,
}

answer!(Ready, "ready");

/// Command `ping`: are you there?
#[derive(Debug, Deserialize, ToSchema)]
pub struct Ping {}

/// Answer to `ping`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pong {}

answer!(Pong, "pong");

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
    pub expires_at: DateTime<Utc>,
}

answer!(Renewed);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decode;

    #[test]
    fn an_array_is_taken_for_no_object() {
        let read = |text: &str| decode(text).and_then(|heard| heard.body::<Hello>());
        assert!(read(r#"{"type":"hello","token":"t","device":{"id":"d"}}"#).is_ok());
        let refused = read(r#"{"type":"hello","token":"t","device":["d","n"]}"#).unwrap_err();
        assert_eq!(refused.problem.code, "protocol.invalid_frame");
    }
}
