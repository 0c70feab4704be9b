//! `chatter`: U users in rooms of size S at R messages a second, every message durable. How long from send to every
//! receiver?
//!
//! Open loop: messages are due at an even rate whatever the engine does, and each latency counts from when the message
//! was due. Every user is in one room; posts go round the rooms. Each receiver checks that its room's seq rises by
//! exactly one from where `ready` said that it was, and at the end everybody must have as many messages of their room as
//! were acknowledged in it.

mod content;
mod flow;
mod found;

pub use content::{Content, DueReader};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use uuid::Uuid;

use crate::client::{Accounts, Crowd, Person, connect_all, post_frame, run_name};
use crate::engine::{Needs, Scrape, TargetArgs, UsageSource};
use crate::measure::{Pace, Progress, RATES, Reading, Sampler, within};
use crate::report::Report;
use flow::Flow;
pub use found::Found;

#[derive(Args, Clone, Debug)]
pub struct ChatterArgs {
    /// Users, each with one session
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub users: u32,
    /// Members of each room
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub room_size: u32,
    /// Messages a second, over all rooms
    #[arg(long, default_value_t = 1_000.0, value_parser = within(RATES), allow_negative_numbers = true)]
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
    pub usage: UsageSource,
    /// Where the engine's own metrics are; `None`: it has none.
    pub base: Option<String>,
}

/// Everybody posts as often as everybody else.
pub fn needs(args: &ChatterArgs) -> Needs {
    Needs::default().posts_of_one(args.rate / f64::from(args.users), args.bytes)
}

pub async fn run(args: &ChatterArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let venue = gather(args, &target, &accounts).await?;
    let found = drive(args, &venue, Report::of("chatter")).await;
    let closed = target.close().await;
    let mut report = found?.strictly();
    report.take_in(closed);
    Ok(report)
}

/// Makes the users and their rooms.
pub async fn gather(args: &ChatterArgs, target: &crate::engine::Target, accounts: &Accounts) -> anyhow::Result<Venue> {
    let people = accounts.people(usize::try_from(args.users)?).await?;
    let sets: Vec<Vec<Person>> = people.chunks(usize::try_from(args.room_size)?).map(<[_]>::to_vec).collect();
    let rooms = accounts.groups(sets).await?;
    Ok(Venue { address: target.address, rooms, people, usage: target.usage.clone(), base: Some(target.base.clone()) })
}

/// Runs the messages through the rooms and says what became of them.
pub async fn drive(args: &ChatterArgs, venue: &Venue, report: Report) -> anyhow::Result<Found> {
    let (flow, crowd) = assemble(args, venue).await?;
    let (counted, pace) = talk(args, venue, &flow, &crowd).await?;
    let spent = Reading::of(&venue.usage).await.since(&counted.before);
    let counts = flow.counts().since(&counted.counts);
    anyhow::ensure!(counts.sent > 0, "nothing was due: raise --rate or --seconds");
    flow.settle().await;
    let after = Scrape::of(venue.base.as_deref()).await;
    let series = counted.sampler.stop();
    flow.closing.set(true);
    crowd.close().await;
    let mut found = found::conclude(args, report, &flow, &spent, counts);
    found.behind = pace.fell_behind();
    found.report.series = series;
    if let (Some(before), Some(after)) = (counted.scraped, found.report.take_in(after).flatten()) {
        found.report.coalescing(&before, &after);
    }
    Ok(found)
}

/// Everybody connected, and where each of their rooms is.
async fn assemble(args: &ChatterArgs, venue: &Venue) -> anyhow::Result<(Rc<Flow>, Crowd)> {
    let sessions = connect_all(venue.address, &venue.people, |_, _, _| {}).await?;
    let size = usize::try_from(args.room_size)?;
    let mut bases = Vec::new();
    for (user, (_, ready)) in sessions.iter().enumerate() {
        let room = venue.rooms.get(user / size).and_then(|id| ready.rooms.iter().find(|room| room.id == *id));
        bases.push(room.with_context(|| format!("the room of user {user} is not in their `ready`"))?.last_seq);
    }
    let flow = Rc::new(Flow::new(size, &bases));
    let sessions = sessions.into_iter().map(|(session, _)| session);
    let (heard, ended) = (Rc::clone(&flow), Rc::clone(&flow));
    let crowd = Crowd::new(
        sessions,
        move |index, what, frame| heard.hear(index, &what, frame),
        move |index, code| ended.end(index, code),
    );
    Ok((flow, crowd))
}

/// Sends what is due, from the begin of the warm-up to the end of the seconds that count.
async fn talk(args: &ChatterArgs, venue: &Venue, flow: &Flow, crowd: &Crowd) -> anyhow::Result<(Counted, Pace)> {
    let begun = Instant::now();
    let (counts_from, until) = (begun + Duration::from_secs(args.warm_up), begun + length(args));
    let progress = Progress::of_run("chatter", length(args));
    let mut pace = Pace::start(args.rate, length(args));
    let mut counted: Option<Counted> = None;
    let (run, content) = (run_name(), Content::of(args.bytes));
    loop {
        let due = tokio::select! {
            biased;
            () = tokio::time::sleep_until(counts_from.into()), if counted.is_none() => {
                counted = Some(Counted::begin(flow, venue).await?);
                continue;
            }
            due = pace.next() => due,
        };
        let Some(due) = due else { break };
        let sender = sender_of(due.index, args, venue);
        let (Some(socket), Some(room)) = (crowd.socket(sender.user), venue.rooms.get(sender.room)) else { continue };
        let text = content.due_at(flow.meter.nanos(due.at));
        let frame = post_frame(due.index + 2, room, &format!("{run}-{}", due.index), &text);
        flow.send(sender.room);
        if let Err(error) = socket.send(frame.as_bytes()).await {
            flow.meter.fault(&format!("a message could not be sent: {error}"));
        }
        if due.index % 1_000 == 0 {
            let errors = flow.meter.errors.get() + flow.meter.refused.get();
            progress.set(begun.elapsed().as_secs(), format!("{} received, {errors} errors", flow.meter.received.get()));
        }
    }
    let counted = match counted {
        Some(counted) => counted,
        None => {
            tokio::time::sleep_until(counts_from.into()).await;
            Counted::begin(flow, venue).await?
        }
    };
    // The last one is due before the end: figures a second are of all of them.
    tokio::time::sleep_until(until.into()).await;
    for (age, count) in pace.overdue() {
        flow.miss(age, count * u64::from(args.room_size));
    }
    Ok((counted, pace))
}

fn length(args: &ChatterArgs) -> Duration {
    Duration::from_secs(args.warm_up + args.seconds)
}

/// How everything stood when the warm-up was over.
struct Counted {
    sampler: Sampler,
    before: Reading,
    scraped: Option<Scrape>,
    counts: flow::Counts,
}

impl Counted {
    async fn begin(flow: &Flow, venue: &Venue) -> anyhow::Result<Self> {
        let scraped = Scrape::of(venue.base.as_deref()).await?;
        flow.meter.forget();
        let sampler = Sampler::of(&flow.meter, &venue.usage);
        Ok(Self { sampler, before: Reading::of(&venue.usage).await, scraped, counts: flow.counts() })
    }
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
