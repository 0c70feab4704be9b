//! `idle`: N sessions that listen to their rooms and say nothing. What does each cost in memory and CPU?
//!
//! Memory is what the engine's resident memory grew by while they connected, divided among them.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use crate::client::{Accounts, Crowd, Town, connect_all};
use crate::engine::TargetArgs;
use crate::measure::{Meter, Progress, Reading, Sampler};
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

pub async fn run(args: &IdleArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.sessions)?, rooms, size).await?;
    tokio::time::sleep(REST).await;
    let meter = Meter::new(&["frame"]);
    let empty = Reading::of(target.pid);
    let sampler = Sampler::start(&meter, &target);
    let sessions =
        connect_all(target.address, &town.people, |_, _, _| {}).await?.into_iter().map(|(session, _)| session);
    let count = f64::from(args.sessions);
    let (heard, ended) = (Rc::clone(&meter), Rc::clone(&meter));
    let on_end = move |_, code: Option<u16>| match code {
        Some(code) => ended.fault(&format!("a connection was closed with {code} while nothing happened")),
        None => ended.fault("a connection was lost while nothing happened"),
    };
    let crowd = Crowd::new(sessions, move |_, _, _| Meter::count(&heard.received, 1), on_end);
    tokio::time::sleep(REST).await;
    let before = Reading::of(target.pid);
    let progress = Progress::of_run("idle", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        progress.set(second + 1, format!("{} connections were lost", meter.errors.get()));
    }
    let after = Reading::of(target.pid);
    let (connecting, idling) = (before.since(&empty), after.since(&before));
    let faults = meter.faults();
    let series = sampler.stop();
    drop(progress);
    let mut report = Report::of("idle")
        .setting("sessions", args.sessions)
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size)
        .setting("seconds", args.seconds);
    let held = u32::try_from(meter.errors.get()).map_or(0, |lost| args.sessions.saturating_sub(lost));
    report.figure("connections held", f64::from(held), "");
    // An engine elsewhere shows nothing of itself.
    if target.pid.is_some() {
        let (whole, empty) = (after.usage.engine.resident_bytes, empty.usage.engine.resident_bytes);
        report.figure("memory each", (whole - empty) / count / 1_024.0, "KiB");
        report.figure("engine without them", empty / 1_048_576.0, "MiB");
        report.figure("engine with them", whole / 1_048_576.0, "MiB");
        report.figure("server CPU", idling.usage.engine.cpu_seconds / idling.seconds / count * 1e6, "µs a second each");
        report.figure("to connect", connecting.usage.engine.cpu_seconds / count * 1e6, "µs of CPU each");
    }
    report.series = series;
    report.failures.extend(faults);
    crowd.close().await;
    report.take_in(town.leave(&accounts, &target).await);
    report.take_in(target.close().await);
    Ok(report)
}
