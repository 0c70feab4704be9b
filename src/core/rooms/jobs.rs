//! What chat has done at a time, and after a commit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::follow::{FollowTeams, follow};
use super::http::ChatParts;
use super::succession;
use crate::jobs::{Attempt, Job, JobError, JobKind, Policy};

/// Invitations that are too old to count: how often they are removed.
const DELETE_FORGOTTEN_EVERY: Duration = Duration::from_secs(600);

#[derive(Debug, Serialize, Deserialize)]
struct DeleteForgotten;

impl Job for DeleteForgotten {
    const KIND: &'static str = "invitations.delete_forgotten";
}

/// The kinds of jobs of chat.
pub fn kinds(chat: &ChatParts) -> Vec<JobKind> {
    let pass_ownership = succession::kind(&chat.rooms, &chat.storage);
    let (chat, following) = (chat.clone(), chat.clone());
    let follow = move |job: FollowTeams, attempt: Attempt| {
        let chat = following.clone();
        async move { follow(&chat, job, attempt.id).await }
    };
    let delete = move |_: DeleteForgotten, _| {
        let chat = chat.clone();
        async move {
            let deleted = chat.delete_forgotten().await.map_err(|error| JobError::Retry(error.to_string()))?;
            tracing::debug!(deleted, "old invitations removed");
            Ok(())
        }
    };
    vec![
        JobKind::new(Policy::default(), follow),
        JobKind::new(Policy::upkeep(), delete).every(DELETE_FORGOTTEN_EVERY),
        pass_ownership,
    ]
}
