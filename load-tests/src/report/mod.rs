//! What a run found: a table on the terminal, JSON for programs, a page with charts for people.

mod chart;
mod html;
mod table;

pub use table::number;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use crate::engine::Scrape;
use crate::measure::{Meter, Point, Spent, Summary, cut_short};

/// Where the report goes.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Write the report as JSON to this file; `-` prints it instead of the table
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<String>,
    /// Write the report as a page with charts to this file
    #[arg(long, global = true, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub scenario: String,
    pub at: String,
    pub machine: Machine,
    /// How it was asked for.
    pub settings: Vec<Setting>,
    pub figures: Vec<Figure>,
    pub latencies: Vec<NamedLatency>,
    /// A sample a second.
    pub series: Vec<Point>,
    /// What the engine told of itself meanwhile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// What was done to the engine in the run, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<String>,
    /// What went wrong. Empty: the run proves what it says.
    pub failures: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub model: String,
    pub kernel: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

/// One result.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: String,
}

/// One of the engine's own figures over time.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub name: String,
    pub unit: String,
    /// Seconds since the begin, and the figure.
    pub series: Vec<(f64, f64)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct NamedLatency {
    pub name: String,
    #[serde(flatten)]
    pub summary: Summary,
}

impl ReportArgs {
    /// Refuses files that cannot be written, before a run of hours rather than after it.
    pub fn check(&self) -> anyhow::Result<()> {
        let json = self.json.as_deref().filter(|file| *file != "-").map(Path::new);
        let files: Vec<&Path> = json.into_iter().chain(self.html.as_deref()).collect();
        files.iter().try_for_each(|file| can_be_written(file))?;
        if let [json, html] = files[..]
            && std::path::absolute(json)? == std::path::absolute(html)?
        {
            bail!("--json and --html name the same file: one report would take the other's place");
        }
        Ok(())
    }
}

/// Reports are passed on: what looks like a secret in a `--set` stays here.
pub fn without_secret(setting: &str) -> String {
    match setting.split_once('=') {
        Some((key, _)) if ["secret", "password", "url"].iter().any(|word| key.contains(word)) => format!("{key}=…"),
        _ => setting.to_owned(),
    }
}

/// Refuses a file that cannot be written. One that was not there is not left behind: a run that fails early has no
/// report.
pub fn can_be_written(file: &Path) -> anyhow::Result<()> {
    let is_new = !file.exists();
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
    opened.with_context(|| format!("{} cannot be written", file.display()))?;
    if is_new {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

impl Report {
    pub fn of(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            machine: Machine::this(),
            ..Self::default()
        }
    }

    /// Of a run that has failed while it measured: what it had found by then. `None`: nothing yet.
    pub fn cut_short(scenario: &str, error: &anyhow::Error) -> Option<Self> {
        let (meter, series) = cut_short()?;
        let mut report = Self::of(scenario);
        report.figure("cut short after", series.last()?.at_s, "s");
        report.latencies(&meter);
        report.series = series;
        report.fail(format!("{error:#}"));
        if let Some(faults) = meter.faults() {
            report.fail(faults);
        }
        Some(report)
    }

    #[must_use]
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push(Setting { name: name.to_owned(), value: value.to_string() });
        self
    }

    /// Adds a figure. One that is not a number is not known, and left out.
    pub fn figure(&mut self, name: &str, value: f64, unit: &str) {
        if value.is_nan() {
            return;
        }
        self.figures.push(Figure { name: name.to_owned(), value, unit: unit.to_owned() });
    }

    /// The value of a figure by its name; a run that has none was too short, or could not see the process.
    pub fn needed(&self, name: &str) -> anyhow::Result<f64> {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        figure.map(|figure| figure.value).with_context(|| {
            format!(
                "{} reported no {name}: the run was too short, or the process is out of reach (--pid)",
                self.scenario
            )
        })
    }

    /// CPU of the engine, its Postgres and the generator for each of `count` things.
    pub fn cpu(&mut self, spent: &Spent, count: f64, thing: &str) {
        let article = if thing.starts_with('a') { "an" } else { "a" };
        let unit = format!("µs {article} {thing}");
        let each = |seconds: f64| seconds / count.max(1.0) * 1e6;
        self.figure("server CPU", each(spent.usage.engine.cpu_seconds), &unit);
        self.figure("Postgres CPU", each(spent.usage.postgres.cpu_seconds), &unit);
        self.figure("generator CPU", each(spent.own_cpu_s), &unit);
    }

    /// How much the engine did at once: rows a commit, messages a write to a socket.
    pub fn coalescing(&mut self, before: &Scrape, after: &Scrape) {
        let growth = |name| after.growth(before, name);
        let flushes = growth("parlance_flush_rows_count").max(1.0);
        self.figure("rows a commit", growth("parlance_flush_rows_sum") / flushes, "");
        let writes = growth("parlance_writes_total").max(1.0);
        self.figure("messages a write", growth("parlance_frames_out_total") / writes, "to a socket");
    }

    /// The seconds of one more run, behind those that are there.
    pub fn go_on(&mut self, series: Vec<Point>) {
        let offset = self.series.last().map_or(0.0, |point| point.at_s);
        self.series.extend(series.into_iter().map(|point| Point { at_s: point.at_s + offset, ..point }));
    }

    /// All latencies of a meter that recorded any.
    pub fn latencies(&mut self, meter: &Meter) {
        for (name, latency) in meter.latencies() {
            if latency.count() > 0 {
                self.latencies.push(NamedLatency { name: name.to_owned(), summary: latency.summary() });
            }
        }
    }

    pub fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// What goes wrong after a run is a failure of it, and does not take the report with it.
    pub fn take_in<T>(&mut self, afterwards: anyhow::Result<T>) -> Option<T> {
        afterwards.map_err(|error| self.fail(format!("{error:#}"))).ok()
    }

    /// Writes it wherever it was asked for.
    pub fn deliver(&self, to: &ReportArgs) -> anyhow::Result<()> {
        match to.json.as_deref() {
            Some("-") => print(&format!("{}\n", serde_json::to_string_pretty(self)?))?,
            Some(file) => {
                print(&table::render(self))?;
                std::fs::write(file, serde_json::to_string_pretty(self)?).with_context(|| format!("writing {file}"))?;
            }
            None => print(&table::render(self))?,
        }
        if let Some(file) = &to.html {
            std::fs::write(file, html::render(self)).with_context(|| format!("writing {}", file.display()))?;
        }
        Ok(())
    }
}

/// Prints to whoever reads; one who reads no further, as `head` does, has what they wanted.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("printing the report"),
        _ => Ok(()),
    }
}

impl Machine {
    fn this() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            model: model.map(|(_, model)| model.to_owned()).unwrap_or_default(),
            kernel: kernel.trim().to_owned(),
        }
    }
}
