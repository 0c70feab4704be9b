//! How the made-up rooms are found in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::changed::original;
use super::{FLAWED_AT, LATE, LAZY, Teller, UNLUCKY};
use crate::check::flaws::Flaw;
use crate::check::history::{Board, Card, Change, Fact, Kept, Marks, Pass, Place, Record, STRANGER, Who};

impl Teller {
    pub(super) fn end(&mut self) {
        self.mark();
        let end = self.log.len() as u64;
        self.mark_as(LAZY, Marks { delivered: end, read: end - 2 });
        for pass in [Pass::First, Pass::Again] {
            self.order(pass);
            self.list(pass);
            self.state(pass);
            self.own_rooms(pass);
        }
    }

    fn order(&mut self, pass: Pass) {
        let lost = usize::from(self.is(Flaw::LostByTheRestart) && pass == Pass::Again);
        let kept = self.log.len() - lost;
        for (seq, fact) in (1..).zip(self.log.clone()).take(kept) {
            let (hole, frame) = (self.hole(seq), self.frame(seq));
            let (says, fact) = self.found(pass, seq, fact);
            let row = Record::Row { pass, seq: seq + hole, at: time(seq), frame, says, fact };
            if self.is(Flaw::DoubledAfterTheRestart) && pass == Pass::Again && seq == u64::from(FLAWED_AT) {
                self.note(row.clone());
            }
            self.note(row);
        }
    }

    /// Forwards the first time, then backwards, as a run reads it.
    fn list(&mut self, pass: Pass) {
        let lost = usize::from(self.is(Flaw::LostByTheRestart) && pass == Pass::Again);
        let kept = self.log.len() - lost;
        let messages = (1..).zip(&self.log).take(kept).filter_map(|(seq, fact)| Some((seq, fact.message()?.clone())));
        let mut messages: Vec<(u64, Kept)> = messages.collect();
        let at = messages.iter().position(|(seq, _)| *seq >= u64::from(FLAWED_AT)).unwrap_or(0);
        match self.flaw {
            Some(Flaw::MessageMissingInTheList) => drop(messages.remove(at)),
            Some(Flaw::DoubledInTheList) => messages.insert(at, messages[at].clone()),
            Some(Flaw::DisorderedList) => messages.swap(at, at + 1),
            Some(Flaw::OldFormInTheList) => {
                let spoilt = messages.iter_mut().filter(|(_, message)| message.send == Some(FLAWED_AT));
                spoilt.for_each(|(_, message)| *message = original(message));
            }
            _ => {}
        }
        if pass == Pass::Again {
            messages.reverse();
        }
        for (seq, message) in messages {
            let hole = self.hole(seq);
            self.note(Record::Listed { pass, message, seq: seq + hole });
        }
    }

    /// What a place says in the end.
    fn found(&self, pass: Pass, seq: u64, fact: Fact) -> (Option<u64>, Fact) {
        let is_old = self.is(Flaw::OldFormInTheEnd) || (self.is(Flaw::EditLostByTheRestart) && pass == Pass::Again);
        match fact {
            Fact::Message(kept) if is_old && kept.send == Some(FLAWED_AT) => {
                let kept = original(&kept);
                (Some(kept.says), Fact::Message(kept))
            }
            fact => (self.says(seq), fact),
        }
    }

    /// How far places stand behind what they should be.
    fn hole(&self, seq: u64) -> u64 {
        u64::from(self.is(Flaw::HoleInTheOrder) && seq >= u64::from(FLAWED_AT))
    }

