//! Jobs as admins see them. Payloads are not among it: they may hold what is private.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::Listed;
use crate::text_enum::text_enum;
use parlance_foundation::ids::JobId;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its time, for room, for an earlier one of its key, or for its next attempt.
    Pending,
    /// Taken by an engine.
    Running,
    /// Given up: tried again or deleted by an admin only.
    Dead,
}

text_enum!(JobState { Self::Pending => "pending", Self::Running => "running", Self::Dead => "dead" });

/// Work that follows a commit or is due at a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedJob {
    #[schema(value_type = Uuid)]
    pub id: JobId,
    #[schema(example = "auth.delete_expired")]
    pub kind: String,
    pub state: JobState,
    /// No handler of this version runs it: another version enqueued it. It waits for one that does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unknown_kind: bool,
    /// Jobs of one kind and key run one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// How often it was begun.
    pub attempts: i32,
    /// Until when the engine that runs it has it, unless it extends that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased_until: Option<DateTime<Utc>>,
    /// Why its last failed attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl From<Listed> for ListedJob {
    fn from(job: Listed) -> Self {
        let state = match (job.dead_at, job.leased_until) {
            (Some(_), _) => JobState::Dead,
            (None, Some(_)) => JobState::Running,
            (None, None) => JobState::Pending,
        };
        Self {
            id: job.id,
            kind: job.kind,
            state,
            unknown_kind: false,
            key: job.key,
            run_at: job.run_at,
            attempts: job.attempts,
            leased_until: job.leased_until,
            last_error: job.last_error,
            dead_at: job.dead_at,
            created_at: job.created_at,
        }
    }
}

/// A page of jobs, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobPage {
    pub items: Vec<ListedJob>,
    /// Send it as `before` for the next page; null on the last one.
    #[schema(value_type = Option<Uuid>)]
    pub next: Option<JobId>,
}
