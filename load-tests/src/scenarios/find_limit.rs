//! `find-limit`: chatter at rising rates until the 99th percentile passes a bound. Where is the knee?
//!
//! The rate grows by half until a step fails, then the gap between the last good and the first bad rate is halved until
//! it is a tenth. A step fails when p99 passes the bound, when something was refused, or when something went wrong.

use clap::Args;

use super::chatter::{self, ChatterArgs};
use crate::client::Accounts;
use crate::engine::TargetArgs;
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct FindLimitArgs {
    /// The bound: the 99th percentile from send to every receiver, in milliseconds
    #[arg(long, default_value_t = 100.0)]
    pub p99_ms: f64,
    /// The first rate, in messages a second
    #[arg(long, default_value_t = 1_000.0)]
    pub from: f64,
    /// No rate above this is tried
    #[arg(long, default_value_t = 200_000.0)]
    pub to: f64,
    /// Users
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub users: u32,
    /// Members of each room
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub room_size: u32,
    /// Seconds of each step
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
}

/// Steps at most.
const STEPS_MAX: u32 = 40;

/// What a step found.
struct Step {
    rate: f64,
    p99_ms: f64,
    good: bool,
}

pub async fn run(args: &FindLimitArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    anyhow::ensure!(args.from > 0.0 && args.from < args.to, "--from is above 0 and below --to");
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let work = |rate| ChatterArgs {
        users: args.users,
        room_size: args.room_size,
        rate,
        bytes: 100,
        seconds: args.seconds,
        warm_up: 2,
    };
    let venue = chatter::gather(&work(args.from), &target, &accounts).await?;
    let mut search = Search { rate: args.from, good: None, bad: None };
    let (mut steps, mut series, mut offset) = (Vec::new(), Vec::new(), 0.0);
    while steps.len() < usize::try_from(STEPS_MAX)? && search.rate <= args.to {
        let found = chatter::drive(&work(search.rate), &venue, Report::of("step")).await?;
        let p99_ms = found.latencies.first().map_or(f64::INFINITY, |named| named.summary.p99_ms);
        let kept_up = found.needed("messages delivered")? >= search.rate * 0.97;
        let good = p99_ms <= args.p99_ms && kept_up && found.failures.is_empty() && found.needed("refused")? == 0.0;
        eprintln!("{:>10.0} a second: p99 {p99_ms:.1} ms{}", search.rate, if good { "" } else { ", too much" });
        series.extend(found.series.into_iter().map(|mut point| {
            point.at_s += offset;
            point
        }));
        offset = series.last().map_or(0.0, |point: &crate::measure::Point| point.at_s);
        steps.push(Step { rate: search.rate, p99_ms, good });
        if !search.learn(good) {
            break;
        }
    }
    let mut report = Report::of("find-limit")
        .setting("p99", format!("{} ms", args.p99_ms))
        .setting("users", args.users)
        .setting("room size", args.room_size);
    report.figure("limit", search.good.unwrap_or(0.0), "messages a second");
    report.figure("limit", search.good.unwrap_or(0.0) * f64::from(args.room_size), "deliveries a second");
    steps.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    for step in steps {
        let name = format!("p99 at {:.0} a second", step.rate);
        report.figure(&name, step.p99_ms, if step.good { "ms" } else { "ms, too much" });
    }
    report.series = series;
    accounts.leave(&target, &venue.occupied(&work(args.from))).await?;
    target.close().await?;
    Ok(report)
}

struct Search {
    rate: f64,
    good: Option<f64>,
    bad: Option<f64>,
}

impl Search {
    /// Takes a result and chooses the next rate; whether there is one.
    fn learn(&mut self, good: bool) -> bool {
        if good {
            self.good = Some(self.rate);
        } else {
            self.bad = Some(self.rate);
        }
        self.rate = match (self.good, self.bad) {
            (Some(good), None) => good * 1.5,
            (Some(good), Some(bad)) => f64::midpoint(good, bad),
            (None, Some(bad)) => bad / 2.0,
            (None, None) => return false,
        };
        self.rate >= 1.0 && !matches!((self.good, self.bad), (Some(good), Some(bad)) if bad - good < good * 0.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_near_the_knee() {
        for knee in [700.0, 1_000.0, 15_300.0] {
            let mut search = Search { rate: 1_000.0, good: None, bad: None };
            let mut steps = 0;
            while search.learn(search.rate <= knee) {
                steps += 1;
                assert!(steps < 40);
            }
            let found = search.good.unwrap();
            assert!(found <= knee && found > knee * 0.85, "{found} for {knee}");
        }
    }
}
