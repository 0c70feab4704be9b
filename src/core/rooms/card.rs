//! A room's card: the room as each of its members sees it in a list, without its actor, and mostly without Postgres. Pure.
//!
//! A room makes its card when it is loaded and folds into it each row that it shows and each mark that it takes; anyone
//! may read it meanwhile (`memory.rs`). What was taken but not committed is not on it, so a card says what Postgres says
//! or said a moment ago, and whoever listens first and reads the card second misses nothing.

use chrono::{DateTime, Utc};

use super::facts::{Member, RoomFacts};
use super::state::Snapshot;
use super::unread::Senders;
use super::wire::RoomSummary;
use crate::order::{Row, Watermark};
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::party::Party;

/// See the module.
#[derive(Clone, Debug)]
pub struct Card {
    facts: RoomFacts,
    last_event_at: Option<DateTime<Utc>>,
    last_seq: i64,
    senders: Senders,
}

/// The room as one member sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Without the peer, whose profile is not the room's to know.
    pub summary: RoomSummary,
    /// In a direct room: the other person.
    pub peer: Option<UserId>,
    /// Whether `summary.unread` is right; if not, the card does not reach back that far.
    pub unread_known: bool,
}

impl Card {
    /// The card of a room as loaded.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self::with(snapshot, Senders::of(&snapshot.recent, snapshot.last_seq))
    }

    /// The card of a room of which only the newest senders were loaded.
    pub fn with(room: &Snapshot, senders: Senders) -> Self {
        let (last_event_at, last_seq) = (room.last_event_at, room.last_seq);
        Self { facts: room.facts.clone(), last_event_at, last_seq, senders }
    }

    /// The next row of the room is about to be shown.
    pub fn show(&mut self, row: &Row) {
        self.last_seq = row.seq;
        self.last_event_at = Some(row.at);
        self.senders.push_row(row);
        if let Some(change) = row.change() {
            self.facts.apply(row.seq, change);
        }
    }

    pub fn id(&self) -> RoomId {
        self.facts.id
    }

    /// What the room is and who is in it, as of what was shown.
    pub fn facts(&self) -> &RoomFacts {
        &self.facts
    }

    /// A member has received or read up to there.
    pub fn mark(&mut self, mark: &Watermark) {
        self.facts.raise(mark);
    }

    /// What `user` sees; `None` for a stranger.
    pub fn seen_by(&self, user: UserId) -> Option<Seen> {
        let member = self.facts.members.get(&Party::User(user))?;
        let (unread, unread_known) = self.senders.unread(user, member.read_seq);
        let peer = self.facts.pair.map(|(low, high)| if low == user { high } else { low });
        let summary = RoomSummary { unread, ..self.summary_of(*member) };
        Some(Seen { summary, peer, unread_known })
    }

    /// The room as such a member sees it, without what they have not read.
    pub fn summary_of(&self, member: Member) -> RoomSummary {
        let facts = &self.facts;
        RoomSummary {
            id: facts.id,
            kind: facts.kind,
            name: facts.name.clone(),
            topic: facts.topic.clone(),
            space_id: facts.space_id,
            role: Some(member.role),
            last_seq: self.last_seq,
            delivered_seq: member.delivered_seq,
            read_seq: member.read_seq,
            unread: 0,
            member_count: i64::try_from(facts.members.count()).unwrap_or(i64::MAX),
            last_message_at: self.last_event_at,
            created_at: facts.created_at,
            peer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::order::{CoreChange, EventRow, MessageRow, Role, RowBody};
    use crate::rooms::permissions::RoomKind;
    use crate::rooms::unread::UNREAD_MAX;
    use parlance_foundation::ids::MessageId;

    fn user(n: u8) -> UserId {
        UserId(Uuid::from_u128(u128::from(n)))
    }

    fn snapshot(kind: RoomKind, members: &[(UserId, Member)], recent: Vec<Row>, last_seq: i64) -> Snapshot {
        let members = members.iter().map(|(user, member)| (Party::User(*user), *member)).collect();
        let pair = (kind == RoomKind::Direct).then(|| (user(1), user(2)));
        let facts = RoomFacts { kind, pair, ..RoomFacts::of_group(members) };
        let last_event_at = recent.last().map(|row| row.at);
        Snapshot { facts, last_event_at, last_seq, departures: Vec::new(), recent }
    }

    /// What it tells does not matter here.
    fn told() -> crate::rooms::wire::RoomUpdated {
        crate::rooms::wire::RoomUpdated { name: None, topic: None }
    }

    fn row(seq: i64, what: &What) -> Row {
        let event =
            |change| RowBody::Event(EventRow { change: Some(change), ..EventRow::new(Uuid::nil(), None, &told()) });
        let body = match what {
            What::Post(by) => RowBody::Message(MessageRow {
                id: MessageId(Uuid::nil()),
                sender: Some(user(*by).into()),
                client_id: None,
                kind: "text".into(),
                content: String::new(),
                parts: None,
                reply_to: None,
                edited_at: None,
                deleted_at: None,
            }),
            What::Add(who) => event(CoreChange::added(user(*who), Role::Member)),
            What::Remove(who) => event(CoreChange::removed(user(*who), false)),
            What::Mark(..) => event(CoreChange::Described { name: None, topic: None }),
        };
        Row { seq, at: DateTime::from_timestamp(seq, 0).unwrap(), body }
    }

    #[derive(Clone, Debug)]
    enum What {
        Post(u8),
        Add(u8),
        Remove(u8),
        /// Somebody reads this many hundredths of the room.
        Mark(u8, i64),
    }

    fn what() -> impl Strategy<Value = What> {
        prop_oneof![
            200 => (0..3_u8).prop_map(What::Post),
            1 => (0..3_u8).prop_map(What::Add),
            1 => (0..3_u8).prop_map(What::Remove),
            3 => (0..3_u8, 0..=100_i64).prop_map(|(who, part)| What::Mark(who, part)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Folded from any point on, a card says what counting everything says, or that it does not know.
        #[test]
        fn a_card_is_the_room_wherever_it_was_begun(steps in prop::collection::vec(what(), 1..500), begin in 0..500_usize) {
            let member = |seq| Member { role: Role::Member, delivered_seq: seq, read_seq: seq };
            let mut members = HashMap::from([(user(0), member(0)), (user(1), member(0))]);
            let mut rows: Vec<Row> = Vec::new();
            let mut card: Option<Card> = None;
            for (n, step) in steps.iter().enumerate() {
                if n == begin {
                    let known: Vec<_> = members.iter().map(|(user, member)| (*user, *member)).collect();
                    let recent = rows[rows.len().saturating_sub(50)..].to_vec();
                    card = Some(Card::of(&snapshot(RoomKind::Group, &known, recent, rows.len() as i64)));
                }
                if let What::Mark(who, part) = step {
                    let seq = rows.len() as i64 * part / 100;
                    let mark = Watermark { party: user(*who).into(), delivered_seq: seq, read_seq: seq };
                    if let Some(member) = members.get_mut(&user(*who)) {
                        (member.delivered_seq, member.read_seq) = (member.delivered_seq.max(seq), member.read_seq.max(seq));
                    }
                    card.iter_mut().for_each(|card| card.mark(&mark));
                    continue;
                }
                let row = row(rows.len() as i64 + 1, step);
                match step {
                    What::Add(who) => drop(members.insert(user(*who), member(row.seq))),
                    What::Remove(who) => drop(members.remove(&user(*who))),
                    What::Post(_) | What::Mark(..) => {}
                }
                card.iter_mut().for_each(|card| card.show(&row));
                rows.push(row);
            }
            let Some(card) = card else { return Ok(()) };
            for who in (0..3).map(user) {
                let Some(member) = members.get(&who) else {
                    prop_assert!(card.seen_by(who).is_none() && !card.facts().is_member(who.into()));
                    continue;
                };
                let seen = card.seen_by(who).unwrap();
                let others = rows.iter().filter(|row| row.seq > member.read_seq).filter_map(|row| match &row.body {
                    RowBody::Message(message) => Some(message.sender),
                    RowBody::Event(_) => None,
                });
                let unread = others.filter(|sender| *sender != Some(who.into())).count() as i64;
                prop_assert!(!seen.unread_known || seen.summary.unread == unread.min(UNREAD_MAX));
                // Whoever has read lately is always counted.
                prop_assert!(seen.unread_known || member.read_seq < rows.len() as i64 - 50);
                prop_assert_eq!((seen.summary.read_seq, seen.summary.last_seq), (member.read_seq, rows.len() as i64));
                prop_assert_eq!(seen.summary.member_count, members.len() as i64);
            }
        }
    }

    #[test]
    fn a_direct_room_names_the_other_person_and_a_group_nobody() {
        let member = Member { role: Role::Member, delivered_seq: 0, read_seq: 0 };
        let both = [(user(1), member), (user(2), member)];
        let direct = Card::of(&snapshot(RoomKind::Direct, &both, Vec::new(), 0));
        assert_eq!(direct.seen_by(user(1)).unwrap().peer, Some(user(2)));
        assert_eq!(direct.seen_by(user(2)).unwrap().peer, Some(user(1)));
        let alone = Card::of(&snapshot(RoomKind::Direct, &both[..1], Vec::new(), 0));
        assert_eq!(alone.seen_by(user(1)).unwrap().peer, Some(user(2)), "who has not accepted yet is named");
        let group = Card::of(&snapshot(RoomKind::Group, &both, Vec::new(), 0));
        assert_eq!(group.seen_by(user(1)).unwrap().peer, None);
        assert_eq!(group.seen_by(user(3)), None);
    }

    #[test]
    fn a_room_leaves_its_card_behind_only_when_it_ends_in_order() {
        use crate::rooms::memory::LiveCard;
        let card = Card::of(&snapshot(RoomKind::Group, &[], Vec::new(), 7));
        let live = LiveCard::new(Some(Arc::new(card)));
        assert!(live.left_behind().is_none(), "it may have committed more than it showed");
        live.complete();
        assert_eq!(live.left_behind().map(|card| card.last_seq), Some(7));
    }
}
