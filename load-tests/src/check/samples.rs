//! Histories made up: one that is right, and the same with one flaw each. They prove the checker, not an engine.

use std::collections::BTreeMap;

use clap::ValueEnum;
use uuid::Uuid;

use super::checker::Invariant;
use super::history::{Cast, Change, Entry, Fact, Founding, History, Kept, Pass, Place, Record, SendNo, Who, digest};

/// Something that a broken engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flaw {
    LostMessage,
    DoubledMessage,
    PhantomMessage,
    RefusedMessageKept,
    WrongAcknowledgement,
    OvertakenMessage,
    HoleInTheOrder,
    MessageMissingInTheList,
    ReorderedForAReader,
    GapForAReader,
    RepetitionForAReader,
    OtherContentForAReader,
    ReaderLeftBehind,
    StrangerSees,
    RemovedReadsAPage,
    ForgottenChange,
    PhantomChange,
    WrongRoleShown,
    ShrinkingReadMark,
    LostReadMark,
    LostByTheRestart,
}

impl Flaw {
    /// The law that it breaks.
    pub fn breaks(self) -> Invariant {
        match self {
            Self::LostMessage => Invariant::AcknowledgedIsKept,
            Self::DoubledMessage => Invariant::ExactlyOnce,
            Self::PhantomMessage | Self::PhantomChange => Invariant::NothingFromNowhere,
            Self::RefusedMessageKept => Invariant::RefusedIsAbsent,
            Self::WrongAcknowledgement => Invariant::AcknowledgementIsTrue,
            Self::OvertakenMessage => Invariant::RealTimeOrder,
            Self::HoleInTheOrder => Invariant::WithoutHoles,
            Self::MessageMissingInTheList => Invariant::ListIsTheOrder,
            Self::ReorderedForAReader | Self::GapForAReader | Self::RepetitionForAReader => Invariant::SeenInOrder,
            Self::OtherContentForAReader => Invariant::SeenIsKept,
            Self::ReaderLeftBehind => Invariant::SeenToTheEnd,
            Self::StrangerSees | Self::RemovedReadsAPage => Invariant::MembersOnly,
            Self::ForgottenChange => Invariant::GrantedIsKept,
            Self::WrongRoleShown => Invariant::ReplayIsState,
            Self::ShrinkingReadMark | Self::LostReadMark => Invariant::MarksOnlyGrow,
            Self::LostByTheRestart => Invariant::RestartKeepsAll,
        }
    }
}

/// Messages before, with and after the flaw, in each of two rooms.
const MESSAGES: SendNo = 60;
const ROOMS: u16 = 2;
/// The flaw is in this room, at this message.
const FLAWED_ROOM: u16 = 1;
const FLAWED_AT: SendNo = 40;
/// Founders: the owner and three members. Person 2 is removed and comes back, person 4 comes late.
const GUEST: Who = 2;
const LATE: Who = 4;
/// The reader whom flaws of delivery meet.
const UNLUCKY: Who = 1;

/// A history of two rooms, with or without a flaw.
pub fn sample(flaw: Option<Flaw>) -> History {
    let people: Vec<Uuid> = (0..5).map(Uuid::from_u128).collect();
    let mut entries = Vec::new();
    let mut rooms = Vec::new();
    for room in 0..ROOMS {
        let mut teller = Teller::new(room, flaw.filter(|_| room == FLAWED_ROOM), entries);
        rooms.push(teller.founding());
        teller.tell();
        entries = teller.entries;
    }
    History { cast: Cast { people, rooms, readers: (0..5).collect() }, entries }
}

struct Teller {
    room: u16,
    flaw: Option<Flaw>,
    entries: Vec<Entry>,
    log: Vec<Fact>,
    inside: BTreeMap<Who, String>,
    shown: BTreeMap<Who, u64>,
    name: Option<String>,
}

impl Teller {
    fn new(room: u16, flaw: Option<Flaw>, entries: Vec<Entry>) -> Self {
        let role = |who: Who| if who == 0 { "owner" } else { "member" };
        let inside = (0..LATE).map(|who| (who, role(who).to_owned())).collect();
        let (log, shown) = (Vec::new(), BTreeMap::new());
        Self { room, flaw, entries, log, inside, shown, name: Some("load".to_owned()) }
    }

