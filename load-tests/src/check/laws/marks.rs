//! Laws about marks of what was received and read: they only grow, are told to members as they were set, and end there.

use std::collections::HashMap;

use crate::check::history::{Marks, Place, Who};
use crate::check::laws::changes::{Membership, Stay};
use crate::check::tale::{End, Tale, Told};

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

/// Told of marks that nobody had set by then.
pub fn invented(tale: &Tale<'_>) -> Vec<String> {
    let members = Membership::of(tale);
    let mut broken = Vec::new();
    for now in &tale.told {
        let highest = highest(tale, &members, now.of, now.step);
        if now.read > highest.read || now.delivered > highest.delivered {
            let Told { reader, of, delivered, read, .. } = now;
            let Marks { delivered: most, read: most_read } = highest;
            broken.push(format!(
                "reader {reader} was told that person {of} has marked ({delivered}, {read}), who had set ({most}, {most_read})"
            ));
        }
    }
    broken
}

/// Told of marks after they had seen how they left, and before anybody had asked to have them back.
pub fn told_outside(tale: &Tale<'_>) -> Vec<String> {
    let members = Membership::of(tale);
    // By reader: how many additions each stay takes, and when they saw its end.
    let mut stays: HashMap<Who, Vec<(usize, u64)>> = HashMap::new();
    for now in &tale.told {
        stays.entry(now.reader).or_insert_with(|| {
            let seen_at =
                |seq| tale.sights_of(now.reader).filter(|sight| sight.seq == seq).map(|sight| sight.step).min();
            let over = |stay: &Stay| (stay.additions, seen_at(stay.until).unwrap_or(u64::MAX));
            members.stays(now.reader).iter().map(over).collect()
        });
    }
    let is_outside = |now: &&Told| {
        let began = tale.additions_asked(now.reader, now.step);
        !stays.get(&now.reader).into_iter().flatten().any(|(takes, over)| *takes <= began && now.step < *over)
    };
    let told = |now: &Told| format!("reader {} was told of marks of person {} while not a member", now.reader, now.of);
    tale.told.iter().filter(is_outside).map(told).collect()
}

/// The highest marks that somebody can have at this step. Whoever comes has received and read what was before, and whoever
/// reads has received.
fn highest(tale: &Tale<'_>, members: &Membership, who: Who, step: u64) -> Marks {
    let began = tale.additions_asked(who, step);
    let came_at = members.stays(who).iter().rfind(|stay| stay.additions <= began).map_or(0, |stay| stay.from);
    let Marks { delivered, read } = tale.marking_before(who, step);
    Marks { delivered: delivered.max(read).max(came_at), read: read.max(came_at) }
}

fn places<'a>(end: &End<'a>) -> impl Iterator<Item = &'a Place> {
    end.members.into_iter().flatten()
}

fn wrong(tale: &Tale<'_>, members: &Membership, place: &Place, when: &str) -> Option<String> {
    let Place { who, read, delivered, .. } = place;
    let marked = tale.marked.get(who).copied().unwrap_or_default();
    let highest = highest(tale, members, *who, u64::MAX);
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
