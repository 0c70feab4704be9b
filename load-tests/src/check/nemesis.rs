//! What goes wrong and when: a pure function of the seed, so that a run can be repeated.

use std::fmt;

use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// A way in which things go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum FaultKind {
    /// SIGKILL to the engine, and a new start
    KillEngine,
    /// SIGKILL to Postgres, which the engine starts again
    KillPostgres,
    /// SIGSTOP to the engine for a while
    PauseEngine,
    /// SIGSTOP to all of Postgres for a while
    PausePostgres,
    /// Connections are reset, or end in the middle of a frame
    Cut,
    /// Connections let nothing through for a while, or everything late
    Stall,
    /// A client sends thousands of commands without reading the answers
    Flood,
}

impl FaultKind {
    /// Whether it takes an engine that the run has started itself.
    pub fn needs_own_engine(self) -> bool {
        matches!(self, Self::KillEngine | Self::KillPostgres | Self::PauseEngine | Self::PausePostgres)
    }

    /// How long it lasts, in milliseconds; for a flood, how many commands it has.
    fn range(self) -> std::ops::Range<u64> {
        match self {
            Self::KillEngine => 0..800,
            Self::KillPostgres => 0..1,
            Self::PauseEngine => 100..3_000,
            // Longer than a write waits (`persistence.write_timeout_ms`), at times.
            Self::PausePostgres => 100..4_000,
            Self::Cut => 0..1_500,
            // Longer than heartbeats allow, at times.
            Self::Stall => 300..6_000,
            Self::Flood => 800..2_500,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        f.write_str(&name.unwrap_or_default())
    }
}

/// Something that goes wrong, and heals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at_ms: u64,
    pub kind: FaultKind,
    /// How long, in milliseconds; for a flood, how many commands.
    pub size: u64,
    /// Whose network: places of devices. All of them, when the engine itself is the victim.
    pub lanes: Vec<usize>,
    /// Of the two ways of a kind, the second.
    pub other_way: bool,
}

/// What goes wrong in a run of `length_ms`, about every `every_ms`. Each kind comes before one comes again.
pub fn plan(seed: u64, kinds: &[FaultKind], length_ms: u64, every_ms: u64, lanes: usize) -> Vec<Fault> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut faults, mut bag) = (Vec::new(), Vec::new());
    let every_ms = every_ms.max(100);
    for round in 1.. {
        let at_ms = round * every_ms + rng.random_range(0..every_ms / 2) - every_ms / 4;
        if bag.is_empty() {
            bag = kinds.to_vec();
            bag.shuffle(&mut rng);
        }
        let Some(kind) = bag.pop().filter(|_| at_ms < length_ms) else { break };
        let size = rng.random_range(kind.range());
        let mut victims: Vec<usize> = (0..lanes).collect();
        victims.shuffle(&mut rng);
        victims.truncate(rng.random_range(1..=lanes.max(1)));
        victims.sort_unstable();
        let network = matches!(kind, FaultKind::Cut | FaultKind::Stall);
        let lanes = if network { victims } else { Vec::new() };
        faults.push(Fault { at_ms, kind, size, lanes, other_way: rng.random() });
    }
    faults
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        let at = self.at_ms as f64 / 1_000.0;
        write!(f, "{at:.1} s {}", self.kind)?;
        match (self.kind, self.other_way) {
            (FaultKind::KillPostgres, _) => Ok(()),
            (FaultKind::Flood, _) => write!(f, ", {} commands", self.size),
            (FaultKind::Cut, true) => write!(f, " in mid-frame, {} ms, devices {:?}", self.size, self.lanes),
            (FaultKind::Stall, true) => write!(f, " half, {} ms, devices {:?}", self.size, self.lanes),
            (FaultKind::Cut | FaultKind::Stall, false) => write!(f, ", {} ms, devices {:?}", self.size, self.lanes),
            (FaultKind::KillEngine | FaultKind::PauseEngine | FaultKind::PausePostgres, _) => {
                write!(f, ", {} ms", self.size)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[FaultKind] = &[
        FaultKind::KillEngine,
        FaultKind::KillPostgres,
        FaultKind::PauseEngine,
        FaultKind::PausePostgres,
        FaultKind::Cut,
        FaultKind::Stall,
        FaultKind::Flood,
    ];

    #[test]
    fn a_seed_is_a_schedule() {
        assert_eq!(plan(7, ALL, 60_000, 4_000, 20), plan(7, ALL, 60_000, 4_000, 20));
        assert_ne!(plan(7, ALL, 60_000, 4_000, 20), plan(8, ALL, 60_000, 4_000, 20));
    }

    #[test]
    fn every_kind_comes_and_in_time() {
        for seed in 0..50 {
            let faults = plan(seed, ALL, 40_000, 4_000, 20);
            assert!(ALL.iter().all(|kind| faults.iter().any(|fault| fault.kind == *kind)), "{faults:?}");
            assert!(faults.iter().all(|fault| fault.at_ms < 40_000 && fault.lanes.iter().all(|lane| *lane < 20)));
            assert!(faults.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
        }
    }

    #[test]
    fn no_kinds_are_no_faults() {
        assert!(plan(1, &[], 60_000, 4_000, 20).is_empty());
    }
}
