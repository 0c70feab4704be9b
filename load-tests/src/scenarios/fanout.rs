//! `fanout`: one room, N listeners, W messages in flight. What does a delivery cost, and is every one made?
//!
//! A message is in flight until it has reached every listener, so the generator never measures its own backlog. Each
//! listener checks that the room's seq rises by exactly one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::client::{Accounts, Crowd, Heard, Person, connect_all, post_frame, run_name};
use crate::engine::{Scrape, TargetArgs};
use crate::measure::{Meter, Progress, Reading, Sampler, Spent};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct FanoutArgs {
    /// Sessions that listen to the room; the first of them posts
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub listeners: u32,
    /// Messages on their way at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub in_flight: u32,
    /// Bytes of a message's text
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub bytes: u32,
    /// Seconds that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Seconds before them that do not
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub warm_up: u64,
}

/// Where the messages go: a room of the engine, or of the baseline.
#[derive(Clone, Debug)]
pub struct Venue {
    pub address: SocketAddr,
    pub room: Uuid,
    pub people: Vec<Person>,
    pub pid: Option<u32>,
    /// Where the engine's own metrics are; `None`: it has none.
    pub base: Option<String>,
}

/// Nothing reached everybody for this long: something is lost.
const STALL: Duration = Duration::from_secs(20);

pub async fn run(args: &FanoutArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let people = accounts.people(usize::try_from(args.listeners)?).await?;
    let room = accounts.group(&people).await?;
    let venue = Venue {
        address: target.address,
        room,
        people: people.clone(),
        pid: target.pid,
        base: Some(target.base.clone()),
    };
    let report = drive(args, &venue, Report::of("fanout")).await;
    accounts.leave(&target, &[(room, people)]).await?;
    target.close().await?;
    report
}

/// Runs the messages through the room and reports.
pub async fn drive(args: &FanoutArgs, venue: &Venue, report: Report) -> anyhow::Result<Report> {
    let flow = Rc::new(Flow::new(args, &venue.people));
    let sessions =
        connect_all(venue.address, &venue.people, |_, _, _| {}).await?.into_iter().map(|(session, _)| session);
    let (heard, ended) = (Rc::clone(&flow), Rc::clone(&flow));
    let crowd = Crowd::new(sessions, move |index, what, _| heard.hear(index, &what), move |_, _| ended.lose());
    let poster = Rc::clone(crowd.socket(0).context("at least one listener")?);
    let posting = tokio::task::spawn_local(post_all(Rc::clone(&flow), poster, venue.room, args.bytes));

    tokio::time::sleep(Duration::from_secs(args.warm_up)).await;
    flow.meter.forget();
    let sampler = Sampler::of_process(&flow.meter, venue.pid);
    let before = Reading::of(venue.pid);
    let scraped = Scrape::of(venue.base.as_deref()).await?;
    let progress = Progress::of_run("fanout", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let last = sampler.last().map(|point| point.received).unwrap_or_default();
        progress.set(second + 1, format!("{last} deliveries/s, {} errors", flow.meter.errors.get()));
    }
    let (spent, received) = (Reading::of(venue.pid).since(&before), flow.meter.received.get());
    let after = Scrape::of(venue.base.as_deref()).await?;
    flow.done.set(true);
    flow.wake.notify_one();
    posting.await??;
    flow.settle().await;
    let series = sampler.stop();
    crowd.close().await;
    drop(progress);
    let mut report = conclude(args, report, &flow, &spent, received, series);
    if let (Some(before), Some(after)) = (scraped, after) {
        report.coalescing(&before, &after);
    }
    Ok(report)
}

/// The messages under way, and what each listener has seen.
struct Flow {
    meter: Rc<Meter>,
    listeners: u32,
    in_flight_max: u64,
    /// By listener: the seq that comes next; 0 before the first.
    next: Vec<Cell<u64>>,
    under_way: RefCell<UnderWay>,
    wake: Notify,
    done: Cell<bool>,
    progressed: Cell<Instant>,
}

/// Messages that have not reached everybody, oldest first.
#[derive(Default)]
struct UnderWay {
    /// The seq of the first message; the others follow it, since nobody else posts.
    base: u64,
    /// When it was sent, and how many have it.
    messages: VecDeque<(Instant, u32)>,
    complete: u64,
}

impl Flow {
    fn new(args: &FanoutArgs, people: &[Person]) -> Self {
        Self {
            meter: Meter::new(&["delivery"]),
            listeners: args.listeners,
            in_flight_max: u64::from(args.in_flight),
            next: people.iter().map(|_| Cell::new(0)).collect(),
            under_way: RefCell::default(),
            wake: Notify::new(),
            done: Cell::new(false),
            progressed: Cell::new(Instant::now()),
        }
    }

