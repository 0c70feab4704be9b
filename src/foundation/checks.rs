//! What is wrong with a configuration, collected by each section's `check`, so that the operator sees all of it at once.

/// One thing wrong with the configuration: the key, and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(pub String);

/// Collects what is wrong, so that the operator sees all of it at once.
#[derive(Debug, Default)]
pub struct Complaints(Vec<String>);

impl Complaints {
    /// Notes that `key` is wrong unless `right`; `wanted` says what it must be.
    pub fn require(&mut self, right: bool, key: &str, wanted: &str) {
        if !right {
            self.0.push(format!("{key} must be {wanted}"));
        }
    }

    /// Fails when anything was noted.
    pub fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigError(self.0.join("; "))) }
    }
}
