//! A room without actors, clocks or IO: who is in it, what its order is, and what follows from a command.
//!
//! A command is decided, handed to the persister, then taken: `decide_*` changes nothing, so that a full queue leaves
//! no trace; [`RoomState::take`] gives out the seq. What was taken but not committed waits in `pending`, in order.
//!
//! Invariants
//! - `committed_seq <= taken_seq`, and the difference is the rows in `pending`.
//! - Membership and names follow what was *taken*: a later command is decided as if earlier ones were committed,
//!   which they are if it ever commits, because of the fence. Reading follows what was *committed*.
//! - One `(sender, client_id)` is one message: while it waits, in the window, and (through Postgres) for good.

mod act;
mod change;
mod repeat;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::config::ChatConfig;
use super::error::ChatError;
use super::facts::RoomFacts;
use super::permissions::{Action, Role, may};
use super::window::{Entry, Window};
use super::wire;
use crate::order::{CoreChange, MessageRow, Page, Row, RowBody, Watermark};
pub use change::{Change, Right, WantedChange};
use parlance_foundation::ids::{MessageId, RoomId, UserId};
use parlance_foundation::party::Party;

/// Somebody who left the space of a channel, and so the channel; the order tells it by the event of this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    pub id: uuid::Uuid,
    pub user_id: UserId,
    pub by: UserId,
    /// The event's as well: whoever writes it, and however often, it is the same row.
    pub at: chrono::DateTime<chrono::Utc>,
}

/// The room as Postgres has it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub facts: RoomFacts,
    pub last_event_at: Option<chrono::DateTime<chrono::Utc>>,
    pub last_seq: i64,
    /// Those who are members no more, by another hand, and of whom the order has to tell yet.
    pub departures: Vec<Departure>,
    /// The newest rows, oldest first, without a gap, up to `last_seq`.
    pub recent: Vec<Row>,
}

/// What is to be done about a send or a change.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once; a box would cost each message an allocation")]
pub enum Decision {
    /// Write this at the next place.
    Write(RowBody),
    /// It was posted before: this is the first result.
    Already(Arc<Row>),
    /// The same send, or what makes this change needless, waits for its commit: this is its ticket.
    Waiting(u64),
    /// It is about this message, which is not in memory.
    Needs(MessageId),
    /// It is so already; what the person that it is about is in the room.
    Settled(Option<Role>),
}

/// A client id, and whose, `None` being the engine: messages and changes have ids apart, in Postgres as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SentKey {
    by: Option<Party>,
    is_message: bool,
    client_id: String,
}

/// Where a client id was used.
#[derive(Clone, Debug)]
enum Sent {
    Waiting(u64),
    Done(Arc<Row>),
}

impl Sent {
    fn decision(&self) -> Decision {
        match self {
            Self::Waiting(ticket) => Decision::Waiting(*ticket),
            Self::Done(row) => Decision::Already(Arc::clone(row)),
        }
    }
}

/// What was taken and waits for its commit.
#[derive(Debug)]
pub struct Pending {
    pub ticket: u64,
    pub row: Arc<Row>,
}

/// See the module.
#[derive(Debug)]
pub struct RoomState {
    pub id: RoomId,
    facts: RoomFacts,
    taken_seq: i64,
    committed_seq: i64,
    pending: VecDeque<Pending>,
    window: Window,
    sent: HashMap<SentKey, Sent>,
    /// Client ids in `sent` whose messages are older than the window, in the order in which they are forgotten.
    recalled: VecDeque<SentKey>,
    next_ticket: u64,
    limits: Arc<ChatConfig>,
}

impl RoomState {
    /// A room as loaded; `next_ticket` continues the numbers of the time before.
    pub fn new(snapshot: Snapshot, next_ticket: u64, limits: Arc<ChatConfig>) -> Self {
        let mut state = Self {
            id: snapshot.facts.id,
            facts: snapshot.facts,
            taken_seq: snapshot.last_seq,
            committed_seq: snapshot.last_seq,
            pending: VecDeque::new(),
            window: Window::new(limits.window_events_max, limits.window_bytes_max),
            sent: HashMap::new(),
            recalled: VecDeque::new(),
            next_ticket,
            limits,
        };
        for row in snapshot.recent {
            state.remember(Arc::new(row));
        }
        state
    }

