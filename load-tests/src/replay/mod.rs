//! `replay`: the engine's pure cores under thousands of seeds, with faults at every step.
//!
//! Real here: [`RoomLife`] with its `RoomState` and window, edits and deletions ([`RoomAction`]), [`Batch`] with its jobs
//! and claims, [`Outbox`], and the frames. Simulated, small, and true to the original: the persister's flush
//! (`persister`), Postgres (`postgres`, `forms`), what it tells of comings and goings (`changes`), doors of actions
//! (`doors`), mailboxes, timers and loads of rooms (`rooms`), hubs and sessions (`hub`, `sessions`), clients (`actions`,
//! `edits`, `client`, `held`). One thread, one virtual clock, random numbers from the seed alone: the same seed gives the
//! same run everywhere.
//!
//! A run takes some steps (`world`), each with a wish of somebody or a fault (`faults`), and a few moves of what is under
//! way in any order. Then faults end, everything must come to rest, and be as promised (`ending`). What must hold is in
//! [`check::Invariant`]; most of it is looked at in every step. A failure is made smaller (`shrink`) and told in words,
//! with the command that repeats it.
//!
//! Not simulated: SQL itself, threads, the codec of client frames, and what is kept in memory of people's lists of rooms
//! and of rooms that are not open; the engine's own tests have those.
//!
//! [`RoomAction`]: parlance::rooms::RoomAction
//! [`RoomLife`]: parlance::rooms::RoomLife
//! [`Batch`]: parlance::persistence::batch::Batch
//! [`Outbox`]: parlance::sessions::outbox::Outbox

mod actions;
mod changes;
mod check;
mod client;
mod doors;
mod edits;
mod ending;
mod faults;
mod forms;
mod held;
mod hub;
mod passing;
mod persister;
mod plan;
mod postgres;
mod rooms;
mod sessions;
mod shrink;
#[cfg(test)]
mod tests;
mod voice;
mod world;

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use clap::builder::TypedValueParser as _;
use parlance::ids::RoomId;
use parlance::order::OrderId;
use uuid::Uuid;

use crate::measure::Progress;
use crate::report::Report;
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
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
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
    /// Runs the seeds, up to the first that breaks a promise.
    pub fn run(&self) -> anyhow::Result<Report> {
        let (begun, mut all, mut report) = (Instant::now(), Counts::default(), self.report());
        if let Some(seed) = self.seed {
            let plan = Plan { is_told: true, ..self.plan(seed) };
            let run = run(plan.clone())?;
            all.add(&run.counts);
            tell(&plan, &run, &mut report);
        } else {
            self.run_seeds(self.chosen()?, &mut all, &mut report)?;
        }
        all.tell(&mut report);
        report.figure("took", begun.elapsed().as_secs_f64(), "s");
        Ok(report)
    }

    fn run_seeds(&self, seeds: Range<u64>, all: &mut Counts, report: &mut Report) -> anyhow::Result<()> {
        let progress = Progress::of("seeds", self.seeds);
        for seed in seeds {
            let run = run(self.plan(seed))?;
            all.add(&run.counts);
            progress.add(1);
            if run.failure.is_some() {
                drop(progress);
                let small = Plan { is_told: true, ..shrink::shrink(self.plan(seed))? };
                tell(&small, &self::run(small.clone())?, report);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Refuses what would run nothing. One seed alone may: what happens after all steps can break a promise, too.
    fn chosen(&self) -> anyhow::Result<Range<u64>> {
        let plan = self.plan(self.first_seed);
        ensure!((0..plan.steps).any(|step| !plan.skips(step)), "--skip leaves none of the {} steps", plan.steps);
        let end = self.first_seed.checked_add(self.seeds);
        Ok(self.first_seed..end.context("there are not so many seeds from --first-seed on")?)
    }

    fn report(&self) -> Report {
        let report = match self.seed {
            Some(seed) => Report::of("replay").setting("seed", seed),
            None => Report::of("replay").setting("seeds", self.seeds).setting("first seed", self.first_seed),
        };
        report.setting("steps", self.steps).setting("users", self.users)
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
    let rows = || world.postgres.rooms.iter().flat_map(|table| &table.rows);
    world.counts.rows = rows().count();
    world.counts.rewritten = rows().filter(|row| row.touches().is_some()).count();
    Ok(Run { counts: world.counts, trace: world.trace, failure })
}

/// Tells the story of a run, and puts into the report what it broke.
fn tell(plan: &Plan, run: &Run, report: &mut Report) {
    print_trace(&run.trace);
    let Some((failure, step)) = &run.failure else { return };
    let when = if *step < plan.steps { format!("in step {step}") } else { "after faults had ended".into() };
    let (seed, Failure { invariant, detail, .. }) = (plan.seed, failure);
    report.fail(format!("seed {seed} breaks a promise {when}: {invariant}\n  {detail}\nagain: {}", plan.command()));
}

/// All of it, or its two ends when it is very long. Not where the report goes.
fn print_trace(trace: &[String]) {
    const LINES_MAX: usize = 400;
    let cut = trace.len().saturating_sub(LINES_MAX);
    for (index, line) in trace.iter().enumerate() {
        match index.checked_sub(LINES_MAX / 2) {
            Some(0) if cut > 0 => eprintln!("… {cut} more lines …"),
            Some(past) if past < cut => {}
            _ => eprintln!("{line}"),
        }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.rows += other.rows;
        self.rewritten += other.rewritten;
        self.looked_up += other.looked_up;
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    fn tell(&self, report: &mut Report) {
        report.figure("steps taken", self.steps as f64, "");
        report.figure("rows committed", self.rows as f64, "");
        report.figure("edits, deletions", self.rewritten as f64, "of them");
        report.figure("messages looked up", self.looked_up as f64, "to change them");
        report.figure("faults", self.faults.values().sum::<usize>() as f64, "");
        for (fault, count) in &self.faults {
            report.figure(&fault.name(), *count as f64, "of them");
        }
    }
}

fn room_id(index: usize) -> RoomId {
    RoomId(Uuid::from_u128(0x1000 + index as u128))
}

fn room_index(room: RoomId) -> usize {
    usize::try_from(room.0.as_u128() & 0xfff).unwrap_or(0)
}

/// Rooms are the only orders here.
fn index_of(OrderId::Room(room): OrderId) -> usize {
    room_index(room)
}
