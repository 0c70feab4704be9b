//! What people may type: every rule about a field of an account, with the text that explains it.
//!
//! Pure. Invariants: no text that passes holds a control character (Postgres cannot store NUL, and the others
//! have no place in a name), and every text has a length limit. Names and what is searched for are as
//! [`text::line`] shows them, and one text has one form: an email address and a password that are
//! typed on another keyboard, whose system composes letters differently, are the same.

use serde_json::Value;

use super::error::InvalidInput;
use super::wire::Device;
use parlance_foundation::text;

pub const USERNAME_CHARS_MIN: usize = 3;
pub const USERNAME_CHARS_MAX: usize = 32;
pub const EMAIL_BYTES_MAX: usize = 254;
pub const FULL_NAME_CHARS_MAX: usize = 100;
pub const STATUS_MESSAGE_CHARS_MAX: usize = 200;
pub const AVATAR_URL_BYTES_MAX: usize = 2_048;
pub const PREFERENCES_BYTES_MAX: usize = 16_384;
/// A long password must not become a cheap way to keep a core busy.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
pub const DEVICE_ID_CHARS_MAX: usize = 64;
pub const DEVICE_NAME_CHARS_MAX: usize = 100;
pub const QUERY_CHARS_MAX: usize = 64;
/// A refresh token as it may come along at signing out, ours or not.
pub const TOKEN_CHARS_MAX: usize = 1_024;

type Checked<T> = Result<T, InvalidInput>;

fn invalid<T>(code: &'static str, detail: impl Into<String>) -> Checked<T> {
    Err(InvalidInput { code, detail: detail.into() })
}

/// 3 to 32 ASCII letters, digits, dots, underscores and hyphens, the first a letter or digit. ASCII only, so that
/// nobody can take a name that looks like somebody else's.
pub fn username(text: &str) -> Checked<String> {
    let text = text.trim();
    let allowed = text.chars().all(is_username_char) && text.starts_with(|first: char| first.is_ascii_alphanumeric());
    if allowed && (USERNAME_CHARS_MIN..=USERNAME_CHARS_MAX).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    invalid(
        "auth.invalid_username",
        "A username has 3 to 32 characters: letters a to z, digits, dots, underscores and hyphens, and starts with a letter or digit.",
    )
}

pub(super) fn is_username_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Only what a mistyped address would get wrong; whether mail arrives, only mail can tell.
pub fn email(typed: &str) -> Checked<String> {
    // What nobody sees would make two addresses of what looks like one.
    let text = text::line(typed).unwrap_or_default();
    let unchanged = text == text::nfc(typed.trim());
    let plausible = text.split_once('@').is_some_and(|(local, domain)| {
        let good_domain = !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.contains("..")
            && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
        !local.is_empty() && local.len() <= 64 && !domain.is_empty() && good_domain
    });
    if plausible && unchanged && text.len() <= EMAIL_BYTES_MAX && !text.chars().any(char::is_whitespace) {
        return Ok(text);
    }
    invalid("auth.invalid_email", "An email address looks like name@example.com and has at most 254 characters.")
}

/// Any Unicode is welcome, compared in NFC.
pub fn password(typed: &str, chars_min: usize, username: &str, email: Option<&str>) -> Checked<()> {
    const CODE: &str = "auth.invalid_password";
    if typed.len() > PASSWORD_BYTES_MAX {
        return invalid(CODE, "A password has at most 1024 bytes.");
    }
    let text = text::nfc(typed);
    if text.chars().count() < chars_min {
        return invalid(CODE, format!("A password has at least {chars_min} characters. Several words are a good one."));
    }
    let folded = text.trim().to_lowercase();
    if folded == username.to_lowercase() || email.is_some_and(|email| folded == email.to_lowercase()) {
        return invalid(CODE, "The password must not be the username or the email address.");
    }
    Ok(())
}

/// What somebody signs in with; whether it names an account is not for this rule to say.
pub fn login(text: &str) -> Checked<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > EMAIL_BYTES_MAX || text.chars().any(char::is_control) {
        return invalid("auth.invalid_login", "Sign in with a username or an email address.");
    }
    Ok(text::nfc(text))
}

/// A password as given at sign-in.
pub fn given_password(text: &str) -> Checked<()> {
    if text.len() > PASSWORD_BYTES_MAX {
        return invalid("auth.invalid_password", "A password has at most 1024 bytes.");
    }
    Ok(())
}

pub fn full_name(text: &str) -> Checked<String> {
    line(text, FULL_NAME_CHARS_MAX, "auth.invalid_full_name", "A full name")
}

