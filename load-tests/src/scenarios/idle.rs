//! `idle`: N sessions that listen to their rooms and say nothing. What does each cost in memory and CPU?
//!
//! Memory is what the engine's resident memory grew by while they connected, divided among them; where it grew by less
//! than it moves by anyway, that says nothing of one of them.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use crate::client::{Accounts, Crowd, Session, Town, connect_all, needs_of_town};
use crate::engine::{Needs, Target, TargetArgs};
use crate::measure::{Meter, Progress, Reading, Sampler, Spent};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct IdleArgs {
    /// Sessions, each of a user of its own
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sessions: u32,
    /// Rooms of each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=200))]
    pub rooms: u32,
    /// Members of a room
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub room_size: u32,
    /// Seconds that count; heartbeats come every 25
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
}

/// After the last hello, until the engine has come to rest.
const REST: Duration = Duration::from_secs(5);
/// Before the sessions come, so many of them come and go so often within that time.
const VISITORS: usize = 20;
const VISITS: u32 = 10;
/// Bytes: an allocator takes and gives memory in pieces, and a few of them are nobody's.
const MOVES_MIN: f64 = 8.0 * 1_048_576.0;

pub fn needs(args: &IdleArgs) -> Needs {
    needs_of_town(args.sessions, args.rooms, args.room_size)
}

pub async fn run(args: &IdleArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&needs(args)).await?;
    let mut report = watch(args, &target).await?;
    report.take_in(target.close().await);
    Ok(report)
}

/// Connects them all to an engine that runs, and watches it.
pub async fn watch(args: &IdleArgs, target: &Target) -> anyhow::Result<Report> {
    let accounts = Accounts::on(target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.sessions)?, rooms, size).await?;
    let quiet = Quiet::of(target, &town).await?;
    let meter = Meter::new(&["frame"]);
    let empty = Reading::of(&target.usage).await;
    let sampler = Sampler::start(&meter, target);
    let sessions = connect_all(target.address, &town.people, |_, _, _| {}).await?;
    let crowd = listen(&meter, sessions.into_iter().map(|(session, _)| session));
    tokio::time::sleep(REST).await;
    let before = Reading::of(&target.usage).await;
    let progress = Progress::of_run("idle", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        progress.set(second + 1, format!("{} connections were lost", meter.errors.get()));
    }
    let after = Reading::of(&target.usage).await;
    let (connecting, idling) = (before.since(&empty), after.since(&before));
    let mut report = conclude(args, &quiet, &meter, &connecting, &idling);
    report.series = sampler.stop();
    drop(progress);
    crowd.close().await;
    Ok(report)
}

/// They read what comes; one that ends by itself is a fault.
fn listen(meter: &Rc<Meter>, sessions: impl Iterator<Item = Session>) -> Crowd {
    let (heard, ended) = (Rc::clone(meter), Rc::clone(meter));
    let on_end = move |_, code: Option<u16>| match code {
        Some(code) => ended.fault(&format!("a connection was closed with {code} while nothing happened")),
        None => ended.fault("a connection was lost while nothing happened"),
    };
    Crowd::new(sessions, move |_, _, _| Meter::count(&heard.received, 1), on_end)
}

fn conclude(args: &IdleArgs, quiet: &Quiet, meter: &Meter, connecting: &Spent, idling: &Spent) -> Report {
    let mut report = Report::of("idle")
        .setting("sessions", args.sessions)
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size)
        .setting("seconds", args.seconds);
    let count = f64::from(args.sessions);
    let held = u32::try_from(meter.errors.get()).map_or(0, |lost| args.sessions.saturating_sub(lost));
    report.figure("connections held", f64::from(held), "");
    quiet.memory(&mut report, idling.usage.engine.resident_bytes, count);
    report.figure("server CPU", idling.usage.engine.cpu_seconds / idling.seconds / count * 1e6, "µs a second each");
    report.figure("to connect", connecting.usage.engine.cpu_seconds / count * 1e6, "µs of CPU each");
    report.failures.extend(meter.faults());
    report
}

/// The engine's memory before the sessions come, in bytes.
struct Quiet {
    resident: f64,
    /// What it moves by without them.
    moves: f64,
}

impl Quiet {
    /// Watches it while a few come and go: an engine gives back what it has free when it does something.
    async fn of(target: &Target, town: &Town) -> anyhow::Result<Self> {
        let visitors = town.people.chunks(VISITORS).next().unwrap_or_default();
        let (mut least, mut most, mut resident) = (f64::INFINITY, 0.0_f64, f64::NAN);
        for visit in 0..VISITS {
            drop(connect_all(target.address, visitors, |_, _, _| {}).await?);
            tokio::time::sleep(REST / VISITS).await;
            resident = target.usage.usage().await.engine.resident_bytes;
            // The first visits set it in motion.
            if visit >= VISITS / 2 {
                (least, most) = (resident.min(least), resident.max(most));
            }
        }
        Ok(Self { resident, moves: (most - least).max(MOVES_MIN) })
    }

    /// What each of `count` sessions costs, if all together cost more than memory moves by without them.
    fn memory(&self, report: &mut Report, whole: f64, count: f64) {
        let grown = whole - self.resident;
        if grown > self.moves {
            report.figure("memory each", grown / count / 1_024.0, "KiB");
        } else {
            let moves = self.moves / 1_048_576.0;
            let unit = format!("MiB: {count} are too few to say what each costs, as {moves:.0} MiB come and go anyway");
            report.figure("memory of all", grown / 1_048_576.0, &unit);
        }
        report.figure("engine without them", self.resident / 1_048_576.0, "MiB");
        report.figure("engine with them", whole / 1_048_576.0, "MiB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_costs_is_said_only_when_it_can_be_seen() {
        let quiet = Quiet { resident: 40.0 * 1_048_576.0, moves: MOVES_MIN };
        let first = |whole_mib: f64| {
            let mut report = Report::of("idle");
            quiet.memory(&mut report, whole_mib * 1_048_576.0, 1_024.0);
            report.figures.remove(0)
        };
        assert_eq!((first(56.0).name.as_str(), first(56.0).value), ("memory each", 16.0));
        for whole_mib in [30.0, 40.0, 47.9] {
            assert_eq!(first(whole_mib).name, "memory of all");
        }
    }
}
