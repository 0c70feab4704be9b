//! How long a commit waits for company: rows that others are about to send. Pure.
//!
//! A commit costs Postgres about as much as three rows do. Under load, commits that begin a little apart carry several
//! rows each, for a delay of a millisecond or two. When little is sent nobody is likely to come, so a row is committed at
//! once. A fixed timer would make either the quiet hours slower or the busy ones dearer.

use std::time::{Duration, Instant};

/// How far back the estimate of the load looks.
const MEMORY_SECONDS: f64 = 0.1;

/// Waiting is worth it when this many rows are likely to come meanwhile.
const ROWS_WORTH_WAITING_FOR: f64 = 2.0;

/// With this many rows in it, a commit's own cost is no longer what matters.
const ROWS_ENOUGH: usize = 32;

/// What a timer of the runtime can tell apart: it rings at a whole millisecond, after the time that was asked for. So half
/// of that less is asked for, and what is shorter still is not waited for.
const TICK: Duration = Duration::from_millis(1);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Company {
    wait_max: Duration,
    /// Rows a second that came lately.
    rate: f64,
    noted: Instant,
    /// When the last commit began.
    begun: Option<Instant>,
}

impl Company {
    /// One that has commits begin about `wait_max` apart at most.
    pub fn new(wait_max: Duration, now: Instant) -> Self {
        Self { wait_max, rate: 0.0, noted: now, begun: None }
    }

    /// `rows` have come.
    pub fn note_rows(&mut self, rows: usize, now: Instant) {
        let past = now.saturating_duration_since(self.noted).as_secs_f64();
        let rows = f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
        self.rate = self.rate * (-past / MEMORY_SECONDS).exp() + rows / MEMORY_SECONDS;
        self.noted = now;
    }

    /// A commit begins.
    pub fn note_begin(&mut self, now: Instant) {
        self.begun = Some(now);
    }

    /// How long a timer should be set before the next commit, for which `queued` rows are there; `None`: it begins.
    pub fn wait(&self, queued: usize, now: Instant) -> Option<Duration> {
        if queued >= ROWS_ENOUGH || self.rate * self.wait_max.as_secs_f64() < ROWS_WORTH_WAITING_FOR {
            return None;
        }
        let wait = (self.begun? + self.wait_max).saturating_duration_since(now);
        wait.checked_sub(TICK / 2).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a commit waits when one row has come every `1 / rate` seconds for a second, and the last commit has just
    /// begun.
    fn wait_at(rate: u32, wait_max_ms: u64) -> Option<Duration> {
        let begin = Instant::now();
        let mut company = Company::new(Duration::from_millis(wait_max_ms), begin);
        for n in 1..=rate {
            company.note_rows(1, begin + Duration::from_secs(1) * n / rate);
        }
        let end = begin + Duration::from_secs(1);
        company.note_begin(end);
        company.wait(1, end)
    }

    #[test]
    fn it_waits_only_when_others_are_likely_to_come() {
        assert_eq!(wait_at(10, 2), None);
        assert_eq!(wait_at(500, 2), None);
        assert_eq!(wait_at(2_500, 2), Some(Duration::from_micros(1_500)));
        assert_eq!(wait_at(2_500, 0), None);
    }

    #[test]
    fn a_commit_of_many_rows_waits_for_nobody_else() {
        let begin = Instant::now();
        let mut company = Company::new(Duration::from_millis(2), begin);
        company.note_rows(1_000, begin);
        company.note_begin(begin);
        assert!(company.wait(ROWS_ENOUGH - 1, begin).is_some());
        assert_eq!(company.wait(ROWS_ENOUGH, begin), None);
    }

    #[test]
    fn the_time_since_the_last_commit_began_counts() {
        let begin = Instant::now();
        let mut company = Company::new(Duration::from_millis(2), begin);
        company.note_rows(1_000, begin);
        assert_eq!(company.wait(1, begin), None, "the first commit has nobody to keep apart from");
        company.note_begin(begin);
        assert_eq!(company.wait(1, begin + Duration::from_micros(1_200)), Some(Duration::from_micros(300)));
        for passed in [1_600, 3_000] {
            assert_eq!(company.wait(1, begin + Duration::from_micros(passed)), None, "no timer is that short");
        }
    }

    #[test]
    fn a_load_that_is_over_is_soon_forgotten() {
        let begin = Instant::now();
        let mut company = Company::new(Duration::from_millis(2), begin);
        company.note_rows(1_000, begin);
        let later = begin + Duration::from_secs(1);
        company.note_rows(1, later);
        company.note_begin(later);
        assert_eq!(company.wait(1, later), None);
    }
}
