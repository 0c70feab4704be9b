//! What a room does with commands, outcomes and loads: everything but the actor. No runtime, no IO.
//!
//! What needs a runtime it leaves as a [`Wish`]; rows go out through [`TakesJobs`], news through [`Audience`]. So the
//! same code runs under an actor and under a simulation.

mod marks;
mod ready;
mod settle;
mod show;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use bytestring::ByteString;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::order::{CoreChange, Row, RowBody, Watermark};
use crate::persistence::{Claim, CommitLane, Job, Outcome, TakesJobs, Write};
use crate::publish::{Audience, Delivery};
use crate::rooms::action::WantedAction;
use crate::rooms::card::Card;
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::facts::Member;
use crate::rooms::mailbox::{
    Act, Acted, ChangeRoom, Changed, Command, CompareMembers, MarkReceipt, PostMessage, Posted, Reply,
};
use crate::rooms::memory::{LiveCard, RoomMemory};
use crate::rooms::permissions::Role;
use crate::rooms::state::{Decision, Departure, RoomState, Snapshot, WantedChange};
use crate::rooms::window::Entry;
use crate::rooms::wire;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{EventId, RoomId, UserId};
use parlance_foundation::party::Party;

/// The newest committed seq of an open room, readable from any thread; [`NOT_LOADED`] at first. Invariant: set before
/// the hubs are told.
pub type LatestSeq = Arc<AtomicI64>;

/// No seq: a new room without any change is at 0, and has been shown.
pub const NOT_LOADED: i64 = -1;

/// Of so many sends a room remembers that Postgres knew them; each may be as long as a message may be.
const REPEATED_MAX: usize = 64;

/// What a room needs done that takes time; the shell does it and comes back.
#[derive(Debug, PartialEq)]
pub enum Wish {
    /// Read the room, after every write that is still on its way, and which of these sends were posted before; then
    /// [`RoomLife::loaded`].
    Load(Vec<(Option<Party>, String)>),
    /// [`RoomLife::load_again`], after a pause.
    LoadAgain,
    /// [`RoomLife::flush_marks`], soon.
    FlushMarks,
    /// [`RoomLife::depart_again`], after a pause.
    DepartAgain,
    /// There is no such room: let it go.
    Release,
}

/// The doors around a room.
#[derive(Clone)]
pub struct Around {
    pub config: Arc<ChatConfig>,
    pub clock: Clock,
    pub jobs: Arc<dyn TakesJobs>,
    pub audience: Arc<dyn Audience>,
    pub memory: RoomMemory,
    pub latest: LatestSeq,
    /// As of what was shown: `latest` and the card move together.
    pub card: Arc<LiveCard>,
}

/// What became of writes, a message a time.
pub type Outcomes = UnboundedReceiver<Vec<(u64, Outcome)>>;

/// See the module.
pub struct RoomLife {
    id: RoomId,
    around: Around,
    phase: Phase,
    lane: CommitLane,
    /// Who waits for which ticket; several, when one send was repeated while it waited.
    /// In the order of their tickets, so that one seed of a simulation gives one run.
    waiting: BTreeMap<u64, Waiting>,
    marks: BTreeMap<Party, Watermark>,
    /// Of whom the order is to tell that they are out, once the persister takes it.
    departures: VecDeque<Departure>,
    /// [`Wish::DepartAgain`] is wished for and has not come true.
    departs_again: bool,
    /// The newest that Postgres had when they were sent again: known after the load that follows, so that who sends one
    /// over and over does not have the room loaded each time.
    repeated: VecDeque<Arc<Row>>,
    wishes: Vec<Wish>,
    post_seconds: metrics::Histogram,
}

enum Phase {
    /// Commands wait until the state is there.
    Loading {
        parked: VecDeque<Command>,
        redo: Vec<Redo>,
        next_ticket: u64,
    },
    Ready(Box<RoomState>),
    /// A write did not commit: no new commands until the outcome of all others is known.
    Settling {
        state: Box<RoomState>,
        parked: VecDeque<Command>,
        redo: Vec<Redo>,
    },
    /// Postgres is away: the next command tries to load again.
    Unloaded {
        next_ticket: u64,
    },
}

/// A change that was taken, and whom to tell.
struct Waiting {
    row: Arc<Row>,
    asked: Asked,
    since: Instant,
    replies: Vec<Answer>,
}

/// A change that was fenced and will be decided again, with the same id.
struct Redo {
    row: Arc<Row>,
    asked: Asked,
    replies: Vec<Answer>,
}

/// What a row was made of beside what stands in it: kept, because after a fence it is decided once more.
enum Asked {
    /// A message, or a departure.
    Nothing,
    Change(WantedChange),
    Action(WantedAction),
}

enum Answer {
    Post(Reply<Posted>),
    Change(Reply<Changed>),
    Act(Reply<Acted>),
    /// Refused for what a change makes of the message, once that is committed.
    Refusal(Reply<Acted>, ChatError),
}

