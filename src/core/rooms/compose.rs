//! From what a client sent to what a room can take: every check that needs neither the room nor Postgres. Pure.

use serde_json::value::RawValue;

use super::commands::PostMessageBody;
use super::config::ChatConfig;
use super::error::ChatError;
use crate::order::{MessageRow, SYSTEM};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::MessageId;
use parlance_foundation::party::Party;
use parlance_foundation::text;

/// Kinds that clients may send; the engine's own (`system`) come from the engine.
const KINDS: [&str; 2] = ["text", "media"];

/// A message with a new id, or what is wrong with it. Without a sender it is the engine's own, and so is its kind.
pub fn compose(
    config: &ChatConfig,
    clock: &Clock,
    sender: Option<Party>,
    body: PostMessageBody,
) -> Result<MessageRow, ChatError> {
    let PostMessageBody { client_id, content, kind, parts, reply_to } = body;
    check_client_id(config, &client_id)?;
    let (kinds, usual) = if sender.is_some() { (&KINDS[..], KINDS[0]) } else { (&[SYSTEM][..], SYSTEM) };
    let kind = kind.unwrap_or_else(|| usual.to_owned());
    if !kinds.contains(&kind.as_str()) {
        return Err(invalid("kind", format!("must be one of {kinds:?}")));
    }
    let (content, parts) = contents(config, content, parts)?;
    Ok(MessageRow {
        id: MessageId::new(clock),
        sender,
        client_id: Some(client_id),
        kind,
        content,
        parts,
        reply_to,
        edited_at: None,
        deleted_at: None,
    })
}

/// What a message says, with its parts as JSON text, if that is something and not too much.
pub fn contents(
    config: &ChatConfig,
    content: String,
    parts: Option<Vec<Box<RawValue>>>,
) -> Result<(String, Option<String>), ChatError> {
    let parts = match parts {
        Some(parts) if !parts.is_empty() => Some(parts_text(&parts)?),
        _ => None,
    };
    check_content(config, &content, parts.as_deref())?;
    Ok((content, parts))
}

/// That there is something in a message, that it is not too much, and that Postgres can store it.
fn check_content(config: &ChatConfig, content: &str, parts: Option<&str>) -> Result<(), ChatError> {
    let bytes = content.len() + parts.map_or(0, str::len);
    if bytes > config.content_bytes_max {
        return Err(ChatError::ContentTooLarge { bytes, max: config.content_bytes_max });
    }
    if content.trim().is_empty() && parts.is_none() {
        return Err(invalid("content", "must not be empty".into()));
    }
    refuse_nul("content", content)
}

/// A client's own id for something that it sends or makes.
pub fn check_client_id(config: &ChatConfig, client_id: &str) -> Result<(), ChatError> {
    text::check_client_id(client_id, config.client_id_bytes_max).map_err(|wanted| invalid("client_id", wanted))
}

/// A name or topic as people see it, of at most `chars_max` characters; empty when they see nothing.
pub fn plain_text(field: &'static str, text: &str, chars_max: usize) -> Result<String, ChatError> {
    text::short_line(text, chars_max).map_err(|wanted| invalid(field, wanted))
}

/// Levels of JSON that stand around parts where they are told: in a frame, in a page of frames.
const LEVELS_AROUND: usize = 8;

/// The parts as they were sent, part by part.
fn parts_text(parts: &[Box<RawValue>]) -> Result<String, ChatError> {
    let mut text = String::with_capacity(parts.iter().map(|part| part.get().len() + 1).sum::<usize>() + 1);
    for part in parts {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(part.get());
        if !part.get().starts_with('{') {
            return Err(invalid("parts", "must be an array of objects".into()));
        }
        // Whoever reads it has to be able to: numbers within range, and not nested too deep for a usual parser.
        let deeper = format!("{}{}{}", "[".repeat(LEVELS_AROUND), part.get(), "]".repeat(LEVELS_AROUND));
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&deeper) {
            return Err(invalid("parts", format!("must be JSON that every client can read: {error}")));
        }
    }
    text.push(']');
    // Escaped; an escaped backslash before it makes this too careful, which harms nobody.
    if text.contains("\\u0000") {
        return Err(invalid("parts", "must not contain the character U+0000".into()));
    }
    Ok(text)
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
    use uuid::Uuid;

    use super::*;
    use parlance_foundation::ids::UserId;

    fn by(sender: Option<Party>, change: impl FnOnce(&mut PostMessageBody)) -> Result<MessageRow, ChatError> {
        let mut post = PostMessageBody { client_id: "c1".into(), content: "hello".into(), ..Default::default() };
        change(&mut post);
        let config = parlance_foundation::testing::defaults::<ChatConfig>("chat");
        compose(&config, &Clock::system(), sender, post)
    }

    fn with(change: impl FnOnce(&mut PostMessageBody)) -> Result<MessageRow, ChatError> {
        by(Some(Party::User(UserId(Uuid::nil()))), change)
    }

    #[test]
    fn only_what_the_engine_itself_says_is_a_notice() {
        let notice = by(None, |_| ()).unwrap();
        assert_eq!((notice.kind.as_str(), notice.sender), (SYSTEM, None));
        assert!(by(None, |post| post.kind = Some("text".into())).is_err());
    }

    fn part(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
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
            ("parts", with(|post| post.parts = Some(vec![part(r#"{"a":"\u0000"}"#)]))),
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
        assert!(with(|post| post.parts = Some(vec![part("1")])).is_err());
        for unreadable in
            [r#"{"a":1e400}"#, r#"{"a":"\ud800"}"#, &format!("{{\"a\":{}{}}}", "[".repeat(125), "]".repeat(125))]
        {
            assert!(with(|post| post.parts = Some(vec![part(unreadable)])).is_err(), "{unreadable}");
        }
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
    fn parts_stay_as_they_were_sent() {
        let sent = [r#"{ "b": 1.50, "a": 1e308, "a": 2 }"#, r#"{"deep":[[{}]]}"#];
        let row = with(|post| post.parts = Some(sent.map(part).into())).unwrap();
        assert_eq!(row.parts.unwrap(), format!("[{}]", sent.join(",")));
    }

    #[test]
    fn parts_alone_are_a_message() {
        let row = with(|post| {
            post.content = String::new();
            post.parts = Some(vec![part(r#"{"type":"image"}"#)]);
        });
        assert!(row.is_ok());
    }
}
