//! `replay`: the engine's pure cores under thousands of seeds, with faults at every step.
//!
//! Real here: [`RoomLife`] with its `RoomState` and window, [`Batch`] with its jobs and claims, [`Outbox`], and the
//! frames. Simulated, small, and true to the original: the persister's flush (`persister`), Postgres (`postgres`),
//! mailboxes, timers and loads of rooms (`rooms`), hubs and sessions (`hub`, `actions`), clients (`client`). One thread,
//! one virtual clock, random numbers from the seed alone: the same seed gives the same run everywhere.
//!
//! A run takes some steps (`world`), each with a wish of somebody or a fault, and a few moves of what is under way in
//! any order. Then faults end, everything must come to rest, and be as promised (`ending`). What must hold is in
//! [`check::Invariant`]; most of it is looked at in every step. A failure is made smaller (`shrink`) and told in words,
//! with the command that repeats it.
//!
//! Not simulated: SQL itself, threads, and the codec of client frames; the engine's own tests have those.
//!
//! [`RoomLife`]: parlance::chat::RoomLife
//! [`Batch`]: parlance::persistence::batch::Batch
//! [`Outbox`]: parlance::sessions::outbox::Outbox

mod actions;
mod check;
mod client;
mod ending;
mod hub;
mod passing;
mod persister;
mod plan;
mod postgres;
mod rooms;
mod shrink;
#[cfg(test)]
mod tests;
mod world;

use std::time::Instant;

use clap::Args;
use clap::builder::TypedValueParser as _;
use parlance::ids::RoomId;
use uuid::Uuid;

use check::Failure;
use plan::{Fault, Plan};
use world::{Counts, World};

const ROOMS: usize = 3;
const SHARDS: usize = 2;
const HUBS: usize = 2;

/// How to run it.
#[derive(Args)]
pub struct Replay {
    /// Seeds to run.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Steps a seed, before faults end.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    steps: usize,
    /// Just this seed, with a trace of what happens.
    #[arg(long)]
    seed: Option<u64>,
    /// People; the first two have two devices.
    #[arg(long, default_value_t = Plan::USERS, value_parser = clap::value_parser!(u8).range(1..=8).map(usize::from))]
    users: usize,
    /// Faults to leave out.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Fault>,
    /// Steps to leave out, as from..to.
    #[arg(long, value_delimiter = ',', value_parser = plan::range)]
    skip: Vec<(usize, usize)>,
}

/// What became of one run.
struct Run {
    counts: Counts,
    trace: Vec<String>,
    /// What broke, and in which step.
    failure: Option<(Failure, usize)>,
}

impl Replay {
    /// Runs the seeds; `false` when a promise was broken.
    pub fn run(&self) -> anyhow::Result<bool> {
        if let Some(seed) = self.seed {
            let run = run(Plan { is_told: true, ..self.plan(seed) })?;
            print_trace(&run.trace);
            return Ok(report(&self.plan(seed), run.failure.as_ref(), &run.counts));
        }
        let begun = Instant::now();
        let mut all = Counts::default();
        for seed in self.first_seed..self.first_seed.saturating_add(self.seeds) {
            let plan = self.plan(seed);
            let run = run(plan.clone())?;
            if run.failure.is_some() {
                let small = shrink::shrink(plan)?;
                let run = self::run(Plan { is_told: true, ..small.clone() })?;
                print_trace(&run.trace);
                return Ok(report(&small, run.failure.as_ref(), &run.counts));
            }
            all.add(&run.counts);
        }
        println!("{} seeds, {}, {:.1} s: every promise kept", self.seeds, all.text(), begun.elapsed().as_secs_f64());
        Ok(true)
    }

    fn plan(&self, seed: u64) -> Plan {
        let (without, skip) = (self.without.iter().copied().collect(), self.skip.clone());
        Plan { users: self.users, without, skip, ..Plan::new(seed, self.steps) }
    }
}

/// Runs one plan to its end or to the first broken promise.
fn run(plan: Plan) -> anyhow::Result<Run> {
    let steps = plan.steps;
    let mut world = World::new(plan)?;
    let mut failure = None;
    for step in 0..steps {
        if world.plan.skips(step) {
            continue;
        }
        let mut rng = world.plan.rng(step);
        world.note(|| format!("— step {step}"));
        if let Err(broken) = world.step(&mut rng) {
            failure = Some((broken, step));
            break;
        }
    }
    if failure.is_none() {
        failure = world.end().err().map(|broken| (broken, steps));
    }
    world.counts.rows = world.postgres.rooms.iter().map(|table| table.rows.len()).sum();
    Ok(Run { counts: world.counts, trace: world.trace, failure })
}

/// All of it, or its two ends when it is very long.
fn print_trace(trace: &[String]) {
    const LINES_MAX: usize = 400;
    let cut = trace.len().saturating_sub(LINES_MAX);
    for (index, line) in trace.iter().enumerate() {
        match index.checked_sub(LINES_MAX / 2) {
            Some(0) if cut > 0 => println!("… {cut} more lines …"),
            Some(past) if past < cut => {}
            _ => println!("{line}"),
        }
    }
}

/// Says how a single run went; whether it went well.
fn report(plan: &Plan, failure: Option<&(Failure, usize)>, counts: &Counts) -> bool {
    match failure {
        None => println!("seed {}: {}: every promise kept", plan.seed, counts.text()),
        Some((failure, step)) => {
            let when = if *step < plan.steps { format!("in step {step}") } else { "after faults had ended".into() };
            println!("\nseed {} breaks a promise {when}: {}\n  {}", plan.seed, failure.invariant, failure.detail);
            println!("again: {}", plan.command());
        }
    }
    failure.is_none()
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.rows += other.rows;
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
    }

    fn text(&self) -> String {
        let faults: Vec<String> =
            self.faults.iter().map(|(fault, count)| format!("{count} {}", fault.name())).collect();
        let total: usize = self.faults.values().sum();
        format!("{} steps, {} rows committed, {total} faults ({})", self.steps, self.rows, faults.join(", "))
    }
}

fn room_id(index: usize) -> RoomId {
    RoomId(Uuid::from_u128(0x1000 + index as u128))
}

fn room_index(room: RoomId) -> usize {
    usize::try_from(room.0.as_u128() & 0xfff).unwrap_or(0)
}
