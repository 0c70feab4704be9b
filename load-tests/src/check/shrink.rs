//! The smallest history that still breaks a law: leave out whatever can be left out (delta debugging). Pure.

use super::checker::{Violation, check_room};
use super::history::{Cast, Entry, History};

/// The fewest records of `history` that show this violation. Leaving out any one of them hides it.
pub fn shrink(history: &History, violation: &Violation) -> Vec<Entry> {
    let cast = &history.cast;
    let mut kept: Vec<Entry> = history.entries.iter().filter(|entry| entry.room == violation.room).cloned().collect();
    // What a whole kind of client or record did is left out first: cheap, and most of it has nothing to do with it.
    for kind in 0..KINDS {
        try_without(cast, violation, &mut kept, |entry| kind_of(entry) == kind);
    }
    let mut chunk = kept.len().div_ceil(2);
    loop {
        let before = kept.len();
        drop_chunks(cast, violation, &mut kept, chunk.max(1));
        // A pass of single records that leaves something out may make others dispensable.
        if chunk <= 1 && kept.len() == before {
            return kept;
        }
        chunk /= 2;
    }
}

fn drop_chunks(cast: &Cast, violation: &Violation, kept: &mut Vec<Entry>, chunk: usize) {
    let mut from = 0;
    while from < kept.len() {
        let until = (from + chunk).min(kept.len());
        let rest: Vec<Entry> = kept.iter().take(from).chain(kept.iter().skip(until)).cloned().collect();
        if shows(cast, &rest, violation) {
            *kept = rest;
        } else {
            from = until;
        }
    }
}

fn try_without(cast: &Cast, violation: &Violation, kept: &mut Vec<Entry>, is_out: impl Fn(&Entry) -> bool) {
    let rest: Vec<Entry> = kept.iter().filter(|entry| !is_out(entry)).cloned().collect();
    if rest.len() < kept.len() && shows(cast, &rest, violation) {
        *kept = rest;
    }
}

/// Whether these records break the same law in the same way.
fn shows(cast: &Cast, entries: &[Entry], violation: &Violation) -> bool {
    check_room(cast, violation.room, entries, Some(violation.invariant)).contains(violation)
}

const KINDS: usize = 9;

fn kind_of(entry: &Entry) -> usize {
    use super::history::Record as R;
    match entry.record {
        R::Saw { .. } | R::Came { .. } => 0,
        R::Marking { .. } | R::Marked { .. } | R::Told { .. } => 1,
        R::Sent { .. } | R::Failed { .. } => 2,
        R::Revising { .. } | R::Revised { .. } | R::Unrevised { .. } => 8,
        R::Asked { .. } | R::Granted { .. } => 3,
        R::Acked { .. } | R::Leaked { .. } | R::Misanswered { .. } | R::Knocked { .. } => 4,
        R::Row { .. } | R::Listed { .. } | R::Members { .. } | R::Described { .. } => 5,
        R::Carded { .. } => 6,
        R::CameBack { .. } => 7,
    }
}
