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
}

/// What may be due and not yet taken; past it the thread waits, and what comes late counts from when it was due.
const AHEAD_MAX: usize = 65_536;

impl Pace {
    /// `per_second` of them, evenly, until `until`.
    pub fn start(per_second: f64, until: Duration) -> Self {
        let (sender, due) = mpsc::channel(AHEAD_MAX);
        std::thread::spawn(move || {
            let begun = Instant::now();
            for index in 0_u64.. {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let offset = Duration::from_secs_f64(index as f64 / per_second);
                if offset >= until {
                    return;
                }
                let at = begun + offset;
                let early = at.saturating_duration_since(Instant::now());
                if !early.is_zero() {
                    std::thread::sleep(early);
                }
                if sender.blocking_send(Due { index, at }).is_err() {
                    return;
                }
            }
        });
        Self { due }
    }

    /// The next one; `None` at the end.
    pub async fn next(&mut self) -> Option<Due> {
        self.due.recv().await
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
    }
}
