//! The `id` of a command: a positive integer, which its answer carries back as `re`.
//!
//! Anything else there is an error, and the error carries what can be told of the id: `re`, where one integer is meant (`1.0`,
//! `"7"`), so that the client finds the command that it made a slip in; and in its words the id as it came.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Characters of a wrong id that its error repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// Integers from here on are not exact where numbers are doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// An `id` as it came; `None`: there is none, and no answer is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Id<'a>(#[serde(borrow, deserialize_with = "present")] Option<&'a RawValue>);

/// An `id` that is none: the number that it may mean, and what is said about it.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongId {
    pub re: Option<u64>,
    pub detail: String,
}

/// Tells null, which is no number, from an absent field.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Id<'_> {
    /// The number under which the answer is wanted.
    pub fn number(&self) -> Result<Option<u64>, WrongId> {
        let Some(text) = self.0.map(RawValue::get) else { return Ok(None) };
        match text.parse::<u64>() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => {
                let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
                let detail = format!("An id is a positive integer below 2^64, written as one, and not {shown}.");
                Err(WrongId { re: meant(text), detail })
            }
        }
    }
}

/// The positive integer that a number or a text in JSON means, if it is one.
fn meant(text: &str) -> Option<u64> {
    let unquoted: Cow<'_, str> = serde_json::from_str::<String>(text).map_or(Cow::Borrowed(text), Cow::Owned);
    if let Ok(number) = unquoted.parse::<u64>() {
        return (number > 0).then_some(number);
    }
    let number = unquoted.parse::<f64>().ok()?;
    let is_exact = (1.0..EXACT_MAX).contains(&number) && number.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an integer between 1 and 2^53")]
    is_exact.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<Option<u64>, Option<u64>> {
        let id: Id<'_> = serde_json::from_str(text).unwrap();
        id.number().map_err(|wrong| {
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            assert!(wrong.detail.contains(&shown), "{}", wrong.detail);
            wrong.re
        })
    }

    #[test]
    fn an_id_is_a_positive_integer() {
        assert_eq!(number("1"), Ok(Some(1)));
        assert_eq!(number(&u64::MAX.to_string()), Ok(Some(u64::MAX)));
        assert_eq!(Id::default().number(), Ok(None));
    }

    #[test]
    fn of_a_wrong_id_the_integer_that_it_means_comes_back() {
        for (text, meant) in [
            ("1.0", Some(1)),
            ("1e3", Some(1_000)),
            ("\"7\"", Some(7)),
            ("\"1.0\"", Some(1)),
            ("0", None),
            ("-0", None),
            ("-1", None),
            ("\"-1\"", None),
            ("1.5", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{\"a\":1}", None),
            ("\"\"", None),
            ("\"nan\"", None),
            ("\"inf\"", None),
            ("18446744073709551616", None),
            ("1e400", None),
            ("\"99999999999999999999999999999999999999999999999999999999999999\"", None),
        ] {
            assert_eq!(number(text), Err(meant), "{text}");
        }
    }
}