pub fn status_message(text: &str) -> Checked<String> {
    line(text, STATUS_MESSAGE_CHARS_MAX, "auth.invalid_status_message", "A status message")
}

/// An `https://` or `http://` address, or a path on this server. Anything else (`javascript:`) could run in the
/// page that shows it.
pub fn avatar_url(text: &str) -> Checked<String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_address = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>'));
    if (is_address || is_path) && clean && text.len() <= AVATAR_URL_BYTES_MAX {
        return Ok(text.to_owned());
    }
    invalid(
        "auth.invalid_avatar_url",
        "An avatar is an https:// address or a path on this server that starts with /, of at most 2048 bytes.",
    )
}

/// E.164: a plus and 7 to 15 digits; the usual separators are dropped.
pub fn phone(text: &str) -> Checked<String> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
    let digits = compact.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(compact);
    }
    invalid("auth.invalid_phone", "A phone number starts with + and the country code, such as +4930123456.")
}

/// A JSON object of at most 16 KiB without NUL characters, which Postgres' jsonb cannot hold.
pub fn preferences(value: &Value) -> Checked<()> {
    const CODE: &str = "auth.invalid_preferences";
    if !value.is_object() {
        return invalid(CODE, "Preferences are a JSON object.");
    }
    if value.to_string().len() > PREFERENCES_BYTES_MAX {
        return invalid(CODE, "Preferences have at most 16384 bytes as JSON.");
    }
    if holds_nul(value) {
        return invalid(CODE, "Preferences must not hold the character \\u0000.");
    }
    Ok(())
}

/// Recursion is bounded: serde_json refuses to parse anything nested deeper than 128.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

pub fn device(device: Option<&Device>) -> Checked<Device> {
    let Some(device) = device else { return Ok(Device::default()) };
    const CODE: &str = "auth.invalid_device";
    Ok(Device {
        id: device.id.as_deref().map(device_id).transpose()?,
        name: device
            .name
            .as_deref()
            .map(|name| line(name, DEVICE_NAME_CHARS_MAX, CODE, "A device name"))
            .transpose()?,
    })
}

/// Compared by the engine, shown to nobody.
fn device_id(text: &str) -> Checked<String> {
    let text = text.trim();
    let fits = (1..=DEVICE_ID_CHARS_MAX).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    invalid(
        "auth.invalid_device",
        format!("A device id has 1 to {DEVICE_ID_CHARS_MAX} characters and no control characters."),
    )
}

/// A part of a name to search for; empty finds everybody.
pub fn query(text: &str) -> Checked<String> {
    match text::line(text) {
        Ok(text) if text.chars().count() <= QUERY_CHARS_MAX => Ok(text),
        _ => invalid("auth.invalid_query", "A search has at most 64 characters and no control characters."),
    }
}

/// One line of text of 1 to `chars_max` characters.
fn line(text: &str, chars_max: usize, code: &'static str, what: &str) -> Checked<String> {
    let Ok(text) = text::line(text) else {
        return invalid(code, format!("{what} is one line without control characters."));
    };
    if text.is_empty() || text.chars().count() > chars_max {
        return invalid(code, format!("{what} has 1 to {chars_max} characters that can be seen."));
    }
    Ok(text)
}

