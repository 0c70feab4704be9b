//! Whether a run proves anything: a history that breaks no law may be one in which nothing happened. Pure.

use std::collections::BTreeMap;

use super::nemesis::{Fault, FaultKind};

/// Of what was written by those who may write, at least so much in a hundred is acknowledged in the end. All of it, by
/// rights: a writer tries again until it is.
const KEPT_PERCENT_MIN: u64 = 90;
/// Of so many changes that were asked for, one at least is granted; fewer may all have met somebody else's, or a fault.
const ASKED_MIN: u64 = 20;
/// Of so many marks that were acknowledged, somebody is told of one at least: what tells of them may be dropped, but not
/// always.
const MARKED_MIN: u64 = 50;
/// A kind of fault that was to come so often came once at least. One alone may find its victim away.
const PLANNED_MIN: usize = 2;

/// What happened in a run, in figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worth<'a> {
    pub planned: &'a [Fault],
    pub done: &'a [FaultKind],
    /// Messages of writers, and what they heard of them.
    pub written: u64,
    pub settled: u64,
    pub denied: u64,
    /// Edits and deletions that were tried and made.
    pub revising: u64,
    pub revised: u64,
    pub changes_asked: u64,
    pub changes_granted: u64,
    /// Marks that were acknowledged, and how often a reader was told of some.
    pub marked: u64,
    pub told: u64,
}

impl Worth<'_> {
    /// Why the run proves nothing, or less than it says.
    pub fn lacks(&self) -> Vec<String> {
        let mut lacks = Vec::new();
        let Self { written, settled, denied, revising, revised, changes_asked, changes_granted, marked, told, .. } =
            *self;
        let to_keep = written.saturating_sub(denied);
        if settled == 0 {
            lacks.push(format!("nothing was acknowledged of {written} messages, so nothing is proved"));
        } else if settled * 100 < to_keep * KEPT_PERCENT_MIN {
            lacks.push(format!("of {to_keep} messages of members, only {settled} were acknowledged"));
        }
        if changes_granted == 0 && changes_asked >= ASKED_MIN {
            lacks.push(format!("rooms were to be changed {changes_asked} times, and nothing of it was granted"));
        }
        if revised == 0 && revising >= ASKED_MIN {
            lacks.push(format!("messages were to be changed {revising} times, and nothing of it was done"));
        }
        if told == 0 && marked >= MARKED_MIN {
            lacks.push(format!("{marked} marks were acknowledged, and nobody was told of one"));
        }
        if self.done.is_empty() {
            lacks.push("nothing went wrong: the run is too short for --every, or no fault found its victim".to_owned());
        }
        let mut planned: BTreeMap<String, (usize, FaultKind)> = BTreeMap::new();
        for fault in self.planned {
            planned.entry(fault.kind.to_string()).or_insert((0, fault.kind)).0 += 1;
        }
        let missed = planned.iter().filter(|(_, (times, kind))| *times >= PLANNED_MIN && !self.done.contains(kind));
        lacks.extend(missed.map(|(name, (times, _))| format!("{name} was to happen {times} times, and never did")));
        lacks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault { at_ms: 0, kind, size: 1, lanes: vec![0], other_way: false }
    }

    #[test]
    fn a_run_in_which_everything_happened_lacks_nothing() {
        let planned = [fault(FaultKind::Cut), fault(FaultKind::Flood), fault(FaultKind::Cut)];
        let done = [FaultKind::Cut];
        let worth = Worth { planned: &planned, done: &done, written: 100, settled: 60, denied: 40, ..Worth::default() };
        assert_eq!(worth.lacks(), Vec::<String>::new());
    }

    #[test]
    fn refusals_alone_prove_nothing() {
        let done = [FaultKind::Cut];
        let all_refused = Worth { done: &done, written: 63, denied: 63, ..Worth::default() };
        assert!(all_refused.lacks().iter().any(|lack| lack.contains("nothing was acknowledged")));
        let most_unheard = Worth { done: &done, written: 100, settled: 40, denied: 10, ..Worth::default() };
        assert_eq!(most_unheard.lacks(), ["of 90 messages of members, only 40 were acknowledged"]);
    }

    #[test]
    fn faults_that_never_happen_are_told() {
        let planned = [fault(FaultKind::Flood), fault(FaultKind::Cut), fault(FaultKind::Flood)];
        let kept = Worth { planned: &planned, written: 9, settled: 9, ..Worth::default() };
        assert_eq!(kept.lacks().len(), 2, "{:?}", kept.lacks());
        let some = Worth { done: &[FaultKind::Cut], ..kept };
        assert_eq!(some.lacks(), ["flood was to happen 2 times, and never did"]);
    }

    #[test]
    fn a_room_that_nobody_may_change_is_told() {
        let done = [FaultKind::Cut];
        let worth = Worth { done: &done, written: 9, settled: 9, changes_asked: 20, ..Worth::default() };
        assert_eq!(worth.lacks().len(), 1);
    }

    #[test]
    fn messages_that_nobody_may_change_are_told() {
        let done = [FaultKind::Cut];
        let worth = Worth { done: &done, written: 9, settled: 9, revising: 20, ..Worth::default() };
        assert_eq!(worth.lacks().len(), 1);
        assert_eq!(Worth { revised: 1, ..worth }.lacks(), Vec::<String>::new());
    }

    #[test]
    fn marks_that_nobody_hears_of_are_told() {
        let done = [FaultKind::Cut];
        let silent = Worth { done: &done, written: 9, settled: 9, marked: 50, ..Worth::default() };
        assert_eq!(silent.lacks(), ["50 marks were acknowledged, and nobody was told of one"]);
        assert_eq!(Worth { told: 1, ..silent }.lacks(), Vec::<String>::new());
    }
}
