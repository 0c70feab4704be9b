//! Who does something with a secret, and how often its use is written down.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use hashlink::LruCache;
use uuid::Uuid;

use super::SecretName;
use parlance_foundation::ids::UserId;

/// Readers remembered; one that was forgotten is written down once more.
const READERS_MAX: usize = 10_000;

/// Who, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// A part of the engine itself: `"ai.providers"`.
    Engine(&'static str),
    /// Somebody who is signed in.
    User(UserId),
    /// Somebody at the command line, by their account of the system.
    Operator(String),
}

/// A row of the audit.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// `created`, `read`, `replaced`, `deleted` or `rotated`.
    pub what: String,
    pub secret_id: Uuid,
    pub scope: String,
    pub name: String,
    /// `engine`, `user` or `operator`.
    pub origin: String,
    pub user_id: Option<Uuid>,
    /// The part of the engine, or the operator's account.
    pub by_name: Option<String>,
}

/// Which part of the audit.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub name: Option<SecretName>,
    /// Entries before this one.
    pub before: Option<Uuid>,
    pub limit: i64,
}

impl By {
    /// Columns `origin`, `user_id`, `by_name`.
    pub(super) fn columns(&self) -> (&'static str, Option<Uuid>, Option<&str>) {
        match self {
            Self::Engine(part) => ("engine", None, Some(part)),
            Self::User(user) => ("user", Some(user.0), None),
            Self::Operator(name) => ("operator", None, Some(name)),
        }
    }

    pub(super) fn user(&self) -> Option<Uuid> {
        self.columns().1
    }
}

/// For the log.
impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(part) => write!(f, "engine {part}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Operator(name) => write!(f, "operator {name}"),
        }
    }
}

/// Whose use of which secret was written down when. A feature that asks for the same key a hundred times a second leaves
/// one row a minute, not a hundred a second.
pub(super) struct NotedReads {
    every: Duration,
    noted: Mutex<LruCache<(Uuid, By), Duration>>,
}

impl NotedReads {
    pub fn new(every: Duration) -> Self {
        Self { every, noted: Mutex::new(LruCache::new(READERS_MAX)) }
    }

    pub fn is_due(&self, secret: Uuid, by: &By, now: Duration) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(&(secret, by.clone())).is_none_or(|at| now.saturating_sub(*at) >= self.every)
    }

    /// Once it is committed.
    pub fn noted(&self, secret: Uuid, by: &By, now: Duration) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert((secret, by.clone()), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_due_once_a_minute_for_each_reader_and_secret() {
        let reads = NotedReads::new(Duration::from_secs(60));
        let (one, two, by) = (Uuid::from_u128(1), Uuid::from_u128(2), By::Engine("ai"));
        let at = Duration::from_secs;
        assert!(reads.is_due(one, &by, at(0)));
        assert!(reads.is_due(one, &by, at(1)), "until it is written down");
        reads.noted(one, &by, at(1));
        assert!(!reads.is_due(one, &by, at(60)) && reads.is_due(one, &by, at(61)));
        assert!(reads.is_due(two, &by, at(2)) && reads.is_due(one, &By::Engine("bridge"), at(2)));
    }
}
