//! Laws about what is read in the end: lists name everything once and in their order, before and after a restart.

use std::collections::{BTreeMap, HashMap};

use crate::check::history::{Kept, Place, Who};
use crate::check::tale::{End, Tale};

/// What the list of messages shows differently from the room's order.
pub fn listed_differently(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    // The first time it is read forwards, the second time backwards.
    for (end, when, forwards) in [(&tale.first, "at rest", true), (&tale.again, "after the restart", false)] {
        if end.described.is_none() {
            continue;
        }
        let in_order = end.rows.iter().filter_map(|row| Some((row.seq, row.fact.message()?)));
        let in_order: HashMap<u64, &Kept> = in_order.collect();
        let listed: HashMap<u64, &Kept> = end.listed.iter().copied().collect();
        for (seq, kept) in &in_order {
            if listed.get(seq) != Some(kept) {
                broken.push(format!("{when}, the list does not show {seq} as it is in the order"));
            }
        }
        for seq in listed.keys().filter(|seq| !in_order.contains_key(seq)) {
            broken.push(format!("{when}, the list shows {seq}, which the order does not have"));
        }
        let seqs: Vec<u64> = end.listed.iter().map(|(seq, _)| *seq).collect();
        broken.extend(misplaced(&seqs, forwards).map(|what| format!("{when}, the list shows {what}")));
    }
    broken
}

/// Neighbours that do not rise (or fall, if it was read backwards): twice, or in the wrong order.
fn misplaced(seqs: &[u64], forwards: bool) -> impl Iterator<Item = String> {
    let pairs = seqs.iter().zip(seqs.iter().skip(1));
    let wrong = pairs.filter(move |(before, after)| if forwards { before >= after } else { before <= after });
    wrong.map(|(before, after)| format!("{after} behind {before}"))
}

/// Members that the list of members names more than once.
pub fn members_twice(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (end, when) in [(&tale.first, "at rest"), (&tale.again, "after the restart")] {
        let mut times: BTreeMap<Who, usize> = BTreeMap::new();
        for place in end.members.into_iter().flatten() {
            *times.entry(place.who).or_default() += 1;
        }
        let twice = times.into_iter().filter(|(_, times)| *times > 1);
        broken.extend(twice.map(|(who, times)| format!("{when}, person {who} is a member {times} times")));
    }
    broken
}

/// What an engine with nothing in memory has otherwise than the one before.
pub fn restarted_differently(tale: &Tale<'_>) -> Vec<String> {
    // Not read: the run had no engine of its own to start again.
    let (Some(before), Some(after)) = (tale.first.described, tale.again.described) else { return Vec::new() };
    let mut broken = Vec::new();
    let frames =
        |end: &End<'_>| end.rows.iter().map(|row| (row.seq, (row.frame, row.says))).collect::<BTreeMap<_, _>>();
    let (first, again) = (frames(&tale.first), frames(&tale.again));
    for (seq, frame) in &first {
        match again.get(seq) {
            Some(now) if now == frame => {}
            Some(_) => broken.push(format!("{seq} is another after the restart")),
            None => broken.push(format!("{seq} is gone after the restart")),
        }
    }
    for seq in again.keys().filter(|seq| !first.contains_key(seq)) {
        broken.push(format!("{seq} has come by the restart"));
    }
    let seqs: Vec<u64> = tale.again.rows.iter().map(|row| row.seq).collect();
    broken.extend(misplaced(&seqs, true).map(|what| format!("after the restart, the order has {what}")));
    if (before.name, before.topic, before.last_seq) != (after.name, after.topic, after.last_seq) {
        broken.push(format!("the room was {before:?} and is {after:?}"));
    }
    let (first, again) = (roles(&tale.first), roles(&tale.again));
    if first != again {
        broken.push(format!("the members were {first:?} and are {again:?}"));
    }
    broken
}

fn roles(end: &End<'_>) -> BTreeMap<Who, String> {
    let role = |place: &Place| (place.who, place.role.clone());
    end.members.into_iter().flatten().map(role).collect()
}
