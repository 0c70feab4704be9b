//! `find-limit`: chatter at rising rates until the 99th percentile passes a bound. Where is the knee?
//!
//! The rate grows by half until a step is too much, then the gap between the last good and the first bad rate is halved
//! until it is a tenth. A step is too much when p99 passes the bound, when something was refused or not delivered in time,
//! or when something went wrong; the last of these is a failure of the run as well, since no rate excuses a loss.

use std::ops::RangeInclusive;

use clap::Args;

use super::chatter::{self, ChatterArgs, Found};
use crate::client::Accounts;
use crate::engine::{Needs, TargetArgs};
use crate::measure::{RATES, within};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct FindLimitArgs {
    /// The bound: the 99th percentile from send to every receiver, in milliseconds
    #[arg(long, default_value_t = 100.0, value_parser = within(0.01..=600_000.0), allow_negative_numbers = true)]
    pub p99_ms: f64,
    /// The first rate, in messages a second
    #[arg(long, default_value_t = 1_000.0, value_parser = within(FROM_ONE), allow_negative_numbers = true)]
    pub from: f64,
    /// No rate above this is tried
    #[arg(long, default_value_t = 200_000.0, value_parser = within(FROM_ONE), allow_negative_numbers = true)]
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

/// Slower than one a second, a step of seconds would measure nothing.
const RATE_MIN: f64 = 1.0;
const FROM_ONE: RangeInclusive<f64> = RATE_MIN..=*RATES.end();
/// Steps at most.
const STEPS_MAX: u32 = 40;

/// A step that delivered less than this share of what was sent had a backlog that grew.
const DELIVERED_MIN: f64 = 0.97;

/// What a step found.
struct Step {
    rate: f64,
    p99_ms: Option<f64>,
    /// Why it was too much; empty when it was not.
    too_much: Vec<String>,
}

/// What the highest rate needs.
pub fn needs(args: &FindLimitArgs) -> Needs {
    chatter::needs(&work(args, args.to))
}

/// The chatter of a step.
fn work(args: &FindLimitArgs, rate: f64) -> ChatterArgs {
    let FindLimitArgs { users, room_size, seconds, .. } = *args;
    ChatterArgs { users, room_size, rate, bytes: 100, seconds, warm_up: 2 }
}

pub async fn run(args: &FindLimitArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    anyhow::ensure!(args.from < args.to, "--from must be below --to");
    let target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let venue = chatter::gather(&work(args, args.from), &target, &accounts).await?;
    let mut report = Report::of("find-limit")
        .setting("p99", format!("{} ms", args.p99_ms))
        .setting("from", args.from)
        .setting("to", args.to)
        .setting("seconds", args.seconds)
        .setting("users", args.users)
        .setting("room size", args.room_size);
    let mut search = Search { rate: args.from, to: args.to, good: None, bad: None };
    let mut steps = Vec::new();
    while steps.len() < usize::try_from(STEPS_MAX)? {
        let found = chatter::drive(&work(args, search.rate), &venue, Report::of("step")).await?;
        let step = Step::of(args, search.rate, &found);
        eprintln!("{}", step.told());
        report.failures.extend(found.wrong.iter().map(|wrong| format!("at {} a second: {wrong}", shown(search.rate))));
        report.go_on(found.report.series);
        let is_good = step.too_much.is_empty();
        steps.push(step);
        if !search.learn(is_good) {
            break;
        }
    }
    // Rooms may differ in size; posts go round them, so that each message reaches as many as a room has on average.
    #[expect(clippy::cast_precision_loss, reason = "thousands of rooms")]
    let members = f64::from(args.users) / venue.rooms.len() as f64;
    conclude(&mut report, &search, steps, members);
    report.take_in(target.close().await);
    Ok(report)
}

impl Step {
    fn of(args: &FindLimitArgs, rate: f64, found: &Found) -> Self {
        let p99_ms = found.report.latencies.first().map(|named| named.summary.p99_ms);
        let mut too_much = Vec::new();
        if p99_ms.is_none_or(|p99_ms| p99_ms > args.p99_ms) {
            too_much.push("p99".to_owned());
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
        let sent = found.counts.sent as f64;
        // Of so few that two are many, two may be under way at the end.
        if found.counts.delivered + 2.0 < sent * DELIVERED_MIN {
            too_much.push(format!("{:.0} of {sent:.0} delivered in time", found.counts.delivered));
        }
        if found.refused > 0 {
            too_much.push(format!("{} refused", found.refused));
        }
        if found.shed > 0 {
            too_much.push(format!("{} backlogs shed", found.shed));
        }
        too_much.extend(found.behind.clone());
        if !found.wrong.is_empty() {
            too_much.push("something went wrong".to_owned());
        }
        Self { rate, p99_ms, too_much }
    }

    fn told(&self) -> String {
        let p99 = self.p99_ms.map_or("nothing arrived".to_owned(), |p99_ms| format!("p99 {p99_ms:.1} ms"));
        format!("{:>10} a second: {p99}{}", shown(self.rate), self.verdict())
    }

    fn verdict(&self) -> String {
        if self.too_much.is_empty() { String::new() } else { format!(", too much: {}", self.too_much.join(", ")) }
    }
}

/// With as many digits as tell slow rates apart.
fn shown(rate: f64) -> String {
    if rate < 100.0 { format!("{}", (rate * 100.0).round() / 100.0) } else { format!("{rate:.0}") }
}

fn conclude(report: &mut Report, search: &Search, mut steps: Vec<Step>, members: f64) {
    // Without a bad rate there is no knee: the limit is only what was tried.
    let at_least = if search.bad.is_none() { ", or more: no rate up to --to was too much" } else { "" };
    let good = search.good.unwrap_or_default();
    report.figure("limit", good, &format!("messages a second{at_least}"));
    report.figure("limit in deliveries", good * members, &format!("deliveries a second{at_least}"));
    steps.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    if let (None, Some(slowest)) = (search.good, steps.first()) {
        report.fail(format!("no rate was good, not even {} a second{}", shown(slowest.rate), slowest.verdict()));
    }
    for step in steps {
        let name = format!("p99 at {} a second", shown(step.rate));
        if let Some(p99_ms) = step.p99_ms {
            report.figure(&name, p99_ms, &format!("ms{}", step.verdict()));
        }
    }
}

struct Search {
    rate: f64,
    /// The highest that may be tried.
    to: f64,
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
            (Some(good), None) if good >= self.to => return false,
            (Some(good), None) => (good * 1.5).min(self.to),
            (Some(good), Some(bad)) => f64::midpoint(good, bad),
            (None, Some(bad)) => bad / 2.0,
            (None, None) => return false,
        };
        self.rate >= RATE_MIN && !matches!((self.good, self.bad), (Some(good), Some(bad)) if bad - good < good * 0.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_near_the_knee() {
        for knee in [700.0, 1_000.0, 15_300.0] {
            let mut search = Search { rate: 1_000.0, to: 200_000.0, good: None, bad: None };
            let mut steps = 0;
            while search.learn(search.rate <= knee) {
                steps += 1;
                assert!(steps < 40);
            }
            let found = search.good.unwrap();
            assert!(found <= knee && found > knee * 0.85, "{found} for {knee}");
        }
    }

    #[test]
    fn the_search_ends_where_it_may_not_go_on() {
        let mut search = Search { rate: 20.0, to: 25.0, good: None, bad: None };
        assert!(search.learn(true));
        assert_eq!(search.rate, 25.0);
        assert!(!search.learn(true));
        let mut report = Report::of("find-limit");
        conclude(&mut report, &search, Vec::new(), 7.5);
        let figures: Vec<_> = report.figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect();
        assert_eq!(figures, [("limit", 25.0), ("limit in deliveries", 187.5)]);
        assert!(report.figures[0].unit.contains("--to") && report.failures.is_empty());
    }

    #[test]
    fn a_search_that_found_nothing_fails() {
        let mut search = Search { rate: 1.0, to: 25.0, good: None, bad: None };
        assert!(!search.learn(false));
        let step = Step { rate: 1.0, p99_ms: Some(700.0), too_much: vec!["p99".to_owned()] };
        let mut report = Report::of("find-limit");
        conclude(&mut report, &search, vec![step], 10.0);
        assert_eq!(report.failures, ["no rate was good, not even 1 a second, too much: p99"]);
    }
}
