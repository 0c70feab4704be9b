//! Latencies in an HDR histogram: microseconds, three significant digits.
//!
//! Corrected for coordinated omission: what is sent at a rate counts from the moment at which it was *due*, not from
//! the moment at which a busy sender got round to it, so that a stall of the engine counts for everything that it
//! held up.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Ten minutes: nothing waits longer.
const MICROS_MAX: u64 = 600_000_000;

/// Latencies of one kind.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

/// What a histogram says, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    pub count: u64,
    pub min_ms: f64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Default for Latency {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "these constants are valid bounds")]
        Self(Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("valid bounds"))
    }
}

impl Latency {
    pub fn record(&mut self, took: Duration) {
        self.record_many(took, 1);
    }

    /// The same latency `count` times: one read may bring many.
    pub fn record_many(&mut self, took: Duration, count: u64) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, MICROS_MAX);
        self.0.saturating_record_n(micros, count);
    }

    pub fn clear(&mut self) {
        self.0.reset();
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        ms(self.0.value_at_quantile(quantile))
    }

    pub fn summary(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        Summary {
            count: self.0.len(),
            min_ms: ms(self.0.min()),
            mean_ms: self.0.mean() / 1_000.0,
            p50_ms: self.quantile_ms(0.5),
            p90_ms: self.quantile_ms(0.9),
            p99_ms: self.quantile_ms(0.99),
            p999_ms: self.quantile_ms(0.999),
            max_ms: ms(self.0.max()),
        }
    }
}

fn ms(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most ten minutes of microseconds")]
    let micros = micros as f64;
    micros / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latency = Latency::default();
        for millis in 1..=100 {
            latency.record(Duration::from_millis(millis));
        }
        let summary = latency.summary();
        assert_eq!(summary.count, 100);
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p99_ms - 99.0).abs() < 0.1, "{summary:?}");
        assert!((summary.max_ms - 100.0).abs() < 0.1, "{summary:?}");
    }
}
