//! Whether the engine is ready for traffic: the checks of the database, of the writers and of the actors, for `/readyz`,
//! for `/metrics`, and for the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{Unit, describe_gauge};

use crate::persistence::Persisters;
use crate::storage::{Check, NOT_KNOWN, Storage};
use crate::supervision::Supervisor;

/// What stays wrong is said again this often.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// How the problem of actors that answer nothing begins: the log has it from those who ask the actors, with all names.
const STUCK: &str = "actors answer nothing: ";

/// Looks at everything. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    storage: Storage,
    supervisor: Supervisor,
    persisters: Persisters,
    told: Arc<Mutex<Told>>,
}

/// What the log knows.
#[derive(Default)]
struct Told {
    unready: bool,
    at: Option<Instant>,
}

impl Health {
    pub fn new(storage: Storage, supervisor: Supervisor, persisters: Persisters) -> Self {
        Self { storage, supervisor, persisters, told: Arc::default() }
    }

    /// Every check, always the same ones; metrics and log are told.
    pub async fn check(&self) -> Vec<Check> {
        let mut checks = self.storage.readiness().await.checks;
        let failing = "the last commit failed: look for a full or slow disk, and in the log for its cause";
        let down = "an actor without which the engine cannot go on is being restarted; the log says why";
        checks.push(Check::new("writes", self.persisters.are_failing().then(|| failing.to_owned())));
        let registry = self.supervisor.registry();
        let is_down = (!registry.all_well()).then(|| down.to_owned());
        let stuck = || registry.stuck_in_words().map(|actors| format!("{STUCK}{actors}"));
        checks.push(Check::new("actors", is_down.or_else(stuck)));
        for check in &checks {
            let ready = f64::from(u8::from(check.problem.is_none()));
            metrics::gauge!("parlance_ready", "check" => check.name).set(ready);
        }
        self.tell(&checks);
        checks
    }

    /// At most one line a minute while something is wrong, and one when all is well again.
    fn tell(&self, checks: &[Check]) {
        let wrong: Vec<String> = checks
            .iter()
            .filter_map(|check| Some((check.name, check.problem.as_deref()?)))
            .filter(|(_, problem)| *problem != NOT_KNOWN && !problem.starts_with(STUCK))
            .map(|(name, problem)| format!("{name}: {problem}"))
            .collect();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.is_empty() {
            if std::mem::take(&mut told.unready) {
                tracing::info!("ready again");
            }
        } else if told.at.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            *told = Told { unready: true, at: Some(Instant::now()) };
            tracing::warn!(problems = wrong.join("; "), "not ready");
        }
    }
}

/// Tells `/metrics` what these mean; for the start of the engine.
pub fn describe_metrics() {
    describe_gauge!("parlance_ready", Unit::Count, "1 while this check of /readyz is well, else 0, by check");
}
