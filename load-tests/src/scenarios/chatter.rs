//! `chatter`: U users in rooms of size S at R messages a second, every message durable. How long from send to every
//! receiver?
//!
//! Open loop: messages are due at an even rate whatever the engine does, and each latency counts from when the message
//! was due. Every user is in one room; posts go round the rooms. Each receiver checks that its room's seq rises by
//! exactly one, and at the end everything that was acknowledged must have reached everybody in its room.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use memchr::memmem::Finder;
use uuid::Uuid;

use crate::client::{Accounts, Crowd, Heard, Person, connect_all, post_frame, run_name, text_field};
use crate::engine::{Scrape, TargetArgs};
use crate::measure::{Meter, Pace, Progress, Reading, Sampler, Spent};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct ChatterArgs {
    /// Users, each with one session
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub users: u32,
    /// Members of each room
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub room_size: u32,
    /// Messages a second, over all rooms
    #[arg(long, default_value_t = 1_000.0)]
    pub rate: f64,
    /// Bytes of a message's text
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(24..=32_768))]
    pub bytes: u32,
    /// Seconds that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Seconds before them that do not
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub warm_up: u64,
}

/// Rooms of an engine, or of the baseline, and who is in which: `people` in blocks of the room's size.
#[derive(Clone, Debug)]
pub struct Venue {
    pub address: std::net::SocketAddr,
    pub rooms: Vec<Uuid>,
    pub people: Vec<Person>,
    pub pid: Option<u32>,
    /// Where the engine's own metrics are; `None`: it has none.
    pub base: Option<String>,
}

const RATE_MAX: f64 = 1_000_000.0;
/// After the last post, what is under way gets this long to arrive.
const SETTLE: Duration = Duration::from_secs(20);

/// Delivery first: it is what the charts show.
const DELIVERY: usize = 0;

pub async fn run(args: &ChatterArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    args.check()?;
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let venue = gather(args, &target, &accounts).await?;
    let report = drive(args, &venue, Report::of("chatter")).await;
    accounts.leave(&target, &venue.occupied(args)).await?;
    target.close().await?;
    report
}

/// Makes the users and their rooms.
pub async fn gather(args: &ChatterArgs, target: &crate::engine::Target, accounts: &Accounts) -> anyhow::Result<Venue> {
    let people = accounts.people(usize::try_from(args.users)?).await?;
    let sets: Vec<Vec<Person>> = people.chunks(usize::try_from(args.room_size)?).map(<[_]>::to_vec).collect();
    let rooms = accounts.groups(sets).await?;
    Ok(Venue { address: target.address, rooms, people, pid: target.pid, base: Some(target.base.clone()) })
}

impl ChatterArgs {
    fn check(&self) -> anyhow::Result<()> {
        if !(self.rate > 0.0 && self.rate <= RATE_MAX) {
            bail!("--rate is between 0 and {RATE_MAX} messages a second");
        }
        Ok(())
    }
}

impl Venue {
    /// Each room with its people.
    pub fn occupied(&self, args: &ChatterArgs) -> Vec<(Uuid, Vec<Person>)> {
        let size = usize::try_from(args.room_size).unwrap_or(1);
        self.rooms.iter().copied().zip(self.people.chunks(size).map(<[_]>::to_vec)).collect()
    }
}

