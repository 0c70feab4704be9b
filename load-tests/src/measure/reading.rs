//! CPU between two moments.

use std::time::Instant;

use super::meter::own_cpu_seconds;
use crate::engine::Usage;

/// CPU at one moment, and when that was.
pub struct Reading {
    at: Instant,
    pub usage: Usage,
    own_cpu_s: f64,
}

impl Reading {
    pub fn of(pid: Option<u32>) -> Self {
        Self { at: Instant::now(), usage: pid.map(Usage::of).unwrap_or_default(), own_cpu_s: own_cpu_seconds() }
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
