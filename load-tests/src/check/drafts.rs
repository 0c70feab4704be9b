//! What writers say, and how it is put: the same over both ways in. Pure.

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::client_id;
use super::history::{Body, RoomNo, SendNo, digest};

const BYTES_MAX: usize = 700;
/// What a message is that does not say so.
const USUAL_KIND: &str = "text";

/// A message that is to be sent, in the fields of the protocol.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    #[serde(skip)]
    pub room: RoomNo,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Uuid>,
}

#[derive(Serialize)]
struct Call<'a> {
    client_id: String,
    #[serde(flatten)]
    draft: &'a Draft,
}

#[derive(Serialize)]
struct Command<'a> {
    #[serde(rename = "type")]
    name: &'static str,
    id: u64,
    room_id: Uuid,
    #[serde(flatten)]
    call: Call<'a>,
}

impl Draft {
    /// Text and nothing else.
    pub fn plain(room: RoomNo, content: String) -> Self {
        Self { room, content, kind: None, parts: None, reply_to: None }
    }

    /// Text, and at times a kind, parts, or that it answers `known`, a message of the room.
    pub fn any(rng: &mut StdRng, room: RoomNo, send: SendNo, known: Option<Uuid>) -> Self {
        let filling = "x".repeat(rng.random_range(0..BYTES_MAX));
        let content = format!("{send} {:016x} {filling}", rng.random::<u64>());
        let kind = match rng.random_range(0..8) {
            0 => Some("media"),
            1 => Some(USUAL_KIND),
            _ => None,
        };
        let parts = rng.random_ratio(1, 6).then(|| json!([{ "type": "image", "of": { "send": send } }, {}]));
        let reply_to = known.filter(|_| rng.random_ratio(1, 4));
        Self { room, content, kind, parts, reply_to }
    }

    /// What is to be kept of it.
    pub fn body(&self) -> Body {
        Body {
            content: digest(&self.content),
            kind: self.kind.unwrap_or(USUAL_KIND).to_owned(),
            parts: self.parts.as_ref().map(|parts| digest(&parts.to_string())),
            reply_to: self.reply_to,
        }
    }

    /// The body of the call that posts it.
    pub fn call(&self, send: SendNo) -> Value {
        json!(Call { client_id: client_id(send), draft: self })
    }

    /// The command that posts it.
    pub fn command(&self, number: u64, room: Uuid, send: SendNo) -> String {
        let call = Call { client_id: client_id(send), draft: self };
        json!(Command { name: "message.post", id: number, room_id: room, call }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::check::events::kept;
    use crate::check::world::Numbers;

    /// As the engine shows what it was sent.
    fn shown(mut call: Value) -> Value {
        call["id"] = json!(Uuid::from_u128(3));
        if call.get("kind").is_none() {
            call["kind"] = json!("text");
        }
        call
    }

    #[test]
    fn what_is_sent_is_what_is_to_be_kept() {
        let mut rng = StdRng::seed_from_u64(1);
        let drafts: Vec<Draft> = (1..=80).map(|send| Draft::any(&mut rng, 0, send, Some(Uuid::from_u128(2)))).collect();
        assert!(drafts.iter().any(|draft| draft.reply_to.is_some() && draft.parts.is_some()), "{drafts:?}");
        for (send, draft) in (1..).zip(&drafts) {
            let message = kept(&Numbers::default(), &shown(draft.call(send))).unwrap();
            assert_eq!((*message.body, message.send), (draft.body(), Some(send)));
            let command: Value = serde_json::from_str(&draft.command(9, Uuid::from_u128(4), send)).unwrap();
            assert_eq!((&command["type"], &command["id"]), (&json!("message.post"), &json!(9)));
            assert_eq!((&command["kind"], &command["parts"]), (&draft.call(send)["kind"], &draft.call(send)["parts"]));
        }
    }
}
