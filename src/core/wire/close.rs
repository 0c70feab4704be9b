//! Why a socket is closed. The number alone says whether to come back: 4000–4499 yes, 4500–4999 no.

/// A close code with the words that travel with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode {
    pub code: u16,
    pub reason: &'static str,
}

/// Every close code that the engine uses.
pub const CLOSE_CODES: &[CloseCode] = &[
    UNAVAILABLE,
    RESTARTING,
    TOO_SLOW,
    HEARTBEAT_MISSED,
    TOO_MANY_SOCKETS,
    BAD_TOKEN,
    SIGNED_OUT,
    PROTOCOL_ERROR,
    HELLO_MISSING,
];

pub const UNAVAILABLE: CloseCode = CloseCode { code: 4000, reason: "a part of the engine is away; come back later" };
pub const RESTARTING: CloseCode = CloseCode { code: 4001, reason: "the engine is restarting; come back" };
pub const TOO_SLOW: CloseCode = CloseCode { code: 4002, reason: "too slow: too much waited for this socket" };
pub const HEARTBEAT_MISSED: CloseCode = CloseCode { code: 4003, reason: "heartbeat missed: nothing was heard" };
pub const TOO_MANY_SOCKETS: CloseCode =
    CloseCode { code: 4004, reason: "this account has as many connections as it may: close one, or come back later" };
pub const BAD_TOKEN: CloseCode =
    CloseCode { code: 4500, reason: "the token is not valid or has expired: refresh it or sign in" };
pub const SIGNED_OUT: CloseCode = CloseCode { code: 4501, reason: "signed out" };
pub const PROTOCOL_ERROR: CloseCode =
    CloseCode { code: 4502, reason: "protocol error: too large, not text, or broken" };
pub const HELLO_MISSING: CloseCode = CloseCode { code: 4503, reason: "no hello in time" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_reasons_fit_a_close_frame() {
        for (index, close) in CLOSE_CODES.iter().enumerate() {
            assert!((4000..5000).contains(&close.code) && close.reason.len() <= 123);
            assert!(CLOSE_CODES.iter().skip(index + 1).all(|other| other.code != close.code));
        }
    }
}
