//! What a run recorded: everything that clients sent, were promised and saw, and what the engine had in the end.
//!
//! All clients live on one thread, so the records have one order: if one stands before another, it happened before it.
//! People, rooms and messages are small numbers here, so that a history can be read.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A person, by their place in [`Cast::people`]; their reading device has the same number.
pub type Who = u16;
/// A room, by its place in [`Cast::rooms`].
pub type RoomNo = u16;
/// Where records are that belong to no room of the run.
pub const NOWHERE: RoomNo = RoomNo::MAX;
/// Somebody who does not take part.
pub const STRANGER: Who = Who::MAX;
/// A message as its writer counts it; the number of its `client_id`, unique in a run.
pub type SendNo = u32;

/// Who takes part, and how things stood at the beginning.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cast {
    pub people: Vec<Uuid>,
    pub rooms: Vec<Founding>,
    /// Whose devices read to the end.
    pub readers: Vec<Who>,
    /// How many rooms that have moved on one hello resumes; `None`: it is not known.
    pub resumed_max: Option<u64>,
}

/// A room before its first event.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Founding {
    pub id: Uuid,
    pub name: Option<String>,
    pub members: Vec<(Who, String)>,
    /// Of a channel, the people of its space: outside it they may find it, and no more.
    pub finders: Vec<Who>,
}

/// What [`NOWHERE`] was at the beginning.
pub static NO_ROOM: Founding = Founding { id: Uuid::nil(), name: None, members: Vec::new(), finders: Vec::new() };

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub cast: Cast,
    pub entries: Vec<Entry>,
}

/// A record and when it was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its place in the run's one order. It keeps this number when others are left out.
    pub step: u64,
    pub ms: u64,
    pub room: RoomNo,
    #[serde(flatten)]
    pub record: Record,
}

/// What happened in a room.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A message left its writer; once for each try.
    Sent { by: Who, send: SendNo, body: Box<Body> },
    /// The engine promised to keep it.
    Acked { by: Who, send: SendNo, seq: u64, id: Uuid },
    /// A try was answered with an error. `undone`: one that says that nothing was done; `for_good`: and that it is not
    /// to be tried again.
    Failed { by: Who, send: SendNo, undone: bool, for_good: bool, code: String },
    /// An edit or a deletion of a message left somebody; once for each try. `text`: what it is to say; a deletion has none.
    Revising { by: Who, send: SendNo, message: Uuid, text: Option<Text> },
    /// The engine said that it is done: by the event at `seq`, or that it was so already; over HTTP it names no event.
    Revised { by: Who, send: SendNo, seq: Option<u64>, settled: bool },
    /// As `failed`, of an edit or a deletion.
    Unrevised { by: Who, send: SendNo, undone: bool, for_good: bool, code: String },
    /// A change of the room was asked for; once for each try.
    Asked { by: Who, change: Change },
    /// The engine said that it is made.
    Granted { by: Who, change: Change },
    /// A reader was shown an event. `frame`: what never changes of it; `says`: the form of a message that it tells. `asked`:
    /// the step at which it asked for the page that this came with; `said`: that at which it said hello.
    Saw { reader: Who, seq: u64, frame: u64, says: Option<u64>, asked: Option<u64>, said: u64 },
    /// An event came to a reader that does not show it: it is behind and waits for a page, or has shown it already.
    Came { reader: Who, seq: u64, frame: u64, says: Option<u64>, asked: Option<u64>, said: u64 },
    /// A reader came back with this as its last event of the room, and was answered so. `said`: the step at which it said
    /// hello.
    CameBack { reader: Who, from: u64, said: u64, answer: ComingBack },
    /// Somebody was sent something of a room that is not theirs and takes no part; stands in [`NOWHERE`].
    Leaked { to: Who, what: String },
    /// Commands that somebody sent on a connection were not answered once each; stands in [`NOWHERE`].
    Misanswered { by: Who, what: String },
    /// Somebody who is not in the room in the end asked for something in it over HTTP, and was answered so.
    Knocked { pass: Pass, who: Who, at: String, status: u16 },
    /// Somebody said how far they have received and read.
    Marking { by: Who, marks: Marks },
    /// That was acknowledged.
    Marked { by: Who, marks: Marks },
    /// A reader was told of somebody's marks, on one of its connections.
    Told { reader: Who, connection: u32, of: Who, delivered: u64, read: u64 },
    /// The room's order as it is in the end, one event each.
    Row { pass: Pass, seq: u64, at: Option<DateTime<Utc>>, frame: u64, says: Option<u64>, fact: Fact },
    /// A message as the list of messages shows it in the end.
    Listed { pass: Pass, message: Kept, seq: u64 },
    /// The members in the end.
    Members { pass: Pass, members: Vec<Place> },
    /// The room itself in the end.
    Described { pass: Pass, name: Option<String>, topic: Option<String>, last_seq: u64 },
    /// The room as somebody's own list of rooms shows it in the end: once, if they are in it.
    Carded { pass: Pass, board: Board, who: Who, cards: Vec<Card> },
}

