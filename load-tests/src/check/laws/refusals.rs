//! The law about writing: a member's message is acknowledged, sooner or later, and only those outside are refused.

use crate::check::history::{Change, Who};
use crate::check::laws::changes::Membership;
use crate::check::tale::{Refusal, Tale};

/// What those are told who are not in a room.
const NOT_THEIRS: &str = "chat.room_not_found";

/// Refused for good though they were members all the while, or for another reason than not to be.
///
/// Somebody surely was a member from the first try to the refusal if something in the order at or behind the place of
/// their addition had been shown or acknowledged before that try, and if, at the refusal, nobody had yet asked for as
/// many removals as it takes to end this stay.
pub fn of_members(tale: &Tale<'_>) -> Vec<String> {
    let members = Membership::of(tale);
    let known = if tale.refusals.is_empty() { Vec::new() } else { known(tale) };
    let mut broken = Vec::new();
    for Refusal { step, key: (by, send), code } in &tale.refusals {
        if *code != NOT_THEIRS {
            broken.push(format!("message {send} of person {by} was refused for good: {code:?}"));
            continue;
        }
        let Some(first_try) = tale.sends.get(&(*by, *send)).filter(|sends| sends.tries > 0) else { continue };
        let removals = removals_asked(tale, *by, *step);
        let reached = reached_before(&known, first_try.first_step);
        let stay =
            members.stays(*by).iter().enumerate().find(|(over_before, stay)| {
                stay.from <= reached && (stay.until == u64::MAX || removals <= *over_before)
            });
        if let Some((_, stay)) = stay {
            broken.push(format!("message {send} of person {by}, a member since {}, was refused for good", stay.from));
        }
    }
    broken
}

fn removals_asked(tale: &Tale<'_>, who: Who, before: u64) -> usize {
    let removes = |change: &Change| matches!(change, Change::Remove(removed) if *removed == who);
    tale.asked.iter().filter(|(step, _, change)| *step < before && removes(change)).count()
}

/// Up to which place the order surely went, by step.
fn known(tale: &Tale<'_>) -> Vec<(u64, u64)> {
    let acked = tale.acks.iter().map(|ack| (ack.step, ack.seq));
    let mut known: Vec<(u64, u64)> = acked.chain(tale.sights().map(|(_, sight)| (sight.step, sight.seq))).collect();
    known.sort_unstable();
    let mut highest = 0;
    for (_, seq) in &mut known {
        highest = highest.max(*seq);
        *seq = highest;
    }
    known
}

fn reached_before(known: &[(u64, u64)], step: u64) -> u64 {
    let until = known.partition_point(|(at, _)| *at < step);
    until.checked_sub(1).and_then(|last| known.get(last)).map_or(0, |(_, seq)| *seq)
}