    /// Takes note of older messages that are being sent again: as many as can wait for a load, parked or fenced.
    pub fn recall(&mut self, rows: impl IntoIterator<Item = Arc<Row>>) {
        for row in rows {
            let Some(key) = key_of(&row) else { continue };
            if self.sent.contains_key(&key) {
                continue;
            }
            self.sent.insert(key.clone(), Sent::Done(row));
            self.recalled.push_back(key);
        }
        while self.recalled.len() > self.limits.room_pending_max.saturating_mul(2) {
            if let Some(oldest) = self.recalled.pop_front() {
                self.sent.remove(&oldest);
            }
        }
    }

    pub fn committed_seq(&self) -> i64 {
        self.committed_seq
    }

    pub fn next_ticket(&self) -> u64 {
        self.next_ticket
    }

    pub fn taken_seq(&self) -> i64 {
        self.taken_seq
    }

    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    pub fn window_len(&self) -> usize {
        self.window.len()
    }

    /// A row of the recent past.
    pub fn recent(&self, id: uuid::Uuid) -> Option<Arc<Row>> {
        self.window.row(id).cloned()
    }

    /// What the room is and who is in it, as if all that was taken were committed.
    pub fn facts(&self) -> &RoomFacts {
        &self.facts
    }

    /// Whether `by`, or the engine itself, may send this message, and whether it was sent before.
    pub fn decide_post(&self, by: Option<Party>, message: MessageRow) -> Result<Decision, ChatError> {
        match by {
            // Its people speak, each for themselves.
            Some(Party::Team(_)) => return Err(ChatError::NotAllowed),
            Some(by) => drop(self.require(by, Action::Post)?),
            None => {}
        }
        let key = message.client_id.clone().map(|client_id| SentKey { by, is_message: true, client_id });
        let first = key.and_then(|key| self.sent.get(&key)).map(Sent::decision);
        Ok(first.unwrap_or_else(|| Decision::Write(RowBody::Message(message))))
    }

    /// Gives the next seq to a decided row; its ticket comes back with the outcome.
    pub fn take(&mut self, row: Arc<Row>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.taken_seq = row.seq;
        if let Some(key) = key_of(&row) {
            self.sent.insert(key, Sent::Waiting(ticket));
        }
        if let Some(change) = row.change() {
            self.facts.apply(row.seq, change);
        }
        self.pending.push_back(Pending { ticket, row });
        ticket
    }

    /// The oldest pending row was committed: it becomes part of the past and can be shown.
    pub fn commit(&mut self, ticket: u64) -> Option<Entry> {
        if self.pending.front()?.ticket != ticket {
            return None;
        }
        let row = self.pending.pop_front()?.row;
        self.committed_seq = row.seq;
        let Some(event) = row.event().filter(|event| event.becomes.is_some()) else { return Some(self.remember(row)) };
        if let Some(form) = &event.becomes {
            self.rewrite(Arc::clone(form));
        }
        // What the message was is kept nowhere in memory.
        let written = Row { body: RowBody::Event(event.written()), ..*row };
        Some(self.remember(Arc::new(written)))
    }

    /// A message has another form from now on: what is told of its place is that form.
    fn rewrite(&mut self, row: Arc<Row>) {
        if let Some(sent) = key_of(&row).and_then(|key| self.sent.get_mut(&key)) {
            *sent = Sent::Done(Arc::clone(&row));
        }
        let (id, message) = (self.id, MessageId(row.id()));
        let retold = |row: &Row| {
            let row = Arc::new(Row { body: RowBody::Event(row.event()?.superseded()?), ..*row });
            Some(Entry { frame: wire::frame(id, &row), row })
        };
        for told in self.window.retell(message, retold) {
            if let Some(sent) = key_of(&told).and_then(|key| self.sent.get_mut(&key)) {
                *sent = Sent::Done(told);
            }
        }
        // Those that are older than the window, of which there are some only after repeated sends.
        for key in self.recalled.iter().filter(|key| !key.is_message) {
            if let Some(Sent::Done(first)) = self.sent.get_mut(key)
                && first.touches() == Some(message)
                && let Some(entry) = retold(first)
            {
                *first = entry.row;
            }
        }
        self.window.rewrite(Entry { frame: wire::frame(self.id, &row), row });
    }

