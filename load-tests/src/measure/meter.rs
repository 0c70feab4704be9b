//! What a run counts, and a sample of it every second. All on one thread, so cells and no locks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinHandle;

use super::latency::Latency;
use super::wrong::Wrong;
use crate::engine::{Target, Usage, UsageSource, own_cpu_seconds};

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
    /// Why those did that were told with a reason.
    wrong: Wrong,
    /// Latencies by name: since the begin, and since the last sample.
    lanes: RefCell<Vec<(&'static str, Latency, Latency)>>,
}

/// One second of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Point {
    pub at_s: f64,
    pub sent: u64,
    pub received: u64,
    pub errors: u64,
    /// What the latencies are of.
    pub lane: &'static str,
    /// Of this second. Not a number, which is `null` in JSON, when nothing arrived: no latency is not a short one.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// CPU seconds a second: 1 is a whole core. These and memory are no numbers either where they are not known.
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
            wrong: Wrong::default(),
            lanes: RefCell::new(lanes.iter().map(|name| (*name, Latency::default(), Latency::default())).collect()),
        })
    }

    pub fn count(counter: &Cell<u64>, by: u64) {
        counter.set(counter.get() + by);
    }

    /// Something happened that should not have.
    pub fn fault(&self, why: &str) {
        Self::count(&self.errors, 1);
        self.wrong.add(why);
    }

    /// What happened that should not have, in one line; `None`: nothing.
    pub fn faults(&self) -> Option<String> {
        (self.errors.get() > 0).then(|| self.wrong.told())
    }

    /// Nanoseconds since the begin of the run: what a message carries to say when it was due.
    pub fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn record(&self, lane: usize, took: Duration) {
        self.record_many(lane, took, 1);
    }

    pub fn record_many(&self, lane: usize, took: Duration, count: u64) {
        if let Some((_, total, recent)) = self.lanes.borrow_mut().get_mut(lane) {
            total.record_many(took, count);
            recent.record_many(took, count);
        }
    }

    pub fn latencies(&self) -> Vec<(&'static str, Latency)> {
        self.lanes.borrow().iter().map(|(name, total, _)| (*name, total.clone())).collect()
    }

    /// Forgets what was measured so far: the warm-up. What went wrong in it did go wrong, and stays.
    pub fn forget(&self) {
        for (_, total, recent) in self.lanes.borrow_mut().iter_mut() {
            total.clear();
            recent.clear();
        }
        for counter in [&self.sent, &self.acked, &self.received] {
            counter.set(0);
        }
    }

    /// Of the first lane: its name, and what it recorded since the last time.
    fn take_recent(&self) -> (&'static str, Latency) {
        let mut lanes = self.lanes.borrow_mut();
        let Some((name, _, recent)) = lanes.first_mut() else { return ("", Latency::default()) };
        let taken = recent.clone();
        recent.clear();
        (*name, taken)
    }
}

type Points = Rc<RefCell<Vec<Point>>>;

thread_local! {
    /// What is sampled at this moment; the harness is one thread, and measures one thing at a time.
    static UNDER_WAY: RefCell<Option<(Rc<Meter>, Points)>> = const { RefCell::new(None) };
}

/// What a measurement that did not come to its end has found, if it had begun.
pub fn cut_short() -> Option<(Rc<Meter>, Vec<Point>)> {
    let (meter, points) = UNDER_WAY.take()?;
    let points = points.take();
    (!points.is_empty()).then_some((meter, points))
}

/// Samples a meter and the engine's usage every second.
pub struct Sampler {
    points: Points,
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
    async fn of(meter: &Meter, source: &UsageSource) -> Self {
        let usage = source.usage().await;
        Self {
            at: Instant::now(),
            usage,
            own_cpu_s: own_cpu_seconds(),
            sent: meter.sent.get(),
            received: meter.received.get(),
        }
    }
}

