//! Recognising what the server said by its first bytes.
//!
//! The engine writes a durable event as `{"type":"…","room_id":"…","seq":N,…`, and the fast path relies on that. The
//! protocol promises fields, not their order: whatever looks different is parsed as JSON.

use serde::Deserialize;

/// A room's id, as a number.
pub type RoomKey = u128;

/// What the server said.
#[derive(Debug, PartialEq)]
pub enum Heard<'a> {
    /// A durable event of a room; `kind` such as `message.posted`.
    Event {
        kind: &'a [u8],
        room: RoomKey,
        seq: u64,
    },
    Ok {
        re: u64,
    },
    Error {
        re: Option<u64>,
        code: String,
        retry: String,
        retry_after_ms: Option<u64>,
    },
    Lagged {
        room: RoomKey,
        last_seq: u64,
    },
    Ready,
    Heartbeat,
    /// Receipts, pongs, and what later protocols may add.
    Other,
}

#[derive(Deserialize)]
struct Loose {
    #[serde(rename = "type", default)]
    kind: String,
    re: Option<u64>,
    room_id: Option<uuid::Uuid>,
    seq: Option<u64>,
    last_seq: Option<u64>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    retry: String,
    retry_after_ms: Option<u64>,
}

/// What this frame says.
pub fn hear(frame: &[u8]) -> Heard<'_> {
    fast(frame).unwrap_or_else(|| slow(frame))
}

fn fast(frame: &[u8]) -> Option<Heard<'_>> {
    let rest = frame.strip_prefix(b"{\"type\":\"")?;
    let end = memchr::memchr(b'"', rest)?;
    let (kind, rest) = rest.split_at_checked(end)?;
    if kind == b"ok" {
        let (re, _) = number(rest.strip_prefix(b"\",\"re\":")?)?;
        return Some(Heard::Ok { re });
    }
    let rest = rest.strip_prefix(b"\",\"room_id\":\"")?;
    let (id, rest) = rest.split_at_checked(36)?;
    let (seq, _) = number(rest.strip_prefix(b"\",\"seq\":")?)?;
    Some(Heard::Event { kind, room: room_key(id)?, seq })
}

fn slow(frame: &[u8]) -> Heard<'_> {
    let Ok(loose) = serde_json::from_slice::<Loose>(frame) else { return Heard::Other };
    let room = loose.room_id.map(|id| id.as_u128());
    match (loose.kind.as_str(), room, loose.seq) {
        ("ready", ..) => Heard::Ready,
        ("heartbeat", ..) => Heard::Heartbeat,
        ("ok", ..) => loose.re.map_or(Heard::Other, |re| Heard::Ok { re }),
        ("error", ..) => {
            Heard::Error { re: loose.re, code: loose.code, retry: loose.retry, retry_after_ms: loose.retry_after_ms }
        }
        ("room.lagged", Some(room), _) => Heard::Lagged { room, last_seq: loose.last_seq.unwrap_or(0) },
        (kind, Some(room), Some(seq)) => {
            // The name stands in the frame, wherever that is.
            let at = memchr::memmem::find(frame, kind.as_bytes()).unwrap_or(0);
            let kind = frame.get(at..at + kind.len()).unwrap_or_default();
            Heard::Event { kind, room, seq }
        }
        _ => Heard::Other,
    }
}

/// The number at the beginning, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = bytes.split_at_checked(digits)?;
    if number.is_empty() || number.len() > 19 {
        return None;
    }
    Some((number.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')), rest))
}

/// The hexadecimal digits of a UUID; the hyphens are where they always are.
fn room_key(id: &[u8]) -> Option<RoomKey> {
    let mut key: u128 = 0;
    for byte in id {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'-' => continue,
            _ => return None,
        };
        key = key << 4 | u128::from(digit);
    }
    Some(key)
}

/// The text after `"field":"`, up to its end; texts of this harness hold no escapes.
pub fn text_field<'a>(frame: &'a [u8], field: &memchr::memmem::Finder<'_>) -> Option<&'a [u8]> {
    let from = field.find(frame)? + field.needle().len();
    let rest = frame.get(from..)?;
    rest.get(..memchr::memchr(b'"', rest)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "0192f0c1-7d2e-7abc-8def-0123456789ab";

    fn key() -> RoomKey {
        uuid::Uuid::parse_str(ROOM).unwrap().as_u128()
    }

    #[test]
    fn an_event_is_recognised_in_either_way() {
        let usual = format!("{{\"type\":\"message.posted\",\"room_id\":\"{ROOM}\",\"seq\":42,\"message\":{{}}}}");
        let other = format!("{{ \"seq\": 42, \"room_id\": \"{ROOM}\", \"type\": \"message.posted\" }}");
        for frame in [usual, other] {
            assert_eq!(hear(frame.as_bytes()), Heard::Event { kind: b"message.posted", room: key(), seq: 42 });
        }
    }

    #[test]
    fn answers_are_recognised() {
        assert_eq!(hear(b"{\"type\":\"ok\",\"re\":7,\"seq\":1}"), Heard::Ok { re: 7 });
        assert_eq!(hear(b"{\"re\":7,\"type\":\"ok\"}"), Heard::Ok { re: 7 });
        let error =
            br#"{"type":"error","re":3,"code":"request.busy","message":"so","retry":"later","retry_after_ms":100}"#;
        let (code, retry) = ("request.busy".to_owned(), "later".to_owned());
        assert_eq!(hear(error), Heard::Error { re: Some(3), code, retry, retry_after_ms: Some(100) });
        let lagged = format!("{{\"type\":\"room.lagged\",\"room_id\":\"{ROOM}\",\"last_seq\":9}}");
        assert_eq!(hear(lagged.as_bytes()), Heard::Lagged { room: key(), last_seq: 9 });
    }

    #[test]
    fn rubbish_is_nothing_in_particular() {
        for rubbish in [&b""[..], b"{", b"{\"type\":\"", b"[1]", b"\xFF", b"{\"type\":\"ok\",\"re\":}"] {
            assert_eq!(hear(rubbish), Heard::Other);
        }
    }

    #[test]
    fn a_field_is_found() {
        let finder = memchr::memmem::Finder::new("\"content\":\"");
        assert_eq!(text_field(b"{\"content\":\"abc\",\"x\":1}", &finder), Some(&b"abc"[..]));
        assert_eq!(text_field(b"{\"content\":\"abc", &finder), None);
    }
}
