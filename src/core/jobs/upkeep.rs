//! The jobs' own job: dead letters that nobody cared for are deleted after `jobs.dead_days`.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::config::JobsConfig;
use super::{Job, JobError, JobKind, Policy, store};
use parlance_foundation::clock::Clock;
use parlance_foundation::storage::Storage;

const EVERY: Duration = Duration::from_secs(3_600);
/// Rows that one statement deletes, so that it holds no lock for long.
const DELETE_ROWS_MAX: i64 = 10_000;

#[derive(Debug, Serialize, Deserialize)]
struct DeleteDead;

impl Job for DeleteDead {
    const KIND: &'static str = "jobs.delete_dead";
}

/// The kinds of jobs that are about jobs.
pub fn kinds(config: &JobsConfig, storage: &Storage, clock: &Clock) -> Vec<JobKind> {
    let kept = TimeDelta::days(config.dead_days.into());
    let (storage, clock) = (storage.clone(), clock.clone());
    let delete = move |_: DeleteDead, _| delete_dead(storage.clone(), clock.clone(), kept);
    vec![JobKind::new(Policy::upkeep(), delete).every(EVERY)]
}

async fn delete_dead(storage: Storage, clock: Clock, kept: TimeDelta) -> Result<(), JobError> {
    let before = clock.now() - kept;
    loop {
        let mut connection = storage.engine().acquire().await?;
        let deleted = store::delete_dead_before(&mut connection, before, DELETE_ROWS_MAX).await?;
        if deleted == 0 {
            return Ok(());
        }
        tracing::info!(deleted, "dead jobs were deleted after jobs.dead_days");
    }
}
