//! `[persistence]`: how writes are gathered into commits.

use serde::{Deserialize, Serialize};

use parlance_foundation::checks::Complaints;

/// Limits of the group commit; `config/default.toml` explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PersistenceConfig {
    pub shards: usize,
    pub flush_rows_max: usize,
    pub flush_bytes_max: usize,
    pub flush_wait_ms_max: u64,
    pub queue_rows_max: usize,
    pub write_timeout_ms: u64,
    pub retry_pause_ms: u64,
}

impl PersistenceConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        let c = complaints;
        c.require((1..=64).contains(&self.shards), "persistence.shards", "between 1 and 64");
        c.require((1..=100_000).contains(&self.flush_rows_max), "persistence.flush_rows_max", "between 1 and 100000");
        c.require(self.flush_bytes_max >= 65_536, "persistence.flush_bytes_max", "at least 65536");
        c.require(self.flush_wait_ms_max <= 100, "persistence.flush_wait_ms_max", "at most 100");
        c.require(
            (1..=1_000_000).contains(&self.queue_rows_max),
            "persistence.queue_rows_max",
            "between 1 and 1000000",
        );
        c.require(
            (100..=60_000).contains(&self.write_timeout_ms),
            "persistence.write_timeout_ms",
            "between 100 and 60000",
        );
        c.require((1..=10_000).contains(&self.retry_pause_ms), "persistence.retry_pause_ms", "between 1 and 10000");
    }
}
