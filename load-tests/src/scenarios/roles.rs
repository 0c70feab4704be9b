//! `roles`: a burst of role changes over many rooms, over HTTP. How long until all are committed, and what does one cost?
//!
//! Each room's owner makes each of its members an admin. As many requests as fit are under way at once, those of one
//! room next to each other, so that an engine that commits changes together can show it.

use std::time::Instant;

use clap::Args;
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::client::{Accounts, Town, needs_of_town};
use crate::engine::{Needs, TargetArgs};
use crate::measure::{Meter, Progress, Reading, Sampler};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct RolesArgs {
    /// Rooms
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub rooms: u32,
    /// Members of each whose role changes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub changes: u32,
    /// Requests under way at once; the engine takes 256 from one address
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub in_flight: u32,
}

/// One person for each place in a room.
pub fn needs(args: &RolesArgs) -> Needs {
    needs_of_town(args.rooms * (args.changes + 1), 1, args.changes + 1)
}

pub async fn run(args: &RolesArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let size = usize::try_from(args.changes + 1)?;
    let town = Town::build(&accounts, usize::try_from(args.rooms)? * size, 1, size).await?;
    let changes: Vec<(String, &str)> = town
        .rooms
        .iter()
        .zip(&town.members)
        .flat_map(|(room, members)| {
            let people: Vec<_> = members.iter().filter_map(|index| town.people.get(*index)).collect();
            let owner = people.first().map(|owner| owner.token.as_str()).unwrap_or_default();
            let path = move |id| format!("/api/v1/rooms/{room}/members/{id}");
            people.into_iter().skip(1).map(move |person| (path(person.id), owner)).collect::<Vec<_>>()
        })
        .collect();
    let meter = Meter::new(&["change"]);
    let (sampler, before) = (Sampler::start(&meter, &target), Reading::of(&target.usage).await);
    let told = target.scrape().await?;
    let progress = Progress::of("changes", changes.len() as u64);
    let change = async |(path, token): &(String, &str)| {
        let sent = Instant::now();
        Meter::count(&meter.sent, 1);
        match accounts.call(Method::PATCH, path, token, Some(json!({ "role": "admin" }))).await {
            Ok(_) => {
                meter.record(0, sent.elapsed());
                Meter::count(&meter.received, 1);
            }
            Err(error) => meter.fault(&format!("{error:#}")),
        }
        progress.add(1);
    };
    let change = &change;
    let all = futures_util::stream::iter(&changes).map(change).buffer_unordered(usize::try_from(args.in_flight)?);
    all.collect::<()>().await;
    let spent = Reading::of(&target.usage).await.since(&before);
    let series = sampler.stop();
    let after = target.scrape().await;
    let mut report = Report::of("roles")
        .setting("rooms", args.rooms)
        .setting("changes each", args.changes)
        .setting("in flight", args.in_flight);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let changed = meter.received.get() as f64;
    report.figure("all changed after", spent.seconds, "s");
    report.figure("changes", changed / spent.seconds, "a second");
    report.cpu(&spent, changed, "change");
    if let Some(after) = report.take_in(after) {
        report.coalescing(&told, &after);
        report.figure("committed", after.growth(&told, "parlance_events_committed_total"), "changes");
        report.figure("time of commits", after.growth(&told, "parlance_flush_seconds_sum"), "s");
    }
    report.latencies(&meter);
    report.series = series;
    report.failures.extend(meter.faults());
    report.take_in(target.close().await);
    Ok(report)
}
