//! `[log]`.

use serde::{Deserialize, Serialize};

use super::is_filter;
use crate::checks::Complaints;

/// `[log]`: what is written to standard error, and how.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    pub level: String,
    pub format: LogFormat,
    pub queue_lines_max: usize,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

impl LogConfig {
    pub fn check(&self, complaints: &mut Complaints) {
        complaints.require(
            is_filter(&self.level),
            "log.level",
            "a level (error, warn, info, debug, trace) or a filter such as \"info,parlance_core::rooms=debug\"",
        );
        complaints.require(
            (16..=1_000_000).contains(&self.queue_lines_max),
            "log.queue_lines_max",
            "between 16 and 1000000 lines",
        );
    }
}
