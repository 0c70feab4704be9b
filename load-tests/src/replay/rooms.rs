//! One engine's rooms: the real [`RoomLife`] of each, with a shell that does what it wishes for, one step at a time.
//!
//! Mirrors `rooms/room/mod.rs`: a mailbox of commands, outcomes beside it, loads that wait for a barrier of the persister
//! and then read in two transactions, timers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parlance::clock::Clock;
use parlance::ids::UserId;
use parlance::order::Row;
use parlance::persistence::{Job, Outcome, TakesJobs};
use parlance::rooms::config::ChatConfig;
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{Command, CompareMembers, Reply};
use parlance::rooms::{Around, LatestSeq, LiveCard, NOT_LOADED, Outcomes, RoomLife, RoomMemory, Snapshot, Wish};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tokio::sync::oneshot;

use super::changes::Listener;
use super::check::{Failure, Invariant};
use super::doors::Door;
use super::persister::{Persister, Queue};
use super::plan::{Broken, Plan};
use super::postgres::{Key, Postgres};
use super::voice::{Said, Voice};
use super::{SHARDS, room_id};

type Loaded = Result<Option<(Snapshot, Vec<Row>)>, ChatError>;

/// A load on its way.
enum Load {
    Queued(oneshot::Receiver<()>),
    Read(Box<Snapshot>),
    Over(Box<Loaded>),
}

/// An open room.
pub struct Host {
    index: usize,
    pub life: RoomLife,
    outcomes: Outcomes,
    arrived: VecDeque<Vec<(u64, Outcome)>>,
    pub mailbox: VecDeque<Command>,
    load: Option<(Vec<Key>, Load)>,
    load_again_at: Option<i64>,
    flush_marks_at: Option<i64>,
    depart_again_at: Option<i64>,
    latest: LatestSeq,
    pub card: Arc<LiveCard>,
}

/// One engine without its sockets.
pub struct Engine {
    pub rooms: BTreeMap<usize, Host>,
    pub persisters: Vec<Persister>,
    pub voice: Voice,
    /// Actions for which something is looked up.
    pub doors: Vec<Door>,
    listener: Listener,
    config: Arc<ChatConfig>,
    clock: Clock,
}

impl Engine {
    pub fn new(config: &Arc<ChatConfig>, clock: &Clock, plan: &Plan, postgres: &Postgres) -> Self {
        let persisters = (0..SHARDS).map(|_| Persister::new(plan.broken)).collect();
        let (config, clock) = (Arc::clone(config), clock.clone());
        Self {
            rooms: BTreeMap::new(),
            persisters,
            voice: Voice::default(),
            doors: Vec::new(),
            listener: Listener::new(postgres),
            config,
            clock,
        }
    }

    /// Passes a command to its room, opening it if need be.
    pub fn send(&mut self, room: usize, command: Command) {
        if !self.rooms.contains_key(&room) {
            self.open(room, Arc::new(AtomicI64::new(NOT_LOADED)), LiveCard::new(None));
        }
        if let Some(host) = self.rooms.get_mut(&room) {
            host.mailbox.push_back(command);
        }
    }

    fn open(&mut self, room: usize, latest: LatestSeq, card: Arc<LiveCard>) {
        let Some(persister) = self.persisters.get(room % SHARDS) else { return };
        let around = Around {
            config: Arc::clone(&self.config),
            clock: self.clock.clone(),
            jobs: Arc::new(persister.queue.clone()),
            audience: Arc::new(self.voice.clone()),
            memory: RoomMemory::new(&self.config),
            latest: Arc::clone(&latest),
            card: Arc::clone(&card),
        };
        let (life, outcomes) = RoomLife::new(room_id(room), around);
        let host = Host {
            index: room,
            life,
            outcomes,
            arrived: VecDeque::new(),
            mailbox: VecDeque::new(),
            load: None,
            load_again_at: None,
            flush_marks_at: None,
            depart_again_at: None,
            latest,
            card,
        };
        self.rooms.insert(room, host);
        self.follow_up(room, 0);
    }

    /// Its actor panics: commands, claims and state are gone; a new life begins.
    pub fn crash_room(&mut self, room: usize) -> bool {
        let Some(host) = self.rooms.remove(&room) else { return false };
        let (latest, card) = (Arc::clone(&host.latest), Arc::clone(&host.card));
        drop(host);
        self.open(room, latest, card);
        true
    }

    /// An idle room is let go.
    pub fn release(&mut self, room: usize) -> bool {
        let is_idle = self.rooms.get(&room).is_some_and(|host| host.life.may_be_let_go() && host.mailbox.is_empty());
        if is_idle && let Some(mut host) = self.rooms.remove(&room) {
            host.life.flush_marks();
        }
        is_idle
    }

    /// What the card of an open room says, if it has one: its newest seq for a member, nothing for a stranger.
    pub fn seen_by(&self, room: usize, user: UserId) -> Option<Option<i64>> {
        self.rooms.get(&room)?.card.read(|card| card.seen_by(user).map(|seen| seen.summary.last_seq))
    }

    pub fn latest_seq(&self, room: usize) -> Option<i64> {
        self.rooms.get(&room).map(|host| host.latest.load(Ordering::Acquire)).filter(|seq| *seq != NOT_LOADED)
    }

    pub fn has_heard_all(&self, postgres: &Postgres) -> bool {
        self.listener.is_idle(postgres)
    }

    pub fn is_idle(&self, postgres: &Postgres) -> bool {
        self.has_heard_all(postgres)
            && self.doors.is_empty()
            && self.persisters.iter().all(Persister::is_idle)
            && self.rooms.values().all(Host::is_idle)
    }

