//! What does a job cost, from its enqueuing to its end?
//!
//! A thousand jobs that do nothing are enqueued in one statement and run by the actor as an engine has it, on a thread of
//! its own, as many at once as the default lets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_rt::{Arbiter, System};
use divan::Bencher;
use divan::counter::ItemsCount;
use parlance::clock::Clock;
use parlance::jobs::{Job, JobKind, Jobs, JobsHandle, NewJob, Policy, Registry};
use parlance::storage::Storage;
use parlance::supervision::Supervisor;
use parlance::tree;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::database::{self, BenchDatabase};
use crate::material::config;

const JOBS: usize = 1_000;
const SAMPLES: u32 = 20;

#[derive(Serialize, Deserialize)]
struct Nothing {
    key: Option<usize>,
}

impl Job for Nothing {
    const KIND: &'static str = "bench.nothing";

    fn key(&self) -> Option<String> {
        self.key.map(|key| key.to_string())
    }
}

#[divan::bench(sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn in_any_order(bencher: Bencher) {
    run(bencher, |_| None);
}

/// In a hundred orders, as of a hundred rooms.
#[divan::bench(sample_size = 1, sample_count = SAMPLES, ignore = database::is_missing())]
fn in_order_of_100_keys(bencher: Bencher) {
    run(bencher, |n| Some(n % 100));
}

fn run(bencher: Bencher, key: impl Fn(usize) -> Option<usize>) {
    let (database, system, clock) = (BenchDatabase::create(), System::new(), Clock::system());
    let config = config();
    // Connections belong to the runtime that made them.
    let storage =
        system.block_on(Storage::connect(database.options(), &config.storage, &parlance::schema::MIGRATIONS)).unwrap();
    let (left, all_done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, notify) = (Arc::clone(&left), Arc::clone(&all_done));
    let policy = Policy { at_once_max: config.jobs.at_once_max, ..Policy::default() };
    let kind = JobKind::new(policy, move |_: Nothing, _| {
        if counted.fetch_sub(1, Ordering::SeqCst) == 1 {
            notify.notify_one();
        }
        async { Ok(()) }
    });
    let (handle, kinds) = (JobsHandle::new(storage.clone(), clock.clone()), Registry::new(vec![kind]).unwrap());
    let (supervisor, _escalations) = Supervisor::new();
    let thread = system.block_on(async { Arbiter::new() });
    let (given, settings) = (handle.clone(), config.jobs);
    let make = move |_: &_| Jobs::new(settings.clone(), given.clone(), kinds.clone());
    let actor = supervisor.start(tree::JOBS.spec("bench/jobs".into(), 16), &thread.handle(), make);
    let jobs = || (0..JOBS).map(|n| NewJob::of(&Nothing { key: key(n) }, &clock).unwrap()).collect::<Vec<_>>();
    bencher.counter(ItemsCount::new(JOBS)).with_inputs(jobs).bench_local_values(|jobs| {
        left.store(JOBS, Ordering::SeqCst);
        system.block_on(async {
            handle.enqueue_all(&jobs).await.unwrap();
            all_done.notified().await;
        });
    });
    system.block_on(async {
        actor.stop(std::time::Duration::from_secs(5)).await;
        storage.close().await;
    });
    thread.stop();
}
