//! What the engine says of itself while a soak runs: open files, sockets, open rooms, and its heap if it profiles that.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::engine::Scrape;

const EVERY: Duration = Duration::from_secs(5);

/// What is watched.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    pub metric: &'static str,
    /// In the report.
    pub name: &'static str,
    pub unit: &'static str,
    /// How much of the metric is one of it.
    pub scale: f64,
    /// More than this, besides the share, must be gained before it counts as growth.
    pub slack: f64,
    /// Whether it rises until the first rooms that nobody uses any more are let go of.
    pub has_rooms: bool,
}

impl Gauge {
    const fn count(metric: &'static str, name: &'static str, slack: f64) -> Self {
        Self { metric, name, unit: "", scale: 1.0, slack, has_rooms: false }
    }
}

pub const GAUGES: [Gauge; 4] = [
    Gauge::count("process_open_fds", "open files", 20.0),
    Gauge::count("parlance_sockets", "sockets", 5.0),
    Gauge { has_rooms: true, ..Gauge::count("parlance_rooms_open", "open rooms", 20.0) },
    HEAP,
];

/// Told by an engine that profiles its heap, and by no other.
pub const HEAP: Gauge = Gauge {
    metric: "parlance_heap_bytes",
    name: "heap in use",
    unit: "MiB",
    scale: 1_048_576.0,
    slack: 0.0,
    has_rooms: true,
};

/// Seconds since the begin, and each gauge at that moment, if it was told.
type Reading = (f64, [Option<f64>; GAUGES.len()]);

/// See the module.
#[derive(Default)]
pub struct Gauges(RefCell<Vec<Reading>>);

impl Gauges {
    /// Reads them until the task is aborted.
    pub fn watch(self: &Rc<Self>, base: &str) -> JoinHandle<()> {
        let (gauges, base, begun) = (Rc::clone(self), base.to_owned(), Instant::now());
        tokio::task::spawn_local(async move {
            let mut tick = tokio::time::interval(EVERY);
            loop {
                tick.tick().await;
                // An engine that does not answer now fails the run elsewhere.
                let Ok(scrape) = Scrape::from(&base).await else { continue };
                let now = GAUGES.map(|gauge| Some(scrape.value(gauge.metric)? / gauge.scale));
                gauges.0.borrow_mut().push((begun.elapsed().as_secs_f64(), now));
            }
        })
    }

    /// One of them over time.
    pub fn series(&self, gauge: usize) -> Vec<(f64, f64)> {
        self.0.borrow().iter().filter_map(|(at, values)| Some((*at, (*values.get(gauge)?)?))).collect()
    }
}
