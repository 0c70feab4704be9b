//! From what a client sent to what a room can take: every check that needs neither the room nor Postgres. Pure.

use super::config::ChatConfig;
use super::error::ChatError;
use super::wire::PostMessage;
use crate::persistence::MessageRow;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{MessageId, UserId};

/// Kinds that clients may send; the engine's own (`system`) come from the engine.
const KINDS: [&str; 2] = ["text", "media"];

/// A message with a new id, or what is wrong with it.
pub fn compose(config: &ChatConfig, clock: &Clock, sender: UserId, post: PostMessage) -> Result<MessageRow, ChatError> {
    let PostMessage { client_id, content, kind, parts, reply_to, .. } = post;
    check_client_id(config, &client_id)?;
    let kind = kind.unwrap_or_else(|| "text".to_owned());
    if !KINDS.contains(&kind.as_str()) {
        return Err(invalid("kind", format!("must be one of {KINDS:?}")));
    }
    let parts = match parts {
        Some(parts) if !parts.is_empty() => Some(parts_text(&parts)?),
        _ => None,
    };
    let bytes = content.len() + parts.as_ref().map_or(0, String::len);
    if bytes > config.content_bytes_max {
        return Err(ChatError::ContentTooLarge { bytes, max: config.content_bytes_max });
    }
    if content.trim().is_empty() && parts.is_none() {
        return Err(invalid("content", "must not be empty".into()));
    }
    refuse_nul("content", &content)?;
    Ok(MessageRow { id: MessageId::new(clock), sender, client_id: Some(client_id), kind, content, parts, reply_to })
}

/// A client's own id for something that it sends or makes.
pub fn check_client_id(config: &ChatConfig, client_id: &str) -> Result<(), ChatError> {
    let max = config.client_id_bytes_max;
    if client_id.is_empty() || client_id.len() > max || client_id.chars().any(char::is_control) {
        let wanted =
            format!("must be 1 to {max} bytes without control characters; a new UUID each time is a good choice");
        return Err(invalid("client_id", wanted));
    }
    Ok(())
}

/// A name or topic as people see it ([`line`](parlance_foundation::text::line)), of at most `chars_max` characters; empty when they see
/// nothing.
pub fn plain_text(field: &'static str, text: &str, chars_max: usize) -> Result<String, ChatError> {
    let Ok(text) = parlance_foundation::text::line(text) else {
        return Err(invalid(field, "must be one line without control characters".into()));
    };
    if text.chars().count() > chars_max {
        return Err(invalid(field, format!("must be at most {chars_max} characters")));
    }
    Ok(text)
}

fn parts_text(parts: &[serde_json::Value]) -> Result<String, ChatError> {
    if parts.iter().any(|part| !part.is_object()) {
        return Err(invalid("parts", "must be an array of objects".into()));
    }
    if !parts.iter().all(has_plain_numbers) {
        return Err(invalid("parts", "must have numbers between 1e-20 and 1e20 only; send others as text".into()));
    }
    let text = serde_json::to_string(parts).map_err(|error| invalid("parts", error.to_string()))?;
    // Escaped, and jsonb refuses it; an escaped backslash before it makes this too careful, which harms nobody.
    if text.contains("\\u0000") {
        return Err(invalid("parts", "must not contain the character U+0000".into()));
    }
    Ok(text)
}

/// Postgres writes numbers out: 1e308 comes back as 309 digits, so that a page of them would be many times its size.
fn has_plain_numbers(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Number(number) => {
            number.as_f64().is_some_and(|number| number == 0.0 || (1e-20..1e20).contains(&number.abs()))
        }
        Value::Array(items) => items.iter().all(has_plain_numbers),
        Value::Object(fields) => fields.values().all(has_plain_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Postgres cannot store U+0000 in a text.
fn refuse_nul(field: &'static str, text: &str) -> Result<(), ChatError> {
    if text.contains('\0') { Err(invalid(field, "must not contain the character U+0000".into())) } else { Ok(()) }
}

fn invalid(field: &'static str, wanted: String) -> ChatError {
    ChatError::Invalid { field, wanted }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use parlance_foundation::ids::RoomId;

    fn with(change: impl FnOnce(&mut PostMessage)) -> Result<MessageRow, ChatError> {
        let mut post = PostMessage {
            room_id: RoomId(Uuid::nil()),
            client_id: "c1".into(),
            content: "hello".into(),
            kind: None,
            parts: None,
            reply_to: None,
        };
        change(&mut post);
        let config = parlance_foundation::testing::defaults::<ChatConfig>("chat");
        compose(&config, &Clock::system(), UserId(Uuid::nil()), post)
    }

    #[test]
    fn a_plain_message_passes() {
        let row = with(|_| ()).unwrap();
        assert_eq!((row.kind.as_str(), row.content.as_str(), row.parts), ("text", "hello", None));
    }

    #[test]
    fn what_postgres_could_not_store_is_refused_by_name() {
        for (field, refused) in [
            ("content", with(|post| post.content = "a\0b".into())),
            ("client_id", with(|post| post.client_id = "\0".into())),
            ("parts", with(|post| post.parts = Some(vec![json!({ "a": "\0" })]))),
        ] {
            assert!(matches!(refused, Err(ChatError::Invalid { field: named, .. }) if named == field), "{field}");
        }
    }

    #[test]
    fn empty_oversized_and_foreign_kinds_are_refused() {
        assert!(with(|post| post.content = " \n".into()).is_err());
        assert!(with(|post| post.client_id = String::new()).is_err());
        assert!(with(|post| post.client_id = "x".repeat(65)).is_err());
        assert!(with(|post| post.kind = Some("system".into())).is_err());
        assert!(with(|post| post.parts = Some(vec![json!(1)])).is_err());
        assert!(with(|post| post.parts = Some(vec![json!({ "a": [1e308] })])).is_err());
        assert!(with(|post| post.parts = Some(vec![json!({ "a": [-1.5e3, 0, i64::MIN] })])).is_ok());
        let huge = with(|post| post.content = "x".repeat(32_769));
        assert_eq!(huge, Err(ChatError::ContentTooLarge { bytes: 32_769, max: 32_768 }));
        assert!(with(|post| post.content = "x".repeat(32_768)).is_ok());
    }

    #[test]
    fn a_name_is_what_people_see_of_it() {
        assert_eq!(plain_text("name", " A\u{200b}nfa\u{308}nger\u{202e}", 8).unwrap(), "Anfänger");
        for unseen in ["", "\u{3164}", "\u{2060}", "\u{feff}", "\u{2800}\u{200b}"] {
            assert_eq!(plain_text("name", unseen, 8).unwrap(), "", "{unseen:?}");
        }
        assert!(plain_text("name", "a\nb", 8).is_err() && plain_text("name", "123456789", 8).is_err());
    }

    #[test]
    fn parts_alone_are_a_message() {
        let row = with(|post| {
            post.content = String::new();
            post.parts = Some(vec![json!({ "type": "image" })]);
        });
        assert!(row.is_ok());
    }
}
