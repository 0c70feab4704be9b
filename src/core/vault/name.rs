//! What a secret is called: the feature and kind that it belongs to, and its name there.

use std::fmt;

use super::VaultError;

const SCOPE_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 200;

/// One secret's name: `ai.provider/0192…`. Bound into its ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretName {
    scope: String,
    name: String,
}

impl SecretName {
    /// `scope` is the owner's feature and kind in lower case (`ai.provider`); `name` tells its secrets apart, such as the
    /// owner's id (`0192…`), or that and a word (`0192…/access_token`).
    pub fn new(scope: impl Into<String>, name: impl Into<String>) -> Result<Self, VaultError> {
        let (scope, name) = (scope.into(), name.into());
        require_scope(&scope)?;
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || b"._:/@-".contains(&c);
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_plain) {
            let wanted = format!("a name is 1 to {NAME_BYTES_MAX} letters, digits and . _ : / @ -, such as an id");
            return Err(VaultError::InvalidName(wanted));
        }
        Ok(Self { scope, name })
    }

    pub fn scope(&self) -> &str {
        &self.scope
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Fails unless it can be a scope.
pub(super) fn require_scope(scope: &str) -> Result<(), VaultError> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
    };
    if scope.len() <= SCOPE_BYTES_MAX && scope.split('.').all(is_word) {
        return Ok(());
    }
    let wanted = format!(
        "a scope is words of lower case letters, digits and _, with dots between them, such as ai.provider, of at most \
         {SCOPE_BYTES_MAX} bytes"
    );
    Err(VaultError::InvalidName(wanted))
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scope, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_short() {
        for (scope, name) in
            [("ai.provider", "0192a000-0000-7000-8000-000000000000"), ("push", "vapid/private"), ("a_1.b", "x")]
        {
            assert_eq!(SecretName::new(scope, name).unwrap().to_string(), format!("{scope}/{name}"));
        }
        let long = "a".repeat(201);
        for (scope, name) in [
            ("", "x"),
            ("AI", "x"),
            ("ai.", "x"),
            (".ai", "x"),
            ("ai..x", "x"),
            ("ai/x", "x"),
            ("1ai", "x"),
            (&long, "x"),
            ("ai", ""),
            ("ai", "a b"),
            ("ai", "a\nb"),
            ("ai", "\u{e4}"),
            ("ai", &long),
        ] {
            assert!(matches!(SecretName::new(scope, name), Err(VaultError::InvalidName(_))), "{scope:?} {name:?}");
        }
    }
}
