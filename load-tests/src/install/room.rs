//! One room of an installation: what stands at each place of its order. Pure.
//!
//! Invariant: everything follows from the room's dice and the place, so that `seq` 1 to `last_seq` are all there, each
//! exactly once, and in order of time.

use uuid::Uuid;

use super::dice::Dice;
use super::text::{self, Texts};

/// Every so many of a room's events it is renamed, this often at most.
const RENAMED_EVERY: u64 = 10;
const RENAMED_MAX: u64 = 3;
/// One message in so many is a reply.
const REPLY_ONE_IN: u64 = 20;

/// What the dice of a row decide.
mod places {
    pub const TIME: u64 = 1;
    pub const SENDER: u64 = 2;
    pub const TEXT: u64 = 3;
    pub const ID: u64 = 4;
    pub const CLIENT_ID: u64 = 5;
    pub const REPLY: u64 = 6;
    pub const EVENT: u64 = 7;
    pub const NAME: u64 = 8;
    pub const MARK: u64 = 9;
    pub const LAG: u64 = 10;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Direct,
    Group,
    Channel,
    /// A channel of everybody.
    Assembly,
}

impl Kind {
    /// As the schema calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Channel | Self::Assembly => "channel",
        }
    }
}

/// A room and how it grew.
#[derive(Clone, Debug)]
pub struct Room {
    pub kind: Kind,
    pub space: Option<usize>,
    /// By number, in the order in which they came.
    pub members: Vec<u32>,
    /// So many of them made the room together; the others joined later, one event each.
    pub founders: usize,
    pub messages: u64,
    /// When it was made, and when its last row was written, in microseconds since 1970.
    pub begun: i64,
    pub ended: i64,
    pub dice: Dice,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Message,
    /// This member joined, by its place in `members`.
    Joined(usize),
    /// The room got its how-many-th other name.
    Renamed(u64),
}

/// A message, but for its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Uuid,
    /// By its place in `members`.
    pub sender: usize,
    pub client_id: Uuid,
    pub reply_to: Option<Uuid>,
    pub at: i64,
}

/// How far a member has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub joined_at: i64,
    pub delivered_seq: u64,
    pub read_seq: u64,
}

impl Room {
    pub fn id(&self) -> Uuid {
        uuid_at(self.begun, self.dice.at(places::ID))
    }

    pub fn last_seq(&self) -> u64 {
        self.messages + self.events()
    }

    /// Joinings and renamings.
    pub fn events(&self) -> u64 {
        let joins = (self.members.len() - self.founders) as u64;
        joins + (joins / (RENAMED_EVERY - 1)).min(RENAMED_MAX)
    }

    pub fn renamings(&self) -> u64 {
        renamings_before(self.events())
    }

    /// The name after so many renamings; a direct room has none.
    pub fn name(&self, renamings: u64) -> Option<String> {
        let dice = self.dice.at(places::NAME).at(renamings);
        (self.kind != Kind::Direct).then(|| format!("{} {}", text::word(dice.at(0)), text::word(dice.at(1))))
    }

    /// When the row at `seq` was written: each has its own share of the room's life, and its own moment in that.
    pub fn time(&self, seq: u64) -> i64 {
        let life = i128::from(self.ended - self.begun);
        let whole = i128::from(self.last_seq().max(1));
        let share = |seq: u64| life * i128::from(seq) / whole;
        let (from, to) = (share(seq.saturating_sub(1)), share(seq));
        let within = self.row(seq).at(places::TIME).below(u64::try_from(to - from).unwrap_or(0));
        self.begun + i64::try_from(from).unwrap_or(0) + i64::try_from(within).unwrap_or(0)
    }

    pub fn entry(&self, seq: u64) -> Entry {
        match self.event_near(seq) {
            Some((event, at)) if at == seq => {
                let renamed = renamings_before(event + 1);
                if renamed > renamings_before(event) {
                    return Entry::Renamed(renamed);
                }
                let joined = usize::try_from(event - renamed).unwrap_or(usize::MAX);
                Entry::Joined(self.founders + joined)
            }
            _ => Entry::Message,
        }
    }

    pub fn row_id(&self, seq: u64) -> Uuid {
        uuid_at(self.time(seq), self.row(seq).at(places::ID))
    }

    pub fn message(&self, seq: u64) -> Message {
        let row = self.row(seq);
        // Those who were there first write most.
        let sender = row.at(places::SENDER).skewed_below(self.present(seq) as u64, 2);
        let reply = row.at(places::REPLY);
        let earlier = seq.saturating_sub(1 + reply.at(1).below(20)).max(1);
        let replies = reply.below(REPLY_ONE_IN) == 0 && earlier < seq && self.entry(earlier) == Entry::Message;
        Message {
            id: self.row_id(seq),
            sender: usize::try_from(sender).unwrap_or(0),
            client_id: random_uuid(row.at(places::CLIENT_ID)),
            reply_to: replies.then(|| self.row_id(earlier)),
            at: self.time(seq),
        }
    }

