//! One conversation: the actor that gives its changes their order. Thin shell around [`RoomState`].
//!
//! Receives [`Command`]s from sessions and HTTP, and outcomes from its persister. Emits [`Delivery`]s to the hubs and
//! answers to whoever asked. Life: *loading* (commands wait in order) → *ready* → *settling*, when a write did not
//! commit as planned (the rest of what was taken is awaited, then the room is loaded anew and what was fenced is
//! decided again) → *loading* …
//!
//! Invariants: it never awaits SQL while ready; nothing is shown or acknowledged before its commit; every command is
//! answered once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, StreamHandler, WrapFuture};
use bytestring::ByteString;
use serde_json::json;
use tokio::sync::mpsc;

use super::config::ChatConfig;
use super::directory::{ReleaseRoom, RoomDirectory};
use super::error::ChatError;
use super::messages::{Audience, ChangeRoom, Command, Delivery, MarkReceipt, PostMessage, Posted, Reply};
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
}

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
    phase: Phase,
    lane: CommitLane,
    outcomes: Option<mpsc::UnboundedReceiver<Vec<(u64, Outcome)>>>,
    /// Who waits for which ticket; several, when one send was repeated while it waited.
    waiting: HashMap<u64, Waiting>,
    marks: HashMap<UserId, Watermark>,
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
    pub fn new(id: RoomId, parts: RoomParts, directory: ActorHandle<RoomDirectory>, latest: LatestSeq) -> Self {
        let (lane, outcomes) = mpsc::unbounded_channel();
        Self {
            id,
            parts,
            directory,
            latest,
            phase: Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket: 0 },
            lane,
            outcomes: Some(outcomes),
            waiting: HashMap::new(),
            marks: HashMap::new(),
            used_at: Instant::now(),
            stopping: false,
            post_seconds: metrics::histogram!("parlance_post_seconds"),
        }
    }

    /// Reads the room from Postgres, after every write that is still on its way there.
    fn load(&mut self, ctx: &mut Context<Self>) {
        let (id, parts, sends) = (self.id, self.parts.clone(), self.undecided_sends());
        let work = async move {
            parts.persisters.settle(id).await.map_err(|_| ChatError::Busy)?;
            let Some(snapshot) = store::load_room(&parts.storage, id, &parts.config).await? else { return Ok(None) };
            // Looked up together: each repeated send would else cost a refused batch and another load.
            Ok(Some((snapshot, store::sent_before(&parts.storage, id, &sends).await?)))
        };
        ctx.spawn(work.into_actor(self).map(|loaded, room, ctx| {
            match loaded {
                Ok(Some((snapshot, sent))) => room.become_ready(snapshot, sent, ctx),
                Ok(None) => {
                    room.fail_parked(ChatError::RoomNotFound);
                    room.release();
                }
                Err(error) => {
                    room.fail_parked(error);
                    // Also without a command: listeners may have missed what an outage left committed but untold.
                    ctx.run_later(LOAD_AGAIN_AFTER, |room, ctx| room.load_again(ctx));
                }
            }
            if room.stopping {
                room.stop_when_idle(ctx);
            }
        }));
    }

    fn load_again(&mut self, ctx: &mut Context<Self>) {
        if let Phase::Unloaded { next_ticket } = self.phase {
            self.phase = Phase::Loading { parked: VecDeque::new(), redo: Vec::new(), next_ticket };
            self.load(ctx);
        }
    }

    /// The sends that wait for the room to be ready, by sender and client id.
    fn undecided_sends(&self) -> Vec<(UserId, String)> {
        let Phase::Loading { parked, redo, .. } = &self.phase else { return Vec::new() };
        let parked = parked.iter().filter_map(|command| match command {
            Command::Post(post) => Some(&post.message),
            Command::Change(_) | Command::CatchUp(_) | Command::Mark(_) => None,
        });
        let redone = redo.iter().filter_map(|change| match &change.row.body {
            RowBody::Message(message) => Some(message),
            RowBody::Event(_) => None,
        });
        parked.chain(redone).filter_map(|message| Some((message.sender, message.client_id.clone()?))).collect()
    }

    fn become_ready(&mut self, snapshot: Snapshot, sent: Vec<Row>, ctx: &mut Context<Self>) {
        let unloaded = Phase::Unloaded { next_ticket: 0 };
        let (parked, redo, next_ticket) = match std::mem::replace(&mut self.phase, unloaded) {
            Phase::Loading { parked, redo, next_ticket } => (parked, redo, next_ticket),
            other => {
                self.phase = other;
                return;
            }
        };
        let last_seq = snapshot.last_seq;
        // What this room, or its life before a crash, had shown.
        let shown_seq = self.latest.load(Ordering::Acquire);
        let untold: Vec<EventRow> = snapshot
            .recent
            .iter()
            .filter(|row| shown_seq > 0 && row.seq > shown_seq)
            .filter_map(event_of)
            .cloned()
            .collect();
        let mut state = RoomState::new(snapshot, next_ticket, Arc::clone(&self.parts.config));
        state.recall(sent);
        self.phase = Phase::Ready(Box::new(state));
        self.latest.store(last_seq, Ordering::Release);
        // Whoever follows this room may have missed what was committed while nobody was there to tell.
        let (joined, left) = self.comings_and_goings(&untold, last_seq);
        self.deliver(last_seq + 1, Vec::new(), joined, left);
        for change in redo {
            self.decide_again(change);
        }
        for command in parked {
            self.obey(command, ctx);
        }
    }

    fn fail_parked(&mut self, error: ChatError) {
        if let Phase::Loading { parked, redo, next_ticket } = &mut self.phase {
            let next_ticket = *next_ticket;
            let (parked, redo) = (std::mem::take(parked), std::mem::take(redo));
            self.phase = Phase::Unloaded { next_ticket };
            for answer in redo.into_iter().flat_map(|change| change.replies) {
                answer.send(Err(error.clone()));
            }
            for command in parked {
                command.fail(error.clone());
            }
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
        match state.decide_post(by, &message) {
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

    /// A fenced change, decided anew on the state as it is now.
    fn decide_again(&mut self, change: Redo) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let Redo { row, replies } = change;
        let decided = match &row.body {
            RowBody::Message(message) => state.decide_post(message.sender, message),
            RowBody::Event(event) => match (event.actor, store::change_of(event)) {
                (Some(by), Some(change)) => state.decide_change(by, event.id, &change).map(Decision::Write),
                _ => Err(ChatError::Restarted),
            },
        };
        let failed = match decided {
            Ok(Decision::Write(body)) => return self.write(body, replies),
            Ok(Decision::Already(row)) => Ok(Posted { row, repeated: true }),
            Ok(Decision::Waiting(ticket)) => match self.waiting.get_mut(&ticket) {
                Some(waiting) => return waiting.replies.extend(replies),
                None => Err(ChatError::Restarted),
            },
            Err(error) => Err(error),
        };
        for answer in replies {
            answer.send(failed.clone());
        }
    }

    fn mark(&mut self, command: MarkReceipt, ctx: &mut Context<Self>) {
        let Phase::Ready(state) = &mut self.phase else { return };
        let marked = state.mark(command.by, command.delivered_seq, command.read_seq);
        if let Ok(Some(mark)) = &marked {
            if self.marks.is_empty() {
                self.flush_marks_soon(ctx);
            }
            self.marks.insert(mark.user_id, *mark);
        }
        command.reply.send(marked);
    }

    fn flush_marks_soon(&self, ctx: &mut Context<Self>) {
        let soon = Duration::from_millis(self.parts.config.receipts_every_ms);
        ctx.run_later(soon, |room, ctx| room.flush_marks(ctx));
    }

    /// Writes and announces the read marks of the last moments.
    fn flush_marks(&mut self, ctx: &mut Context<Self>) {
        let marks: Vec<Watermark> = self.marks.drain().map(|(_, mark)| mark).collect();
        if marks.is_empty() {
            return;
        }
        let receipt = |mark: &Watermark| {
            wire::encode(&wire::ReceiptUpdated {
                room_id: self.id,
                user_id: mark.user_id,
                delivered_seq: mark.delivered_seq,
                read_seq: mark.read_seq,
            })
        };
        self.parts.audience.whisper(self.id, marks.iter().map(receipt).collect());
        if let Err(full) = self.parts.persisters.enqueue(self.id, Job::Watermarks(self.id, marks))
            && let Job::Watermarks(_, marks) = full.0
        {
            // Kept for the next round: the marks are in memory, and a newer one replaces an older.
            for mark in marks {
                self.marks.entry(mark.user_id).or_insert(mark);
            }
            self.flush_marks_soon(ctx);
        }
    }

    /// What became of writes, in their order.
    fn settle(&mut self, outcomes: Vec<(u64, Outcome)>, ctx: &mut Context<Self>) {
        let mut shown: Vec<Entry> = Vec::new();
        let mut answers: Vec<(Waiting, Arc<Row>)> = Vec::new();
        for (ticket, outcome) in outcomes {
            let Some(waiting) = self.waiting.remove(&ticket) else { continue };
            if let (Phase::Ready(state), Outcome::Committed) = (&mut self.phase, &outcome) {
                let row = Arc::clone(&waiting.row);
                shown.extend(state.commit(ticket));
                answers.push((waiting, row));
                continue;
            }
            self.show(std::mem::take(&mut shown));
            self.answer(std::mem::take(&mut answers));
            self.begin_settling();
            let result = match outcome {
                // Committed after a write whose fate was unknown: the load that follows shows both.
                Outcome::Committed => Ok(Posted { row: Arc::clone(&waiting.row), repeated: false }),
                Outcome::Duplicate(first) => Ok(Posted { row: first.row, repeated: true }),
                Outcome::Unavailable => Err(ChatError::Unavailable),
                Outcome::Refused => Err(ChatError::Refused),
                Outcome::Fenced => {
                    if let Phase::Settling { redo, .. } = &mut self.phase {
                        redo.push(Redo { row: waiting.row, replies: waiting.replies });
                    }
                    continue;
                }
            };
            answer_each(waiting.replies, &result);
        }
        self.show(shown);
        self.answer(answers);
        self.finish_settling(ctx);
        if self.stopping {
            self.stop_when_idle(ctx);
        }
    }

    fn begin_settling(&mut self) {
        let unloaded = Phase::Unloaded { next_ticket: 0 };
        self.phase = match std::mem::replace(&mut self.phase, unloaded) {
            Phase::Ready(state) => Phase::Settling { state, parked: VecDeque::new(), redo: Vec::new() },
            other => other,
        };
    }

    fn finish_settling(&mut self, ctx: &mut Context<Self>) {
        if !self.waiting.is_empty() {
            return;
        }
        if let Phase::Settling { state, parked, redo } = &mut self.phase {
            let next_ticket = state.next_ticket();
            let (parked, redo) = (std::mem::take(parked), std::mem::take(redo));
            self.phase = Phase::Loading { parked, redo, next_ticket };
            self.load(ctx);
        }
    }

    /// Shows committed rows to everyone who listens. A delivery ends with each coming or going, so that nobody hears
    /// what was said before they came or after they left.
    fn show(&self, entries: Vec<Entry>) {
        let Phase::Ready(state) = &self.phase else { return };
        self.latest.store(state.committed_seq(), Ordering::Release);
        let (mut first_seq, mut frames) = (0, Vec::new());
        for entry in entries {
            if frames.is_empty() {
                first_seq = entry.row.seq;
            }
            frames.push(entry.frame);
            let events: Vec<EventRow> = event_of(&entry.row).cloned().into_iter().collect();
            let (joined, left) = self.comings_and_goings(&events, entry.row.seq);
            if !joined.is_empty() || !left.is_empty() {
                self.deliver(first_seq, std::mem::take(&mut frames), joined, left);
            }
        }
        if !frames.is_empty() {
            self.deliver(first_seq, frames, Vec::new(), Vec::new());
        }
    }

    /// Who came, each with the frame that tells them, and who went.
    fn comings_and_goings(&self, events: &[EventRow], last_seq: i64) -> (Vec<(UserId, ByteString)>, Vec<UserId>) {
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        let Phase::Ready(state) = &self.phase else { return (joined, left) };
        for event in events {
            match &event.effect {
                SideEffect::AddMember { user_id, .. } => {
                    // Gone again already, when later changes were taken meanwhile.
                    if let Some(room) = state.summary_for(*user_id) {
                        let room = wire::RoomSummary { last_seq, ..room };
                        joined.push((*user_id, wire::encode(&wire::RoomJoined { room })));
                    }
                }
                SideEffect::RemoveMember { user_id } if state.is_member(*user_id) => {}
                SideEffect::RemoveMember { user_id } => left.push(*user_id),
                SideEffect::SetRole { .. } | SideEffect::Describe { .. } => {}
            }
        }
        (joined, left)
    }

    fn answer(&self, answers: Vec<(Waiting, Arc<Row>)>) {
        for (waiting, row) in answers {
            self.post_seconds.record(waiting.since.elapsed().as_secs_f64());
            answer_each(waiting.replies, &Ok(Posted { row, repeated: false }));
        }
    }

    fn deliver(&self, first_seq: i64, frames: Vec<ByteString>, joined: Vec<(UserId, ByteString)>, left: Vec<UserId>) {
        let delivery = Delivery { room_id: self.id, first_seq, frames: frames.into(), joined, left };
        self.parts.audience.deliver(delivery);
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
            ctx.stop();
        }
    }
}

fn event_of(row: &Row) -> Option<&EventRow> {
    match &row.body {
        RowBody::Event(event) => Some(event),
        RowBody::Message(_) => None,
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
