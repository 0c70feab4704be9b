//! What accounts have done at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Auth, AuthError};
use crate::jobs::{Job, JobError, JobKind, Policy};

/// Tokens, sign-ins and links that have expired are of no use to anybody: how often they are removed.
const DELETE_EXPIRED_EVERY: Duration = Duration::from_secs(600);

#[derive(Debug, Serialize, Deserialize)]
struct DeleteExpired;

impl Job for DeleteExpired {
    const KIND: &'static str = "auth.delete_expired";
}

/// The kinds of jobs of accounts.
pub fn kinds(auth: &Auth) -> Vec<JobKind> {
    let auth = auth.clone();
    let delete = move |_: DeleteExpired, _| {
        let auth = auth.clone();
        async move {
            let deleted = auth.delete_expired().await.map_err(|error| match error {
                AuthError::Database(error) => error.into(),
                other => JobError::Retry(other.to_string()),
            })?;
            tracing::debug!(deleted, "expired tokens removed");
            Ok(())
        }
    };
    vec![JobKind::new(Policy::upkeep(), delete).every(DELETE_EXPIRED_EVERY)]
}