/// A username that an outside issuer's name for somebody suggests; always valid, not yet unique.
pub fn username_like(suggestion: &str) -> String {
    // Room for the suffix that makes it unique.
    const CHARS_MAX: usize = USERNAME_CHARS_MAX - 7;
    let kept: String = suggestion
        .chars()
        .map(|c| if c.is_whitespace() { '.' } else { c })
        .filter(|c| is_username_char(*c))
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(CHARS_MAX)
        .collect();
    if kept.len() < USERNAME_CHARS_MIN { "user".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn usernames() {
        for good in ["ada", "Ada.Lovelace", "a-b_c", "0x1", &"a".repeat(32), "  ada  "] {
            assert!(username(good).is_ok(), "{good:?}");
        }
        for bad in ["", "ab", &"a".repeat(33), "ada lovelace", "adä", "ada@x", "-ada", "...", "ada\0", "a\u{430}da"] {
            assert_eq!(username(bad).unwrap_err().code, "auth.invalid_username", "{bad:?}");
        }
    }

    #[test]
    fn emails() {
        for good in ["ada@example.com", "a+b@sub.example.co", "ada@localhost", "jürgen@müller.example"] {
            assert!(email(good).is_ok(), "{good:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in ["", "ada", "@x.y", "ada@", "a@b@c", "a b@c.d", "a@.b", "a@b.", "a@b..c", "a@b\0", "a@b,c", &long] {
            assert_eq!(email(bad).unwrap_err().code, "auth.invalid_email", "{bad:?}");
        }
    }

    #[test]
    fn passwords() {
        assert!(password("correct horse", 8, "ada", Some("ada@example.com")).is_ok());
        assert!(
            password("e\u{301}".repeat(4).as_str(), 8, "ada", None).is_err(),
            "an accent is no character of its own"
        );
        assert!(password("пароль🔑\0x", 8, "ada", Some("ada@example.com")).is_ok(), "any Unicode");
        assert!(
            password("🔑🔑🔑🔑🔑🔑🔑🔑", 8, "ada", Some("ada@example.com")).is_ok(),
            "characters are counted, not bytes"
        );
        for bad in ["short", "ADA-LOVELACE", " ada@example.com", &"x".repeat(1_025)] {
            assert_eq!(
                password(bad, 8, "ada-lovelace", Some("ada@example.com")).unwrap_err().code,
                "auth.invalid_password"
            );
        }
    }

    #[test]
    fn avatars_cannot_carry_a_script() {
        for good in ["https://cdn.example.com/a.png", "http://localhost/a", "/media/1"] {
            assert!(avatar_url(good).is_ok(), "{good:?}");
        }
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://", "https:///x", "a.png", "/a b"]
        {
            assert!(avatar_url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn phones_are_stored_in_one_form() {
        assert_eq!(phone("+49 (30) 123-456").unwrap(), "+4930123456");
        for bad in ["030123456", "+12", "+1234567890123456", "+12345x7", ""] {
            assert!(phone(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn preferences_are_an_object_that_jsonb_can_hold() {
        assert!(preferences(&json!({"theme": "dark", "n": [1, null]})).is_ok());
        for bad in [json!([1]), json!("x"), json!({"a": "\0"}), json!({"\0": 1}), json!({"a": [{"b": "x\0"}]})] {
            assert!(preferences(&bad).is_err(), "{bad}");
        }
        assert!(preferences(&json!({"a": "x".repeat(PREFERENCES_BYTES_MAX)})).is_err());
    }

    #[test]
    fn control_characters_are_refused_everywhere() {
        for text in ["a\0bc", "a\nbc", "a\u{7f}bc", "a\u{9b}bc"] {
            assert!(full_name(text).is_err() && status_message(text).is_err() && query(text).is_err(), "{text:?}");
            assert!(login(text).is_err() && email(text).is_err() && username(text).is_err(), "{text:?}");
            let named = Device { id: Some(text.into()), name: None };
            assert!(device(Some(&named)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_that_nobody_can_see_or_tell_apart_are_no_names() {
        for unseen in ["\u{200b}", "\u{3164}", "\u{2060}\u{feff}", "\u{202e}", "\u{2800}", "\u{e0041}", "\u{301}"] {
            assert!(full_name(unseen).is_err() && status_message(unseen).is_err(), "{unseen:?}");
            let named = Device { id: None, name: Some(unseen.into()) };
            assert_eq!(device(Some(&named)).unwrap_err().code, "auth.invalid_device", "{unseen:?}");
        }
        assert_eq!(full_name("A\u{200b}da \u{202e}L").unwrap(), "Ada L");
        assert_eq!(query("jose\u{301}\u{200b}").unwrap(), "josé");
        assert_eq!(status_message("👩\u{200d}🚀 en route").unwrap(), "👩\u{200d}🚀 en route");
        let long = "a\u{200b}".repeat(FULL_NAME_CHARS_MAX);
        assert!(full_name(&long).is_ok(), "what is seen is counted");
    }

    #[test]
    fn an_email_has_one_form() {
        assert_eq!(email("jose\u{301}@example.com").unwrap(), "josé@example.com");
        assert_eq!(login(" jose\u{301}@example.com").unwrap(), "josé@example.com");
        for bad in ["a\u{200b}da@example.com", "\u{feff}ada@example.com", "ada\u{202e}@example.com"] {
            assert_eq!(email(bad).unwrap_err().code, "auth.invalid_email", "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_derived_username_is_always_valid(suggestion in any::<String>()) {
            let derived = username_like(&suggestion);
            prop_assert!(username(&derived).is_ok());
            let made_unique = format!("{derived}-ffffff");
            prop_assert!(username(&made_unique).is_ok());
        }
    }
}