    pub fn text<'a>(&self, seq: u64, texts: &'a Texts) -> &'a str {
        texts.text(self.row(seq).at(places::TEXT))
    }

    /// How many of the members there were when the row at `seq` was written.
    fn present(&self, seq: u64) -> usize {
        let before = self.event_near(seq).map_or(0, |(event, at)| event + u64::from(at < seq));
        self.founders + usize::try_from(before - renamings_before(before)).unwrap_or(0)
    }

    /// The row of the order in whose stretch `seq` lies, and at which seq of that stretch the event stands.
    fn event_near(&self, seq: u64) -> Option<(u64, u64)> {
        let (events, whole) = (self.events(), self.last_seq());
        if events == 0 || seq == 0 || seq > whole {
            return None;
        }
        let event = (seq * events - 1) / whole;
        Some((event, self.event_seq(event)))
    }

    /// Where an event stands: each has its own stretch of the order, and its own place in that.
    fn event_seq(&self, event: u64) -> u64 {
        let (events, whole) = (self.events().max(1), self.last_seq());
        let from = event * whole / events;
        let to = (event + 1) * whole / events;
        from + 1 + self.dice.at(places::EVENT).at(event).below(to - from)
    }

    /// Where the events stand.
    pub fn event_seqs(&self) -> impl Iterator<Item = u64> {
        (0..self.events()).map(|event| self.event_seq(event))
    }

    /// Where the member at this place of `members` joined; 0 for a founder.
    fn joined_seq(&self, member: usize) -> u64 {
        let Some(join) = member.checked_sub(self.founders) else { return 0 };
        let join = join as u64;
        self.event_seq(join + (join / (RENAMED_EVERY - 1)).min(RENAMED_MAX))
    }

    /// Most members have read everything; some are behind, and a few have not come back for long.
    pub fn mark(&self, member: usize) -> Mark {
        let dice = self.dice.at(places::MARK).at(member as u64);
        let (joined, last) = (self.joined_seq(member), self.last_seq());
        let lag = dice.at(places::LAG);
        let behind = match dice.below(20) {
            0 => lag.below(last + 1),
            1..=3 => lag.below(last / 20 + 1),
            4..=8 => lag.below(last.min(50) + 1),
            _ => 0,
        };
        let read_seq = (last - behind).max(joined);
        // What was not read was delivered all the same, unless the member has been away.
        let delivered_seq = if behind > last / 20 { read_seq } else { last };
        let joined_at = if joined == 0 { self.begun } else { self.time(joined) };
        Mark { joined_at, delivered_seq, read_seq }
    }

    fn row(&self, seq: u64) -> Dice {
        self.dice.at(u64::MAX - seq)
    }
}

/// Of a room's first `events` events, how many are renamings: every tenth, up to the most.
fn renamings_before(events: u64) -> u64 {
    (events / RENAMED_EVERY).min(RENAMED_MAX)
}

/// A UUIDv7 of this microsecond (RFC 9562, method 3: the fraction of the millisecond follows it).
pub fn uuid_at(micros: i64, dice: Dice) -> Uuid {
    let micros = u64::try_from(micros).unwrap_or(0);
    let (millis, fraction) = (micros / 1_000, micros % 1_000 * 4_096 / 1_000);
    let high = u128::from(millis) << 80 | 0x7 << 76 | u128::from(fraction) << 64;
    let low = u128::from(dice.number() >> 2 | 1 << 63);
    Uuid::from_u128(high | low)
}

/// A UUIDv4, as clients make them for what they send.
pub fn random_uuid(dice: Dice) -> Uuid {
    let number = u128::from(dice.at(0).number()) << 64 | u128::from(dice.at(1).number());
    uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(members: u32, founders: usize, messages: u64) -> Room {
        let dice = Dice::of(u64::from(members) * 1_000 + messages, "room");
        let (begun, ended) = (1_700_000_000_000_000, 1_760_000_000_000_000);
        Room { kind: Kind::Group, space: None, members: (0..members).collect(), founders, messages, begun, ended, dice }
    }

    #[test]
    fn every_place_of_the_order_is_taken_once_and_in_time() {
        for (members, founders, messages) in
            [(2, 2, 0), (3, 1, 0), (11, 2, 1), (29, 2, 3), (40, 5, 500), (12, 12, 99), (60, 1, 7), (2, 2, 1)]
        {
            let room = room(members, founders, messages);
            let entries: Vec<Entry> = (1..=room.last_seq()).map(|seq| room.entry(seq)).collect();
            let written = entries.iter().filter(|entry| **entry == Entry::Message).count() as u64;
            assert_eq!(written, messages, "{members} members, {founders} founders, {messages} messages");
            let joined: Vec<usize> = entries
                .iter()
                .filter_map(|entry| if let Entry::Joined(who) = entry { Some(*who) } else { None })
                .collect();
            assert_eq!(joined, (founders..room.members.len()).collect::<Vec<_>>(), "each joins once, in order");
            let renamed = entries.iter().filter(|entry| matches!(entry, Entry::Renamed(_))).count() as u64;
            assert_eq!(renamed, room.renamings());
            let ids: Vec<Uuid> = (1..=room.last_seq()).map(|seq| room.row_id(seq)).collect();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "ids rise with the order");
            assert!(ids.iter().all(|id| id.get_version_num() == 7));
        }
    }

    #[test]
    fn only_those_who_are_there_write_and_read() {
        let room = room(40, 5, 500);
        let mut present = room.founders;
        for seq in 1..=room.last_seq() {
            match room.entry(seq) {
                Entry::Joined(member) => {
                    assert_eq!(member, present, "at {seq}");
                    assert_eq!(room.joined_seq(member), seq);
                    present += 1;
                }
                Entry::Message => assert!(room.message(seq).sender < present, "at {seq}"),
                Entry::Renamed(_) => {}
            }
        }
        for member in 0..room.members.len() {
            let mark = room.mark(member);
            assert!(room.joined_seq(member) <= mark.read_seq && mark.read_seq <= mark.delivered_seq);
            assert!(mark.delivered_seq <= room.last_seq() && mark.joined_at <= room.ended);
        }
    }
}
