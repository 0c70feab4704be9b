//! Does the checker find what it is there to find? Histories that are wrong in known ways, and what it says of each.

use clap::ValueEnum;

use super::checker::{Violation, check};
use super::flaws::Flaw;
use super::history::{Entry, History};
use super::samples::sample;
use super::shrink::shrink;
use crate::report::Report;

/// No flaw takes more records than this to show.
const RECORDS_MAX: usize = 6;

/// Tries every flaw; what the checker missed is a failure.
pub fn run() -> Report {
    let mut report = Report::of("check --self-test");
    let flaws = Flaw::value_variants();
    for violation in check(&sample(None)) {
        report.fail(format!("a right history is called wrong: {violation}"));
    }
    for flaw in flaws {
        match find(*flaw, &sample(Some(*flaw))) {
            Ok((violation, smallest)) => {
                eprintln!("  {flaw:?}: {violation}");
                for entry in smallest {
                    eprintln!("    {}", serde_json::to_string(&entry).unwrap_or_default());
                }
            }
            Err(missed) => report.fail(missed),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    report.figure("flaws tried", flaws.len() as f64, "");
    report
}

/// What the checker says of a flaw, and the smallest history that shows it.
fn find(flaw: Flaw, history: &History) -> Result<(Violation, Vec<Entry>), String> {
    let violations = check(history);
    let Some(found) = violations.iter().find(|violation| violation.invariant == flaw.breaks()) else {
        return Err(format!("{flaw:?} is not found; what is found: {violations:?}"));
    };
    let smallest = shrink(history, found);
    if smallest.len() > RECORDS_MAX {
        return Err(format!("{flaw:?} still takes {} records to show: {smallest:?}", smallest.len()));
    }
    let again = History { cast: history.cast.clone(), entries: smallest.clone() };
    if !check(&again).contains(found) {
        return Err(format!("the smallest history of {flaw:?} does not show it"));
    }
    Ok((found.clone(), smallest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::Record;

    #[test]
    fn a_right_history_passes() {
        let history = sample(None);
        assert!(history.entries.len() > 800, "only {} records", history.entries.len());
        assert_eq!(check(&history), vec![]);
    }

    #[test]
    fn every_flaw_is_found_and_shrinks_to_a_handful() {
        for flaw in Flaw::value_variants() {
            find(*flaw, &sample(Some(*flaw))).unwrap();
        }
    }

    #[test]
    fn flaws_are_named_by_what_they_break_first() {
        // Where one fault breaks several laws, the one that names it is among the first to be shown.
        for flaw in [Flaw::LostMessage, Flaw::DoubledMessage, Flaw::GapForAReader, Flaw::StrangerSees] {
            let first = check(&sample(Some(flaw))).first().map(|violation| violation.invariant);
            assert_eq!(first, Some(flaw.breaks()), "{flaw:?}");
        }
    }

    #[test]
    fn the_smallest_history_of_a_lost_message_is_its_acknowledgement() {
        let (_, smallest) = find(Flaw::LostMessage, &sample(Some(Flaw::LostMessage))).unwrap();
        assert!(matches!(smallest.as_slice(), [Entry { record: Record::Acked { .. }, .. }]), "{smallest:?}");
    }

    #[test]
    fn the_smallest_history_of_a_gap_is_its_two_ends() {
        let (_, smallest) = find(Flaw::GapForAReader, &sample(Some(Flaw::GapForAReader))).unwrap();
        let seqs: Vec<u64> = smallest
            .iter()
            .filter_map(|entry| match entry.record {
                Record::Saw { seq, .. } => Some(seq),
                _ => None,
            })
            .collect();
        assert!(smallest.len() == 2 && seqs.len() == 2 && seqs[0] + 2 == seqs[1], "{smallest:?}");
    }

    #[test]
    fn an_empty_history_proves_nothing_and_breaks_nothing() {
        assert_eq!(check(&History::default()), vec![]);
    }
}