impl Sampler {
    pub fn start(meter: &Rc<Meter>, target: &Target) -> Self {
        Self::of(meter, &target.usage)
    }

    pub fn of(meter: &Rc<Meter>, source: &UsageSource) -> Self {
        let points = Rc::new(RefCell::new(Vec::new()));
        let (shared, meter, source) = (Rc::clone(&points), Rc::clone(meter), source.clone());
        UNDER_WAY.set(Some((Rc::clone(&meter), Rc::clone(&points))));
        let task = tokio::task::spawn_local(async move {
            let begun = Instant::now();
            let mut before = Sample::of(&meter, &source).await;
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            // An engine that answers late makes one long second, not a short one after it as well.
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            tick.tick().await;
            loop {
                tick.tick().await;
                let now = Sample::of(&meter, &source).await;
                shared.borrow_mut().push(point(&meter, begun, &before, &now));
                before = now;
            }
        });
        Self { points, task }
    }

    pub fn stop(self) -> Vec<Point> {
        UNDER_WAY.take();
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
    let (lane, recent) = meter.take_recent();
    let of_recent = |latency: f64| if recent.count() > 0 { latency } else { f64::NAN };
    Point {
        at_s: now.at.duration_since(begun).as_secs_f64(),
        sent: now.sent.saturating_sub(before.sent),
        received: now.received.saturating_sub(before.received),
        errors: meter.errors.get(),
        lane,
        p50_ms: of_recent(recent.quantile_ms(0.5)),
        p99_ms: of_recent(recent.quantile_ms(0.99)),
        max_ms: of_recent(recent.summary().max_ms),
        engine_cores: used.engine.cpu_seconds / seconds,
        postgres_cores: used.postgres.cpu_seconds / seconds,
        generator_cores: (now.own_cpu_s - before.own_cpu_s) / seconds,
        engine_mib: used.engine.resident_bytes / MIB,
        postgres_mib: used.postgres.resident_bytes / MIB,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_is_forgotten_and_its_faults_are_not() {
        let meter = Meter::new(&["delivery"]);
        meter.record(0, Duration::from_millis(1));
        for counter in [&meter.sent, &meter.received, &meter.refused] {
            Meter::count(counter, 3);
        }
        meter.fault("a gap");
        meter.forget();
        assert_eq!([meter.sent.get(), meter.received.get()], [0, 0]);
        assert_eq!([meter.refused.get(), meter.errors.get()], [3, 1]);
        assert_eq!(meter.faults().as_deref(), Some("1 × a gap"));
        assert_eq!(meter.latencies()[0].1.count(), 0);
    }

    #[tokio::test]
    async fn what_is_cut_short_is_not_lost() {
        async fn sampled() -> Sampler {
            let (meter, own) = (Meter::new(&["delivery"]), UsageSource::Process(std::process::id()));
            let sampler = Sampler::of(&meter, &own);
            while sampler.last().is_none() {
                tokio::task::yield_now().await;
            }
            sampler
        }
        drop(tokio::task::LocalSet::new().run_until(sampled()).await);
        assert_eq!(cut_short().map(|(_, points)| points.is_empty()), Some(false));
        let stopped = tokio::task::LocalSet::new().run_until(sampled()).await.stop();
        assert!(!stopped.is_empty() && cut_short().is_none());
    }

    #[tokio::test]
    async fn a_second_in_which_nothing_arrived_has_no_latency() {
        let meter = Meter::new(&["delivery"]);
        let own = UsageSource::Process(std::process::id());
        let sample = Sample::of(&meter, &own).await;
        let point = point(&meter, sample.at, &sample, &Sample::of(&meter, &own).await);
        assert_eq!(point.lane, "delivery");
        assert!(point.p50_ms.is_nan() && point.p99_ms.is_nan() && point.max_ms.is_nan());
        assert!(serde_json::to_string(&point).unwrap().contains("\"p99_ms\":null"));
    }
}
