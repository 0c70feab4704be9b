//! What the engine says of itself while a soak runs: open files, sockets, open rooms.

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
    /// More than this, besides the share, must be gained before it counts as growth.
    pub slack: f64,
    /// What is still being let go of for this long is no leak.
    pub settles: Duration,
}

pub const GAUGES: [Gauge; 3] = [
    Gauge { metric: "process_open_fds", name: "open files", slack: 20.0, settles: Duration::ZERO },
    Gauge { metric: "parlance_sockets", name: "sockets", slack: 5.0, settles: Duration::ZERO },
    // An open room is let go of after `chat.room_idle_s`, ten minutes.
    Gauge { metric: "parlance_rooms_open", name: "open rooms", slack: 20.0, settles: Duration::from_secs(11 * 60) },
];

/// Seconds since the begin, and each gauge at that moment.
type Reading = (f64, [f64; GAUGES.len()]);

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
                let now = GAUGES.map(|gauge| scrape.sum(gauge.metric));
                gauges.0.borrow_mut().push((begun.elapsed().as_secs_f64(), now));
            }
        })
    }

    /// One of them over time.
    pub fn series(&self, gauge: usize) -> Vec<(f64, f64)> {
        self.0.borrow().iter().filter_map(|(at, values)| Some((*at, *values.get(gauge)?))).collect()
    }
}
