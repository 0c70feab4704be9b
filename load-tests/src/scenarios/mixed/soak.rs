//! `soak`: a mixed day for hours, and whether memory stays flat, and with it open files, sockets and open rooms.
//!
//! After the first minutes, in which caches fill, a line is fitted through each of them. It may rise by less than the
//! given share of where it begins, over the whole time. Of an engine that profiles its heap, the heap in use is judged and
//! not its resident memory, in which the profile itself grows.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use super::gauges::{GAUGES, Gauge, Gauges, HEAP};
use super::{LATER_MAX, MixedArgs};
use crate::engine::TargetArgs;
use crate::measure::{PERCENT, Point, RATES, within};
use crate::report::{Report, Told};

#[derive(Args, Clone, Debug)]
pub struct SoakArgs {
    /// Minutes of it
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub minutes: u64,
    /// Minutes before growth counts
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub warm_up: u64,
    /// Growth, in percent of where the line begins, that is still flat
    #[arg(long, default_value_t = 5.0, value_parser = within(PERCENT), allow_negative_numbers = true)]
    pub growth_max: f64,
    /// People, each with one device
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub users: u32,
    /// Things done a second, by all of them together
    #[arg(long, default_value_t = 200.0, value_parser = within(RATES), allow_negative_numbers = true)]
    pub rate: f64,
    /// Who does what is drawn with this
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Acts, in percent of all, that may be told to come later or find their device away; 100 to overload on purpose
    #[arg(long, default_value_t = LATER_MAX, value_parser = within(PERCENT), allow_negative_numbers = true)]
    pub later_max: f64,
}

/// Caches that are full within the first minutes, rooms that close soon, and password hashes that are small (the
/// allocator keeps their memory for a while): what grows after that is none of these. An engine that was started for the
/// run gets these.
const SMALL_CACHES: [(&str, &str); 4] = [
    ("chat.window_events_max", "16"),
    ("chat.recent_cards_max", "500"),
    ("chat.room_idle_s", "60"),
    ("auth.argon2_memory_kib", "1024"),
];

pub async fn run(args: &SoakArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    anyhow::ensure!(args.warm_up < args.minutes, "--warm-up is shorter than --minutes");
    let mixed = MixedArgs {
        users: args.users,
        rooms: 10,
        room_size: 20,
        rate: args.rate,
        seconds: args.minutes * 60,
        seed: args.seed,
        later_max: args.later_max,
    };
    let report = Report::of("soak")
        .setting("minutes", args.minutes)
        .setting("warm-up", args.warm_up)
        .setting("users", args.users)
        .setting("rate", args.rate)
        .setting("seed", args.seed);
    let gauges = Rc::new(Gauges::default());
    let mut report = super::live(&mixed, target, &SMALL_CACHES, Some(&gauges), report).await?;
    let warm_up = Duration::from_secs(args.warm_up * 60);
    let mut told: Vec<_> = GAUGES.iter().enumerate().map(|(index, gauge)| (gauge, gauges.series(index))).collect();
    // The heap is told by few engines.
    told.retain(|(gauge, series)| gauge.metric != HEAP.metric || !series.is_empty());
    let growth_max = if told.len() == GAUGES.len() { f64::INFINITY } else { args.growth_max };
    judge_memory(growth_max, &series_after(&report.series, warm_up.as_secs_f64()), &mut report);
    for (gauge, series) in told {
        let counted: Vec<_> = series.iter().copied().filter(|(at, _)| *at >= warm_up.as_secs_f64()).collect();
        judge(gauge, args.growth_max, warm_up, &counted, &mut report);
        report.told.push(Told { name: gauge.name.to_owned(), unit: gauge.unit.to_owned(), series });
    }
    Ok(report)
}

fn judge_memory(growth_max: f64, counted: &[(f64, f64)], report: &mut Report) {
    let Some(trend) = Trend::through(counted) else {
        return report.fail("too short to see a trend of memory");
    };
    report.figure("memory at the begin", trend.first, "MiB");
    report.figure("memory at the end", trend.last, "MiB");
    report.figure("growth", trend.growth_percent(), "% over that time");
    if trend.growth_percent() > growth_max {
        report.fail(format!("memory grew by {:.1} %: something leaks", trend.growth_percent()));
    }
}

/// The same for what the engine counts itself. A few more than before are no leak, however few there were.
fn judge(gauge: &Gauge, growth_max: f64, warm_up: Duration, series: &[(f64, f64)], report: &mut Report) {
    let Some(trend) = Trend::through(series) else {
        return report.fail(format!("too few readings of {} to see a trend", gauge.name));
    };
    report.figure(&format!("{} at the begin", gauge.name), trend.first, gauge.unit);
    report.figure(&format!("{} at the end", gauge.name), trend.last, gauge.unit);
    let gained = trend.last - trend.first;
    if warm_up >= gauge.settles && gained > gauge.slack && trend.growth_percent() > growth_max {
        report.fail(format!("{}: {gained:.1} {} more than at the begin: something leaks", gauge.name, gauge.unit));
    }
}

fn series_after(series: &[Point], from_s: f64) -> Vec<(f64, f64)> {
    series
        .iter()
        .filter(|point| point.at_s >= from_s && point.engine_mib.is_finite())
        .map(|point| (point.at_s, point.engine_mib))
        .collect()
}

/// A straight line through memory over time (least squares), at both ends.
struct Trend {
    first: f64,
    last: f64,
}

impl Trend {
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        let ((begin, _), (end, _)) = (points.first()?, points.last()?);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
        let count = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        if points.len() < 10 || spread <= 0.0 || mean_y <= 0.0 {
            return None;
        }
        let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
        let at = |x: f64| mean_y + slope * (x - mean_x);
        Some(Self { first: at(*begin), last: at(*end) })
    }

    fn growth_percent(&self) -> f64 {
        (self.last - self.first) / self.first.max(1e-9) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_shows_and_noise_does_not() {
        let noisy =
            |leak: f64| (0..600).map(move |x| (f64::from(x), 100.0 + leak * f64::from(x) + f64::from(x * 37 % 11)));
        let growth = |leak| Trend::through(&noisy(leak).collect::<Vec<_>>()).unwrap().growth_percent();
        assert!(growth(0.0).abs() < 1.0, "{}", growth(0.0));
        assert!(growth(0.05) > 20.0, "{}", growth(0.05));
        assert!(Trend::through(&[(0.0, 1.0)]).is_none());
    }
}