    fn state(&mut self, pass: Pass) {
        let end = self.log.len() as u64;
        let lost = u64::from(self.is(Flaw::LostByTheRestart) && pass == Pass::Again);
        let mut members = self.places();
        if self.is(Flaw::MemberListedTwice) {
            members.extend(members.last().cloned());
        }
        self.note(Record::Members { pass, members });
        let shown = |flaw, right: &Option<String>| if self.is(flaw) { None } else { right.clone() };
        let (name, topic) = (shown(Flaw::WrongNameShown, &self.name), shown(Flaw::WrongTopicShown, &self.topic));
        let last_seq = end - lost + self.hole(end);
        self.note(Record::Described { pass, name, topic, last_seq });
        let status = if self.is(Flaw::ReadFromOutside) { 200 } else { 404 };
        self.note(Record::Knocked { pass, who: STRANGER, at: "/messages".to_owned(), status });
    }

    fn places(&self) -> Vec<Place> {
        self.inside.iter().map(|(who, role)| self.place(*who, role.clone())).collect()
    }

    fn place(&self, who: Who, role: String) -> Place {
        let came = |fact: &Fact| matches!(fact, Fact::Changed { change: Change::Add(added, _), .. } if *added == who);
        let came_at = self.log.iter().rposition(came).map_or(0, |at| at as u64 + 1);
        let end = self.log.len() as u64;
        let (delivered, read) = match who {
            UNLUCKY if self.is(Flaw::LostReadMark) => (end, end - 1),
            0 | UNLUCKY => (end, end),
            LAZY if self.is(Flaw::LostDeliveredMark) => (end - 1, end - 2),
            LAZY => (end, end - 2),
            _ => (came_at, came_at),
        };
        let role = if self.is(Flaw::WrongRoleShown) && who == LATE { "owner".to_owned() } else { role };
        Place { who, role, delivered, read }
    }

    /// Everybody's own list of rooms, and that of somebody who takes no part.
    fn own_rooms(&mut self, pass: Pass) {
        let cards: BTreeMap<Who, Card> = self.places().into_iter().map(|place| (place.who, self.card(place))).collect();
        for board in [Board::List, Board::Ready] {
            for who in (0..=LATE).chain([STRANGER]) {
                let mut cards: Vec<Card> = cards.get(&who).cloned().into_iter().collect();
                match self.flaw {
                    Some(Flaw::RoomMissingInOnesList) if who == UNLUCKY => cards.clear(),
                    Some(Flaw::RoomTwiceInOnesList) if who == UNLUCKY => cards.extend(cards.last().cloned()),
                    Some(Flaw::RoomInAStrangersList) if who == STRANGER => cards.push(Card::default()),
                    _ => cards.iter_mut().for_each(|card| self.spoil(who, board, card)),
                }
                self.note(Record::Carded { pass, board, who, cards });
            }
        }
    }

    fn card(&self, Place { who, role, delivered, read }: Place) -> Card {
        let newer = (1..).zip(&self.log).filter(|(seq, _)| *seq > read);
        let of_others = newer.filter(|(_, fact)| matches!(fact, Fact::Message(kept) if kept.by != Some(who)));
        let (unread, last_seq) = (of_others.count() as u64, self.log.len() as u64);
        let (name, topic, member_count) = (self.name.clone(), self.topic.clone(), self.inside.len() as u64);
        Card { role, name, topic, last_seq, last_at: time(last_seq), delivered, read, unread, member_count }
    }

    fn spoil(&self, who: Who, board: Board, card: &mut Card) {
        match (self.flaw, who, board) {
            (Some(Flaw::WrongMemberCount), LATE, _) => card.member_count += 1,
            (Some(Flaw::WrongUnread), LAZY, _) => card.unread -= 1,
            (Some(Flaw::WrongOwnRole), LATE, Board::Ready) => card.role = "guest".to_owned(),
            (Some(Flaw::WrongOwnReadMark), UNLUCKY, _) => (card.read, card.unread) = (card.read - 1, 1),
            (Some(Flaw::StaleCard), _, Board::Ready) => card.last_seq -= 1,
            (Some(Flaw::StaleTime), _, Board::List) => card.last_at = time(card.last_seq - 1),
            _ => {}
        }
    }
}

/// When an event happened.
pub(super) fn time(seq: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seq).ok()?, 0)
}