/// Runs the messages through the rooms and reports.
pub async fn drive(args: &ChatterArgs, venue: &Venue, report: Report) -> anyhow::Result<Report> {
    let flow = Rc::new(Flow::new(venue.people.len(), usize::try_from(args.room_size)?));
    let sessions =
        connect_all(venue.address, &venue.people, |_, _, _| {}).await?.into_iter().map(|(session, _)| session);
    let (heard, ended) = (Rc::clone(&flow), Rc::clone(&flow));
    let crowd =
        Crowd::new(sessions, move |index, what, frame| heard.hear(index, &what, frame), move |_, _| ended.lose());
    let length = Duration::from_secs(args.warm_up + args.seconds);
    let progress = Progress::of_run("chatter", length);
    let mut pace = Pace::start(args.rate, length);
    let mut counted: Option<(Sampler, Reading, Option<Scrape>)> = None;
    let (run, content) = (run_name(), Content::of(args.bytes));
    let begun = Instant::now();
    while let Some(due) = pace.next().await {
        if counted.is_none() && begun.elapsed() >= Duration::from_secs(args.warm_up) {
            flow.meter.forget();
            let scrape = Scrape::of(venue.base.as_deref()).await?;
            counted = Some((Sampler::of_process(&flow.meter, venue.pid), Reading::of(venue.pid), scrape));
        }
        let sender = sender_of(due.index, args, venue);
        let (Some(socket), Some(room)) = (crowd.socket(sender.user), venue.rooms.get(sender.room)) else { continue };
        let text = content.due_at(flow.meter.nanos(due.at));
        let frame = post_frame(due.index + 2, room, &format!("{run}-{}", due.index), &text);
        flow.send();
        if socket.send(frame.as_bytes()).await.is_err() {
            flow.lose();
        }
        if due.index % 1_000 == 0 {
            let errors = flow.meter.errors.get() + flow.meter.refused.get();
            progress.set(begun.elapsed().as_secs(), format!("{} received, {errors} errors", flow.meter.received.get()));
        }
    }
    let Some((sampler, before, scraped)) = counted else { bail!("nothing was due: raise --rate or --seconds") };
    let spent = Reading::of(venue.pid).since(&before);
    let (sent, received) = (flow.meter.sent.get(), flow.meter.received.get());
    flow.settle().await;
    let after = Scrape::of(venue.base.as_deref()).await?;
    let series = sampler.stop();
    flow.closing.set(true);
    crowd.close().await;
    drop(progress);
    let mut report = conclude(args, report, &flow, &spent, (sent, received), series);
    if let (Some(before), Some(after)) = (scraped, after) {
        report.coalescing(&before, &after);
    }
    Ok(report)
}

struct Place {
    room: usize,
    user: usize,
}

/// Posts go round the rooms, and in each room round its members.
fn sender_of(index: u64, args: &ChatterArgs, venue: &Venue) -> Place {
    let (rooms, size) = (venue.rooms.len().max(1), usize::try_from(args.room_size).unwrap_or(1));
    let index = usize::try_from(index).unwrap_or(0);
    let room = index % rooms;
    let members = venue.people.len().saturating_sub(room * size).clamp(1, size);
    Place { room, user: room * size + (index / rooms) % members }
}

/// The text of a message: when it was due, then filling.
pub struct Content {
    filling: String,
}

/// Digits of the time in a message.
const DUE_DIGITS: usize = 16;

impl Content {
    pub fn of(bytes: u32) -> Self {
        Self { filling: "x".repeat(usize::try_from(bytes).unwrap_or(0).saturating_sub(DUE_DIGITS)) }
    }

    pub fn due_at(&self, nanos: u64) -> String {
        format!("{nanos:0DUE_DIGITS$}{}", self.filling)
    }
}

/// What each user has seen.
struct Flow {
    meter: Rc<Meter>,
    /// By user: the seq that comes next in their room; 0 before the first.
    next: Vec<Cell<u64>>,
    content: Finder<'static>,
    closing: Cell<bool>,
    arrived_at: Cell<Instant>,
    /// Posts that were sent and not answered yet, those of the warm-up included.
    open: Cell<u64>,
    room_size: usize,
}

impl Flow {
    fn new(users: usize, room_size: usize) -> Self {
        Self {
            meter: Meter::new(&["delivery"]),
            next: (0..users).map(|_| Cell::new(0)).collect(),
            content: Finder::new("\"content\":\""),
            closing: Cell::new(false),
            arrived_at: Cell::new(Instant::now()),
            open: Cell::new(0),
            room_size: room_size.max(1),
        }
    }

