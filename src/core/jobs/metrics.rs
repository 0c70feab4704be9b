//! What jobs count, with its meaning.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::kind::Registry;
use super::store::Queued;

/// Tells `/metrics` what the numbers of jobs mean; for the start of the engine.
pub fn describe_metrics() {
    describe_gauge!("parlance_jobs_queued", Unit::Count, "Jobs that wait or run, by kind, counted up to 100000");
    describe_gauge!(
        "parlance_jobs_of_unknown_kinds",
        Unit::Count,
        "Jobs that wait and that no handler of this version runs: another version enqueued them"
    );
    describe_gauge!("parlance_jobs_running", Unit::Count, "Jobs that this engine runs, by kind");
    describe_counter!("parlance_jobs_done_total", Unit::Count, "Jobs that this engine has done, by kind");
    describe_counter!("parlance_jobs_failed_total", Unit::Count, "Attempts that failed, by kind");
    describe_counter!("parlance_jobs_dead_total", Unit::Count, "Jobs that were given up, by kind");
    describe_counter!(
        "parlance_jobs_leases_lost_total",
        Unit::Count,
        "Jobs that were cancelled or done for nothing because another engine may have them, by kind"
    );
    describe_gauge!("parlance_jobs_lag_seconds", Unit::Seconds, "How long the oldest job that is due has been due");
    describe_histogram!("parlance_job_seconds", Unit::Seconds, "Time of one attempt, by kind");
    gauge!("parlance_jobs_lag_seconds").set(0.0);
    gauge!("parlance_jobs_of_unknown_kinds").set(0.0);
}

/// Every kind is there from the start.
pub(super) fn begin_at_zero(kinds: &Registry) {
    for kind in kinds.all() {
        gauge!("parlance_jobs_queued", "kind" => kind.name).set(0.0);
        gauge!("parlance_jobs_running", "kind" => kind.name).set(0.0);
        let _ = histogram!("parlance_job_seconds", "kind" => kind.name);
        for name in [
            "parlance_jobs_done_total",
            "parlance_jobs_failed_total",
            "parlance_jobs_dead_total",
            "parlance_jobs_leases_lost_total",
        ] {
            counter!(name, "kind" => kind.name).increment(0);
        }
    }
}

pub(super) fn done(kind: &'static str, count: u64) {
    counter!("parlance_jobs_done_total", "kind" => kind).increment(count);
}

pub(super) fn failed(kind: &'static str) {
    counter!("parlance_jobs_failed_total", "kind" => kind).increment(1);
}

pub(super) fn dead(kind: &'static str) {
    counter!("parlance_jobs_dead_total", "kind" => kind).increment(1);
}

pub(super) fn lease_lost(kind: &'static str) {
    counter!("parlance_jobs_leases_lost_total", "kind" => kind).increment(1);
}

pub(super) fn took(kind: &'static str, elapsed: Duration) {
    histogram!("parlance_job_seconds", "kind" => kind).record(elapsed.as_secs_f64());
}

pub(super) fn running(kind: &'static str, count: usize) {
    gauge!("parlance_jobs_running", "kind" => kind).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
}

pub(super) fn queued(queued: &[Queued], now: chrono::DateTime<chrono::Utc>) {
    for of_kind in queued {
        let rows = f64::from(u32::try_from(of_kind.rows).unwrap_or(u32::MAX));
        gauge!("parlance_jobs_queued", "kind" => of_kind.kind.clone()).set(rows);
    }
    let oldest = queued.iter().filter_map(|of_kind| of_kind.due).min();
    let lag = oldest.and_then(|due| (now - due).to_std().ok()).unwrap_or_default();
    gauge!("parlance_jobs_lag_seconds").set(lag.as_secs_f64());
}

pub(super) fn unknown(rows: i64) {
    gauge!("parlance_jobs_of_unknown_kinds").set(f64::from(u32::try_from(rows).unwrap_or(u32::MAX)));
}
