//! A secret in memory: nobody sees it by accident, and it leaves nothing behind.
//!
//! Invariant: only [`Secret::reveal`] and [`Secret::reveal_text`] give it out. It cannot be printed, logged or serialised;
//! its memory is overwritten when it is dropped.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The hint shows this many characters.
const HINT_CHARS: usize = 4;
/// Of a shorter secret the hint would give too much away.
const HINTED_CHARS_MIN: usize = 20;

/// Bytes that are nobody else's business.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; whoever has copies of them overwrites those.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// What it is. For the one call that needs it.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// What it is, as most are; `None` when it is no UTF-8.
    pub fn reveal_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last four characters, by which people tell keys apart; `None` where that would help somebody to guess, or says
    /// nothing.
    pub fn hint(&self) -> Option<String> {
        let text = self.reveal_text()?.trim_end();
        let from = text.len().checked_sub(HINT_CHARS).filter(|_| text.len() >= HINTED_CHARS_MIN)?;
        let end = text.get(from..)?;
        let plain = end.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        (plain && end.chars().any(|c| c.is_ascii_alphanumeric())).then(|| format!("…{end}"))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_show_itself() {
        let secret = Secret::from("sk-live-0123456789abcdef".to_owned());
        for shown in [format!("{secret:?}"), format!("{:#?}", Some(&secret)), format!("{:?}", vec![secret.clone()])] {
            assert!(shown.contains("***") && !shown.contains("sk-live"), "{shown}");
        }
        assert_eq!(secret.reveal_text(), Some("sk-live-0123456789abcdef"));
    }

    #[test]
    fn a_hint_helps_nobody_to_guess() {
        let hint = |bytes: &[u8]| Secret::new(bytes.to_vec()).hint();
        assert_eq!(hint(b"sk-live-0123456789abcdef").as_deref(), Some("…cdef"));
        assert_eq!(hint(b"sk-live-0123456789abcdef\n").as_deref(), Some("…cdef"));
        assert_eq!(hint(b"short-0123456789"), None);
        assert_eq!(hint(b""), None);
        assert_eq!(hint(&[0xff; 64]), None, "no text");
        assert_eq!(hint("a password with an umlaut: grün".as_bytes()), None);
        assert_eq!(hint(b"-----BEGIN X-----\nabcd\n-----END X-----"), None, "the same of every key says nothing");
        assert_eq!(hint("0123456789012345678\u{1F511}".as_bytes()), None);
    }
}
