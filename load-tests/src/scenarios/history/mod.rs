//! `history`: the past of large rooms, read in every way that there is. How fast, and is it all there?
//!
//! Four kinds of reads, in turn: the newest page, a page before a random place, a page after one, and catching up from
//! one over the WebSocket. Every page is checked for order and for gaps; where a room also holds events that are no
//! messages, some pages are compared with the whole order.

mod check;
mod venue;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use rand::RngExt;
use uuid::Uuid;

use crate::client::{Accounts, CaughtUp, History, Page, fetch_page};
use crate::engine::TargetArgs;
use crate::install::people;
use crate::measure::{Due, Meter, Pace, Point, Progress, RATES, Reading, Sampler, Spent, within};
use crate::report::Report;
use check::Asked;
use venue::{Reader, Venue};

#[derive(Args, Clone, Debug)]
pub struct HistoryArgs {
    /// Rooms to read; with --installed the largest ones of each reader
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rooms: u32,
    /// Who reads at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub readers: u32,
    /// Reads a second, over all readers; without it each reader reads as fast as it is answered
    #[arg(long, value_parser = within(RATES), allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Messages to post into each room first
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub events: u64,
    /// Bytes of the text of each of them
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub bytes: u32,
    /// Read the rooms that `install` made instead
    #[arg(long)]
    pub installed: bool,
    /// The name of that installation
    #[arg(long, default_value = people::NAME)]
    pub name: String,
    /// The password of its people
    #[arg(long, default_value = people::PASSWORD)]
    pub password: String,
    /// Messages or events of a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub page: u64,
    /// Seconds that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Seconds before them that do not
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub warm_up: u64,
}

const KINDS: [&str; 4] = ["newest page", "page before", "page after", "catch-up"];
const CATCH_UP: usize = 3;
/// Of the pages that may have gaps of their own, one in so many is compared with the whole order.
const COMPARED_ONE_IN: u64 = 16;
/// Events that the engine gives at once.
const EVENTS_MAX: u64 = 200;
/// Reads that were left out are recorded in at most so many strokes.
const UNREAD_RECORDED_MAX: usize = 100_000;
/// A run that did less of what was due than this did not read at its rate.
const READ_MIN: f64 = 0.97;
/// What went wrong is told so many times.
const COMPLAINTS_MAX: usize = 5;

pub async fn run(args: &HistoryArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let extra = [("auth.login_per_account_per_minute", "1000".to_owned())];
    let target = target.open(&extra).await?;
    let mut venue = Venue::open(args, &target).await?;
    let flow = Rc::new(Flow::new(args, &venue));
    let readers = std::mem::take(&mut venue.readers);
    let tasks: Vec<_> =
        readers.into_iter().map(|reader| tokio::task::spawn_local(read_on(Rc::clone(&flow), reader))).collect();
    tokio::time::sleep(Duration::from_secs(args.warm_up)).await;
    flow.meter.forget();
    let (sampler, before) = (Sampler::start(&flow.meter, &target), Reading::of(target.pid));
    let progress = Progress::of_run("history", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        progress.set(second + 1, format!("{} reads, {} wrong", flow.meter.received.get(), flow.meter.errors.get()));
    }
    let (spent, reads) = (Reading::of(target.pid).since(&before), flow.meter.received.get());
    flow.done.set(true);
    flow.record_unread().await;
    for task in tasks {
        task.await?;
    }
    let series = sampler.stop();
    let mut report = conclude(args, &flow, &spent, reads, series);
    report.take_in(venue.leave(&target).await);
    report.take_in(target.close().await);
    Ok(report)
}

/// What all readers share.
struct Flow {
    meter: Rc<Meter>,
    accounts: Accounts,
    page: u64,
    messages_only: bool,
    /// When the next read is due; `None`: at once.
    pace: Option<tokio::sync::Mutex<Pace>>,
    done: Cell<bool>,
    /// Reads that were due, in all, and those that nobody had got round to at the end.
    due: Cell<u64>,
    unread: Cell<u64>,
    compared: Cell<u64>,
    complaints: RefCell<Vec<String>>,
}

impl Flow {
    fn new(args: &HistoryArgs, venue: &Venue) -> Self {
        let length = Duration::from_secs(args.warm_up + args.seconds);
        Self {
            meter: Meter::new(&KINDS),
            accounts: venue.accounts.clone(),
            page: args.page,
            messages_only: venue.messages_only,
            pace: args.rate.map(|rate| tokio::sync::Mutex::new(Pace::start(rate, length))),
            done: Cell::new(false),
            due: Cell::default(),
            unread: Cell::default(),
            compared: Cell::new(0),
            complaints: RefCell::default(),
        }
    }

    /// Since when the next read counts; `None` when there is none.
    async fn next(&self) -> Option<Instant> {
        if self.done.get() {
            return None;
        }
        match &self.pace {
            Some(pace) => pace.lock().await.next().await.map(|Due { at, .. }| at),
            None => Some(Instant::now()),
        }
    }

    /// What is still due at the end waited until then at least, and counts with its age: a stall that leaves reads out
    /// would otherwise look the better for it.
    async fn record_unread(&self) {
        let Some(pace) = &self.pace else { return };
        let pace = pace.lock().await;
        let left = pace.left_out();
        self.due.set(pace.planned());
        self.unread.set(left.len() as u64);
        let together = left.len().div_ceil(UNREAD_RECORDED_MAX).max(1);
        for (place, Due { at, .. }) in left.step_by(together).enumerate() {
            self.meter.record_many(place % KINDS.len(), at.elapsed(), together as u64);
        }
    }

