//! `[supervision]`: how often actors are asked whether they are there, and when one that does not answer is told of.

use serde::{Deserialize, Serialize};

use crate::checks::Complaints;

/// Watching actors; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisionConfig {
    pub heartbeat_ms: u64,
    pub stuck_after_ms: u64,
}

impl SupervisionConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        complaints.require(
            (100..=600_000).contains(&self.heartbeat_ms),
            "supervision.heartbeat_ms",
            "between 100 and 600000",
        );
        complaints.require(
            self.stuck_after_ms >= self.heartbeat_ms && self.stuck_after_ms <= 3_600_000,
            "supervision.stuck_after_ms",
            "at least supervision.heartbeat_ms and at most 3600000",
        );
    }
}
