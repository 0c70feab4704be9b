//! Histories made up: one that is right, and the same with one flaw each. They prove the checker, not an engine.

mod changed;
mod ending;
mod flawed;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::flaws::Flaw;
use super::history::{
    Body, Cast, Change, ComingBack, Entry, Fact, Form, Founding, History, Kept, Marks, Record, RoomNo, SendNo, Who,
    digest,
};

/// Messages before, with and after the flaw, in each of two rooms.
const MESSAGES: SendNo = 60;
const ROOMS: u16 = 2;
/// The flaw is in this room, at this message.
const FLAWED_ROOM: u16 = 1;
const FLAWED_AT: SendNo = 40;
/// Founders: the owner and three members. Person 2 is removed and comes back, person 4 comes late.
const GUEST: Who = 2;
const LATE: Who = 4;
/// So many rooms one hello resumes.
const RESUMED_MAX: u64 = 2;
/// The reader whom flaws of delivery meet.
const UNLUCKY: Who = 1;
/// A founder who leaves the last two messages unread.
const LAZY: Who = 3;

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
    History { cast: Cast { people, rooms, readers: (0..5).collect(), resumed_max: Some(RESUMED_MAX) }, entries }
}

struct Teller {
    room: u16,
    flaw: Option<Flaw>,
    entries: Vec<Entry>,
    log: Vec<Fact>,
    /// The form that each place tells by now.
    says: Vec<Option<u64>>,
    inside: BTreeMap<Who, String>,
    shown: BTreeMap<Who, u64>,
    name: Option<String>,
    topic: Option<String>,
}

impl Teller {
    fn new(room: u16, flaw: Option<Flaw>, entries: Vec<Entry>) -> Self {
        let role = |who: Who| if who == 0 { "owner" } else { "member" };
        let inside = (0..LATE).map(|who| (who, role(who).to_owned())).collect();
        let (log, says, shown) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { room, flaw, entries, log, says, inside, shown, name: Some("load".to_owned()), topic: None }
    }

