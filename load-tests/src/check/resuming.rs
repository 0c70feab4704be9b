//! Coming back: what a reader asks to resume, and what it does about rooms that are not resumed.

use rand::RngExt;
use uuid::Uuid;

use super::history::{ComingBack, Record, RoomNo};
use super::readers::Reader;
use super::world::Tally;
use crate::client::{Kept, Ready};

/// Now and then a reader asks for a room from so far beyond what it has: that has to be refused.
const BEYOND: u64 = 1_000_000;
const BEYOND_ONE_IN: u32 = 12;

impl Reader {
    /// For each room the last event that it says it has.
    pub(super) fn asked(&mut self) -> Vec<(RoomNo, u64)> {
        let mut asked: Vec<(RoomNo, u64)> = self.views.iter().map(|(room, view)| (*room, view.shown)).collect();
        // An engine that names no epoch refuses nothing either.
        if self.epoch.is_some() {
            for (_, from) in &mut asked {
                *from += if self.rng.random_ratio(1, BEYOND_ONE_IN) { BEYOND } else { 0 };
            }
        }
        asked
    }

    pub(super) fn kept(&self, asked: &[(RoomNo, u64)]) -> Kept {
        let resume = asked.iter().filter_map(|(room, from)| Some((self.world.room(*room)?, *from)));
        Kept { epoch: self.epoch, resume: resume.collect() }
    }

    /// Notes what became of each room, and reads anew those that are not resumed.
    pub(super) fn take_ready(&mut self, ready: &Ready, asked: &[(RoomNo, u64)], said: u64) {
        self.epoch = ready.epoch;
        if ready.epoch.is_none() {
            return;
        }
        let resumed = self.resumed_at_most(ready, asked);
        for (room, from) in asked {
            let Some(id) = self.world.room(*room) else { continue };
            let answer = match ready.refused(id) {
                Some(reason) => ComingBack::Refused { reason: reason.to_owned(), resumed },
                None if ready.rooms_truncated || last_seq(ready, id).is_some() => ComingBack::GoesOn,
                None => ComingBack::Forgotten,
            };
            if let (ComingBack::Refused { .. }, Some(last_seq), Some(view)) =
                (&answer, last_seq(ready, id), self.views.get_mut(room))
            {
                Tally::count(&self.world.tally.not_resumed);
                view.read_anew(last_seq);
            }
            self.world.recorder.note(*room, Record::CameBack { reader: self.me, from: *from, said, answer });
        }
    }

    /// Those that are not refused and have another last event than asked for. It may be an older one, where the engine
    /// has not heard of the newest yet: of that, too, something may be missing.
    fn resumed_at_most(&self, ready: &Ready, asked: &[(RoomNo, u64)]) -> u64 {
        let moved_on = asked.iter().filter(|(room, from)| {
            let id = self.world.room(*room);
            id.is_some_and(|id| ready.refused(id).is_none() && last_seq(ready, id) != Some(*from))
        });
        moved_on.count() as u64
    }
}

fn last_seq(ready: &Ready, room: Uuid) -> Option<u64> {
    ready.rooms.iter().find(|listed| listed.id == room).map(|listed| listed.last_seq)
}
