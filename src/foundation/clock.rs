//! The time, passed in. Nothing in `src` asks the operating system for it elsewhere (`tidy.rs` checks).
//!
//! Two readings: [`Clock::now`] is what people call the time, which an operator or a time server may set forward or back;
//! [`Clock::monotonic`] only ever goes on. Whatever is a span (a rate limit, a pause, how long something is fresh) counts
//! the second, so that a step of the first neither locks anybody out nor lets anybody in.
//!
//! Invariant: a [`Clock`] is cheap to clone; clones of a manual clock move together.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// The real clock, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<Hands>),
}

/// Where a manual clock stands.
#[derive(Debug)]
struct Hands {
    /// Microseconds since 1970.
    wall: AtomicI64,
    /// Microseconds since the clock was made.
    monotonic: AtomicU64,
}

/// What the system's monotonic readings count from; the first to ask sets it.
static BEGUN: OnceLock<Instant> = OnceLock::new();

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: DateTime<Utc>) -> Self {
        let hands = Hands { wall: AtomicI64::new(start.timestamp_micros()), monotonic: AtomicU64::new(0) };
        Self(Source::Manual(Arc::new(hands)))
    }

    /// Now, to the microsecond: what Postgres keeps, so that a time read back equals the one written.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.0 {
            Source::System => Utc::now().timestamp_micros(),
            Source::Manual(hands) => hands.wall.load(Ordering::Relaxed),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// How long something has been going on: meaningful only against another reading of this clock. Never goes back,
    /// whatever becomes of [`Clock::now`].
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System => BEGUN.get_or_init(Instant::now).elapsed(),
            Source::Manual(hands) => Duration::from_micros(hands.monotonic.load(Ordering::Relaxed)),
        }
    }

    /// Lets time pass on a manual clock; the system's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(hands) = &self.0 {
            let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
            hands.monotonic.fetch_add(micros, Ordering::Relaxed);
            hands.wall.fetch_add(i64::try_from(micros).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// Sets a manual clock's time of day forward or back without any time passing, as an operator or a time server
    /// does; the system's clock ignores it.
    pub fn step(&self, by: TimeDelta) {
        if let Source::Manual(hands) = &self.0 {
            hands.wall.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// A UUIDv7 of now.
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            // The process-wide counter inside keeps ids of one millisecond in order.
            Source::System => Uuid::now_v7(),
            Source::Manual(_) => {
                let now = self.now();
                let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
                Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), seconds, now.timestamp_subsec_nanos()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_on_both_readings_and_a_step_moves_one() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let (wall, monotonic) = (clock.now(), clock.monotonic());
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.monotonic() - monotonic, Duration::from_secs(5));
        assert_eq!(clock.now() - wall, TimeDelta::seconds(5));
        clock.clone().step(TimeDelta::days(-2));
        assert_eq!(clock.now() - wall, TimeDelta::seconds(5) - TimeDelta::days(2));
        assert_eq!(clock.monotonic() - monotonic, Duration::from_secs(5));
    }

    #[test]
    fn clones_of_the_system_clock_count_from_one_moment() {
        let first = Clock::system().monotonic();
        assert!(Clock::system().monotonic() >= first);
    }
}
