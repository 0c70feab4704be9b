//! The records of one room, sorted by what laws ask about.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::history::{
    Board, Body, Card, Cast, Change, ComingBack, Entry, Fact, Founding, Kept, Marks, NO_ROOM, NOWHERE, Pass, Place,
    Record, RoomNo, SendNo, Text, Who,
};

/// One message of one writer.
pub type Key = (Who, SendNo);

/// See the module.
#[derive(Debug)]
pub struct Tale<'a> {
    pub cast: &'a Cast,
    pub founding: &'a Founding,
    pub sends: HashMap<Key, Sends<'a>>,
    pub acks: Vec<Ack>,
    pub refusals: Vec<Refusal<'a>>,
    /// Edits and deletions, and what they were answered.
    pub revisions: BTreeMap<Key, Revision<'a>>,
    pub revised: Vec<Revised>,
    pub unrevised: Vec<Refusal<'a>>,
    /// Each try to change the room.
    pub asked: Vec<(u64, Who, &'a Change)>,
    pub granted: Vec<(u64, Who, &'a Change)>,
    /// What readers were shown.
    pub saw: BTreeMap<Who, Vec<Sight>>,
    /// What came to readers and was not shown.
    pub came: BTreeMap<Who, Vec<Sight>>,
    pub came_back: Vec<CameBack<'a>>,
    pub leaked: Vec<(Who, &'a str)>,
    pub misanswered: Vec<(Who, &'a str)>,
    /// Who asked from outside for what, when, and how that was answered.
    pub knocked: Vec<(Pass, Who, &'a str, u16)>,
    /// The highest marks that somebody had sent by each step at which they sent some.
    markings: HashMap<Who, Vec<(u64, Marks)>>,
    /// The highest that were acknowledged.
    pub marked: HashMap<Who, Marks>,
    pub told: Vec<Told>,
    pub carded: Vec<Carded<'a>>,
    pub first: End<'a>,
    pub again: End<'a>,
}

/// The tries of one message.
#[derive(Debug, Default)]
pub struct Sends<'a> {
    pub first_step: u64,
    pub tries: usize,
    /// Tries whose answer said that nothing was done.
    pub undone: usize,
    pub body: Option<&'a Body>,
}

#[derive(Clone, Copy, Debug)]
pub struct Ack {
    pub step: u64,
    pub key: Key,
    pub seq: u64,
    pub id: Uuid,
}

/// The tries of one edit or deletion.
#[derive(Clone, Copy, Debug)]
pub struct Revision<'a> {
    pub first_step: u64,
    pub tries: usize,
    pub undone: usize,
    pub message: Uuid,
    /// A deletion has none.
    pub text: Option<&'a Text>,
}

/// It was answered as done.
#[derive(Clone, Copy, Debug)]
pub struct Revised {
    pub step: u64,
    pub key: Key,
    pub seq: Option<u64>,
    pub settled: bool,
}

/// A try that was refused for good.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    pub step: u64,
    pub key: Key,
    pub code: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub step: u64,
    pub seq: u64,
    pub frame: u64,
    pub says: Option<u64>,
    pub asked: Option<u64>,
    /// The step at which its reader said hello.
    pub said: u64,
}

/// A reader that came back to the room.
#[derive(Clone, Copy, Debug)]
pub struct CameBack<'a> {
    pub step: u64,
    /// The step at which it said hello.
    pub said: u64,
    pub reader: Who,
    pub from: u64,
    pub answer: &'a ComingBack,
}

#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub step: u64,
    pub reader: Who,
    pub connection: u32,
    pub of: Who,
    pub delivered: u64,
    pub read: u64,
}

/// The room in somebody's own list of rooms in the end.
#[derive(Clone, Copy, Debug)]
pub struct Carded<'a> {
    pub pass: Pass,
    pub board: Board,
    pub who: Who,
    pub cards: &'a [Card],
}

/// How the room was found in the end.
#[derive(Debug, Default)]
pub struct End<'a> {
    /// Its order, as it was read.
    pub rows: Vec<Row<'a>>,
    pub listed: Vec<(u64, &'a Kept)>,
    pub members: Option<&'a [Place]>,
    pub described: Option<Described<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub seq: u64,
    pub at: Option<DateTime<Utc>>,
    pub frame: u64,
    pub says: Option<u64>,
    pub fact: &'a Fact,
}

