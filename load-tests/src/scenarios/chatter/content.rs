//! Texts that say when they were due, so that whoever gets one knows how long it took.

use memchr::memmem::Finder;

use crate::client::text_field;

/// The text of a message: when it was due, then filling.
pub struct Content {
    filling: String,
}

/// Digits of the time in a message.
const DUE_DIGITS: usize = 16;

impl Content {
    pub fn of(bytes: u32) -> Self {
        Self { filling: "x".repeat(usize::try_from(bytes).unwrap_or(0).saturating_sub(DUE_DIGITS)) }
    }

    pub fn due_at(&self, nanos: u64) -> String {
        format!("{nanos:0DUE_DIGITS$}{}", self.filling)
    }
}

/// Finds that time in frames, without parsing them.
pub struct DueReader(Finder<'static>);

impl DueReader {
    pub fn new() -> Self {
        Self(Finder::new("\"content\":\""))
    }

    /// Nanoseconds, as they were given to [`Content::due_at`].
    pub fn due(&self, frame: &[u8]) -> Option<u64> {
        let digits = text_field(frame, &self.0)?.get(..DUE_DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_when_it_was_due() {
        let frame = |text: &str| format!("{{\"type\":\"message.posted\",\"content\":\"{text}\"}}").into_bytes();
        let reader = DueReader::new();
        assert_eq!(reader.due(&frame(&Content::of(40).due_at(1_234_567))), Some(1_234_567));
        assert_eq!(reader.due(&frame(&Content::of(1).due_at(5))), Some(5));
        assert_eq!(reader.due(&frame("hello")), None);
        assert_eq!(reader.due(b"{}"), None);
    }
}
