//! What one run is: everything that decides it, so that the same plan gives the same run on every machine.
//!
//! Invariant: each step has random numbers of its own, from the seed and its index. Leaving out a step, a fault or a
//! user therefore does not change what the other steps choose, and a failure can be made smaller.

use std::collections::BTreeSet;

use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// What can go wrong on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Fault {
    /// A flush fails before its commit.
    FailedCommit,
    /// A flush commits, and its answer is lost.
    LostAnswer,
    /// A flush is given up, and Postgres commits it some time later, or never.
    LateCommit,
    /// Postgres is away for a while.
    Outage,
    /// A room's actor panics.
    RoomCrash,
    /// A room is let go and opened again at its next use.
    RoomRelease,
    /// A persister's actor panics: its queue is lost.
    PersisterCrash,
    /// A hub's actor panics: its sockets are lost.
    HubCrash,
    /// The engine dies.
    EngineCrash,
    /// Another engine believes that the rooms are its own, and takes messages for them.
    SecondOwner,
    /// A hub's mailbox is full for a while: deliveries are announced later, and what cannot be dropped comes late.
    BusyHub,
    /// A client reads a few bytes now and then.
    SlowReader,
    /// A socket breaks; what was on its way is lost.
    Disconnect,
    /// A client does not wait for an answer and sends again.
    Impatience,
    /// Somebody leaves the space that a room is in: Postgres takes them out of the room, which has yet to tell it.
    Departure,
}

/// Deliberate defects of the simulation's shell, to prove that it would find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    AcknowledgeBeforeCommit,
    ForgetTheFence,
    ForgetClientIds,
    DeliverTwice,
    SkipAPage,
    LoseRecall,
    KeepTellingWhoLeft,
    LoseAReply,
    NeverShed,
    ForgetMarks,
    MoveBack,
    RefuseInSilence,
    TrustAnOldTarget,
    KeepWhatWasEdited,
    LoseAForm,
}

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub steps: usize,
    pub users: usize,
    pub without: BTreeSet<Fault>,
    /// Steps that do nothing, as half-open ranges.
    pub skip: Vec<(usize, usize)>,
    pub broken: Option<Broken>,
    /// Whether to write down in words what happens.
    pub is_told: bool,
}

impl Plan {
    pub const USERS: usize = 4;

    /// A full run of `seed`.
    pub fn new(seed: u64, steps: usize) -> Self {
        let (users, without, skip) = (Self::USERS, BTreeSet::new(), Vec::new());
        Self { seed, steps, users, without, skip, broken: None, is_told: false }
    }

    /// The random numbers of one step; those after the last are of the time when faults have ended.
    pub fn rng(&self, step: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(step as u64);
        rng
    }

    pub fn has(&self, fault: Fault) -> bool {
        !self.without.contains(&fault)
    }

    pub fn is_broken(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    pub fn skips(&self, step: usize) -> bool {
        self.skip.iter().any(|(from, to)| (*from..*to).contains(&step))
    }

    /// The command that repeats this run.
    pub fn command(&self) -> String {
        let mut command = format!("parlance-load replay --seed {} --steps {}", self.seed, self.steps);
        if self.users != Self::USERS {
            command += &format!(" --users {}", self.users);
        }
        let names: Vec<String> = self.without.iter().map(|fault| fault.name()).collect();
        if !names.is_empty() {
            command += &format!(" --without {}", names.join(","));
        }
        let ranges: Vec<String> = self.skip.iter().map(|(from, to)| format!("{from}..{to}")).collect();
        if !ranges.is_empty() {
            command += &format!(" --skip {}", ranges.join(","));
        }
        command
    }
}

impl Fault {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Reads `from..to`.
pub fn range(text: &str) -> Result<(usize, usize), String> {
    let parse = |part: &str| part.parse::<usize>().map_err(|error| format!("{part:?}: {error}"));
    let (from, to) = text.split_once("..").ok_or("a range is written from..to")?;
    let (from, to) = (parse(from)?, parse(to)?);
    if from < to { Ok((from, to)) } else { Err(format!("{from}..{to} holds no step")) }
}
