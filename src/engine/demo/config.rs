//! `[demo]`: whether a newcomer finds something to look at.

use serde::{Deserialize, Serialize};

/// Whether the demo world is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DemoConfig {
    /// `None`: in the database that the engine runs itself, and in no other.
    #[serde(default)]
    pub enabled: Option<bool>,
}

impl DemoConfig {
    /// Whether it is made in this database.
    pub fn is_wanted(self, is_embedded: bool) -> bool {
        self.enabled.unwrap_or(is_embedded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_the_engines_own_database_unless_somebody_says_otherwise() {
        for (enabled, is_embedded, wanted) in
            [(None, true, true), (None, false, false), (Some(false), true, false), (Some(true), false, true)]
        {
            assert_eq!(DemoConfig { enabled }.is_wanted(is_embedded), wanted);
        }
    }
}