    fn took(&self, kind: usize, since: Instant) {
        self.meter.record(kind, since.elapsed());
        Meter::count(&self.meter.received, 1);
    }

    fn complain(&self, what: String) {
        Meter::count(&self.meter.errors, 1);
        let mut complaints = self.complaints.borrow_mut();
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(what);
        }
    }
}

async fn read_on(flow: Rc<Flow>, mut reader: Reader) {
    let mut reads = 0_usize;
    while let Some(since) = flow.next().await {
        let rooms = reader.rooms.len().max(1);
        // Another kind each time, and another room whenever every kind had its turn.
        let Some(&(room, last_seq)) = reader.rooms.get(reads / KINDS.len() % rooms) else { break };
        let kind = reads % KINDS.len();
        reads += 1;
        Meter::count(&flow.meter.sent, 1);
        let read = if kind == CATCH_UP {
            catch_up(&flow, &mut reader, room, last_seq, since).await
        } else {
            page(&flow, &reader, kind, (room, last_seq), since).await
        };
        if let Err(error) = read {
            flow.complain(format!("{error:#}"));
        }
    }
    reader.listener.close().await;
}

async fn page(
    flow: &Flow,
    reader: &Reader,
    kind: usize,
    (room, last_seq): (Uuid, u64),
    since: Instant,
) -> anyhow::Result<()> {
    let place = rand::rng().random_range(1..=last_seq);
    let history = match kind {
        0 => History::Newest,
        1 => History::Before(place + 1),
        _ => History::After(place - 1),
    };
    let text = fetch_page(&flow.accounts, &reader.token, room, history, flow.page).await?;
    flow.took(kind, since);
    let page: Page = serde_json::from_str(&text).context("a page")?;
    let asked = Asked { history, limit: flow.page, last_seq, messages_only: flow.messages_only };
    check::page(&asked, &page).map_err(anyhow::Error::msg)?;
    if !flow.messages_only && flow.meter.received.get().is_multiple_of(COMPARED_ONE_IN) {
        compare(flow, reader, room, &asked, &page).await?;
        flow.compared.set(flow.compared.get() + 1);
    }
    Ok(())
}

/// Reads the whole order of a page's stretch and compares.
async fn compare(flow: &Flow, reader: &Reader, room: Uuid, asked: &Asked, page: &Page) -> anyhow::Result<()> {
    let seqs = || page.items.iter().map(|item| item.seq);
    let (Some(lowest), Some(highest)) = (seqs().min(), seqs().max()) else { return Ok(()) };
    let (mut after, end) = match asked.history {
        History::After(after) => (after, highest),
        History::Before(before) => (lowest - 1, before - 1),
        History::Newest => (lowest - 1, highest),
    };
    let mut events = Vec::new();
    while after < end {
        let path = format!("/api/v1/rooms/{room}/events?after={after}&limit={EVENTS_MAX}");
        let text = flow.accounts.text(reqwest::Method::GET, &path, &reader.token, None).await?;
        let found: CaughtUp = serde_json::from_str(&text).context("events")?;
        check::caught_up(after, EVENTS_MAX, &found).map_err(anyhow::Error::msg)?;
        after += found.events.len() as u64;
        events.extend(found.events);
        if !found.more {
            break;
        }
    }
    check::agrees(asked, page, &events).map_err(anyhow::Error::msg)
}

async fn catch_up(flow: &Flow, reader: &mut Reader, room: Uuid, last_seq: u64, since: Instant) -> anyhow::Result<()> {
    let after = rand::rng().random_range(0..last_seq);
    let text = reader.listener.catch_up(room, after, flow.page).await?;
    flow.took(CATCH_UP, since);
    let page: CaughtUp = serde_json::from_str(&text).context("an answer to room.catch_up")?;
    check::caught_up(after, flow.page, &page).map_err(anyhow::Error::msg)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn conclude(args: &HistoryArgs, flow: &Flow, spent: &Spent, reads: u64, series: Vec<Point>) -> Report {
    let mut report = Report::of("history")
        .setting("rooms", args.rooms)
        .setting("readers", args.readers)
        .setting("loop", args.rate.map_or("closed".to_owned(), |rate| format!("open at {rate}/s")))
        .setting("page", args.page)
        .setting("seconds", args.seconds);
    report = match args.installed {
        true => report.setting("installation", &args.name),
        false => report.setting("events", args.events),
    };
    let each = (reads as f64).max(1.0);
    report.figure("reads", reads as f64 / spent.seconds, "a second");
    if spent.usage.engine.cpu_seconds > 0.0 {
        report.figure("server CPU", spent.usage.engine.cpu_seconds / each * 1e6, "µs a read");
        report.figure("Postgres CPU", spent.usage.postgres.cpu_seconds / each * 1e6, "µs a read");
    }
    report.figure("generator CPU", spent.own_cpu_s / each * 1e6, "µs a read");
    if !flow.messages_only {
        report.figure("compared with the order", flow.compared.get() as f64, "pages");
    }
    let (due, unread) = (flow.due.get() as f64, flow.unread.get() as f64);
    if args.rate.is_some() {
        report.figure("due and not read", unread, &format!("reads of {due:.0}"));
    }
    if due - unread < due * READ_MIN {
        report.fail(format!("{unread:.0} of {due:.0} reads were due and not begun: --rate is more than there was"));
    }
    report.latencies(&flow.meter);
    report.series = series;
    if flow.meter.errors.get() > 0 {
        report.fail(format!("{} reads were wrong or refused", flow.meter.errors.get()));
    }
    for complaint in flow.complaints.take() {
        report.fail(complaint);
    }
    if reads == 0 {
        report.fail("nothing was read");
    }
    report
}
