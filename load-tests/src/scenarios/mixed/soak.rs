//! `soak`: a mixed day for hours, and whether memory stays flat, and with it open files, sockets and open rooms.
//!
//! What an engine keeps of a pile-up of requests (buffers, the allocator's pages) is as much as the highest one took, and
//! the highest one of a quiet hour may be its last. So each minute begins with one that is higher than those.
//!
//! After the first minutes, in which caches fill, a line is fitted through each of them. It may rise by less than the
//! given share of where it begins, over the whole time. Open rooms and the heap are not judged when those minutes end
//! before the first rooms are let go of. Of an engine that profiles its heap, that is judged and not its resident memory,
//! in which the profile itself grows. The report says what was not judged.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::gauges::{GAUGES, Gauge, Gauges, HEAP};
use super::{LATER_MAX, MixedArgs};
use crate::engine::{Needs, TargetArgs};
use crate::measure::{PERCENT, Point, RATES, within};
use crate::report::{Report, Told};

#[derive(Args, Clone, Debug)]
pub struct SoakArgs {
    /// Minutes of it
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub minutes: u64,
    /// Minutes before growth counts; of open rooms and the heap it does from 2 on, with --url from 20
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
    /// Things done all at once besides, at the begin of each minute
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub burst: u32,
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

/// Without commands for so many seconds, a room is let go of.
const ROOM_IDLE: &str = "chat.room_idle_s";
/// That of an engine elsewhere, which does not tell its own: as it is by default.
const ROOM_IDLE_ELSEWHERE: &str = "600";

/// The day that is repeated.
pub fn mixed_of(args: &SoakArgs) -> MixedArgs {
    MixedArgs {
        users: args.users,
        rooms: 10,
        room_size: 20,
        rate: args.rate,
        burst: args.burst,
        seconds: args.minutes * 60,
        seed: args.seed,
        later_max: args.later_max,
    }
}

/// What a day needs. The two direct rooms of whoever comes and goes are within what one may make.
pub fn needs(mixed: &MixedArgs) -> Needs {
    super::needs(mixed).set(&SMALL_CACHES)
}

pub async fn run(args: &SoakArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    anyhow::ensure!(
        args.warm_up < args.minutes,
        "--warm-up {} has to be shorter than --minutes {}",
        args.warm_up,
        args.minutes
    );
    let judge = Judge {
        warm_up: Duration::from_secs(args.warm_up * 60),
        growth_max: args.growth_max,
        // One that was used since it was opened is looked at once more after that time.
        rooms_settle: room_idle(target)? * 2,
    };
    let mixed = mixed_of(args);
    let report = Report::of("soak")
        .setting("minutes", args.minutes)
        .setting("warm-up", args.warm_up)
        .setting("users", args.users)
        .setting("rate", args.rate)
        .setting("burst", args.burst)
        .setting("seed", args.seed);
    let gauges = Rc::new(Gauges::default());
    let mut report = super::live(&mixed, target, &needs(&mixed), Some(&gauges), report).await?;
    let told = GAUGES.iter().enumerate().map(|(index, gauge)| (gauge, gauges.series(index)));
    judge.all(told.filter(|(gauge, series)| gauge.metric != HEAP.metric || !series.is_empty()).collect(), &mut report);
    Ok(report)
}

/// How long rooms that nobody uses stay open in this engine.
fn room_idle(target: &TargetArgs) -> anyhow::Result<Duration> {
    let set = target.settings.iter().filter_map(|setting| setting.split_once('='));
    let own = SMALL_CACHES.into_iter().chain(set).rfind(|(key, _)| *key == ROOM_IDLE);
    let idle = own.filter(|_| target.url.is_none()).map_or(ROOM_IDLE_ELSEWHERE, |(_, value)| value);
    let seconds =
        idle.parse::<u64>().with_context(|| format!("--set {ROOM_IDLE}={idle}: it is a number of seconds"))?;
    Ok(Duration::from_secs(seconds))
}

/// What is growth, and from when on.
struct Judge {
    warm_up: Duration,
    /// In percent.
    growth_max: f64,
    /// From the begin until as many rooms are let go of as are opened.
    rooms_settle: Duration,
}

impl Judge {
    /// Judges memory and each of these; what is too early to judge is told as that.
    fn all(&self, told: Vec<(&Gauge, Vec<(f64, f64)>)>, report: &mut Report) {
        let is_profiled = told.iter().any(|(gauge, _)| gauge.metric == HEAP.metric);
        let memory = series_after(&report.series, self.warm_up.as_secs_f64());
        self.memory(is_profiled && self.judges(&HEAP), &memory, report);
        for (gauge, series) in told {
            let counted: Vec<_> = series.iter().copied().filter(|(at, _)| *at >= self.warm_up.as_secs_f64()).collect();
            self.gauge(gauge, &counted, report);
            report.told.push(Told { name: gauge.name.to_owned(), unit: gauge.unit.to_owned(), series });
        }
    }

