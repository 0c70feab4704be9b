//! What was surely so at a step, whatever was still on its way.

use crate::check::history::{Change, Who};
use crate::check::laws::changes::{Membership, Stay};
use crate::check::tale::Tale;

/// See the module.
pub struct Surely<'a> {
    tale: &'a Tale<'a>,
    members: Membership,
    /// Up to which place the order went, by step.
    known: Vec<(u64, u64)>,
}

impl<'a> Surely<'a> {
    pub fn of(tale: &'a Tale<'a>) -> Self {
        let acked = tale.acks.iter().map(|ack| (ack.step, ack.seq));
        let mut known: Vec<(u64, u64)> = acked.chain(tale.sights().map(|(_, sight)| (sight.step, sight.seq))).collect();
        known.sort_unstable();
        let mut highest = 0;
        for (_, seq) in &mut known {
            highest = highest.max(*seq);
            *seq = highest;
        }
        Self { tale, members: Membership::of(tale), known }
    }

    /// Up to which place the order went before this step: so much had been shown, or acknowledged.
    pub fn reached(&self, step: u64) -> u64 {
        let until = self.known.partition_point(|(at, _)| *at < step);
        until.checked_sub(1).and_then(|last| self.known.get(last)).map_or(0, |(_, seq)| *seq)
    }

    /// The stay of somebody who was a member all the while between these steps: the order had gone to the place of their
    /// addition before the first, and at the second nobody had yet asked for as many removals as it takes to end this stay.
    pub fn a_member(&self, who: Who, from: u64, until: u64) -> Option<Stay> {
        let (removals, reached) = (self.removals_asked(who, until), self.reached(from));
        let stays = self.members.stays(who).iter().enumerate();
        let is_whole = |(over_before, stay): &(usize, &Stay)| {
            stay.from <= reached && (stay.until == u64::MAX || removals <= *over_before)
        };
        stays.into_iter().find(is_whole).map(|(_, stay)| *stay)
    }

    fn removals_asked(&self, who: Who, before: u64) -> usize {
        let removes = |change: &Change| matches!(change, Change::Remove(removed) if *removed == who);
        self.tale.asked.iter().filter(|(step, _, change)| *step < before && removes(change)).count()
    }
}
