//! The whole simulated world: two engines over one Postgres, hubs, devices; and what can happen in it next.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parlance::clock::Clock;
use parlance::config::Config;
use parlance::ids::{MessageId, UserId};
use parlance::party::Party;
use parlance::rooms::config::ChatConfig;
use parlance::rooms::permissions::Role;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use uuid::Uuid;

use super::check::{Failure, Invariant};
use super::client::{Device, Sending};
use super::edits::{Acting, Wish};
use super::hub::{Hub, Socket};
use super::persister::Fate;
use super::plan::{Fault, Plan};
use super::postgres::{Postgres, Table};
use super::rooms::Engine;
use super::{HUBS, ROOMS, SHARDS};

/// How often each thing happens beside the step's own.
const PROGRESS_A_STEP: usize = 24;
/// A device does not fill its outbox for ever.
pub const SENDINGS_MAX: usize = 6;

/// Of so many connections one is of a device that has read over HTTP what it missed.
const READS_FIRST_ONE_IN: u64 = 2;

/// Who asked a room for something, and for what.
#[derive(Clone, Debug)]
pub enum Ask {
    Post {
        room: usize,
        user: UserId,
        client_id: String,
        from: Option<(usize, u64)>,
    },
    Change {
        room: usize,
    },
    /// An edit or a deletion, by whichever way its door goes.
    Act(Acting),
    Mark {
        from: (usize, u64),
    },
    /// A page that a session reads for its outbox.
    Resume {
        place: (usize, u64),
        user: UserId,
        room: usize,
    },
    /// A page that a client asked for.
    Page {
        place: (usize, u64),
        user: UserId,
        room: usize,
    },
}

/// What happened in a run, for the report.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub steps: usize,
    pub rows: usize,
    /// Of them, edits and deletions.
    pub rewritten: usize,
    /// Messages that doors read for a room, because it did not know them.
    pub looked_up: usize,
    pub faults: BTreeMap<Fault, usize>,
}

/// See the module.
pub struct World {
    pub plan: Plan,
    pub postgres: Postgres,
    pub engine: Engine,
    /// The second owner: an engine that has no sockets and does not know of the first.
    pub rival: Engine,
    pub hubs: Vec<Hub>,
    pub devices: Vec<Device>,
    pub users: Vec<UserId>,
    pub asks: HashMap<u64, Ask>,
    /// What clients are about to be told under a number: whether the send is over.
    pub is_over: HashMap<u64, bool>,
    pub acknowledged: HashMap<(usize, UserId, String), (i64, Uuid)>,
    /// The newest read marks that others were told of.
    pub told_marks: HashMap<(usize, Party), (i64, i64)>,
    /// Rooms whose read marks may be lost with a queue, or come so late that the room was read before.
    pub lost_marks: BTreeSet<usize>,
    /// Messages that somebody asked to be deleted.
    pub deleting: BTreeSet<MessageId>,
    pub config: Arc<ChatConfig>,
    pub clock: Clock,
    pub now: i64,
    next_number: u64,
    pub counts: Counts,
    pub trace: Vec<String>,
    pub is_over_with_faults: bool,
}

