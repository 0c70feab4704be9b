//! Where a device is in the order of one room.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The newest seq that it has heard of; the next live event is the one after it.
    pub seq: u64,
    /// Events before that which were shed and are being read.
    pub missing: Option<Missing>,
    /// The engine refused what is missing: its owner is not in the room any more.
    pub is_denied: bool,
    is_known: bool,
}

/// What is still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub after: u64,
    pub until: u64,
}

impl Place {
    /// In a room that nobody told the device of: whatever comes first begins it.
    pub const UNKNOWN: Self = Self { seq: 0, missing: None, is_denied: false, is_known: false };

    pub fn at(seq: u64) -> Self {
        Self { seq, missing: None, is_denied: false, is_known: true }
    }

    /// Takes an event that came live, and says which was to come; `None` in a room that was not known.
    pub fn take(&mut self, seq: u64) -> Option<u64> {
        let expected = self.is_known.then_some(self.seq + 1);
        self.seq = self.seq.max(seq);
        self.is_known = true;
        expected
    }

    /// Up to here it has everything.
    pub fn whole(&self) -> u64 {
        self.missing.map_or(self.seq, |missing| missing.after)
    }

    /// What waited up to `last_seq` was shed. Whether nobody reads for this room yet.
    pub fn shed(&mut self, last_seq: u64) -> bool {
        let is_first = self.missing.is_none();
        self.missing = Some(Missing { after: self.whole(), until: last_seq });
        self.seq = self.seq.max(last_seq);
        is_first
    }

    /// A page of what is missing was read, up to `seq`.
    pub fn read(&mut self, seq: u64) {
        let Some(missing) = &mut self.missing else { return };
        missing.after = missing.after.max(seq);
        if missing.after >= missing.until {
            self.missing = None;
        }
    }

    /// A page after `after` was refused. Nothing, if another is missing by now: they have left and come back.
    pub fn deny(&mut self, after: u64) {
        if self.missing.is_some_and(|missing| missing.after == after) {
            self.missing = None;
            self.is_denied = true;
        }
    }

    /// Before it comes back: it resumes from where it has everything.
    pub fn go_back(&mut self) {
        *self = Self::at(self.whole());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shed_is_missing_until_it_is_read() {
        let mut place = Place::at(5);
        assert_eq!(place.take(6), Some(6));
        assert!(place.shed(10));
        assert_eq!((place.whole(), place.take(11)), (6, Some(11)));
        assert!(!place.shed(20), "one reader is enough");
        place.read(12);
        assert_eq!((place.whole(), place.seq), (12, 20));
        place.read(20);
        assert_eq!((place.whole(), place.missing), (20, None));
    }

    #[test]
    fn a_cut_resumes_from_where_everything_is_there() {
        let mut place = Place::at(5);
        place.shed(10);
        place.read(7);
        place.go_back();
        assert_eq!(place, Place::at(7));
    }

    #[test]
    fn a_room_that_nobody_told_of_is_not_a_beginning_like_any_other() {
        let mut place = Place::UNKNOWN;
        assert_eq!((place.take(41), place.take(42), place.take(44)), (None, Some(42), Some(43)));
    }
}
