//! `at-size`: how long what people do takes on an installation, and how much longer than on a smaller one.
//!
//! Closed loop, one at a time: the question is what the size costs, not what a load costs. With `--compare` both
//! engines run side by side and each measurement is made on one right after the other, so that whatever else the
//! machine does slows both alike.

mod probes;

use std::path::PathBuf;

use clap::Args;

use crate::engine::{Needs, Target, TargetArgs};
use crate::install::people;
use crate::measure::{Latency, Progress, within};
use crate::report::{NamedLatency, Report};
use probes::{KINDS, Site};

#[derive(Args, Clone, Debug)]
pub struct AtSizeArgs {
    /// Measurements of each kind
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub samples: u32,
    /// Measurements of each kind before those that count
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub warm_up: u32,
    /// Two data folders, a small installation and a large one: the ratios of their medians
    #[arg(long, num_args = 2, value_names = ["SMALL", "LARGE"])]
    pub compare: Option<Vec<PathBuf>>,
    /// With --compare: a run fails where a median is more than so many times that of the small one
    #[arg(long, default_value_t = 2.0, value_parser = within(0.01..=1e6), allow_negative_numbers = true)]
    pub ratio_max: f64,
    /// The name of the installation
    #[arg(long, default_value = people::NAME)]
    pub name: String,
    /// The password of its people
    #[arg(long, default_value = people::PASSWORD)]
    pub password: String,
}

/// An engine, what is measured on it, and what came out.
struct Place {
    /// `small`, `large`, or nothing when there is only one.
    label: &'static str,
    target: Target,
    site: Site,
    latencies: [Latency; KINDS.len()],
}

/// Sign-ins come as fast as they are answered, all from here, and one person posts both kinds of messages.
pub fn needs(args: &AtSizeArgs) -> Needs {
    Needs::default()
        .set(&[
            ("auth.login_per_address_per_minute", "1000000"),
            ("auth.login_per_account_and_address_per_minute", "1000000"),
            ("auth.login_per_account_per_minute", "1000000"),
        ])
        .at_least("limits.messages_burst", 2 * u64::from(args.samples + args.warm_up))
}

pub async fn run(args: &AtSizeArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    if args.compare.is_some() && (target.url.is_some() || target.data_dir.is_some()) {
        anyhow::bail!("--compare starts an engine on each of its folders: leave out --url and --data-dir");
    }
    let mut places = Vec::new();
    match args.compare.as_deref() {
        Some([small, large]) => {
            for (label, folder) in [("small", small), ("large", large)] {
                let target = TargetArgs { data_dir: Some(folder.clone()), ..target.clone() };
                places.push(Place::open(label, args, &target).await?);
            }
        }
        _ => places.push(Place::open("", args, target).await?),
    }
    let measured = measure(args, &mut places).await;
    let mut report = report(args, &places);
    for place in places {
        place.site.close().await;
        report.take_in(place.target.close().await);
    }
    measured?;
    Ok(report)
}

impl Place {
    async fn open(label: &'static str, args: &AtSizeArgs, target: &TargetArgs) -> anyhow::Result<Self> {
        target.needs_database()?;
        let target = target.open(&needs(args)).await?;
        let site = Site::open(&target, &args.name, &args.password).await?;
        Ok(Self { label, target, site, latencies: Default::default() })
    }

    fn lane(&self, kind: usize) -> String {
        let name = KINDS.get(kind).map_or("", |kind| kind.name);
        format!("{name} {}", self.label).trim_end().to_owned()
    }
}

/// Goes through the kinds again and again, in every place right after the other.
async fn measure(args: &AtSizeArgs, places: &mut [Place]) -> anyhow::Result<()> {
    let progress = Progress::of("measuring", u64::from(args.warm_up + args.samples) * KINDS.len() as u64);
    for round in 0..args.warm_up + args.samples {
        for kind in 0..KINDS.len() {
            for place in places.iter_mut() {
                let took = place.site.measure(kind).await?;
                if let (true, Some(latency)) = (round >= args.warm_up, place.latencies.get_mut(kind)) {
                    latency.record(took);
                }
            }
            progress.add(1);
        }
    }
    Ok(())
}

fn report(args: &AtSizeArgs, places: &[Place]) -> Report {
    let mut report = Report::of("at-size")
        .setting("samples", args.samples)
        .setting("warm-up", args.warm_up)
        .setting("name", &args.name);
    if let [small, large] = places {
        for (kind, (before, after)) in KINDS.iter().zip(small.latencies.iter().zip(&large.latencies)) {
            let ratio = after.quantile_ms(0.5) / before.quantile_ms(0.5).max(0.001);
            report.figure(kind.name, ratio, "times the median of the small one");
            if kind.required && ratio > args.ratio_max {
                report.fail(format!("{} takes {ratio:.2} times as long, not {} at most", kind.name, args.ratio_max));
            }
        }
    }
    for kind in 0..KINDS.len() {
        for place in places {
            if let Some(latency) = place.latencies.get(kind) {
                report.latencies.push(NamedLatency { name: place.lane(kind), summary: latency.summary() });
            }
        }
    }
    report
}
