//! `fanout`: one room, N listeners, W messages in flight. What does a delivery cost, and is every one made?
//!
//! A message is in flight until it has reached every listener, so the generator never measures its own backlog. Each
//! listener checks that the room's seq rises by exactly one from where `ready` said that it was, and at the end as many
//! messages must have been acknowledged, and have reached everybody, as were sent.

mod flow;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use uuid::Uuid;

use crate::client::{Accounts, Crowd, Person, connect_all, post_frame, run_name};
use crate::engine::{Needs, Scrape, TargetArgs, UsageSource};
use crate::measure::{Progress, Reading, Sampler, Spent};
use crate::report::Report;
use flow::Flow;

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
    pub usage: UsageSource,
    /// Where the engine's own metrics are; `None`: it has none.
    pub base: Option<String>,
}

/// One of so many members makes their room, and speaks as fast as they hear.
pub fn needs(members: u32) -> Needs {
    Needs::default()
        .at_least("chat.members_max", members.into())
        .made_by_one(1, members as usize)
        .no_limit_of_messages()
}

pub async fn run(args: &FanoutArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&needs(args.listeners)).await?;
    let accounts = Accounts::on(&target)?;
    let people = accounts.people(usize::try_from(args.listeners)?).await?;
    let room = accounts.group(&people).await?;
    let venue = Venue {
        address: target.address,
        room,
        people: people.clone(),
        usage: target.usage.clone(),
        base: Some(target.base.clone()),
    };
    let report = drive(args, &venue, Report::of("fanout")).await;
    let closed = target.close().await;
    let mut report = report?;
    report.take_in(closed);
    Ok(report)
}

/// Runs the messages through the room and reports.
pub async fn drive(args: &FanoutArgs, venue: &Venue, report: Report) -> anyhow::Result<Report> {
    let sessions = connect_all(venue.address, &venue.people, |_, _, _| {}).await?;
    let mut bases = Vec::new();
    for (listener, (_, ready)) in sessions.iter().enumerate() {
        let room = ready.rooms.iter().find(|room| room.id == venue.room);
        bases.push(room.with_context(|| format!("the room is not in the `ready` of listener {listener}"))?.last_seq);
    }
    let flow = Rc::new(Flow::new(args, &bases));
    let sessions = sessions.into_iter().map(|(session, _)| session);
    let (heard, ended) = (Rc::clone(&flow), Rc::clone(&flow));
    let crowd = Crowd::new(sessions, move |index, what, _| heard.hear(index, &what), move |_, code| ended.end(code));
    let poster = Rc::clone(crowd.socket(0).context("at least one listener")?);
    let posting = tokio::task::spawn_local(post_all(Rc::clone(&flow), poster, venue.room, args.bytes));

    flow.go_on(Duration::from_secs(args.warm_up)).await;
    flow.meter.forget();
    let sampler = Sampler::of(&flow.meter, &venue.usage);
    let before = Reading::of(&venue.usage).await;
    let scraped = Scrape::of(venue.base.as_deref()).await?;
    let progress = Progress::of_run("fanout", Duration::from_secs(args.seconds));
    for second in 0..args.seconds {
        if flow.is_lost() {
            break;
        }
        flow.go_on(Duration::from_secs(1)).await;
        let last = sampler.last().map(|point| point.received).unwrap_or_default();
        progress.set(second + 1, format!("{last} deliveries/s, {} errors", flow.meter.errors.get()));
    }
    let (spent, received) = (Reading::of(&venue.usage).await.since(&before), flow.meter.received.get());
    let after = Scrape::of(venue.base.as_deref()).await;
    flow.done.set(true);
    flow.wake.notify_one();
    let posted = posting.await?;
    if !flow.is_lost() {
        posted?;
    }
    flow.settle().await;
    let series = sampler.stop();
    flow.closing.set(true);
    crowd.close().await;
    drop(progress);
    let mut report = conclude(args, report, &flow, &spent, received, series);
    if let (Some(before), Some(after)) = (scraped, report.take_in(after).flatten()) {
        report.coalescing(&before, &after);
    }
    Ok(report)
}

async fn post_all(flow: Rc<Flow>, poster: Rc<crate::client::Socket>, room: Uuid, bytes: u32) -> anyhow::Result<()> {
    let content = "x".repeat(usize::try_from(bytes)?);
    let (run, mut index) = (run_name(), 0_u64);
    let mut frames = Vec::new();
    while !flow.done.get() {
        while flow.has_room() {
            index += 1;
            flow.send();
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
        .setting("seconds", args.seconds)
        .setting("warm-up", args.warm_up);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let deliveries = received as f64;
    let messages = deliveries / f64::from(args.listeners);
    report.figure("deliveries", deliveries / spent.seconds, "a second");
    report.figure("messages", messages / spent.seconds, "a second");
    let each = |seconds: f64, count: f64| seconds / count.max(1.0) * 1e6;
    let (engine, postgres) = (spent.usage.engine.cpu_seconds, spent.usage.postgres.cpu_seconds);
    report.figure("server CPU", each(engine, deliveries), "µs a delivery");
    report.figure("server CPU used", engine / spent.seconds, "cores");
    // Postgres has one row of a message, whoever gets it.
    report.figure("Postgres CPU", each(postgres, messages), "µs a message");
    report.figure("generator CPU", each(spent.own_cpu_s, deliveries), "µs a delivery");
    report.latencies(&flow.meter);
    report.series = series;
    report.failures.extend(flow.meter.faults());
    if !flow.is_whole() && !flow.is_lost() {
        let (posted, acked, complete) = (flow.posted.get(), flow.acked.get(), flow.complete());
        let seconds = flow::STALL.as_secs();
        report.fail(format!(
            "{posted} messages were sent: {acked} were acknowledged, {complete} reached every listener within {seconds} s"
        ));
    }
    report
}