    fn judges(&self, gauge: &Gauge) -> bool {
        !gauge.has_rooms || self.warm_up >= self.rooms_settle
    }

    /// Resident memory; told only, where the heap is judged.
    fn memory(&self, heap_is_judged: bool, counted: &[(f64, f64)], report: &mut Report) {
        let Some(trend) = Trend::through(counted) else {
            return report.fail("too short to see a trend of memory");
        };
        report.figure("memory at the begin", trend.first, "MiB");
        report.figure("memory at the end", trend.last, "MiB");
        let but = if heap_is_judged { ", not judged: the heap is" } else { "" };
        report.figure("growth", trend.growth_percent(), &format!("% over that time{but}"));
        if !heap_is_judged && trend.growth_percent() > self.growth_max {
            report.fail(format!("memory grew by {:.1} %: something leaks", trend.growth_percent()));
        }
    }

    /// The same for what the engine counts itself. A few more than before are no leak, however few there were.
    fn gauge(&self, gauge: &Gauge, series: &[(f64, f64)], report: &mut Report) {
        let Some(trend) = Trend::through(series) else {
            return report.fail(format!("too few readings of {} to see a trend", gauge.name));
        };
        report.figure(&format!("{} at the begin", gauge.name), trend.first, gauge.unit);
        report.figure(&format!("{} at the end", gauge.name), trend.last, gauge.unit);
        if !self.judges(gauge) {
            let settle = (self.rooms_settle.as_secs_f64() / 60.0).ceil();
            return report.figure(&format!("{} not judged", gauge.name), settle, "minutes of --warm-up are needed");
        }
        let gained = trend.last - trend.first;
        if gained > gauge.slack && trend.growth_percent() > self.growth_max {
            report.fail(format!("{}: {gained:.1} {} more than at the begin: something leaks", gauge.name, gauge.unit));
        }
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

    /// What a report says after a minute of warm-up of an engine in which everything doubles.
    fn judged(rooms_settle_s: u64, gauges: &[&'static Gauge]) -> Report {
        let judge = Judge {
            warm_up: Duration::from_secs(60),
            growth_max: 5.0,
            rooms_settle: Duration::from_secs(rooms_settle_s),
        };
        let doubling: Vec<(f64, f64)> = (0..100).map(|x| (60.0 + f64::from(x), 100.0 + f64::from(x))).collect();
        let mut report = Report::of("soak");
        let point =
            |(at_s, engine_mib): &(f64, f64)| Point { at_s: *at_s, engine_mib: *engine_mib, ..Point::default() };
        report.series = doubling.iter().map(point).collect();
        judge.all(gauges.iter().map(|gauge| (*gauge, doubling.clone())).collect(), &mut report);
        report
    }

    #[test]
    fn what_is_not_judged_is_told_and_memory_always_is_in_one_way() {
        let rooms = &GAUGES[2];
        let told = |report: &Report, what: &str| {
            report.figures.iter().any(|figure| format!("{} {}", figure.name, figure.unit).contains(what))
        };
        let early = judged(120, &[rooms, &HEAP]);
        assert_eq!(early.failures, ["memory grew by 99.0 %: something leaks"]);
        assert!(told(&early, "open rooms not judged") && told(&early, "heap in use not judged"));
        let late = judged(60, &[rooms, &HEAP]);
        assert_eq!(late.failures.len(), 2, "{:?}", late.failures);
        assert!(late.failures[0].contains("open rooms") && late.failures[1].contains("heap in use"));
        assert!(told(&late, "not judged: the heap is") && !told(&late, "rooms not judged"));
        assert_eq!(judged(60, &[rooms]).failures.len(), 2, "without a profile, memory is judged");
    }

    #[test]
    fn rooms_settle_as_the_engine_is_set() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            target: TargetArgs,
        }
        let seconds = |arguments: &[&str]| {
            let line = <Line as clap::Parser>::parse_from([&["soak"][..], arguments].concat());
            room_idle(&line.target).map(|idle| idle.as_secs())
        };
        assert_eq!(seconds(&[]).unwrap(), 60);
        assert_eq!(seconds(&["--set", "chat.room_idle_s=90", "--set", "log.level=debug"]).unwrap(), 90);
        assert_eq!(seconds(&["--url", "http://127.0.0.1:8080"]).unwrap(), 600);
        assert!(seconds(&["--set", "chat.room_idle_s=soon"]).is_err());
    }
}
