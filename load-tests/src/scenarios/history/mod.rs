//! `history`: the past of large rooms, read in every way that there is. How fast, and is it all there?
//!
//! Four kinds of reads, in turn: the newest page, a page before a random place, a page after one, and catching up from
//! one over the WebSocket. Every page is checked for order and for gaps; where a room also holds events that are no
//! messages, some pages are compared with the whole order.

mod check;
mod flow;
mod venue;

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use rand::RngExt;
use uuid::Uuid;

use crate::client::{CaughtUp, History, Page, fetch_page};
use crate::engine::{Needs, TargetArgs};
use crate::install::people;
use crate::measure::{Meter, Point, Progress, RATES, Reading, Sampler, Spent, within};
use crate::report::Report;
use check::Asked;
use flow::{CATCH_UP, Flow};
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
    /// Messages to post into each room first; 10 million in all rooms at most
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

/// Messages that a run posts at most before it reads: a quarter of an hour at some ten thousand a second.
const EVENTS_OF_ALL_ROOMS_MAX: u64 = 10_000_000;
/// No engine takes more as `limits.bytes_burst`.
const BYTES_BURST_MAX: u64 = 4_000_000_000;
/// Of the pages that may have gaps of their own, one in so many is compared with the whole order.
const COMPARED_ONE_IN: u64 = 16;
/// Events that the engine gives at once.
const EVENTS_MAX: u64 = 200;
/// A run that did less of what was due than this did not read at its rate.
const READ_MIN: f64 = 0.97;

/// One of the readers makes the rooms of all, and fills them.
pub fn needs(args: &HistoryArgs) -> Needs {
    if args.installed {
        return Needs::default();
    }
    let (rooms, people) = (args.rooms as usize, args.rooms as usize * args.readers as usize);
    let events = args.events * u64::from(args.rooms);
    Needs::default()
        .made_by_one(rooms, people)
        .at_least("limits.messages_burst", events)
        .at_least("limits.bytes_burst", (events * u64::from(args.bytes)).min(BYTES_BURST_MAX))
}

pub async fn run(args: &HistoryArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let events = args.events * u64::from(args.rooms);
    anyhow::ensure!(
        args.installed || events <= EVENTS_OF_ALL_ROOMS_MAX,
        "--events times --rooms is {events}: more than {EVENTS_OF_ALL_ROOMS_MAX} messages are not posted for a run"
    );
    if args.installed {
        target.needs_database()?;
    }
    let target = target.open(&needs(args)).await?;
    let mut venue = Venue::open(args, &target).await?;
    let flow = Rc::new(Flow::new(args, &venue));
    let readers = std::mem::take(&mut venue.readers);
    let tasks: Vec<_> =
        readers.into_iter().map(|reader| tokio::task::spawn_local(read_on(Rc::clone(&flow), reader))).collect();
    tokio::time::sleep(Duration::from_secs(args.warm_up)).await;
    flow.forget();
    let (sampler, before) = (Sampler::start(&flow.meter, &target), Reading::of(&target.usage).await);
    let progress = Progress::of_run("history", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        progress.set(second + 1, format!("{} reads, {} wrong", flow.meter.received.get(), flow.meter.errors.get()));
    }
    let (spent, reads) = (Reading::of(&target.usage).await.since(&before), flow.meter.received.get());
    flow.done.set(true);
    flow.record_unread().await;
    for task in tasks {
        task.await?;
    }
    let series = sampler.stop();
    let mut report = conclude(args, &flow, &spent, reads, series);
    report.take_in(target.close().await);
    Ok(report)
}

async fn read_on(flow: Rc<Flow>, mut reader: Reader) {
    while let Some(since) = flow.next().await {
        let (kind, place) = flow.turn();
        let Some(&(room, last_seq)) = reader.rooms.get(place % reader.rooms.len().max(1)) else { break };
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
        .setting("seconds", args.seconds)
        .setting("warm-up", args.warm_up);
    report = match args.installed {
        true => report.setting("installation", &args.name),
        false => report.setting("events", args.events),
    };
    report.figure("reads", reads as f64 / spent.seconds, "a second");
    report.cpu(spent, reads as f64, "read");
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
    let unread: Vec<&str> = flow.unread_kinds().collect();
    if !unread.is_empty() {
        report.fail(format!("among the reads there was no {}: raise --seconds, or --rate", unread.join(", no ")));
    }
    report
}
