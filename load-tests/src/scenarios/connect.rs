//! `connect`: a storm of N connects a second, each with hello. How long until `ready`, and what does one cost?
//!
//! Open loop: a connection counts from when it was due. All of them stay until the end, read and speak like any other,
//! and are counted when they end before it.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use crate::client::{Accounts, Crowd, Person, Session, Town, needs_of_town};
use crate::engine::{Needs, TargetArgs};
use crate::measure::{Due, Meter, Pace, Progress, Reading, Sampler};
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

/// Whoever has several devices has a connection of each.
pub fn needs(args: &ConnectArgs) -> Needs {
    let connections = u64::from(args.rate) * args.seconds;
    needs_of_town(args.users, args.rooms, args.room_size)
        .at_least("limits.sockets_max", connections.div_ceil(u64::from(args.users)))
}

pub async fn run(args: &ConnectArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.users)?, rooms, size).await?;
    let meter = Meter::new(&["ready"]);
    let (sampler, before) = (Sampler::start(&meter, &target), Reading::of(&target.usage).await);
    let reads = target.scrape().await?;
    let guests = Rc::new(Guests::new(&meter));
    let progress = Progress::of_run("connect", Duration::from_secs(args.seconds));
    let mut pace = Pace::start(f64::from(args.rate), Duration::from_secs(args.seconds));
    while let Some(due) = pace.next().await {
        let Some(person) = town.people.get(usize::try_from(due.index)? % town.people.len()).cloned() else { continue };
        Meter::count(&meter.sent, 1);
        if due.index.is_multiple_of(u64::from(args.rate)) {
            progress.set(due.index / u64::from(args.rate), format!("{} under way", guests.pending.get()));
        }
        tokio::task::spawn_local(Rc::clone(&guests).receive(target.address, person, due));
    }
    for (age, count) in pace.overdue() {
        meter.record_many(0, age, count);
    }
    while guests.pending.get() > 0 {
        // Each ends by itself, at the latest when hello was not answered in time.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let spent = Reading::of(&target.usage).await.since(&before);
    let series = sampler.stop();
    let after = target.scrape().await;
    drop(progress);
    let mut report = Report::of("connect")
        .setting("rate", args.rate)
        .setting("seconds", args.seconds)
        .setting("users", args.users)
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let connected = meter.received.get() as f64;
    report.figure("connected", connected / spent.seconds, "a second");
    report.cpu(&spent, connected, "connection");
    if let Some(after) = report.take_in(after) {
        let reads = after.growth(&reads, "parlance_storage_reads_total");
        report.figure("reads of Postgres", reads / connected.max(1.0), "a connection");
    }
    report.latencies(&meter);
    report.series = series;
    report.failures.extend(meter.faults());
    report.failures.extend(pace.fell_behind());
    guests.leave().await;
    report.take_in(target.close().await);
    Ok(report)
}

/// Those who came, and how many are on their way.
struct Guests {
    meter: Rc<Meter>,
    crowd: RefCell<Option<Crowd>>,
    pending: Cell<u64>,
    closing: Rc<Cell<bool>>,
}

impl Guests {
    fn new(meter: &Rc<Meter>) -> Self {
        let closing = Rc::new(Cell::new(false));
        let (ended, is_over) = (Rc::clone(meter), Rc::clone(&closing));
        let on_end = move |_, code: Option<u16>| match code {
            _ if is_over.get() => {}
            Some(code) => ended.fault(&format!("a connection that was ready was closed with {code}")),
            None => ended.fault("a connection that was ready was lost"),
        };
        let crowd = Crowd::new([], |_, _, _| {}, on_end);
        Self { meter: Rc::clone(meter), crowd: RefCell::new(Some(crowd)), pending: Cell::new(0), closing }
    }

    /// Connects one and keeps it.
    fn receive(self: Rc<Self>, address: SocketAddr, person: Person, due: Due) -> impl Future<Output = ()> {
        self.pending.set(self.pending.get() + 1);
        async move {
            match Session::start(address, &person.token, &[], |_, _| {}).await {
                Ok((session, _)) => {
                    self.meter.record(0, due.at.elapsed());
                    Meter::count(&self.meter.received, 1);
                    if let Some(crowd) = self.crowd.borrow_mut().as_mut() {
                        crowd.add(session);
                    }
                }
                Err(error) => self.meter.fault(&format!("{error:#}")),
            }
            self.pending.set(self.pending.get() - 1);
        }
    }

    async fn leave(&self) {
        self.closing.set(true);
        let crowd = self.crowd.take();
        if let Some(crowd) = crowd {
            crowd.close().await;
        }
    }
}