#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    pub name: Option<&'a str>,
    pub topic: Option<&'a str>,
    pub last_seq: u64,
}

impl<'a> Tale<'a> {
    pub fn of(cast: &'a Cast, room: RoomNo, entries: impl Iterator<Item = &'a Entry>) -> Option<Self> {
        let founding = if room == NOWHERE { &NO_ROOM } else { cast.rooms.get(usize::from(room))? };
        let mut tale = Self {
            cast,
            founding,
            sends: HashMap::new(),
            acks: Vec::new(),
            refusals: Vec::new(),
            revisions: BTreeMap::new(),
            revised: Vec::new(),
            unrevised: Vec::new(),
            asked: Vec::new(),
            granted: Vec::new(),
            saw: BTreeMap::new(),
            came: BTreeMap::new(),
            came_back: Vec::new(),
            leaked: Vec::new(),
            misanswered: Vec::new(),
            knocked: Vec::new(),
            markings: HashMap::new(),
            marked: HashMap::new(),
            told: Vec::new(),
            carded: Vec::new(),
            first: End::default(),
            again: End::default(),
        };
        for entry in entries.filter(|entry| entry.room == room) {
            tale.take(entry);
        }
        Some(tale)
    }

    fn take(&mut self, entry: &'a Entry) {
        let step = entry.step;
        match &entry.record {
            Record::Sent { by, send, body } => {
                let sends = self.sends.entry((*by, *send)).or_default();
                if sends.tries == 0 {
                    (sends.first_step, sends.body) = (step, Some(body.as_ref()));
                }
                sends.tries += 1;
            }
            Record::Acked { by, send, seq, id } => {
                self.acks.push(Ack { step, key: (*by, *send), seq: *seq, id: *id });
            }
            Record::Failed { by, send, undone, for_good, code } => {
                let key = (*by, *send);
                self.sends.entry(key).or_default().undone += usize::from(*undone);
                self.refusals.extend(for_good.then_some(Refusal { step, key, code }));
            }
            Record::Asked { by, change } => self.asked.push((step, *by, change)),
            Record::Granted { by, change } => self.granted.push((step, *by, change)),
            Record::Revising { .. } | Record::Revised { .. } | Record::Unrevised { .. } => {
                self.take_revision(step, &entry.record);
            }
            Record::Saw { reader, seq, frame, says, asked, said } => {
                let sight = Sight { step, seq: *seq, frame: *frame, says: *says, asked: *asked, said: *said };
                self.saw.entry(*reader).or_default().push(sight);
            }
            Record::Came { reader, seq, frame, says, asked, said } => {
                let sight = Sight { step, seq: *seq, frame: *frame, says: *says, asked: *asked, said: *said };
                self.came.entry(*reader).or_default().push(sight);
            }
            Record::CameBack { reader, from, said, answer } => {
                let came_back = CameBack { step, said: *said, reader: *reader, from: *from, answer };
                self.came_back.push(came_back);
            }
            Record::Leaked { to, what } => self.leaked.push((*to, what)),
            Record::Misanswered { by, what } => self.misanswered.push((*by, what)),
            Record::Knocked { pass, who, at, status } => self.knocked.push((*pass, *who, at, *status)),
            Record::Marking { by, marks } => {
                let markings = self.markings.entry(*by).or_default();
                let highest = markings.last().map_or(*marks, |(_, before)| before.or_more(*marks));
                markings.push((step, highest));
            }
            Record::Marked { by, marks } => {
                let marked = self.marked.entry(*by).or_default();
                *marked = marked.or_more(*marks);
            }
            Record::Told { reader, connection, of, delivered, read } => self.told.push(Told {
                step,
                reader: *reader,
                connection: *connection,
                of: *of,
                delivered: *delivered,
                read: *read,
            }),
            Record::Row { .. }
            | Record::Listed { .. }
            | Record::Members { .. }
            | Record::Described { .. }
            | Record::Carded { .. } => self.take_end(&entry.record),
        }
    }

