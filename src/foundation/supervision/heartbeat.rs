//! Whether actors still answer: each is asked at every beat, and who has not answered for long is *stuck*.
//!
//! A panic ends an actor; one that waits for something for ever, or turns in circles, stays and answers nobody, and so does
//! every actor on its thread. It is told (metric and log; `/readyz` when the engine cannot go on without it) and left alone: what it waits for may come, and ending it
//! would not free a thread that never gets to it.
//!
//! The question has no content, unlike [`Inspect`](super::Inspect): a beat reaches every open room, and writing down each
//! one's state would cost more than many of them do. It is answered by being dropped: an actor that handled it, and a
//! mailbox that went with its life, owe nothing any more. Invariant: at most one question an actor is on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix::Message;

use super::registry::{Registry, Stuck};

/// What stays wrong is said again this often.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// How many of them a line of the log names.
const NAMED_MAX: usize = 5;

/// Question: are you there? Sent by the supervisor only.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Pulse(Arc<Waiting>);

impl Drop for Pulse {
    fn drop(&mut self) {
        self.0.since.store(0, Ordering::Relaxed);
    }
}

/// Since when an actor owes an answer.
pub(super) struct Waiting {
    begun: Instant,
    /// Milliseconds after `begun`, at least one; 0: it owes none.
    since: AtomicU64,
}

impl Waiting {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), since: AtomicU64::new(0) })
    }

    /// The next question, unless one is on its way.
    pub fn ask(self: &Arc<Self>) -> Option<Pulse> {
        let now = self.now();
        let asked = self.since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        asked.is_ok().then(|| Pulse(Arc::clone(self)))
    }

    /// For how long it has owed an answer.
    pub fn owed_for(&self) -> Option<Duration> {
        let since = self.since.load(Ordering::Relaxed);
        (since > 0).then(|| Duration::from_millis(self.now().saturating_sub(since)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Asks every actor again and again, until it is dropped.
pub(super) async fn beat(registry: Registry, every: Duration, stuck_after: Duration) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut said, mut number): (Option<Instant>, u64) = (None, 0);
    loop {
        tick.tick().await;
        let stuck = registry.find_stuck(stuck_after);
        registry.ask(number);
        number = number.wrapping_add(1);
        if stuck.is_empty() {
            if said.take().is_some() {
                tracing::info!("every actor answers again");
            }
        } else if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            said = Some(Instant::now());
            tracing::error!(
                stuck = stuck.len(),
                actors = named(&stuck),
                "actors answer nothing; look what they wait for"
            );
        }
    }
}

/// The first of them in words.
pub(super) fn named(stuck: &[Stuck]) -> String {
    let mut words: Vec<String> =
        stuck.iter().take(NAMED_MAX).map(|one| format!("{} for {} s", one.name, one.owed_for.as_secs())).collect();
    if stuck.len() > NAMED_MAX {
        words.push(format!("and {} more", stuck.len() - NAMED_MAX));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_is_on_its_way_and_is_answered_by_being_dropped() {
        let waiting = Waiting::new();
        assert_eq!(waiting.owed_for(), None);
        let pulse = waiting.ask().unwrap();
        assert!(waiting.ask().is_none() && waiting.owed_for().is_some());
        drop(pulse);
        assert_eq!(waiting.owed_for(), None);
        assert!(waiting.ask().is_some());
    }

    #[test]
    fn a_line_names_the_first_of_many() {
        let stuck: Vec<_> = (0..7)
            .map(|n| Stuck {
                name: format!("app/{n}"),
                kind: "Room",
                is_essential: false,
                owed_for: Duration::from_millis(30_500),
            })
            .collect();
        assert_eq!(named(&stuck[..1]), "app/0 for 30 s");
        assert!(named(&stuck).ends_with("app/4 for 30 s, and 2 more"));
    }
}
