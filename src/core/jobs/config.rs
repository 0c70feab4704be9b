//! `[jobs]`: how what follows a commit, and what is due at a time, is run.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;

/// Limits of the jobs; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JobsConfig {
    pub poll_ms: u64,
    pub at_once_max: usize,
    pub stop_timeout_ms: u64,
    pub dead_days: u32,
}

impl JobsConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        complaints.require((100..=600_000).contains(&self.poll_ms), "jobs.poll_ms", "between 100 and 600000");
        complaints.require((1..=1_000).contains(&self.at_once_max), "jobs.at_once_max", "between 1 and 1000");
        complaints.require(self.stop_timeout_ms <= 8_000, "jobs.stop_timeout_ms", "at most 8000");
        complaints.require((1..=3_650).contains(&self.dead_days), "jobs.dead_days", "between 1 and 3650");
    }
}
