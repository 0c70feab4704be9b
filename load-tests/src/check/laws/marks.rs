//! Laws about marks of what was received and read: they only grow, and they end where they were set.

use std::collections::HashMap;

use crate::check::history::{Marks, Place, Who};
use crate::check::laws::changes::Membership;
use crate::check::tale::{End, Tale};

/// Marks that went back, were lost, or went where nobody set them.
pub fn shrinking(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    // A crash may take back what was told but not yet written; on one connection there was none.
    let mut told: HashMap<(Who, u32, Who), (u64, u64)> = HashMap::new();
    for now in &tale.told {
        let key = (now.reader, now.connection, now.of);
        let (delivered, read) = told.insert(key, (now.delivered, now.read)).unwrap_or_default();
        if now.read < read || now.delivered < delivered {
            let (reader, of) = (now.reader, now.of);
            let marks = format!("({delivered}, {read}) and then ({}, {})", now.delivered, now.read);
            broken.push(format!("reader {reader} was told that person {of} has marked {marks}"));
        }
    }
    let members = Membership::of(tale);
    for (end, when) in [(&tale.first, "at rest"), (&tale.again, "after the restart")] {
        broken.extend(places(end).filter_map(|place| wrong(tale, &members, place, when)));
    }
    broken
}

fn places<'a>(end: &End<'a>) -> impl Iterator<Item = &'a Place> {
    end.members.into_iter().flatten()
}

fn wrong(tale: &Tale<'_>, members: &Membership, place: &Place, when: &str) -> Option<String> {
    let Place { who, read, delivered, .. } = place;
    let marked = tale.marked.get(who).copied().unwrap_or_default();
    // Whoever comes has received and read what was before, and whoever reads has received.
    let came_at = members.stays(*who).last().map_or(0, |stay| stay.from);
    let marking = tale.marking.get(who).copied().unwrap_or_default();
    let highest =
        Marks { delivered: marking.delivered.max(marking.read).max(came_at), read: marking.read.max(came_at) };
    let fields = [
        ("received", *delivered, marked.delivered.max(marked.read), highest.delivered),
        ("read", *read, marked.read, highest.read),
    ];
    for (what, is, marked, highest) in fields {
        if is < marked {
            return Some(format!("person {who} had marked {marked} as {what}, and has {is} {when}"));
        }
        if is > highest {
            return Some(format!("person {who} has {what} {is} {when}, and never marked more than {highest}"));
        }
    }
    (delivered < read).then(|| format!("person {who} has read {read} {when}, and received only {delivered}"))
}