    fn take_revision(&mut self, step: u64, record: &'a Record) {
        match record {
            Record::Revising { by, send, message, text } => {
                let first = Revision { first_step: step, tries: 0, undone: 0, message: *message, text: text.as_ref() };
                self.revisions.entry((*by, *send)).or_insert(first).tries += 1;
            }
            Record::Revised { by, send, seq, settled } => {
                self.revised.push(Revised { step, key: (*by, *send), seq: *seq, settled: *settled });
            }
            Record::Unrevised { by, send, undone, for_good, code } => {
                let key = (*by, *send);
                if let Some(revision) = self.revisions.get_mut(&key) {
                    revision.undone += usize::from(*undone);
                }
                self.unrevised.extend(for_good.then_some(Refusal { step, key, code }));
            }
            _ => {}
        }
    }

    /// How the room was found in the end.
    fn take_end(&mut self, record: &'a Record) {
        match record {
            Record::Row { pass, seq, at, frame, says, fact } => {
                self.end_mut(*pass).rows.push(Row { seq: *seq, at: *at, frame: *frame, says: *says, fact });
            }
            Record::Listed { pass, message, seq } => self.end_mut(*pass).listed.push((*seq, message)),
            Record::Members { pass, members } => self.end_mut(*pass).members = Some(members),
            Record::Described { pass, name, topic, last_seq } => {
                let described = Described { name: name.as_deref(), topic: topic.as_deref(), last_seq: *last_seq };
                self.end_mut(*pass).described = Some(described);
            }
            Record::Carded { pass, board, who, cards } => {
                self.carded.push(Carded { pass: *pass, board: *board, who: *who, cards });
            }
            _ => {}
        }
    }

    pub fn end(&self, pass: Pass) -> &End<'a> {
        match pass {
            Pass::First => &self.first,
            Pass::Again => &self.again,
        }
    }

    fn end_mut(&mut self, pass: Pass) -> &mut End<'a> {
        match pass {
            Pass::First => &mut self.first,
            Pass::Again => &mut self.again,
        }
    }

    /// What came to a reader, shown or not.
    pub fn sights(&self) -> impl Iterator<Item = (Who, &Sight)> {
        self.saw.iter().chain(&self.came).flat_map(|(reader, sights)| sights.iter().map(|sight| (*reader, sight)))
    }

    pub fn sights_of(&self, reader: Who) -> impl Iterator<Item = &Sight> {
        [&self.saw, &self.came].into_iter().filter_map(move |sights| sights.get(&reader)).flatten()
    }

    /// The highest marks that somebody had sent before this step.
    pub fn marking_before(&self, who: Who, step: u64) -> Marks {
        let markings = self.markings.get(&who).map_or(&[][..], Vec::as_slice);
        let sent = markings.partition_point(|(at, _)| *at < step);
        sent.checked_sub(1).and_then(|last| markings.get(last)).map_or_else(Marks::default, |(_, marks)| *marks)
    }

    /// How many additions of somebody had been asked for before this step.
    pub fn additions_asked(&self, who: Who, step: u64) -> usize {
        let adds = |change: &Change| matches!(change, Change::Add(added, _) if *added == who);
        self.asked.iter().filter(|(at, _, change)| *at < step && adds(change)).count()
    }

    /// The messages of the room's order.
    pub fn messages(&self) -> impl Iterator<Item = (u64, &'a Kept)> {
        self.first.rows.iter().filter_map(|row| Some((row.seq, row.fact.message()?)))
    }

    /// Where each message is kept.
    pub fn places(&self) -> HashMap<Key, Vec<(u64, &'a Kept)>> {
        let mut places: HashMap<Key, Vec<(u64, &Kept)>> = HashMap::new();
        for (seq, kept) in self.messages() {
            if let (Some(by), Some(send)) = (kept.by, kept.send) {
                places.entry((by, send)).or_default().push((seq, kept));
            }
        }
        places
    }
}

impl End<'_> {
    /// How far somebody has received and read, by the list of members.
    pub fn marks_of(&self, who: Who) -> Option<Marks> {
        let place = self.members.into_iter().flatten().find(|place| place.who == who)?;
        Some(Marks { delivered: place.delivered, read: place.read })
    }
}
