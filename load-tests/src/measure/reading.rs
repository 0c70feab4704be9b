//! CPU between two moments.

use std::time::Instant;

use crate::engine::{Usage, UsageSource, own_cpu_seconds};

/// CPU at one moment, and when that was.
pub struct Reading {
    at: Instant,
    pub usage: Usage,
    own_cpu_s: f64,
}

impl Reading {
    pub async fn of(source: &UsageSource) -> Self {
        let usage = source.usage().await;
        Self { at: Instant::now(), usage, own_cpu_s: own_cpu_seconds() }
    }

    pub fn since(&self, before: &Self) -> Spent {
        Spent {
            seconds: self.at.duration_since(before.at).as_secs_f64(),
            usage: self.usage.since(&before.usage),
            own_cpu_s: self.own_cpu_s - before.own_cpu_s,
        }
    }
}

/// What was used between two readings.
pub struct Spent {
    pub seconds: f64,
    pub usage: Usage,
    pub own_cpu_s: f64,
}