    /// Everything after `after`, as far as memory reaches; `Ok(None)` sends the caller to Postgres.
    pub fn catch_up(&self, by: Party, after: i64, items_max: usize) -> Result<Option<Page>, ChatError> {
        self.require_reader(by)?;
        let items_max = items_max.clamp(1, self.limits.page_items_max);
        Ok(self.window.after(after, self.committed_seq, items_max, self.limits.page_bytes_max))
    }

    /// Raises the watermarks of `by`; `None` when that changes nothing.
    pub fn mark(
        &mut self,
        by: Party,
        delivered: Option<i64>,
        read: Option<i64>,
    ) -> Result<Option<Watermark>, ChatError> {
        let newest = self.committed_seq;
        let member = self.facts.members.get_mut(&by).ok_or(ChatError::RoomNotFound)?;
        let read_seq = read.map_or(member.read_seq, |read| read.clamp(member.read_seq, newest.max(member.read_seq)));
        let asked = delivered.unwrap_or(0).min(newest);
        let delivered_seq = member.delivered_seq.max(asked).max(read_seq);
        if (delivered_seq, read_seq) == (member.delivered_seq, member.read_seq) {
            return Ok(None);
        }
        (member.delivered_seq, member.read_seq) = (delivered_seq, read_seq);
        Ok(Some(Watermark { party: by, delivered_seq, read_seq }))
    }

    /// Raises marks to these, which were told before the room was loaded anew: they never fall. Returns those that
    /// Postgres did not have.
    pub fn raise(&mut self, marks: &[Watermark]) -> Vec<Watermark> {
        let raise = |mark: &Watermark| {
            let member = self.facts.members.get_mut(&mark.party)?;
            member.raise(mark).then(|| member.mark(mark.party))
        };
        marks.iter().filter_map(raise).collect()
    }

    /// The name and the topic.
    pub fn described(&self) -> (Option<&str>, Option<&str>) {
        (self.facts.name.as_deref(), self.facts.topic.as_deref())
    }

    fn remember(&mut self, row: Arc<Row>) -> Entry {
        if let Some(key) = key_of(&row) {
            self.sent.insert(key, Sent::Done(Arc::clone(&row)));
        }
        let entry = Entry { frame: wire::frame(self.id, &row), row };
        for old in self.window.push(entry.clone()) {
            if let Some(key) = key_of(&old.row) {
                self.sent.remove(&key);
            }
        }
        entry
    }

    /// Whether `by` may read now. Reads follow committed membership: a pending join grants nothing yet, and a pending leave
    /// revokes nothing yet, because either may still fail, and nobody would hear of the room's true state. Whoever left the
    /// space is different: their membership ended in Postgres before the room heard of it.
    fn require_reader(&self, by: Party) -> Result<(), ChatError> {
        let first_pending = self.pending.iter().find_map(|pending| match pending.row.change()? {
            change @ CoreChange::MemberAdded { .. } => change.is_about(by).then_some(false),
            change @ CoreChange::MemberRemoved { is_out: false, .. } => change.is_about(by).then_some(true),
            _ => None,
        });
        match first_pending {
            // Every role may read.
            Some(true) => Ok(()),
            Some(false) => Err(ChatError::RoomNotFound),
            None => self.require(by, Action::Read).map(drop),
        }
    }

    /// The role of `by`, if it allows `action`. A stranger learns nothing about the room.
    fn require(&self, by: Party, action: Action) -> Result<Role, ChatError> {
        let role = self.facts.role(by).ok_or(ChatError::RoomNotFound)?;
        self.allow(role, action)
    }

    fn allow(&self, role: Role, action: Action) -> Result<Role, ChatError> {
        if may(role, action, self.facts.kind) {
            return Ok(role);
        }
        let fixed = self.facts.kind.rules().is_pair && !matches!(action, Action::Post | Action::Read);
        Err(if fixed { ChatError::DirectRoom } else { ChatError::NotAllowed })
    }
}

/// Where the client id of a row is kept.
fn key_of(row: &Row) -> Option<SentKey> {
    let (by, client_id) = row.client_key()?;
    Some(SentKey { by, is_message: row.event().is_none(), client_id: client_id.to_owned() })
}