impl Answer {
    fn send(self, result: Result<Posted, ChatError>) {
        match self {
            Self::Post(reply) => reply.send(result),
            Self::Change(reply) => reply.send(result.map(Changed::by)),
            Self::Act(reply) => reply.send(result.map(Acted::Done)),
            Self::Refusal(reply, error) => reply.send(Err(if result.is_ok() { error } else { ChatError::Restarted })),
        }
    }
}

impl Answer {
    /// It is so already.
    fn settle(self, role: Option<Role>) {
        match self {
            Self::Change(reply) => reply.send(Ok(Changed::before(role))),
            Self::Act(reply) => reply.send(Ok(Acted::Settled)),
            // Of changes only.
            Self::Post(reply) => reply.send(Err(ChatError::Restarted)),
            Self::Refusal(reply, _) => reply.send(Err(ChatError::Restarted)),
        }
    }
}

/// One result for all: the first asked first, the others repeated it while it waited.
fn answer_each(replies: Vec<Answer>, result: &Result<Posted, ChatError>) {
    for (index, answer) in replies.into_iter().enumerate() {
        let repeated = |posted: Posted| Posted { repeated: posted.repeated || index > 0, ..posted };
        answer.send(result.clone().map(repeated));
    }
}

impl RoomLife {
    /// A room that wishes to be loaded, and what its persister tells it.
    pub fn new(id: RoomId, around: Around) -> (Self, Outcomes) {
        let (lane, outcomes) = tokio::sync::mpsc::unbounded_channel();
        let mut life = Self {
            id,
            around,
            phase: Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket: 0 },
            lane,
            waiting: BTreeMap::new(),
            marks: BTreeMap::new(),
            departures: VecDeque::new(),
            departs_again: false,
            repeated: VecDeque::new(),
            wishes: Vec::new(),
            post_seconds: metrics::histogram!("parlance_post_seconds"),
        };
        life.load();
        (life, outcomes)
    }

    /// What is to be done for it by now.
    pub fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// Nothing is under way that somebody waits for.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Ready(_) | Phase::Unloaded { .. }) && self.waiting.is_empty()
    }

    /// Nobody waits for it, and it owes nobody news: one that was shown before Postgres went away may have to tell what was
    /// committed all the same, and only it knows what that is.
    pub fn may_be_let_go(&self) -> bool {
        let has_shown = self.around.latest.load(Ordering::Acquire) != NOT_LOADED;
        let is_done = self.waiting.is_empty() && self.departures.is_empty();
        is_done && (matches!(self.phase, Phase::Ready(_)) || !has_shown)
    }

    /// The room ends: its card is what Postgres has, unless that may have more than was shown.
    pub fn complete_card(&self) {
        if matches!(self.phase, Phase::Ready(_)) {
            self.around.card.complete();
        }
    }

    /// Takes that wait for their outcome.
    pub fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// What it is doing, in a word.
    pub fn phase(&self) -> &'static str {
        match &self.phase {
            Phase::Loading { .. } => "loading",
            Phase::Ready(_) => "ready",
            Phase::Settling { .. } => "settling",
            Phase::Unloaded { .. } => "unloaded",
        }
    }

    /// The room as it is in memory, unless it is not there.
    pub fn state(&self) -> Option<&RoomState> {
        match &self.phase {
            Phase::Ready(state) | Phase::Settling { state, .. } => Some(state),
            Phase::Loading { .. } | Phase::Unloaded { .. } => None,
        }
    }

    /// Decides a command, or keeps it until the room is ready.
    pub fn obey(&mut self, command: Command) {
        match &mut self.phase {
            Phase::Ready(_) => match command {
                Command::Post(command) => self.post(command),
                Command::Change(command) => self.change(command),
                Command::Act(command) => self.act(command),
                Command::CatchUp(command) => {
                    if let Phase::Ready(state) = &self.phase {
                        command.reply.send(state.catch_up(command.by, command.after, command.items_max));
                    }
                }
                Command::Mark(command) => self.mark(command),
                Command::Compare(command) => self.compare(command),
            },
            Phase::Loading { parked, .. } | Phase::Settling { parked, .. } => {
                if parked.len() >= self.around.config.room_pending_max {
                    command.fail(ChatError::Busy);
                } else {
                    parked.push_back(command);
                }
            }
            Phase::Unloaded { next_ticket } => {
                let next_ticket = *next_ticket;
                self.phase = Phase::Loading { parked: VecDeque::from([command]), redo: Vec::new(), next_ticket };
                self.load();
            }
        }
    }

    fn post(&mut self, command: PostMessage) {
        // Whoever left hears nothing of what comes after that.
        if !self.depart() {
            return command.reply.send(Err(ChatError::Busy));
        }
        let Phase::Ready(state) = &mut self.phase else { return };
        let PostMessage { by, message, reply } = command;
        match state.decide_post(by, message) {
            Err(error) => reply.send(Err(error)),
            Ok(Decision::Already(row)) => reply.send(Ok(Posted { row, repeated: true })),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => waiting.replies.push(Answer::Post(reply)),
                None => reply.send(Err(ChatError::Restarted)),
            },
            Ok(Decision::Write(body)) => {
                self.write(body, Asked::Nothing, vec![Answer::Post(reply)]);
            }
            Ok(Decision::Settled(role)) => Answer::Post(reply).settle(role),
            // Of actions only.
            Ok(Decision::Needs(_)) => reply.send(Err(ChatError::Restarted)),
        }
    }

    fn change(&mut self, command: ChangeRoom) {
        // Whoever left comes back after that was told, or the telling would take them out again.
        if !self.depart() {
            return command.reply.send(Err(ChatError::Busy));
        }
        let Phase::Ready(state) = &mut self.phase else { return };
        let ChangeRoom { wanted, reply } = command;
        let id = EventId::new(&self.around.clock);
        match state.decide_change(id.0, &wanted) {
            Err(error) => reply.send(Err(error)),
            Ok(Decision::Settled(role)) => reply.send(Ok(Changed::before(role))),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => waiting.replies.push(Answer::Change(reply)),
                None => reply.send(Err(ChatError::Restarted)),
            },
            Ok(Decision::Already(row)) => reply.send(Ok(Changed::by(Posted { row, repeated: true }))),
            Ok(Decision::Write(body)) => {
                self.write(body, Asked::Change(wanted), vec![Answer::Change(reply)]);
            }
            // Of actions only.
            Ok(Decision::Needs(_)) => reply.send(Err(ChatError::Restarted)),
        }
    }

    fn act(&mut self, command: Act) {
        if !self.depart() {
            return command.reply.send(Err(ChatError::Busy));
        }
        let Phase::Ready(state) = &mut self.phase else { return };
        let Act { wanted, reply } = command;
        let (id, at) = (EventId::new(&self.around.clock), self.around.clock.now());
        let touch = wanted.action.target().and_then(|message| state.pending_touch(message));
        match state.decide_action(id.0, at, &wanted) {
            // The change that it is refused for may never be committed: then it is to be sent again.
            Err(error) => match touch.and_then(|ticket| self.waiting.get_mut(&ticket)) {
                Some(waiting) => waiting.replies.push(Answer::Refusal(reply, error)),
                None => reply.send(Err(error)),
            },
            Ok(Decision::Settled(_)) => reply.send(Ok(Acted::Settled)),
            Ok(Decision::Needs(message)) => reply.send(Ok(Acted::Needs(message))),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => waiting.replies.push(Answer::Act(reply)),
                None => reply.send(Err(ChatError::Restarted)),
            },
            Ok(Decision::Already(row)) => reply.send(Ok(Acted::Done(Posted { row, repeated: true }))),
            Ok(Decision::Write(body)) => {
                self.write_at(at, body, Asked::Action(wanted), vec![Answer::Act(reply)]);
            }
        }
    }

    /// Has the order tell of those who are out already. Whether all of it was taken.
    pub fn depart(&mut self) -> bool {
        while let Some(departure) = self.departures.pop_front() {
            let body = RoomState::departed(&departure);
            if !self.write_at(departure.at, body, Asked::Nothing, Vec::new()) {
                self.departures.push_front(departure);
                if !std::mem::replace(&mut self.departs_again, true) {
                    self.wishes.push(Wish::DepartAgain);
                }
                return false;
            }
        }
        true
    }

    /// The same, later.
    pub fn depart_again(&mut self) {
        self.departs_again = false;
        self.depart();
    }

    /// Takes the next seq and hands the row to the persister; when its queue is full, nothing has happened. Whether it was
    /// taken.
    fn write(&mut self, body: RowBody, asked: Asked, replies: Vec<Answer>) -> bool {
        self.write_at(self.around.clock.now(), body, asked, replies)
    }

    fn write_at(&mut self, at: DateTime<Utc>, body: RowBody, asked: Asked, replies: Vec<Answer>) -> bool {
        let Phase::Ready(state) = &mut self.phase else { return false };
        let busy = |replies: Vec<Answer>| {
            replies.into_iter().for_each(|answer| answer.send(Err(ChatError::Busy)));
            false
        };
        if state.pending_len() >= self.around.config.room_pending_max {
            return busy(replies);
        }
        let from_seq = state.taken_seq();
        let row = Arc::new(Row { seq: from_seq + 1, at, body });
        let claim = Claim::new(state.next_ticket(), self.lane.clone());
        let write = Write { room_id: self.id, from_seq, rows: vec![Arc::clone(&row)], claim };
        if let Err(full) = self.around.jobs.enqueue(self.id, Job::Write(write)) {
            if let Job::Write(write) = full.0 {
                write.claim.waive();
            }
            return busy(replies);
        }
        let ticket = state.take(Arc::clone(&row));
        self.waiting.insert(ticket, Waiting { row, asked, since: Instant::now(), replies });
        true
    }
}
