//! `connect`: a storm of N connects a second, each with hello. How long until `ready`, and what does one cost?
//!
//! Open loop: a connection counts from when it was due. All of them stay until the end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use crate::client::{Accounts, Crowd, Session, Town};
use crate::engine::TargetArgs;
use crate::measure::{Meter, Pace, Progress, Reading, Sampler};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct ConnectArgs {
    /// Connections a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Seconds of it
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// People; with more connections than people, each has several devices
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub users: u32,
    /// Rooms of each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=200))]
    pub rooms: u32,
    /// Members of a room
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub room_size: u32,
}

pub async fn run(args: &ConnectArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.users)?, rooms, size).await?;
    let meter = Meter::new(&["ready"]);
    let (sampler, before) = (Sampler::start(&meter, &target), Reading::of(target.pid));
    let reads = target.scrape().await?;
    let sessions = Rc::new(RefCell::new(Vec::new()));
    let pending = Rc::new(Cell::new(0_u64));
    let progress = Progress::of_run("connect", Duration::from_secs(args.seconds));
    let mut pace = Pace::start(f64::from(args.rate), Duration::from_secs(args.seconds));
    while let Some(due) = pace.next().await {
        let Some(person) = town.people.get(usize::try_from(due.index)? % town.people.len()).cloned() else { continue };
        let (meter, sessions, pending) = (Rc::clone(&meter), Rc::clone(&sessions), Rc::clone(&pending));
        let address = target.address;
        Meter::count(&meter.sent, 1);
        pending.set(pending.get() + 1);
        if due.index.is_multiple_of(u64::from(args.rate)) {
            progress.set(due.index / u64::from(args.rate), format!("{} under way", pending.get()));
        }
        tokio::task::spawn_local(async move {
            match Session::start(address, &person.token, &[], |_, _| {}).await {
                Ok((session, _)) => {
                    meter.record(0, due.at.elapsed());
                    Meter::count(&meter.received, 1);
                    sessions.borrow_mut().push(session);
                }
                Err(_) => Meter::count(&meter.errors, 1),
            }
            pending.set(pending.get() - 1);
        });
    }
    while pending.get() > 0 {
        // Each ends by itself, at the latest when hello was not answered in time.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let spent = Reading::of(target.pid).since(&before);
    let series = sampler.stop();
    let after = target.scrape().await?;
    drop(progress);
    let mut report = Report::of("connect")
        .setting("rate", args.rate)
        .setting("seconds", args.seconds)
        .setting("users", args.users)
        .setting("rooms each", args.rooms);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let connected = meter.received.get() as f64;
    report.figure("connected", connected / spent.seconds, "a second");
    report.cpu(&spent, connected, "connection");
    let reads = after.growth(&reads, "parlance_storage_reads_total");
    report.figure("reads of Postgres", reads / connected.max(1.0), "a connection");
    report.latencies(&meter);
    report.series = series;
    if meter.errors.get() > 0 {
        report.fail(format!("{} connections were refused or ended before they were ready", meter.errors.get()));
    }
    Crowd::new(sessions.take(), |_, _, _| {}, |_, _| {}).close().await;
    town.leave(&accounts, &target).await?;
    target.close().await?;
    Ok(report)
}