/// What became of a room that hello asked to resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ComingBack {
    /// It goes on from there.
    GoesOn,
    /// `resumed`: how many rooms that had moved on the same hello resumed, at most.
    Refused { reason: String, resumed: u64 },
    /// It is not among the rooms of `ready`, and nothing was said of it.
    Forgotten,
}

/// The end is read twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// When all has come to rest.
    First,
    /// After one more start of the engine, which then has nothing in memory.
    Again,
}

/// Where somebody finds their own list of rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Board {
    /// `GET /rooms`.
    List,
    /// The answer to hello.
    Ready,
}

/// A room as somebody's own list of rooms shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Card {
    pub role: String,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub last_seq: u64,
    pub last_at: Option<DateTime<Utc>>,
    pub delivered: u64,
    pub read: u64,
    pub unread: u64,
    pub member_count: u64,
}

/// How far somebody has received and read; 0: nothing is said of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    pub delivered: u64,
    pub read: u64,
}

impl Marks {
    /// Of each, the higher one.
    pub fn or_more(self, other: Self) -> Self {
        Self { delivered: self.delivered.max(other.delivered), read: self.read.max(other.read) }
    }
}

/// A change of a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Name(String),
    Topic(String),
    Add(Who, String),
    Remove(Who),
    Role(Who, String),
}

/// An event of a room's order, as far as laws are about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Message(Kept),
    Changed {
        by: Option<Who>,
        change: Change,
    },
    /// A team came, went, or is something else: what each of its people is from here on, `None`: not a member.
    Team {
        by: Option<Who>,
        people: Vec<(Who, Option<String>)>,
    },
    /// Name and topic as they are from here on.
    Described {
        by: Option<Who>,
        name: Option<String>,
        topic: Option<String>,
    },
    /// A message says something else from here on. What it says is told until another change of it follows.
    Edited {
        by: Option<Who>,
        message: Uuid,
    },
    /// A message says nothing any more.
    Deleted {
        by: Option<Who>,
        message: Uuid,
    },
    /// Something that this program does not know; it has to reach every reader all the same.
    Other(String),
}

impl Fact {
    /// The message that it is, if it is one.
    pub fn message(&self) -> Option<&Kept> {
        if let Self::Message(kept) = self { Some(kept) } else { None }
    }

    /// The message that is not any more what it was.
    pub fn changes(&self) -> Option<Uuid> {
        match self {
            Self::Edited { message, .. } | Self::Deleted { message, .. } => Some(*message),
            _ => None,
        }
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    pub id: Uuid,
    /// `None`: somebody who does not take part.
    pub by: Option<Who>,
    /// `None`: a `client_id` that no writer of this run gives.
    pub send: Option<SendNo>,
    /// As it is by now.
    pub body: Box<Body>,
    /// The form in which that is.
    pub says: u64,
}

/// What an edit makes a message say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    pub content: u64,
    pub parts: Option<u64>,
}

/// A form of a message: what it says, and when it was made to.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Form {
    pub content: u64,
    pub parts: Option<u64>,
    pub edited_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Form {
    /// A short stand-in for it.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// What a message says. Boxed where it stands: most records are of no message, and are as large as the largest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Body {
    pub content: u64,
    pub kind: String,
    pub parts: Option<u64>,
    pub reply_to: Option<Uuid>,
}

/// A member in the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    pub who: Who,
    pub role: String,
    pub delivered: u64,
    pub read: u64,
}

/// Takes the records of a run.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    entries: RefCell<Vec<Entry>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { begun: Instant::now(), entries: RefCell::default() }
    }
}

impl Recorder {
    pub fn note(&self, room: RoomNo, record: Record) {
        let mut entries = self.entries.borrow_mut();
        let (step, ms) = (entries.len() as u64, u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        entries.push(Entry { step, ms, room, record });
    }

    /// The step of the next record.
    pub fn step(&self) -> u64 {
        self.entries.borrow().len() as u64
    }

    pub fn take(&self) -> Vec<Entry> {
        self.entries.take()
    }
}

/// A short stand-in for a text.
pub fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
