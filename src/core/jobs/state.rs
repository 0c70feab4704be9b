//! What becomes of a job, decided: when it is tried again, when it is given up, when a schedule is due next. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How the jobs of one kind are run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Failed attempts after which a job is dead.
    pub attempts_max: u32,
    /// Pause after the first failed attempt; it doubles with each one.
    pub back_off_base: Duration,
    /// Longest pause between two attempts.
    pub back_off_max: Duration,
    /// How long an engine that says nothing any more keeps a job from the others. It is extended while the job runs, so
    /// it need not be as long as the job.
    pub lease: Duration,
    /// An attempt that takes longer has failed.
    pub run_max: Duration,
    /// Jobs of this kind that one engine runs at once; `jobs.at_once_max` may allow fewer.
    pub at_once_max: usize,
}

impl Default for Policy {
    /// Twelve attempts within about a day.
    fn default() -> Self {
        Self {
            attempts_max: 12,
            back_off_base: Duration::from_secs(5),
            back_off_max: Duration::from_secs(4 * 3_600),
            lease: Duration::from_secs(30),
            run_max: Duration::from_secs(300),
            at_once_max: 8,
        }
    }
}

impl Policy {
    /// For what a schedule does again soon anyway: one at a time, and not for long.
    pub fn upkeep() -> Self {
        Self {
            attempts_max: 5,
            back_off_base: Duration::from_secs(2),
            back_off_max: Duration::from_secs(60),
            at_once_max: 1,
            ..Self::default()
        }
    }

    /// What about it cannot be, in words.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let checks = [
            (self.attempts_max >= 1, "attempts_max must be at least 1"),
            (self.back_off_base >= Duration::from_millis(1), "back_off_base must be at least 1 ms"),
            (self.back_off_base <= self.back_off_max, "back_off_base must be at most back_off_max"),
            (self.back_off_max <= Duration::from_secs(30 * 86_400), "back_off_max must be at most 30 days"),
            (self.lease >= Duration::from_millis(200), "lease must be at least 200 ms"),
            (self.lease <= Duration::from_secs(3_600), "lease must be at most an hour"),
            (!self.run_max.is_zero(), "run_max must be more than nothing"),
            (self.at_once_max >= 1, "at_once_max must be at least 1"),
        ];
        checks.into_iter().find(|(right, _)| !right).map(|(_, problem)| problem)
    }

    /// The pause after so many failed attempts.
    pub fn back_off(&self, attempts: u32, jitter: f64) -> Duration {
        back_off(self.back_off_base, self.back_off_max, attempts, jitter)
    }
}

/// The pause after so many failures: doubled with each, then between half and all of it, so that what failed together does
/// not come back together. `jitter` is between 0 and 1.
pub(super) fn back_off(base: Duration, longest: Duration, failures: u32, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let whole = base.saturating_mul(1 << doublings).min(longest);
    whole.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Another attempt may succeed. The text is for admins: no private data, no secrets.
    #[error("{0}")]
    Retry(String),
    /// The same, not before this pause, up to `back_off_max`: whoever was asked said when.
    #[error("{0}")]
    RetryAfter(String, Duration),
    /// No attempt will succeed: the job is dead at once.
    #[error("{0}")]
    Permanent(String),
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Tried again after this pause.
    Again(Duration),
    Dead,
}

/// What follows when the attempt number `attempts` (from 1) failed.
pub fn verdict(policy: &Policy, attempts: u32, error: &JobError, jitter: f64) -> Verdict {
    if attempts >= policy.attempts_max {
        return Verdict::Dead;
    }
    let pause = policy.back_off(attempts, jitter);
    match error {
        JobError::Permanent(_) => Verdict::Dead,
        JobError::Retry(_) => Verdict::Again(pause),
        JobError::RetryAfter(_, at_least) => Verdict::Again(pause.max((*at_least).min(policy.back_off_max))),
    }
}

/// When a schedule that was due at `due` is due next: in its rhythm, and after `now`. What was missed meanwhile, while no
/// engine ran, is missed: it is not made up for.
pub fn next_run(due: DateTime<Utc>, every: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let missed = (now - due).num_milliseconds().max(0) / every_ms;
    let next =
        missed.checked_add(1).and_then(|times| times.checked_mul(every_ms)).and_then(TimeDelta::try_milliseconds);
    next.and_then(|after| due.checked_add_signed(after)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The first characters of an error, for a column that an admin reads.
pub fn cut(text: &str, bytes_max: usize) -> String {
    // Postgres keeps no NUL in a text.
    let text = text.replace('\0', "");
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy() -> Policy {
        Policy { attempts_max: 4, back_off_base: SECOND, back_off_max: SECOND * 5, ..Policy::default() }
    }

    #[test]
    fn each_pause_doubles_up_to_the_longest_and_jitter_halves_at_most() {
        for (attempts, whole) in [(1, 1), (2, 2), (3, 4), (4, 5), (40, 5), (u32::MAX, 5)] {
            assert_eq!(policy().back_off(attempts, 1.0), SECOND * whole, "{attempts}");
            assert_eq!(policy().back_off(attempts, 0.0), SECOND * whole / 2, "{attempts}");
        }
    }

    #[test]
    fn a_job_dies_of_its_last_attempt_or_at_once_when_no_attempt_can_help() {
        let retry = JobError::Retry("away".into());
        for (attempts, error, expected) in [
            (1, retry.clone(), Verdict::Again(SECOND)),
            (3, retry.clone(), Verdict::Again(SECOND * 4)),
            (4, retry.clone(), Verdict::Dead),
            (9, retry, Verdict::Dead),
            (1, JobError::Permanent("gone".into()), Verdict::Dead),
            (1, JobError::RetryAfter("slow down".into(), SECOND * 3), Verdict::Again(SECOND * 3)),
            (1, JobError::RetryAfter("never".into(), SECOND * 9_000), Verdict::Again(SECOND * 5)),
            (3, JobError::RetryAfter("soon".into(), SECOND), Verdict::Again(SECOND * 4)),
        ] {
            assert_eq!(verdict(&policy(), attempts, &error, 1.0), expected, "{attempts} {error:?}");
        }
    }

    #[test]
    fn a_schedule_keeps_its_rhythm_and_makes_up_for_nothing() {
        let due = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let after = |seconds: i64| due + TimeDelta::seconds(seconds);
        for (now, next) in [(0, 10), (3, 10), (10, 20), (19, 20), (86_405, 86_410), (-5, 10)] {
            assert_eq!(next_run(due, SECOND * 10, after(now)), after(next), "{now}");
        }
        assert_eq!(next_run(due, Duration::MAX, due), DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn a_policy_that_cannot_be_is_named() {
        assert_eq!(Policy::default().problem(), None);
        assert!(Policy { attempts_max: 0, ..policy() }.problem().is_some_and(|said| said.contains("attempts_max")));
        let inverted = Policy { back_off_base: SECOND * 6, ..policy() };
        assert!(inverted.problem().is_some_and(|said| said.contains("back_off_max")));
    }

    #[test]
    fn an_error_is_cut_between_characters() {
        assert_eq!(cut("aéé", 4), "aé");
        assert_eq!(cut("a\0b", 10), "ab");
    }
}
