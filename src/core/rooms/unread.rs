//! Who sent a room's newest messages: enough to count what somebody has not read. Pure.
//!
//! Invariant: of messages with a seq above `known_after`, all senders are here.

use std::collections::VecDeque;

use uuid::Uuid;

use crate::order::{Row, RowBody};
use parlance_foundation::ids::UserId;
use parlance_foundation::party::Party;

/// Unread messages are counted up to here: a badge says 99+.
pub const UNREAD_MAX: i64 = 100;

/// How many of the newest messages' senders are kept: enough to count to [`UNREAD_MAX`] past some of one's own.
pub const SENDERS_MAX: usize = 160;

/// Room for so many is made first.
const ROOM_AT_FIRST: usize = 8;

/// See the module. Rooms have it by the hundred thousand: eight bytes a message, and no room for more than there can be.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    /// Oldest first.
    sent: VecDeque<Sent>,
    /// The seqs of the first and the last of them.
    oldest: i64,
    newest: i64,
    known_after: i64,
}

/// That somebody sent a message: 48 bits of who, and 16 of how many events there were between it and the message before.
#[derive(Clone, Copy, Debug)]
struct Sent(u64);

impl Sent {
    /// The end of a party's id, which is random: no two members of a room share it. 0: the engine itself.
    fn who(party: Option<Uuid>) -> u64 {
        party.map_or(0, |party| party.as_u64_pair().1 << 16)
    }

    fn by(self) -> u64 {
        self.0 & !0xffff
    }

    /// From the message before to this one, in seqs.
    fn step(self) -> i64 {
        i64::from((self.0 & 0xffff) as u16) + 1
    }
}

impl Senders {
    /// Of messages up to `seq` nothing is known.
    pub fn after(seq: i64) -> Self {
        Self { known_after: seq, ..Self::default() }
    }

    /// Those of rows without a gap, the last of which is the room's newest.
    pub fn of(rows: &[Row], last_seq: i64) -> Self {
        let mut senders = Self::after(rows.first().map_or(last_seq, |row| row.seq - 1));
        rows.iter().for_each(|row| senders.push_row(row));
        senders
    }

    /// The room's next row.
    pub fn push_row(&mut self, row: &Row) {
        if let RowBody::Message(message) = &row.body {
            self.push(row.seq, message.sender.map(Party::uuid));
        }
    }

    /// The room's next message.
    pub fn push(&mut self, seq: i64, sender: Option<Uuid>) {
        if self.sent.len() >= SENDERS_MAX {
            self.forget_oldest();
        }
        let mut between = u16::try_from(seq - self.newest - 1).unwrap_or(u16::MAX);
        if self.sent.is_empty() {
            (self.oldest, between) = (seq, 0);
        } else if between == u16::MAX {
            self.known_after = self.newest;
            self.sent.clear();
            (self.oldest, between) = (seq, 0);
        }
        if self.sent.len() == self.sent.capacity() {
            let more = self.sent.len().max(ROOM_AT_FIRST).min(SENDERS_MAX - self.sent.len());
            self.sent.reserve_exact(more);
        }
        self.sent.push_back(Sent(Sent::who(sender) | u64::from(between)));
        self.newest = seq;
    }

    fn forget_oldest(&mut self) {
        if self.sent.pop_front().is_some() {
            self.known_after = self.oldest;
            self.oldest += self.sent.front().map_or(0, |next| next.step());
        }
    }

    /// How many messages above `seq` others than `user` sent, up to [`UNREAD_MAX`], and whether that is known.
    pub fn unread(&self, user: UserId, seq: i64) -> (i64, bool) {
        let (mut at, me) = (self.newest, Sent::who(Some(user.0)));
        let newer = self.sent.iter().rev().take_while(|sent| {
            let is_newer = at > seq;
            at -= sent.step();
            is_newer
        });
        let others = newer.filter(|sent| sent.by() != me);
        let unread = others.zip(1..=UNREAD_MAX).last().map_or(0, |(_, count)| count);
        (unread, seq >= self.known_after || unread == UNREAD_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn it_never_takes_more_room_than_there_can_be_senders() {
        let mut senders = Senders::after(0);
        (1..=1_000).for_each(|seq| senders.push(seq, Some(user(1).0)));
        assert!(senders.sent.capacity() <= SENDERS_MAX, "{}", senders.sent.capacity());
        let known_from = 1_000 - SENDERS_MAX as i64;
        assert_eq!(senders.unread(user(1), known_from), (0, true));
        assert_eq!(senders.unread(user(1), known_from - 1), (0, false));
        assert_eq!(senders.unread(user(2), 990), (10, true));
        assert_eq!(senders.unread(user(2), 0), (UNREAD_MAX, true));
    }

    #[test]
    fn events_between_messages_are_none_of_them() {
        let mut senders = Senders::after(0);
        for seq in [5, 6, 900, 70_000] {
            senders.push(seq, Some(user(1).0));
        }
        for (seq, unread) in [(4, 4), (5, 3), (6, 2), (899, 2), (900, 1), (69_999, 1), (70_000, 0)] {
            let known = seq >= 900;
            assert_eq!(senders.unread(user(2), seq), if known { (unread, true) } else { (1, false) }, "{seq}");
        }
        let mut near = Senders::after(0);
        [5, 6, 900, 901].into_iter().for_each(|seq| near.push(seq, None));
        for (seq, unread) in [(0, 4), (5, 3), (6, 2), (900, 1), (901, 0)] {
            assert_eq!(near.unread(user(2), seq), (unread, true), "{seq}");
        }
    }
}