    /// What an engine does when it starts: it has rooms tell of those who left while there was none.
    pub fn finish_departures(&mut self, postgres: &Postgres) {
        for (room, table) in postgres.rooms.iter().enumerate().filter(|(_, table)| !table.departures.is_empty()) {
            let parties = table.departures.iter().map(|departure| departure.user_id.into()).collect();
            let compare = CompareMembers { parties, are_members: false, reply: Reply::new(|_| ()) };
            self.send(room, Command::Compare(compare));
        }
    }

    /// Hears of the next change to who is in a room.
    pub fn hear(&mut self, postgres: &Postgres) {
        let Some(change) = self.listener.next(postgres) else { return };
        let card = self.rooms.get(&change.room).map(|host| &*host.card);
        if let Some(question) = self.listener.question(change, card) {
            self.send(change.room, question);
        }
    }

    fn queue(&self, room: usize) -> Queue {
        self.persisters.get(room % SHARDS).map(|persister| persister.queue.clone()).unwrap_or_default()
    }

    /// Lets a room do one of the things that it could do next.
    pub fn step(&mut self, room: usize, postgres: &mut Postgres, now: i64, rng: &mut ChaCha8Rng) {
        let queue = self.queue(room);
        let Some(host) = self.rooms.get_mut(&room) else { return };
        while let Ok(outcomes) = host.outcomes.try_recv() {
            host.arrived.push_back(outcomes);
        }
        match rng.random_range(0..4) {
            0 => host.hear_outcomes(),
            1 => {
                if let Some(command) = host.mailbox.pop_front() {
                    host.life.obey(command);
                }
            }
            2 => host.advance_load(postgres, &queue, &self.voice, self.config.window_events_max),
            _ => host.ring(now),
        }
        self.follow_up(room, now);
    }

    fn follow_up(&mut self, room: usize, now: i64) {
        let queue = self.queue(room);
        let Some(host) = self.rooms.get_mut(&room) else { return };
        let mut is_released = false;
        for wish in host.life.take_wishes() {
            match wish {
                Wish::Load(sends) => {
                    let (sender, receiver) = oneshot::channel();
                    let load = match queue.enqueue(room_id(room), Job::Barrier(room_id(room), sender)) {
                        Ok(()) => Load::Queued(receiver),
                        Err(_) => Load::Over(Box::new(Err(ChatError::Busy))),
                    };
                    host.load = Some((sends, load));
                }
                Wish::LoadAgain => host.load_again_at = Some(now + 1_000),
                Wish::FlushMarks => host.flush_marks_at = Some(now + 200),
                Wish::DepartAgain => host.depart_again_at = Some(now + 1_000),
                Wish::Release => is_released = true,
            }
        }
        if is_released {
            self.rooms.remove(&room);
        }
    }
}

impl Host {
    fn is_idle(&self) -> bool {
        self.life.is_at_rest()
            && self.mailbox.is_empty()
            && self.arrived.is_empty()
            && self.outcomes.is_empty()
            && self.load.is_none()
            && self.load_again_at.is_none()
            && self.flush_marks_at.is_none()
            && self.depart_again_at.is_none()
    }

    fn hear_outcomes(&mut self) {
        if let Some(outcomes) = self.arrived.pop_front() {
            self.life.settle(outcomes);
        }
    }

    /// The timers that are due.
    fn ring(&mut self, now: i64) {
        if self.load_again_at.is_some_and(|at| at <= now) {
            self.load_again_at = None;
            self.life.load_again();
        }
        if self.flush_marks_at.is_some_and(|at| at <= now) {
            self.flush_marks_at = None;
            self.life.flush_marks();
        }
        if self.depart_again_at.is_some_and(|at| at <= now) {
            self.depart_again_at = None;
            self.life.depart_again();
        }
    }

    fn advance_load(&mut self, postgres: &mut Postgres, queue: &Queue, voice: &Voice, window_events: usize) {
        let Some((sends, load)) = self.load.take() else { return };
        let away = || Load::Over(Box::new(Err(ChatError::Unavailable)));
        let next = match load {
            Load::Queued(mut receiver) => match receiver.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => Load::Queued(receiver),
                // Done, or dropped with a persister that crashed.
                _ if postgres.is_away => away(),
                _ => Load::Read(Box::new(postgres.snapshot(self.index, window_events))),
            },
            Load::Read(_) if postgres.is_away => away(),
            Load::Read(snapshot) => {
                let sent = postgres.sent_before(self.index, &sends);
                Load::Over(Box::new(Ok(Some((*snapshot, sent)))))
            }
            Load::Over(loaded) => {
                let place = voice.all().len();
                self.become_ready(*loaded, &sends, postgres, queue);
                if let Some(state) = self.life.state() {
                    voice.all().insert(place, Said::Loaded(self.index, state.facts().marks()));
                }
                return;
            }
        };
        self.load = Some((sends, next));
    }

    /// Gives the room what was read, and checks that it uses what it had asked for.
    fn become_ready(&mut self, mut loaded: Loaded, sends: &[Key], postgres: &mut Postgres, queue: &Queue) {
        let found: Vec<Key> = match &mut loaded {
            Ok(Some((_, sent))) => {
                let known = sends
                    .iter()
                    .filter(|key| sent.iter().any(|row| super::postgres::key(row).as_ref() == Some(key)))
                    .cloned()
                    .collect();
                if postgres.broken == Some(Broken::LoseRecall) {
                    sent.clear();
                }
                known
            }
            _ => Vec::new(),
        };
        let before = queue.len();
        self.life.loaded(loaded);
        for key in queue.sends_since(before, room_id(self.index)) {
            if found.contains(&key) {
                let detail = format!("{:?} was found by the load of room {}", key.1, self.index);
                postgres.failures.push(Failure::new(Invariant::RecallIsUsed, detail));
            }
        }
    }
}
