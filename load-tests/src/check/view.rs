//! How far one device has got in one room, and what it does about gaps, as PROTOCOL says a client does. Pure.
//!
//! It shows what comes as the engine promises it, and only heals what the engine has announced (`room.lagged`,
//! `room.joined`): whatever else is missing, repeated or out of order is shown as it came, for the laws to see.

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The seq that was shown last.
    pub shown: u64,
    /// Up to here, pages of this connection reach: live events may come after the page that has them.
    paged: u64,
    /// What comes next in the page that was asked for.
    page_next: u64,
    /// There is more up to here at least, and it was announced.
    behind_to: Option<u64>,
    asking: bool,
    /// The room was not resumed: what came after `shown` is read in pages, whatever was announced.
    is_read_anew: bool,
    /// The room is not ours to read any more. The gap that was announced stays one until it is ours again.
    refused: bool,
}

impl View {
    /// A new connection, which has resumed from `shown`.
    pub fn connected(&mut self) {
        *self = Self { shown: self.shown, ..Self::default() };
    }

    /// A live event came; whether it is shown.
    pub fn live(&mut self, seq: u64) -> bool {
        if seq > self.shown + 1
            && let Some(behind_to) = &mut self.behind_to
        {
            // The page that is being asked for brings it.
            *behind_to = seq.max(*behind_to);
            return false;
        }
        if seq > self.shown + 1 && self.is_read_anew {
            self.behind_to = Some(seq);
            return false;
        }
        if seq <= self.shown && seq <= self.paged {
            return false;
        }
        self.shown = seq;
        true
    }

    /// The engine said that the room has got to `last_seq`.
    pub fn announce(&mut self, last_seq: u64) {
        if last_seq > self.shown {
            self.behind_to = Some(last_seq.max(self.behind_to.unwrap_or(0)));
            self.refused = false;
        }
    }

    /// The room was not resumed, and is at `last_seq`, or further than the engine had heard.
    pub fn read_anew(&mut self, last_seq: u64) {
        self.is_read_anew = true;
        self.announce(last_seq);
    }

    /// After which seq to ask for a page now, if at all.
    pub fn ask(&mut self) -> Option<u64> {
        if self.behind_to.is_some_and(|behind_to| behind_to <= self.shown) {
            self.behind_to = None;
        }
        if (self.behind_to.is_none() && !self.is_read_anew) || self.asking || self.refused {
            return None;
        }
        self.asking = true;
        self.page_next = self.shown + 1;
        Some(self.shown)
    }

    /// An event of a page; whether it is shown, as it is when the page itself repeats or leaves out something.
    pub fn paged(&mut self, seq: u64) -> bool {
        let is_next = seq == self.page_next;
        (self.paged, self.page_next) = (seq.max(self.paged), seq + 1);
        let shown = seq > self.shown || !is_next;
        self.shown = seq.max(self.shown);
        shown
    }

    /// The page has ended; `more` follows.
    pub fn page_ended(&mut self, last_seq: u64, more: bool) {
        (self.asking, self.is_read_anew) = (false, false);
        if more {
            self.announce(last_seq);
        }
    }

    /// The page was refused: the room is not ours to read any more, or (`later`) not now.
    pub fn page_failed(&mut self, later: bool) {
        self.asking = false;
        self.refused = !later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_order_is_shown() {
        let mut view = View::default();
        assert!(view.live(1) && view.live(2) && view.live(3));
        assert_eq!((view.shown, view.ask()), (3, None));
    }

    #[test]
    fn an_announced_gap_is_filled_by_pages() {
        let mut view = View { shown: 2, ..View::default() };
        view.announce(6);
        assert_eq!((view.ask(), view.ask()), (Some(2), None));
        assert!(!view.live(7), "the page brings it");
        assert!((3..=5).all(|seq| view.paged(seq)));
        view.page_ended(7, true);
        assert_eq!(view.ask(), Some(5));
        assert!(view.paged(6) && view.paged(7) && view.paged(8));
        view.page_ended(8, false);
        assert!(!view.live(8), "it came with the page");
        assert!(view.live(9));
        assert_eq!(view.ask(), None);
    }

    #[test]
    fn other_gaps_and_repetitions_are_shown_as_they_come() {
        let mut view = View { shown: 2, ..View::default() };
        assert!(view.live(5) && view.live(5) && view.live(3));
    }

    #[test]
    fn a_page_that_repeats_is_shown_as_it_comes() {
        let mut view = View { shown: 5, ..View::default() };
        view.announce(8);
        assert_eq!(view.ask(), Some(5));
        assert!([5, 6, 7, 7, 8].into_iter().all(|seq| view.paged(seq)));
    }

    #[test]
    fn a_gap_that_may_not_be_filled_stays_announced() {
        let mut view = View::default();
        view.announce(5);
        assert_eq!(view.ask(), Some(0));
        view.page_failed(false);
        assert!(!view.live(6), "the last that we see of the room: our own removal");
        assert_eq!(view.ask(), None);
        view.announce(9);
        assert_eq!(view.ask(), Some(0));
        view.page_failed(true);
        assert_eq!(view.ask(), Some(0));
    }

    #[test]
    fn a_room_that_was_not_resumed_is_read_once_at_least() {
        let mut view = View { shown: 5, ..View::default() };
        view.read_anew(4);
        assert!(!view.live(8), "what was missed comes with the page");
        assert_eq!((view.ask(), view.ask()), (Some(5), None));
        assert!((6..=8).all(|seq| view.paged(seq)));
        view.page_ended(8, false);
        assert_eq!(view.ask(), None);
        view.read_anew(8);
        assert_eq!(view.ask(), Some(8));
        view.page_ended(8, false);
        assert!(view.live(9) && view.ask().is_none());
    }

    #[test]
    fn a_new_connection_excuses_no_repetition() {
        let mut view = View::default();
        view.announce(3);
        assert_eq!(view.ask(), Some(0));
        assert!((1..=3).all(|seq| view.paged(seq)));
        view.connected();
        assert!(view.live(3));
    }
}