    fn founding(&self) -> Founding {
        let members = self.inside.iter().map(|(who, role)| (*who, role.clone())).collect();
        Founding { id: Uuid::from_u128(100 + u128::from(self.room)), name: self.name.clone(), members }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn note(&mut self, record: Record) {
        let step = self.entries.len() as u64;
        self.entries.push(Entry { step, ms: step, room: self.room, record });
    }

    fn tell(&mut self) {
        for send in 1..=MESSAGES {
            if send == FLAWED_AT {
                self.flawed_post(send);
            } else {
                self.post(send);
            }
            match send {
                10 => self.change(Change::Add(LATE, "guest".to_owned())),
                20 => self.change(Change::Name("another".to_owned())),
                30 => self.change(Change::Remove(GUEST)),
                45 => self.change(Change::Role(LATE, "admin".to_owned())),
                50 => self.change(Change::Add(GUEST, "member".to_owned())),
                _ => {}
            }
            if send.is_multiple_of(7) {
                self.mark();
            }
        }
        self.end();
    }

    fn post(&mut self, send: SendNo) {
        let by = Who::try_from(send % 2).unwrap_or(0);
        self.sent(by, send);
        // A lost answer: sent again, and acknowledged once.
        if send.is_multiple_of(9) {
            self.sent(by, send);
        }
        let seq = self.append(message(by, send));
        self.acked(by, send, seq);
        self.deliver();
    }

    fn flawed_post(&mut self, send: SendNo) {
        let by = 0;
        let next = self.log.len() as u64 + 1;
        match self.flaw {
            Some(Flaw::LostMessage) => {
                self.sent(by, send);
                self.acked(by, send, next);
            }
            Some(Flaw::DoubledMessage) => {
                self.post(send);
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::PhantomMessage) => {
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::PhantomChange) => {
                self.append(Fact::Changed { by: Some(0), change: Change::Role(UNLUCKY, "admin".to_owned()) });
                self.inside.insert(UNLUCKY, "admin".to_owned());
                self.deliver();
            }
            Some(Flaw::RefusedMessageKept) => {
                self.sent(by, send);
                self.note(Record::Failed { by, send, undone: true });
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::WrongAcknowledgement) => {
                self.sent(by, send);
                self.append(message(by, send));
                self.acked(by, send, next + 1);
                self.deliver();
            }
            Some(Flaw::OvertakenMessage) => {
                let later = send + 1_000;
                self.sent(by, send);
                self.acked(by, send, next + 1);
                self.sent(by, later);
                self.append(message(by, later));
                self.append(message(by, send));
                self.acked(by, later, next);
                self.deliver();
            }
            Some(Flaw::ForgottenChange) => {
                self.asked_and_granted(&Change::Role(UNLUCKY, "guest".to_owned()));
            }
            Some(Flaw::ReorderedForAReader | Flaw::GapForAReader) => self.misdeliver(send),
            _ => {
                self.post(send);
                self.flaw_after_post(next);
            }
        }
    }

    /// Flaws that happen to a message which is kept as it should be.
    fn flaw_after_post(&mut self, seq: u64) {
        let frame = self.frame(seq);
        match self.flaw {
            Some(Flaw::RepetitionForAReader) => self.saw(UNLUCKY, seq, frame, None),
            Some(Flaw::StrangerSees) => self.saw(GUEST, self.shown[&GUEST] + 1, frame, None),
            Some(Flaw::ShrinkingReadMark) => {
                for read in [seq, seq - 1] {
                    self.note(Record::Marking { by: 0, read });
                    self.note(Record::Told { reader: UNLUCKY, connection: 1, of: 0, delivered: seq, read });
                }
            }
            Some(Flaw::RemovedReadsAPage) => {
                let (asked, seq) = (self.entries.len() as u64, self.shown[&GUEST] + 1);
                let frame = self.frame(seq);
                self.saw(GUEST, seq, frame, Some(asked));
            }
            _ => {}
        }
    }

    /// A message reaches one reader too late, or never.
    fn misdeliver(&mut self, send: SendNo) {
        let first = self.log.len() as u64 + 1;
        let before = self.shown.insert(UNLUCKY, u64::MAX);
        self.post(send);
        self.post(send + 2_000);
        let late = if self.is(Flaw::GapForAReader) { vec![first + 1] } else { vec![first + 1, first] };
        for seq in late {
            let frame = self.frame(seq);
            self.saw(UNLUCKY, seq, frame, None);
        }
        debug_assert_eq!(before, Some(first - 1));
        self.shown.insert(UNLUCKY, first + 1);
    }

    fn sent(&mut self, by: Who, send: SendNo) {
        self.note(Record::Sent { by, send, content: content(send) });
    }

    fn acked(&mut self, by: Who, send: SendNo, seq: u64) {
        self.note(Record::Acked { by, send, seq, id: id(send) });
    }

    fn saw(&mut self, reader: Who, seq: u64, frame: u64, asked: Option<u64>) {
        self.note(Record::Saw { reader, seq, frame, asked });
    }

    fn append(&mut self, fact: Fact) -> u64 {
        self.log.push(fact);
        self.log.len() as u64
    }

    fn frame(&self, seq: u64) -> u64 {
        let fact = usize::try_from(seq - 1).ok().and_then(|at| self.log.get(at));
        digest(&format!("{seq} {fact:?}"))
    }

    fn deliver(&mut self) {
        let end = self.log.len() as u64;
        let readers: Vec<Who> = self.inside.keys().copied().collect();
        for reader in readers {
            let from = self.shown.get(&reader).copied().unwrap_or(0).saturating_add(1);
            let asked = (from < end).then_some(self.entries.len() as u64);
            for seq in from..=end {
                let spoilt = self.is(Flaw::OtherContentForAReader) && reader == UNLUCKY && seq == u64::from(FLAWED_AT);
                let frame = if spoilt { 0 } else { self.frame(seq) };
                let last = self.is(Flaw::ReaderLeftBehind) && reader == UNLUCKY && seq > u64::from(MESSAGES);
                if !last {
                    self.saw(reader, seq, frame, asked);
                }
            }
            self.shown.insert(reader, end.max(from - 1));
        }
    }

    fn asked_and_granted(&mut self, change: &Change) {
        self.note(Record::Asked { by: 0, change: change.clone() });
        self.note(Record::Granted { by: 0, change: change.clone() });
    }

    fn change(&mut self, change: Change) {
        self.note(Record::Asked { by: 0, change: change.clone() });
        let by = Some(0);
        match &change {
            Change::Name(name) => {
                self.name = Some(name.clone());
                self.append(Fact::Described { by, name: self.name.clone(), topic: None });
            }
            Change::Remove(who) => {
                self.append(Fact::Changed { by, change: change.clone() });
                // Whoever goes still sees that.
                self.deliver();
                self.inside.remove(who);
            }
            Change::Add(who, role) | Change::Role(who, role) => {
                self.append(Fact::Changed { by, change: change.clone() });
                self.inside.insert(*who, role.clone());
            }
            Change::Topic(_) => {}
        }
        self.note(Record::Granted { by: 0, change });
        self.deliver();
    }

    fn mark(&mut self) {
        let read = self.log.len() as u64;
        for who in [0, UNLUCKY] {
            self.note(Record::Marking { by: who, read });
            self.note(Record::Marked { by: who, read });
            self.note(Record::Told { reader: 3, connection: 1, of: who, delivered: read, read });
        }
    }

    fn end(&mut self) {
        self.mark();
        let end = self.log.len() as u64;
        for pass in [Pass::First, Pass::Again] {
            let lost = u64::from(self.is(Flaw::LostByTheRestart) && pass == Pass::Again);
            for (seq, fact) in (1..=end - lost).zip(self.log.clone()) {
                let hole = u64::from(self.is(Flaw::HoleInTheOrder) && seq >= u64::from(FLAWED_AT));
                let frame = self.frame(seq);
                if let Fact::Message(message) = &fact
                    && !(self.is(Flaw::MessageMissingInTheList) && seq == u64::from(FLAWED_AT))
                {
                    self.note(Record::Listed { pass, message: message.clone(), seq: seq + hole });
                }
                self.note(Record::Row { pass, seq: seq + hole, frame, fact });
            }
            let members = self.inside.clone().into_iter().map(|(who, role)| self.place(who, role, end)).collect();
            self.note(Record::Members { pass, members });
            let last_seq = end - lost + u64::from(self.is(Flaw::HoleInTheOrder));
            self.note(Record::Described { pass, name: self.name.clone(), topic: None, last_seq });
        }
    }

    fn place(&self, who: Who, role: String, end: u64) -> Place {
        let came_at = |who: Who| {
            let came =
                |fact: &Fact| matches!(fact, Fact::Changed { change: Change::Add(added, _), .. } if *added == who);
            self.log.iter().rposition(came).map_or(0, |at| at as u64 + 1)
        };
        let marks = who == 0 || who == UNLUCKY;
        let lost = u64::from(self.is(Flaw::LostReadMark) && who == UNLUCKY);
        let read = if marks { end - lost } else { came_at(who) };
        let role = if self.is(Flaw::WrongRoleShown) && who == LATE { "owner".to_owned() } else { role };
        Place { who, role, delivered: read, read }
    }
}

fn message(by: Who, send: SendNo) -> Fact {
    Fact::Message(Kept { id: id(send), by: Some(by), send: Some(send), content: content(send) })
}

fn id(send: SendNo) -> Uuid {
    Uuid::from_u128(u128::from(send) << 32)
}

fn content(send: SendNo) -> u64 {
    digest(&send.to_string())
}
