//! Answers to commands: `ok` with what the command promises, or `error`.

use bytestring::ByteString;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ErrorAnswer, encode};
use parlance_foundation::problem::Problem;

/// What a command that succeeded answers.
pub trait Answer: 'static {
    /// The frame's `type`.
    const TYPE: &'static str = "ok";

    /// What the frame carries beside its type and number.
    type Schema: ToSchema;

    /// The whole frame.
    fn encode(&self, re: Option<u64>) -> ByteString;
}

/// Makes an answer of a type that is sent as it serialises.
#[macro_export]
macro_rules! answer {
    ($body:ty) => {
        $crate::answer!($body, "ok");
    };
    ($body:ty, $kind:literal) => {
        impl $crate::wire::Answer for $body {
            const TYPE: &'static str = $kind;
            type Schema = Self;

            fn encode(&self, re: Option<u64>) -> ::bytestring::ByteString {
                $crate::wire::answer::frame(Self::TYPE, re, self)
            }
        }
    };
}

/// An answer with nothing in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

answer!(Empty);

#[derive(Serialize)]
struct Answered<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    re: Option<u64>,
    #[serde(flatten)]
    body: &'a T,
}

/// `{"type":…,"re":…,…}`.
pub fn frame<T: Serialize>(kind: &'static str, re: Option<u64>, body: &T) -> ByteString {
    encode(&Answered { kind, re, body })
}

/// `{"type":"error","re":…,…}`.
pub fn error(re: Option<u64>, problem: &Problem) -> ByteString {
    let body = ErrorAnswer {
        code: problem.code.to_owned(),
        message: problem.detail.clone(),
        retry: problem.retry,
        retry_after_ms: problem.retry_after_ms,
    };
    frame("error", re, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_carry_the_number_back() {
        assert_eq!(&*Empty {}.encode(Some(4)), r#"{"type":"ok","re":4}"#);
        assert_eq!(&*Empty {}.encode(None), r#"{"type":"ok"}"#);
        let text = error(Some(2), &Problem::busy(50));
        assert!(text.contains(r#""re":2"#) && text.contains(r#""retry":"later","retry_after_ms":50"#), "{text}");
    }
}
