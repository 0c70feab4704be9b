//! `parlance jobs …`: what waits, runs and failed, from the command line; beside a running engine or without one.

use anyhow::Context;
use clap::Subcommand;

use super::{beside_an_engine, say};
use crate::app::JOB_KINDS;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids::JobId;
use crate::jobs::{JobState, JobsError, JobsHandle};

/// Jobs that one read of a list brings.
const LIST_ROWS: usize = 500;
/// What of an error is shown in its line.
const ERROR_CHARS_MAX: usize = 200;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, the newest first
    List {
        /// pending, running or dead; without it, all
        #[arg(long)]
        state: Option<JobState>,
        /// Only of this kind, such as auth.delete_expired
        #[arg(long)]
        kind: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Try a dead job again; a running engine finds it within jobs.poll_ms
    Retry { id: JobId },
    /// Drop a dead job: nobody does it any more
    Delete { id: JobId },
}

/// Does one of them.
pub async fn run(config: &Config, command: JobsCommand) -> anyhow::Result<()> {
    let database = beside_an_engine(config).await?;
    let done = async {
        database.storage.require_migrated().await?;
        let jobs = JobsHandle::new(database.storage.clone(), Clock::system()).knowing(JOB_KINDS);
        perform(&jobs, command).await
    };
    let done = done.await;
    database.close().await;
    done
}

async fn perform(jobs: &JobsHandle, command: JobsCommand) -> anyhow::Result<()> {
    match command {
        JobsCommand::List { state, kind, limit } => list(jobs, state, kind.as_deref(), limit as usize).await,
        JobsCommand::Retry { id } => {
            jobs.retry_dead(id).await.map_err(explained)?;
            say(&format!("{id} waits to be run."))
        }
        JobsCommand::Delete { id } => {
            jobs.delete_dead(id).await.map_err(explained)?;
            say(&format!("{id} is gone."))
        }
    }
}

fn explained(error: JobsError) -> anyhow::Error {
    let what_to_do = match &error {
        JobsError::NotFound => "see `parlance jobs list --state dead` for ids",
        JobsError::NotDead => "it waits or runs, and ends by itself; only dead ones are tried again or deleted",
        JobsError::Duplicate => "delete this one, or try it again once that one is done",
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}: {what_to_do}")
}

/// What is last in a line may be of any length.
async fn list(jobs: &JobsHandle, state: Option<JobState>, kind: Option<&str>, limit: usize) -> anyhow::Result<()> {
    let (mut before, mut left, mut shown) = (None, limit, 0);
    say(&format!("{:<36}  {:<7}  {:<28}  {:<8}  {:<20}  ERROR", "JOB", "STATE", "KIND", "ATTEMPTS", "NOT BEFORE"))?;
    while left > 0 {
        let page = jobs.page(state, kind, before, left.min(LIST_ROWS)).await.context("jobs cannot be read")?;
        for job in &page.items {
            let (id, state) = (job.id.to_string(), job.state.as_str());
            let run_at = job.run_at.format("%Y-%m-%d %H:%M UTC").to_string();
            let no_handler = "this version does not run this kind: it waits for one that does";
            let error = if job.unknown_kind { no_handler } else { job.last_error.as_deref().unwrap_or_default() };
            // One line a job, and nothing that moves the cursor.
            let shown: String = error.chars().filter(|c| !c.is_control()).take(ERROR_CHARS_MAX).collect();
            say(&format!("{id}  {state:<7}  {:<28}  {:<8}  {run_at:<20}  {shown}", job.kind, job.attempts))?;
        }
        shown += page.items.len();
        left -= page.items.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let more = if before.is_some() { "; there are more, see --limit" } else { "" };
    say(&format!("{shown} job{}{more}", if shown == 1 { "" } else { "s" }))
}
