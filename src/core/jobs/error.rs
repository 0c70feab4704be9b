//! What can go wrong with what admins ask of jobs, and what a client sees of it.

use super::kind::InvalidJob;
use parlance_foundation::problem::Problem;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// Done, deleted, or there never was one.
    #[error("there is no such job")]
    NotFound,
    #[error("the job is not dead")]
    NotDead,
    /// One that does the same waits already.
    #[error("another job that does the same waits already")]
    Duplicate,
    #[error("{field} must be {wanted}")]
    Invalid { field: &'static str, wanted: String },
    #[error(transparent)]
    Unfit(#[from] InvalidJob),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::NotFound => {
                Self::not_found("jobs.not_found", "There is no job with this id: it is done, deleted, or never was.")
            }
            JobsError::NotDead => Self::conflict(
                "jobs.not_dead",
                "This job is not dead: it waits or runs, and ends by itself. Only dead ones are tried again or deleted.",
            ),
            JobsError::Duplicate => Self::conflict(
                "jobs.duplicate",
                "Another job that does the same waits already. Delete this one, or try it again once that one is done.",
            ),
            JobsError::Invalid { field, wanted } => {
                Self::invalid("jobs.invalid_query", format!("{field} must be {wanted}."))
            }
            JobsError::Unfit(error) => {
                tracing::error!(%error, "a job was not enqueued");
                Self::internal()
            }
            JobsError::Database(error) => error.into(),
        }
    }
}
