//! One conversation: the actor that gives its changes their order. Thin shell around [`RoomState`].
//!
//! Receives [`Command`]s from sessions and HTTP, and outcomes from its persister. Emits [`Delivery`]s to the hubs and
//! answers to whoever asked. Life: *loading* (commands wait in order) → *ready* → *settling*, when a write did not
//! commit as planned (the rest of what was taken is awaited, then the room is loaded anew and what was fenced is
//! decided again) → *loading* …
//!
//! Invariants: it never awaits SQL while ready; nothing is shown or acknowledged before its commit; every command is
//! answered once.

mod load;
mod marks;
mod settle;
mod show;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, StreamHandler, WrapFuture};
use bytestring::ByteString;
use serde_json::json;
use tokio::sync::mpsc;

use super::card::Card;
use super::config::ChatConfig;
use super::directory::{ReleaseRoom, RoomDirectory};
use super::error::ChatError;
use super::memory::{LiveCard, RoomMemory};
use super::messages::{
    Audience, ChangeRoom, Command, CompareMembers, Delivery, MarkReceipt, PostMessage, Posted, Reply,
};
use super::state::{Decision, RoomState, Snapshot};
use super::window::Entry;
use super::{store, wire};
use crate::clock::Clock;
use crate::ids::{EventId, RoomId, UserId};
use crate::persistence::{
    Claim, CommitLane, EventRow, Job, Outcome, Persisters, Row, RowBody, SideEffect, Watermark, Write,
};
use crate::storage::Storage;
use crate::supervision::{ActorHandle, Supervised};

/// What every room needs from the engine.
#[derive(Clone)]
pub struct RoomParts {
    pub config: Arc<ChatConfig>,
    pub clock: Clock,
    pub storage: Storage,
    pub persisters: Persisters,
    pub audience: Arc<dyn Audience>,
    pub memory: RoomMemory,
}

/// A room is read within this time, or its commands are told to come again.
const LOAD_PATIENCE: Duration = Duration::from_secs(10);

/// Pause before a room that could not be read is tried again.
const LOAD_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The newest committed seq of an open room, readable from any thread. Invariant: set before the hubs are told.
pub type LatestSeq = Arc<AtomicI64>;

/// See the module.
pub struct Room {
    id: RoomId,
    parts: RoomParts,
    directory: ActorHandle<RoomDirectory>,
    latest: LatestSeq,
    /// As of what was shown: `latest` and the card move together.
    card: Arc<LiveCard>,
    phase: Phase,
    lane: CommitLane,
    outcomes: Option<mpsc::UnboundedReceiver<Vec<(u64, Outcome)>>>,
    /// Who waits for which ticket; several, when one send was repeated while it waited.
    waiting: HashMap<u64, Waiting>,
    marks: HashMap<UserId, Watermark>,
    /// What had been acknowledged when the state was given up, which Postgres may not have in full yet.
    known_marks: Vec<Watermark>,
    used_at: Instant,
    stopping: bool,
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
    since: Instant,
    replies: Vec<Answer>,
}

/// A change that was fenced and will be decided again, with the same id.
struct Redo {
    row: Arc<Row>,
    replies: Vec<Answer>,
}

enum Answer {
    Post(Reply<Posted>),
    Change(Reply<Arc<Row>>),
}

impl Answer {
    fn send(self, result: Result<Posted, ChatError>) {
        match self {
            Self::Post(reply) => reply.send(result),
            Self::Change(reply) => reply.send(result.map(|posted| posted.row)),
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

impl Room {
    /// A room that loads itself when it starts.
    pub fn new(
        id: RoomId,
        parts: RoomParts,
        directory: ActorHandle<RoomDirectory>,
        latest: LatestSeq,
        card: Arc<LiveCard>,
    ) -> Self {
        let (lane, outcomes) = mpsc::unbounded_channel();
        Self {
            id,
            parts,
            directory,
            latest,
            card,
            phase: Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket: 0 },
            lane,
            outcomes: Some(outcomes),
            waiting: HashMap::new(),
            marks: HashMap::new(),
            known_marks: Vec::new(),
            used_at: Instant::now(),
            stopping: false,
            post_seconds: metrics::histogram!("parlance_post_seconds"),
        }
    }

    fn obey(&mut self, command: Command, ctx: &mut Context<Self>) {
        match &mut self.phase {
            Phase::Ready(_) => match command {
                Command::Post(command) => self.post(command),
                Command::Change(command) => self.change(command),
                Command::CatchUp(command) => {
                    if let Phase::Ready(state) = &self.phase {
                        command.reply.send(state.catch_up(command.by, command.after, command.items_max));
                    }
                }
                Command::Mark(command) => self.mark(command, ctx),
                Command::Compare(command) => self.compare(&command, ctx),
            },
            Phase::Loading { parked, .. } | Phase::Settling { parked, .. } => {
                if parked.len() >= self.parts.config.room_pending_max {
                    command.fail(ChatError::Busy);
                } else {
                    parked.push_back(command);
                }
            }
            Phase::Unloaded { next_ticket } => {
                let next_ticket = *next_ticket;
                self.phase = Phase::Loading { parked: VecDeque::from([command]), redo: Vec::new(), next_ticket };
                self.load(ctx);
            }
        }
    }

    fn post(&mut self, command: PostMessage) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let PostMessage { by, message, reply } = command;
        match state.decide_post(by, message) {
            Err(error) => reply.send(Err(error)),
            Ok(Decision::Already(row)) => reply.send(Ok(Posted { row, repeated: true })),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => waiting.replies.push(Answer::Post(reply)),
                None => reply.send(Err(ChatError::Restarted)),
            },
            Ok(Decision::Write(body)) => self.write(body, vec![Answer::Post(reply)]),
        }
    }

