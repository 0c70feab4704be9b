//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the client's own id for a change.
//!
//! Invariant: what a handler gets is 1 to 128 printable ASCII characters. The draft has the key in quotation marks, as a
//! structured field; most clients leave them out, and both are the same key.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::problem::Problem;

/// The header's name.
const HEADER: &str = "idempotency-key";

/// The longest key.
pub const KEY_BYTES_MAX: usize = 128;

/// The key of a request, if it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut given = request.headers().get_all(HEADER);
        let Some(value) = given.next() else { return Ok(Self(None)) };
        if given.next().is_some() {
            return Err(invalid("is there more than once"));
        }
        let Ok(text) = value.to_str() else { return Err(invalid("has characters that are not printable ASCII")) };
        let key = match text.trim().strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or_else(|| invalid("has a quotation mark that is not closed"))?,
            None => text.trim().to_owned(),
        };
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err(invalid("is empty, too long, or has characters that are not printable ASCII"));
        }
        Ok(Self(Some(key)))
    }
}

/// A string of a structured field (RFC 9651, section 4.2.5) behind its first quotation mark, which must be all there is.
fn unquoted(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    loop {
        match letters.next()? {
            '"' => return letters.next().is_none().then_some(text),
            '\\' => text.push(letters.next().filter(|letter| ['"', '\\'].contains(letter))?),
            letter => text.push(letter),
        }
    }
}

fn invalid(what: &str) -> Problem {
    let wanted = format!(
        "The header Idempotency-Key {what}. It must be 1 to {KEY_BYTES_MAX} printable ASCII characters, in quotation marks or \
         not; a new UUID for each change is a good choice."
    );
    Problem::malformed("request.invalid_idempotency_key", wanted)
}

impl FromRequest for IdempotencyKey {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request).map_err(Into::into))
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(KEY_BYTES_MAX));
        let what = "The client's own id for this change. The same one sent again, as after an answer that was lost, is answered \
                    by what the first one did, however long ago, and while it is still under way; of each person's, in each room. \
                    For another change of the room it is refused with 422, `chat.key_reused`";
        let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
        vec![header.description(Some(what)).schema(Some(text)).build()]
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(value: &str) -> Result<Option<String>, &'static str> {
        let request = TestRequest::default().insert_header((HEADER, value.as_bytes())).to_http_request();
        IdempotencyKey::of(&request).map(|key| key.0).map_err(|problem| problem.code)
    }

    #[test]
    fn a_key_is_printable_ascii_in_quotation_marks_or_not() {
        for (value, key) in [
            ("abc-1", "abc-1"),
            ("\"abc-1\"", "abc-1"),
            ("\"a \\\"b\\\\\"", "a \"b\\"),
            (" a b ", "a b"),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(of(value).unwrap().as_deref(), Some(key), "{value}");
        }
        let longest = "x".repeat(KEY_BYTES_MAX);
        assert_eq!(of(&longest).unwrap(), Some(longest));
        assert_eq!(IdempotencyKey::of(&TestRequest::default().to_http_request()).unwrap().0, None);
    }

    #[test]
    fn anything_else_is_refused_with_what_would_be_right() {
        for value in ["", "  ", "\"\"", "\"a", "\"a\"b", "\"a\\c\"", "ä", "a\tb", &"x".repeat(KEY_BYTES_MAX + 1)] {
            assert_eq!(of(value), Err("request.invalid_idempotency_key"), "{value:?}");
        }
        let twice = TestRequest::default().append_header((HEADER, "a")).append_header((HEADER, "b")).to_http_request();
        assert!(IdempotencyKey::of(&twice).is_err());
    }
}
