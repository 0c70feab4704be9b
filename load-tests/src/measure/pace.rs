//! Sending at a rate: a thread of its own that sleeps until something is due and says so.
//!
//! Not the runtime's timer, whose millisecond would be most of a latency of one.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// Something has to be sent: the how-many-th, and when it was due.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub index: u64,
    pub at: Instant,
}

/// A rate for some time. Dropping it ends the thread.
pub struct Pace {
    due: mpsc::Receiver<Due>,
    plan: Plan,
    taken: u64,
}

/// What may be due and not yet taken; past it the thread waits, and what comes late counts from when it was due.
const AHEAD_MAX: usize = 65_536;
/// What was due just before the end may be taken just after it; a backlog may not.
const GRACE: Duration = Duration::from_millis(200);
/// In so many strokes at most, all that was left out is told.
const OVERDUE_TOLD_MAX: usize = 100_000;
/// A generator that leaves out more than this share measured another rate than it was asked for.
const LEFT_OUT_MAX: f64 = 0.03;

/// What is due when.
#[derive(Clone, Copy)]
struct Plan {
    begun: Instant,
    until: Instant,
    per_second: f64,
    count: u64,
}

impl Plan {
    /// When this one is due. The last of a plan is due before its end, so that no rate is too small for a duration.
    fn at(&self, index: u64) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let offset = index as f64 / self.per_second;
        self.begun + Duration::from_secs_f64(offset)
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.until + GRACE
    }
}

impl Pace {
    /// `per_second` of them, evenly, until `until`: by the clock, however many that leaves out.
    pub fn start(per_second: f64, until: Duration) -> Self {
        let (sender, due) = mpsc::channel(AHEAD_MAX);
        let begun = Instant::now();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let count = (per_second * until.as_secs_f64()).ceil() as u64;
        let plan = Plan { begun, until: begun + until, per_second, count };
        std::thread::spawn(move || {
            for index in 0..count {
                let at = plan.at(index);
                let early = at.saturating_duration_since(Instant::now());
                if !early.is_zero() {
                    std::thread::sleep(early);
                }
                if plan.is_over() || sender.blocking_send(Due { index, at }).is_err() {
                    return;
                }
            }
        });
        Self { due, plan, taken: 0 }
    }

    /// The next one; `None` at the end.
    pub async fn next(&mut self) -> Option<Due> {
        let due = self.due.recv().await.filter(|_| !self.plan.is_over())?;
        self.taken = due.index + 1;
        Some(due)
    }

    /// How many were due in all, once it has ended.
    pub fn planned(&self) -> u64 {
        self.plan.count
    }

    /// Those of them that nobody took, oldest first.
    pub fn left_out(&self) -> impl ExactSizeIterator<Item = Due> + use<> {
        let (plan, left) = (self.plan, usize::try_from(self.plan.count - self.taken).unwrap_or(usize::MAX));
        let from = self.taken;
        (0..left).map(move |place| {
            let index = from + place as u64;
            Due { index, at: plan.at(index) }
        })
    }

    /// How long those have been due by now, and how many each stands for. Whoever leaves out what is due leaves out what
    /// waited longest: without these, latencies would look the better for it.
    pub fn overdue(&self) -> impl Iterator<Item = (Duration, u64)> + use<> {
        let left = self.left_out();
        let together = left.len().div_ceil(OVERDUE_TOLD_MAX).max(1);
        left.step_by(together).map(move |due| (due.at.elapsed(), together as u64))
    }

    /// What to say when too many were left out for the run to be what was asked for.
    pub fn fell_behind(&self) -> Option<String> {
        let (left, planned) = (self.left_out().len(), self.plan.count);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = left as f64 / (planned as f64).max(1.0);
        let said = || format!("the generator could not keep up: {left} of {planned} were due and not begun in time");
        (share > LEFT_OUT_MAX).then(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_is_due_once_and_in_order() {
        let mut pace = Pace::start(2_000.0, Duration::from_millis(50));
        let mut seen = Vec::new();
        while let Some(due) = pace.next().await {
            seen.push(due);
        }
        assert_eq!(seen.iter().map(|due| due.index).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert!(seen.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!((pace.left_out().len(), pace.fell_behind()), (0, None));
    }

    #[tokio::test]
    async fn it_ends_by_the_clock_and_says_what_it_left_out() {
        // Nobody takes a million a millisecond.
        let mut pace = Pace::start(1e9, Duration::from_millis(10));
        let begun = Instant::now();
        let mut taken = 0;
        while pace.next().await.is_some() {
            taken += 1;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(pace.left_out().len() as u64, pace.planned() - taken);
        assert_eq!(pace.left_out().next().map(|due| due.index), Some(taken));
        let overdue: Vec<_> = pace.overdue().collect();
        assert!(overdue.len() <= OVERDUE_TOLD_MAX && overdue.iter().map(|(_, count)| count).sum::<u64>() > 9_000_000);
        assert!(pace.fell_behind().is_some_and(|said| said.contains("10000000")), "{:?}", pace.fell_behind());
    }

    #[tokio::test]
    async fn even_the_smallest_rate_has_a_first_one() {
        let mut pace = Pace::start(1e-30, Duration::from_millis(1));
        assert_eq!(pace.next().await.map(|due| due.index), Some(0));
        assert!(pace.next().await.is_none());
    }
}