    fn change(&mut self, command: ChangeRoom) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let id = EventId::new(&self.parts.clock);
        match state.decide_change(command.by, id.0, &command.change) {
            Err(error) => command.reply.send(Err(error)),
            Ok(body) => self.write(body, vec![Answer::Change(command.reply)]),
        }
    }

    /// Takes the next seq and hands the row to the persister; when its queue is full, nothing has happened.
    fn write(&mut self, body: RowBody, replies: Vec<Answer>) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let busy = |replies: Vec<Answer>| replies.into_iter().for_each(|answer| answer.send(Err(ChatError::Busy)));
        if state.pending_len() >= self.parts.config.room_pending_max {
            return busy(replies);
        }
        let from_seq = state.taken_seq();
        let row = Arc::new(Row { seq: from_seq + 1, at: self.parts.clock.now(), body });
        let claim = Claim::new(state.next_ticket(), self.lane.clone());
        let write = Write { room_id: self.id, from_seq, rows: vec![Arc::clone(&row)], claim };
        if let Err(full) = self.parts.persisters.enqueue(self.id, Job::Write(write)) {
            if let Job::Write(write) = full.0 {
                write.claim.waive();
            }
            return busy(replies);
        }
        let ticket = state.take(Arc::clone(&row));
        self.waiting.insert(ticket, Waiting { row, since: Instant::now(), replies });
    }

    /// Loads the room anew when members came or went by another hand.
    fn compare(&mut self, command: &CompareMembers, ctx: &mut Context<Self>) {
        let Phase::Ready(state) = &self.phase else { return };
        // What the room itself does is in its state before it is in Postgres.
        if command.users.iter().any(|user| state.is_member(*user) != command.are_members) {
            tracing::info!(room_id = %self.id, "its members were changed elsewhere; loading it anew");
            self.begin_settling();
            self.finish_settling(ctx);
        }
    }

    /// Asks the directory to let this room go.
    fn release(&self) {
        // A directory that is busy or restarting is asked again at the next tick.
        let _ = self.directory.send(ReleaseRoom { room_id: self.id });
    }

    fn stop_when_idle(&mut self, ctx: &mut Context<Self>) {
        let at_rest = matches!(self.phase, Phase::Ready(_) | Phase::Unloaded { .. });
        if at_rest && self.waiting.is_empty() {
            self.flush_marks(ctx);
            // Unloaded: Postgres may have more than was shown.
            if matches!(self.phase, Phase::Ready(_)) {
                self.card.complete();
            }
            ctx.stop();
        }
    }
}

impl Actor for Room {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(mut outcomes) = self.outcomes.take() {
            ctx.add_stream(futures_util::stream::poll_fn(move |cx| outcomes.poll_recv(cx)));
        }
        let idle = Duration::from_secs(self.parts.config.room_idle_s);
        ctx.run_interval(idle, move |room, _| {
            if room.used_at.elapsed() >= idle && room.waiting.is_empty() {
                room.release();
            }
        });
        self.load(ctx);
    }
}

impl Supervised for Room {
    /// Waits for the commits of what was taken, then ends.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.stopping = true;
        self.stop_when_idle(ctx);
    }

    fn report(&self) -> serde_json::Value {
        let (phase, state) = match &self.phase {
            Phase::Loading { .. } => ("loading", None),
            Phase::Ready(state) => ("ready", Some(state)),
            Phase::Settling { state, .. } => ("settling", Some(state)),
            Phase::Unloaded { .. } => ("unloaded", None),
        };
        json!({
            "phase": phase,
            "waiting": self.waiting.len(),
            "committed_seq": state.map(|state| state.committed_seq()),
            "members": state.map(|state| state.members_len()),
            "window_events": state.map(|state| state.window_len()),
        })
    }
}

crate::supervised!(Room);

impl Handler<Command> for Room {
    type Result = ();

    fn handle(&mut self, command: Command, ctx: &mut Self::Context) {
        self.used_at = Instant::now();
        self.obey(command, ctx);
    }
}

impl StreamHandler<Vec<(u64, Outcome)>> for Room {
    fn handle(&mut self, outcomes: Vec<(u64, Outcome)>, ctx: &mut Self::Context) {
        self.settle(outcomes, ctx);
    }
}
