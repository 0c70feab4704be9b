//! `stall`: some listeners of a busy room stop reading. What does each cost, and does anybody else notice?
//!
//! The same fan-out twice: first among those who read, then with the others connected, greeted, and reading nothing.

use clap::Args;

use super::fanout::{self, FanoutArgs, Venue};
use crate::client::{Accounts, connect_all};
use crate::engine::TargetArgs;
use crate::measure::{Point, within};
use crate::report::{NamedLatency, Report};

#[derive(Args, Clone, Debug)]
pub struct StallArgs {
    /// Listeners that read; the first of them posts
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub listeners: u32,
    /// Listeners that do not
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub stalled: u32,
    /// Messages on their way at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub in_flight: u32,
    /// Bytes of a message's text: what nobody reads fills the kernel's buffers first, which are megabytes
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub bytes: u32,
    /// Seconds of each of the two runs
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// KiB that a stalled listener may cost: `sessions.outbox_bytes_max`, and what a full connection did not take
    #[arg(long, default_value_t = 320.0, value_parser = within(0.001..=1e9), allow_negative_numbers = true)]
    pub kib_max: f64,
}

pub async fn run(args: &StallArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&fanout::needs(args.listeners + args.stalled)).await?;
    let accounts = Accounts::on(&target)?;
    let (reading, stalled) = (usize::try_from(args.listeners)?, usize::try_from(args.stalled)?);
    let everybody = accounts.people(reading + stalled).await?;
    let room = accounts.group(&everybody).await?;
    let (readers, sleepers) = everybody.split_at(reading);
    let (address, base) = (target.address, Some(target.base.clone()));
    let venue = Venue { address, room, people: readers.to_vec(), usage: target.usage.clone(), base };
    let work = FanoutArgs {
        listeners: args.listeners,
        in_flight: args.in_flight,
        bytes: args.bytes,
        seconds: args.seconds,
        warm_up: 2,
    };
    let alone = fanout::drive(&work, &venue, Report::of("fanout")).await?;
    let before = target.scrape().await?;
    let asleep = connect_all(address, sleepers, |_, _, _| {}).await?;
    let beside = fanout::drive(&work, &venue, Report::of("fanout")).await?;
    let after = target.scrape().await;
    drop(asleep);

    let mut report = of_both(args, &alone, &beside)?;
    if let Some(after) = report.take_in(after) {
        shed(args, &mut report, after.growth(&before, "parlance_lagged_total"));
    }
    memory(args, &mut report, &alone.series, &beside.series);
    report.series = beside.series;
    report.take_in(target.close().await);
    Ok(report)
}

/// What the two runs found, side by side.
fn of_both(args: &StallArgs, alone: &Report, beside: &Report) -> anyhow::Result<Report> {
    let mut report = Report::of("stall")
        .setting("listeners", args.listeners)
        .setting("stalled", args.stalled)
        .setting("in flight", args.in_flight)
        .setting("bytes", args.bytes)
        .setting("seconds", args.seconds);
    for (run, name) in [(alone, "delivery alone"), (beside, "beside stalled")] {
        let renamed = run.latencies.iter().map(|latency| NamedLatency { name: name.to_owned(), ..latency.clone() });
        report.latencies.extend(renamed);
        report.failures.extend(run.failures.iter().map(|failure| format!("{name}: {failure}")));
    }
    report.figure("deliveries alone", alone.needed("deliveries")?, "a second");
    report.figure("deliveries beside stalled", beside.needed("deliveries")?, "a second");
    Ok(report)
}

/// Whether all of them stalled, each of which has its backlog shed once. What was never full says nothing of what a full
/// one costs.
fn shed(args: &StallArgs, report: &mut Report, shed: f64) {
    report.figure("backlogs shed", shed, "");
    if shed < f64::from(args.stalled) {
        report.fail(format!(
            "only {shed} of {} backlogs were ever full, the kernel's buffers took the rest: raise --seconds or --bytes",
            args.stalled
        ));
    }
}

/// What a stalled listener costs: the most that the engine held beside them over the least that it held alone. What
/// memory moves by alone cannot be told from that, and counts as theirs.
fn memory(args: &StallArgs, report: &mut Report, alone: &[Point], beside: &[Point]) {
    let (Some((least, most_alone)), Some((_, most))) = (range_kib(alone), range_kib(beside)) else {
        return report.fail("there was no sample of the engine's memory: raise --seconds");
    };
    let each = |kib: f64| kib / f64::from(args.stalled);
    let (moves, costs) = (each(most_alone - least), each(most - least));
    report.figure("memory of a stalled one", costs.max(moves), "KiB at most");
    if moves > args.kib_max {
        report.fail(format!(
            "{} stalled are too few: memory moves by {moves:.0} KiB for each without them",
            args.stalled
        ));
    } else if costs > args.kib_max {
        report.fail(format!("a stalled listener costs {costs:.0} KiB, more than {} KiB", args.kib_max));
    }
}

/// The least and the most that the engine held; `None` without a sample.
fn range_kib(series: &[Point]) -> Option<(f64, f64)> {
    let held = series.iter().map(|point| point.engine_mib * 1_024.0).filter(|kib| kib.is_finite());
    held.fold(None, |range, kib| {
        Some(range.map_or((kib, kib), |(least, most): (f64, f64)| (least.min(kib), most.max(kib))))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: StallArgs,
    }

    #[test]
    fn a_run_in_which_only_some_stalled_fails() {
        let args = Line::parse_from(["stall", "--stalled", "50"]).args;
        for (count, failures) in [(0.0, 1), (49.0, 1), (50.0, 0)] {
            let mut report = Report::of("stall");
            shed(&args, &mut report, count);
            assert_eq!(report.failures.len(), failures, "{count}");
        }
    }
}
