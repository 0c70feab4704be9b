//! How often an actor may come back, and how long it waits before it does. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What happens when an actor panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartRule {
    /// Start it again, at most `max` times in any span of `within`.
    Restart { max: u32, within: Duration },
    /// One life only.
    Never,
}

/// Counts restarts against the rule.
#[derive(Debug)]
pub(super) struct Budget {
    rule: RestartRule,
    recent: VecDeque<Instant>,
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Budget {
    pub fn new(rule: RestartRule) -> Self {
        Self { rule, recent: VecDeque::new() }
    }

    /// The pause before the next life, or `None` when the budget is spent.
    pub fn spend(&mut self, now: Instant) -> Option<Duration> {
        let RestartRule::Restart { max, within } = self.rule else { return None };
        while self.recent.front().is_some_and(|first| now.duration_since(*first) > within) {
            self.recent.pop_front();
        }
        let used = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        if used >= max {
            return None;
        }
        self.recent.push_back(now);
        Some(FIRST_PAUSE.saturating_mul(1 << used.min(16)).min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_the_budget_is_spent() {
        let mut budget = Budget::new(RestartRule::Restart { max: 3, within: Duration::from_secs(60) });
        let now = Instant::now();
        let pauses: Vec<_> = (0..4).map(|_| budget.spend(now)).collect();
        assert_eq!(pauses, [Some(FIRST_PAUSE), Some(FIRST_PAUSE * 2), Some(FIRST_PAUSE * 4), None]);
    }

    #[test]
    fn old_restarts_are_forgiven() {
        let mut budget = Budget::new(RestartRule::Restart { max: 1, within: Duration::from_secs(60) });
        let now = Instant::now();
        assert!(budget.spend(now).is_some());
        assert!(budget.spend(now + Duration::from_secs(59)).is_none());
        assert!(budget.spend(now + Duration::from_secs(61)).is_some());
    }

    #[test]
    fn never_means_never() {
        assert_eq!(Budget::new(RestartRule::Never).spend(Instant::now()), None);
    }
}