impl World {
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        let config = limits()?;
        let clock = Clock::manual(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default());
        let users: Vec<UserId> = (0..plan.users).map(|n| UserId(Uuid::from_u128(0x100 + n as u128))).collect();
        let founders = |room: usize| {
            let all = users.iter().enumerate().map(|(n, user)| (*user, if n == 0 { Role::Owner } else { Role::Admin }));
            // Each room lacks somebody, who can then come.
            all.filter(|(user, _)| users.len() < 2 || users.iter().position(|known| known == user) != Some(room + 1))
                .collect()
        };
        let postgres = Postgres::new((0..ROOMS).map(|room| Table::new(founders(room))).collect(), plan.broken);
        // The first two people have two devices each.
        let devices = users.iter().chain(users.iter().take(2)).map(|user| Device::new(*user)).collect();
        Ok(Self {
            engine: Engine::new(&config, &clock, &plan, &postgres),
            rival: Engine::new(&config, &clock, &plan, &postgres),
            hubs: (0..HUBS).map(|_| Hub::default()).collect(),
            postgres,
            devices,
            users,
            asks: HashMap::new(),
            is_over: HashMap::new(),
            acknowledged: HashMap::new(),
            told_marks: HashMap::new(),
            lost_marks: BTreeSet::new(),
            deleting: BTreeSet::new(),
            config,
            clock,
            now: 0,
            next_number: 0,
            counts: Counts::default(),
            trace: Vec::new(),
            is_over_with_faults: false,
            plan,
        })
    }

    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Writes down what happens, when somebody is going to read it.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.plan.is_told {
            self.trace.push(text());
        }
    }

    /// One step: something that people do or that goes wrong, and some of what follows from earlier ones.
    pub fn step(&mut self, rng: &mut ChaCha8Rng) -> Result<(), Failure> {
        self.counts.steps += 1;
        self.pass(rng.random_range(1..60));
        match rng.random_range(0..100) {
            0..26 => self.want_to_post(rng),
            26..48 => self.want_to_change_a_message(rng),
            48..58 => self.change(rng),
            58..66 => self.mark(rng),
            _ => self.go_wrong(rng),
        }
        for _ in 0..PROGRESS_A_STEP {
            self.progress(rng);
            self.settle()?;
        }
        for socket in self.hubs.iter().flat_map(|hub| hub.sockets.values()) {
            socket.check(&mut self.postgres.failures);
        }
        for room in 0..ROOMS {
            self.check_memory(room, false)?;
        }
        self.settle()
    }

    pub fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.clock.advance(Duration::from_millis(ms.unsigned_abs()));
    }

    /// Something that was begun goes on.
    fn progress(&mut self, rng: &mut ChaCha8Rng) {
        let (room, shard, hub) = (rng.random_range(0..ROOMS), rng.random_range(0..SHARDS), rng.random_range(0..HUBS));
        match rng.random_range(0..27) {
            0..3 => self.flush(false, shard, rng),
            3..10 => self.engine.step(room, &mut self.postgres, self.now, rng),
            // As often as it takes to commit something before the run is over.
            10 => self.flush(true, shard, rng),
            11..14 => self.rival.step(room, &mut self.postgres, self.now, rng),
            14..17 => {
                self.hubs[hub].step(&mut self.postgres);
                self.hubs[hub].try_again(self.now, rng.random_range(0..64));
            }
            17..20 => self.advance_socket(rng.random_range(0..self.devices.len()), rng),
            20..23 => self.advance_device(rng.random_range(0..self.devices.len()), rng),
            23..26 => self.go_on(rng.random_ratio(1, 3), rng.random_range(0..16)),
            _ => match rng.random_range(0..2) {
                0 => self.rival.hear(&self.postgres),
                _ => self.engine.hear(&self.postgres),
            },
        }
    }

    fn flush(&mut self, of_rival: bool, shard: usize, rng: &mut ChaCha8Rng) {
        let (fault, fate) = match rng.random_range(0..20) {
            0 => (Fault::FailedCommit, Fate::FailsBefore),
            1 => (Fault::LostAnswer, Fate::LosesItsAnswer),
            2 => (Fault::LateCommit, Fate::CommitsLater),
            _ => (Fault::Outage, Fate::Commits),
        };
        let engine = if of_rival { &mut self.rival } else { &mut self.engine };
        let Some(persister) = engine.persisters.get_mut(shard) else { return };
        let is_allowed = self.plan.has(fault) && !self.is_over_with_faults;
        let fate = if is_allowed { fate } else { Fate::Commits };
        if fate != Fate::Commits && persister.under_way().is_some() {
            *self.counts.faults.entry(fault).or_default() += 1;
            if self.plan.is_told {
                self.trace.push(format!("flush of shard {shard}: {}", fault.name()));
            }
        }
        let before: usize = self.postgres.rooms.iter().map(|table| table.rows.len()).sum();
        persister.step(&mut self.postgres, self.now, fate);
        let after: usize = self.postgres.rooms.iter().map(|table| table.rows.len()).sum();
        if after > before {
            self.note(|| format!("shard {shard} commits {} rows", after - before));
        }
    }

    fn want_to_post(&mut self, rng: &mut ChaCha8Rng) {
        let (device, room) = (rng.random_range(0..self.devices.len()), rng.random_range(0..ROOMS));
        let device_index = device;
        let device = &mut self.devices[device];
        if device.sendings.len() < SENDINGS_MAX {
            device.sent += 1;
            let client_id = format!("d{device_index}-{}", device.sent);
            device.sendings.push_back(Sending { client_id: client_id.clone(), room, wish: Wish::Post, asked: None });
            self.note(|| format!("device {device_index} wants to post {client_id} to room {room}"));
        }
    }

    /// A socket for a device that has none.
    pub fn connect(&mut self, device: usize, hub: usize) {
        let key = self.number();
        if key.is_multiple_of(READS_FIRST_ONE_IN) {
            self.read_over_http(device);
        }
        let resume = self.devices[device].views.iter().map(|(room, view)| (*room, view.last)).collect();
        let socket = Socket::new(device, self.devices[device].user, resume, self.plan.broken);
        self.hubs[hub].sockets.insert(key, socket);
        self.devices[device].place = Some((hub, key));
        self.note(|| format!("device {device} connects to hub {hub}"));
    }

    /// A device that comes back reads what it missed over HTTP before it connects: that comes from Postgres, which may have
    /// more than a room has heard of.
    fn read_over_http(&mut self, device: usize) {
        let Device { user, views, held, .. } = &mut self.devices[device];
        for (room, view) in views.iter_mut().filter(|_| !self.postgres.is_away) {
            let table = &self.postgres.rooms[*room];
            let Some(last_seq) = table.seen_by(*user) else { continue };
            let missed = table.frames.iter().skip(usize::try_from(view.last).unwrap_or(0));
            missed.for_each(|frame| held.hear(*room, frame));
            view.last = last_seq.max(view.last);
        }
    }

    /// Says what a failure is, unless all is well.
    pub fn fail(&mut self, invariant: Invariant, detail: String) {
        self.postgres.failures.push(Failure::new(invariant, detail));
    }
}

/// Small bounds, so that a short run meets all of them. Made once: reading the defaults takes longer than a run.
fn limits() -> anyhow::Result<Arc<ChatConfig>> {
    static LIMITS: OnceLock<Arc<ChatConfig>> = OnceLock::new();
    if let Some(limits) = LIMITS.get() {
        return Ok(Arc::clone(limits));
    }
    let limits = ChatConfig {
        // Less than may wait.
        window_events_max: 3,
        window_bytes_max: 4_500,
        room_pending_max: 4,
        page_items_max: 3,
        page_bytes_max: 1_200,
        ..Config::defaults()?.chat
    };
    Ok(Arc::clone(LIMITS.get_or_init(|| Arc::new(limits))))
}
