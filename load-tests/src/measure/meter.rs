//! What a run counts, and a sample of it every second. All on one thread, so cells and no locks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinHandle;

use super::latency::Latency;
use crate::engine::{Target, Usage};

/// Counts and latencies of a run.
#[derive(Debug)]
pub struct Meter {
    pub begun: Instant,
    /// Commands sent.
    pub sent: Cell<u64>,
    /// Commands answered with ok.
    pub acked: Cell<u64>,
    /// Commands answered "busy" or "later".
    pub refused: Cell<u64>,
    /// Events received, by all listeners together.
    pub received: Cell<u64>,
    /// Anything that should not have happened.
    pub errors: Cell<u64>,
    /// Latencies by name: since the begin, and since the last sample.
    lanes: RefCell<Vec<(&'static str, Latency, Latency)>>,
}

/// One second of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub at_s: f64,
    pub sent: u64,
    pub received: u64,
    pub errors: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// CPU seconds a second: 1 is a whole core.
    pub engine_cores: f64,
    pub postgres_cores: f64,
    pub generator_cores: f64,
    pub engine_mib: f64,
    pub postgres_mib: f64,
}

impl Meter {
    /// A meter with these kinds of latency; the first one is what charts show.
    pub fn new(lanes: &[&'static str]) -> Rc<Self> {
        Rc::new(Self {
            begun: Instant::now(),
            sent: Cell::default(),
            acked: Cell::default(),
            refused: Cell::default(),
            received: Cell::default(),
            errors: Cell::default(),
            lanes: RefCell::new(lanes.iter().map(|name| (*name, Latency::default(), Latency::default())).collect()),
        })
    }

    pub fn count(counter: &Cell<u64>, by: u64) {
        counter.set(counter.get() + by);
    }

    /// Nanoseconds since the begin of the run: what a message carries to say when it was due.
    pub fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn record(&self, lane: usize, took: Duration) {
        if let Some((_, total, recent)) = self.lanes.borrow_mut().get_mut(lane) {
            total.record(took);
            recent.record(took);
        }
    }

    pub fn latencies(&self) -> Vec<(&'static str, Latency)> {
        self.lanes.borrow().iter().map(|(name, total, _)| (*name, total.clone())).collect()
    }

    /// Forgets what was recorded so far: the warm-up.
    pub fn forget(&self) {
        for (_, total, recent) in self.lanes.borrow_mut().iter_mut() {
            total.clear();
            recent.clear();
        }
        for counter in [&self.sent, &self.acked, &self.refused, &self.received, &self.errors] {
            counter.set(0);
        }
    }

    fn take_recent(&self) -> Latency {
        let mut lanes = self.lanes.borrow_mut();
        let Some((_, _, recent)) = lanes.first_mut() else { return Latency::default() };
        let taken = recent.clone();
        recent.clear();
        taken
    }
}

/// Samples a meter and the engine's usage every second.
pub struct Sampler {
    points: Rc<RefCell<Vec<Point>>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    usage: Usage,
    own_cpu_s: f64,
    sent: u64,
    received: u64,
}

impl Sample {
    fn of(meter: &Meter, pid: Option<u32>) -> Self {
        Self {
            at: Instant::now(),
            usage: pid.map(Usage::of).unwrap_or_default(),
            own_cpu_s: own_cpu_seconds(),
            sent: meter.sent.get(),
            received: meter.received.get(),
        }
    }
}

impl Sampler {
    pub fn start(meter: &Rc<Meter>, target: &Target) -> Self {
        Self::of_process(meter, target.pid)
    }

    pub fn of_process(meter: &Rc<Meter>, pid: Option<u32>) -> Self {
        let points = Rc::new(RefCell::new(Vec::new()));
        let (shared, meter) = (Rc::clone(&points), Rc::clone(meter));
        let task = tokio::task::spawn_local(async move {
            let begun = Instant::now();
            let mut before = Sample::of(&meter, pid);
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            tick.tick().await;
            loop {
                tick.tick().await;
                let now = Sample::of(&meter, pid);
                shared.borrow_mut().push(point(&meter, begun, &before, &now));
                before = now;
            }
        });
        Self { points, task }
    }

    pub fn stop(self) -> Vec<Point> {
        self.task.abort();
        self.points.take()
    }

    /// How many seconds were sampled, and the last of them.
    pub fn last(&self) -> Option<Point> {
        self.points.borrow().last().cloned()
    }
}

fn point(meter: &Meter, begun: Instant, before: &Sample, now: &Sample) -> Point {
    const MIB: f64 = 1_048_576.0;
    let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-9);
    let used = now.usage.since(&before.usage);
    let recent = meter.take_recent();
    Point {
        at_s: now.at.duration_since(begun).as_secs_f64(),
        sent: now.sent.saturating_sub(before.sent),
        received: now.received.saturating_sub(before.received),
        errors: meter.errors.get(),
        p50_ms: recent.quantile_ms(0.5),
        p99_ms: recent.quantile_ms(0.99),
        max_ms: recent.summary().max_ms,
        engine_cores: used.engine.cpu_seconds / seconds,
        postgres_cores: used.postgres.cpu_seconds / seconds,
        generator_cores: (now.own_cpu_s - before.own_cpu_s) / seconds,
        engine_mib: used.engine.resident_bytes / MIB,
        postgres_mib: used.postgres.resident_bytes / MIB,
    }
}

/// CPU that this program has used.
pub fn own_cpu_seconds() -> f64 {
    Usage::of(std::process::id()).engine.cpu_seconds
}