    fn send(&self) {
        Meter::count(&self.meter.sent, 1);
        self.open.set(self.open.get() + 1);
    }

    fn hear(&self, index: usize, heard: &Heard<'_>, frame: &[u8]) {
        match heard {
            Heard::Event { kind: b"message.posted", seq, .. } => self.receive(index, *seq, frame),
            Heard::Ok { .. } => {
                self.open.set(self.open.get().saturating_sub(1));
                Meter::count(&self.meter.acked, 1);
            }
            Heard::Error { retry, .. } => {
                self.open.set(self.open.get().saturating_sub(1));
                if retry == "never" {
                    self.lose();
                } else {
                    Meter::count(&self.meter.refused, 1);
                }
            }
            Heard::Lagged { .. } => self.lose(),
            _ => {}
        }
    }

    fn receive(&self, index: usize, seq: u64, frame: &[u8]) {
        let Some(next) = self.next.get(index) else { return };
        if next.get() != 0 && next.get() != seq {
            self.lose();
        }
        next.set(seq + 1);
        let now = Instant::now();
        Meter::count(&self.meter.received, 1);
        self.arrived_at.set(now);
        let due = text_field(frame, &self.content).and_then(|text| text.get(..DUE_DIGITS));
        let due = due.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
        match due {
            Some(due) => {
                let took = self.meter.nanos(now).saturating_sub(due);
                self.meter.record(DELIVERY, Duration::from_nanos(took));
            }
            None => self.lose(),
        }
    }

    fn lose(&self) {
        if !self.closing.get() {
            Meter::count(&self.meter.errors, 1);
        }
    }

    /// Rooms of which some have seen more than others.
    fn uneven(&self) -> usize {
        self.next.chunks(self.room_size).filter(|room| room.windows(2).any(|pair| pair[0] != pair[1])).count()
    }

    /// Waits until everything that was sent is answered and has arrived, or nothing arrives any more.
    async fn settle(&self) {
        let begun = Instant::now();
        while begun.elapsed() < SETTLE {
            let all = self.open.get() == 0 && self.uneven() == 0;
            if all || self.arrived_at.get().elapsed() > SETTLE / 4 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn conclude(
    args: &ChatterArgs,
    report: Report,
    flow: &Flow,
    spent: &Spent,
    (sent, received): (u64, u64),
    series: Vec<crate::measure::Point>,
) -> Report {
    let mut report = report
        .setting("users", args.users)
        .setting("room size", args.room_size)
        .setting("rate", args.rate)
        .setting("bytes", args.bytes)
        .setting("seconds", args.seconds);
    let (messages, deliveries) = (received as f64 / f64::from(args.room_size), received as f64);
    report.figure("messages sent", sent as f64 / spent.seconds, "a second");
    report.figure("messages delivered", messages / spent.seconds, "a second");
    report.figure("deliveries", deliveries / spent.seconds, "a second");
    if spent.usage.engine.cpu_seconds > 0.0 {
        let (engine, postgres) = (spent.usage.engine.cpu_seconds, spent.usage.postgres.cpu_seconds);
        report.figure("server CPU", engine / messages.max(1.0) * 1e6, "µs a message");
        report.figure("Postgres CPU", postgres / messages.max(1.0) * 1e6, "µs a message");
        report.figure("server and Postgres", (engine + postgres) / spent.seconds, "cores");
    }
    report.figure("generator CPU", spent.own_cpu_s / messages.max(1.0) * 1e6, "µs a message");
    report.figure("refused", flow.meter.refused.get() as f64, "messages");
    report.latencies(&flow.meter);
    report.series = series;
    if flow.uneven() > 0 {
        report.fail(format!("in {} rooms not everybody saw the same", flow.uneven()));
    }
    if flow.open.get() > 0 {
        report.fail(format!("{} messages were not answered", flow.open.get()));
    }
    if flow.meter.errors.get() > 0 {
        report.fail(format!("{} gaps, repetitions, errors or lost connections", flow.meter.errors.get()));
    }
    report
}