    fn hear(&self, index: usize, heard: &Heard<'_>) {
        match heard {
            Heard::Event { kind: b"message.posted", seq, .. } => self.deliver(index, *seq),
            Heard::Ok { .. } => Meter::count(&self.meter.acked, 1),
            Heard::Error { .. } | Heard::Lagged { .. } => self.lose(),
            _ => {}
        }
    }

    fn deliver(&self, index: usize, seq: u64) {
        let Some(next) = self.next.get(index) else { return };
        if next.get() != 0 && next.get() != seq {
            self.lose();
        }
        next.set(seq + 1);
        Meter::count(&self.meter.received, 1);
        let mut under_way = self.under_way.borrow_mut();
        if under_way.base == 0 {
            under_way.base = seq;
        }
        let place = usize::try_from(seq.wrapping_sub(under_way.base)).unwrap_or(usize::MAX);
        let Some((sent_at, have)) = under_way.messages.get_mut(place) else { return self.lose() };
        *have += 1;
        self.meter.record(0, sent_at.elapsed());
        let mut any = false;
        while under_way.messages.front().is_some_and(|(_, have)| *have >= self.listeners) {
            under_way.messages.pop_front();
            under_way.base += 1;
            under_way.complete += 1;
            any = true;
        }
        if any {
            self.progressed.set(Instant::now());
            self.wake.notify_one();
        }
    }

    /// Something came that should not, or did not come that should.
    fn lose(&self) {
        if !self.done.get() {
            Meter::count(&self.meter.errors, 1);
        }
    }

    fn has_room(&self) -> bool {
        (self.under_way.borrow().messages.len() as u64) < self.in_flight_max
    }

    /// Waits until everything under way has arrived, or nothing arrives any more.
    async fn settle(&self) {
        while !self.under_way.borrow().messages.is_empty() && self.progressed.get().elapsed() < STALL {
            // Woken by the next arrival, or by the clock to see that there is none.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.wake.notified()).await;
        }
    }
}

async fn post_all(flow: Rc<Flow>, poster: Rc<crate::client::Socket>, room: Uuid, bytes: u32) -> anyhow::Result<()> {
    let content = "x".repeat(usize::try_from(bytes)?);
    let (run, mut index) = (run_name(), 0_u64);
    let mut frames = Vec::new();
    while !flow.done.get() {
        while flow.has_room() {
            index += 1;
            flow.under_way.borrow_mut().messages.push_back((Instant::now(), 0));
            Meter::count(&flow.meter.sent, 1);
            frames.push(post_frame(index + 1, &room, &format!("{run}-{index}"), &content));
        }
        if frames.is_empty() {
            flow.wake.notified().await;
        } else {
            // What may leave leaves together, as from any client that writes through a buffer.
            poster.send_together(&frames).await?;
            frames.clear();
        }
    }
    Ok(())
}

fn conclude(
    args: &FanoutArgs,
    report: Report,
    flow: &Flow,
    spent: &Spent,
    received: u64,
    series: Vec<crate::measure::Point>,
) -> Report {
    let mut report = report
        .setting("listeners", args.listeners)
        .setting("in flight", args.in_flight)
        .setting("bytes", args.bytes)
        .setting("seconds", args.seconds);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let deliveries = received as f64;
    let messages = deliveries / f64::from(args.listeners);
    let (engine, postgres) = (spent.usage.engine.cpu_seconds, spent.usage.postgres.cpu_seconds);
    report.figure("deliveries", deliveries / spent.seconds, "a second");
    report.figure("messages", messages / spent.seconds, "a second");
    if engine > 0.0 {
        report.figure("server CPU", engine / deliveries.max(1.0) * 1e6, "µs a delivery");
        report.figure("server CPU used", engine / spent.seconds, "cores");
        report.figure("Postgres CPU", postgres / messages.max(1.0) * 1e6, "µs a message");
    }
    report.figure("generator CPU", spent.own_cpu_s / deliveries.max(1.0) * 1e6, "µs a delivery");
    report.latencies(&flow.meter);
    report.series = series;
    let lost = flow.under_way.borrow().messages.len();
    if lost > 0 {
        report.fail(format!("{lost} messages did not reach every listener within {} s", STALL.as_secs()));
    }
    if flow.meter.errors.get() > 0 {
        report.fail(format!("{} gaps, repetitions, errors or lost connections", flow.meter.errors.get()));
    }
    report
}