    fn founding(&self) -> Founding {
        let members = self.inside.iter().map(|(who, role)| (*who, role.clone())).collect();
        let (id, name) = (Uuid::from_u128(100 + u128::from(self.room)), self.name.clone());
        Founding { id, name, members, finders: Vec::new() }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn note(&mut self, record: Record) {
        self.note_in(self.room, record);
    }

    fn note_in(&mut self, room: RoomNo, record: Record) {
        let step = self.entries.len() as u64;
        self.entries.push(Entry { step, ms: step, room, record });
    }

    fn tell(&mut self) {
        for send in 1..=MESSAGES {
            if send == FLAWED_AT {
                self.flawed_post(send);
            } else {
                self.post(send);
            }
            self.change_messages(send);
            match send {
                10 => self.change(Change::Add(LATE, "guest".to_owned())),
                20 => self.change(Change::Name("another".to_owned())),
                25 => self.change(Change::Topic("weather".to_owned())),
                30 => self.change(Change::Remove(GUEST)),
                // Rightly refused: no member then.
                35 => self.refused(GUEST, send + 3_000, "chat.room_not_found"),
                45 => self.change(Change::Role(LATE, "admin".to_owned())),
                50 => self.change(Change::Add(GUEST, "member".to_owned())),
                55 if self.is(Flaw::ReturnedMemberRefused) => self.refused(GUEST, send + 3_000, "chat.room_not_found"),
                _ => {}
            }
            if send.is_multiple_of(7) {
                self.mark();
                self.come_back();
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

    fn sent(&mut self, by: Who, send: SendNo) {
        self.note(Record::Sent { by, send, body: body(send) });
    }

    fn acked(&mut self, by: Who, send: SendNo, seq: u64) {
        self.note(Record::Acked { by, send, seq, id: id(send) });
    }

    fn saw(&mut self, reader: Who, seq: u64, frame: u64, asked: Option<u64>) {
        let (says, said) = (self.says(seq), self.entries.len() as u64);
        self.note(Record::Saw { reader, seq, frame, says, asked, said });
    }

    /// Something that is not shown: it is shown already, or will be.
    fn came(&mut self, reader: Who, seq: u64, frame: u64) {
        let (says, said) = (self.says(seq), self.entries.len() as u64);
        self.note(Record::Came { reader, seq, frame, says, asked: None, said });
    }

    fn failed(&mut self, by: Who, send: SendNo, code: &str, for_good: bool) {
        self.note(Record::Failed { by, send, undone: true, for_good, code: code.to_owned() });
    }

    fn refused(&mut self, by: Who, send: SendNo, code: &str) {
        self.sent(by, send);
        self.failed(by, send, code, true);
    }

    fn append(&mut self, fact: Fact) -> u64 {
        self.says.push(match &fact {
            Fact::Message(kept) => Some(kept.says),
            _ => None,
        });
        self.log.push(fact);
        self.log.len() as u64
    }

    fn frame(&self, seq: u64) -> u64 {
        match usize::try_from(seq - 1).ok().and_then(|at| self.log.get(at)) {
            // What it says may change.
            Some(Fact::Message(kept)) => digest(&format!("{seq} {}", kept.id)),
            fact => digest(&format!("{seq} {fact:?}")),
        }
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
                self.append(Fact::Described { by, name: self.name.clone(), topic: self.topic.clone() });
            }
            Change::Topic(topic) => {
                self.topic = Some(topic.clone());
                self.append(Fact::Described { by, name: self.name.clone(), topic: self.topic.clone() });
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
        }
        self.note(Record::Granted { by: 0, change });
        self.deliver();
    }

    /// Everybody comes back at once: resumed where they are members, and rightly refused where they are not, or ask too
    /// much.
    fn come_back(&mut self) {
        let end = self.log.len() as u64;
        for reader in 0..=LATE {
            let from = self.shown.get(&reader).copied().unwrap_or(0);
            let is_in = self.inside.contains_key(&reader);
            self.came_back(reader, from, if is_in { ComingBack::GoesOn } else { refused("not_a_member", 0) });
        }
        self.came_back(UNLUCKY, end + 1, refused("ahead", 0));
        self.came_back(LAZY, end - 1, refused("too_many", RESUMED_MAX));
    }

    fn came_back(&mut self, reader: Who, from: u64, answer: ComingBack) {
        let said = self.entries.len() as u64;
        self.note(Record::CameBack { reader, from, said, answer });
    }

    fn mark(&mut self) {
        let end = self.log.len() as u64;
        for who in [0, UNLUCKY] {
            self.mark_as(who, Marks { delivered: end, read: end });
        }
    }

    fn mark_as(&mut self, by: Who, marks: Marks) {
        self.note(Record::Marking { by, marks });
        self.note(Record::Marked { by, marks });
        self.told(LAZY, by, marks);
    }

    fn told(&mut self, reader: Who, of: Who, Marks { delivered, read }: Marks) {
        self.note(Record::Told { reader, connection: 1, of, delivered, read });
    }
}

fn refused(reason: &str, resumed: u64) -> ComingBack {
    ComingBack::Refused { reason: reason.to_owned(), resumed }
}

fn message(by: Who, send: SendNo) -> Fact {
    Fact::Message(kept(by, send))
}

fn kept(by: Who, send: SendNo) -> Kept {
    let body = body(send);
    let form = Form { content: body.content, parts: body.parts, edited_at: None, deleted_at: None };
    Kept { id: id(send), by: Some(by), send: Some(send), body, says: form.digest() }
}

fn id(send: SendNo) -> Uuid {
    Uuid::from_u128(u128::from(send) << 32)
}

/// Every tenth message answers the one before it.
fn body(send: SendNo) -> Box<Body> {
    let reply_to = send.is_multiple_of(10).then(|| id(send - 1));
    Box::new(Body { content: digest(&send.to_string()), kind: "text".to_owned(), parts: None, reply_to })
}
