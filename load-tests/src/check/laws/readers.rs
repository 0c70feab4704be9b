//! Laws about readers: what they were shown, in which order, and whether they were to see it.

use std::collections::HashMap;

use crate::check::history::{Change, Who};
use crate::check::laws::changes::Membership;
use crate::check::tale::Tale;

/// Shown with a gap, twice, or out of order.
pub fn out_of_order(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (reader, saw) in &tale.saw {
        let mut before = 0;
        for sight in saw {
            if sight.seq != before + 1 {
                broken.push(format!("reader {reader} was shown {} after {before}", sight.seq));
            }
            before = sight.seq;
        }
    }
    broken
}

/// Came, shown or not, and is not there, or not like that.
pub fn unkept(tale: &Tale<'_>) -> Vec<String> {
    let frames: HashMap<u64, u64> = tale.first.rows.iter().map(|row| (row.seq, row.frame)).collect();
    let mut broken = Vec::new();
    for (reader, sight) in tale.sights() {
        match frames.get(&sight.seq) {
            Some(frame) if *frame == sight.frame => {}
            Some(_) => broken.push(format!("reader {reader} was sent another {} than there is", sight.seq)),
            None => broken.push(format!("reader {reader} was sent {}, which is not there", sight.seq)),
        }
    }
    broken
}

/// Two readers were sent different things at one place.
pub fn disagreeing(tale: &Tale<'_>) -> Vec<String> {
    let mut first: HashMap<u64, (Who, u64)> = HashMap::new();
    let mut broken = Vec::new();
    for (reader, sight) in tale.sights() {
        let (other, frame) = *first.entry(sight.seq).or_insert((reader, sight.frame));
        if frame != sight.frame {
            broken.push(format!("readers {other} and {reader} were sent different {}", sight.seq));
        }
    }
    broken
}

/// Members in the end who were not shown everything.
pub fn behind(tale: &Tale<'_>) -> Vec<String> {
    let Some(end) = tale.first.rows.last().map(|row| row.seq) else { return Vec::new() };
    let members = Membership::of(tale);
    let mut broken = Vec::new();
    for reader in tale.cast.readers.iter().filter(|reader| members.is_member_in_the_end(**reader)) {
        let last = tale.saw.get(reader).and_then(|saw| saw.last()).map_or(0, |sight| sight.seq);
        if last < end {
            broken.push(format!("reader {reader} is a member and was shown nothing after {last}"));
        }
    }
    broken
}

/// Came to somebody who was not a member then, shown or not.
///
/// A member may read everything up to the end of their membership, also what was said before they came. So an event is
/// for somebody's eyes if it stands before the end of a membership that may have begun by then and, when it came with a
/// page, that was not surely over when the page was asked for. Which membership may have begun or is surely over: as
/// many additions as were asked for, as many removals as were granted.
pub fn strangers(tale: &Tale<'_>) -> Vec<String> {
    let members = Membership::of(tale);
    let mut broken = Vec::new();
    for reader in &tale.cast.readers {
        let is_add = |change: &Change| matches!(change, Change::Add(who, _) if who == reader);
        let is_removal = |change: &Change| matches!(change, Change::Remove(who) if who == reader);
        let asked = tale.asked.iter().filter(|(_, _, change)| is_add(change));
        let adds: Vec<u64> = asked.map(|(step, _, _)| *step).collect();
        let granted = tale.granted.iter().filter(|(_, _, change)| is_removal(change));
        let removals: Vec<u64> = granted.map(|(step, _, _)| *step).collect();
        let before = |steps: &[u64], step: u64| steps.partition_point(|at| *at < step);
        for sight in tale.sights_of(*reader) {
            let is_for = members.stays(*reader).iter().enumerate().any(|(over_before, stay)| {
                sight.seq <= stay.until
                    && before(&adds, sight.step) >= stay.additions
                    && sight.asked.is_none_or(|asked| before(&removals, asked) <= over_before)
            });
            if !is_for {
                let how = if sight.asked.is_some() { "in a page" } else { "live" };
                broken.push(format!("reader {reader} was sent {} {how} while not a member", sight.seq));
            }
        }
    }
    broken
}
