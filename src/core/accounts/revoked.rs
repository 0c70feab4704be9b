//! Families that were signed out while access tokens of theirs have not run out.
//!
//! This is what lets [`Auth::verify`](super::Auth::verify) refuse a signed-out token without asking the database, however
//! often it comes; that a sign-in which is not in here goes on is another question, and `recent.rs` answers it.
//! Invariant: a family is forgotten only after its last access token has expired, so the set is as large as
//! the sign-outs of one access token's life.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use dashmap::DashMap;

use parlance_foundation::ids::FamilyId;

/// How often, in seconds, entries that no longer matter are dropped.
const TIDY_EVERY_S: i64 = 60;

#[derive(Debug, Default)]
pub(super) struct RevokedFamilies {
    /// When the last access token of the family ends.
    until: DashMap<FamilyId, DateTime<Utc>>,
    /// Seconds since 1970.
    tidied_at: AtomicI64,
}

impl RevokedFamilies {
    pub(super) fn insert(&self, family: FamilyId, access_expires_at: DateTime<Utc>, now: DateTime<Utc>) {
        let now_s = now.timestamp();
        if now_s - self.tidied_at.load(Ordering::Relaxed) >= TIDY_EVERY_S {
            self.tidied_at.store(now_s, Ordering::Relaxed);
            self.until.retain(|_, until| *until > now);
        }
        self.until.insert(family, access_expires_at);
    }

    pub(super) fn contains(&self, family: FamilyId) -> bool {
        self.until.contains_key(&family)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use parlance_foundation::clock::Clock;

    #[test]
    fn a_family_is_remembered_as_long_as_its_tokens_live() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let revoked = RevokedFamilies::default();
        let (first, second) = (FamilyId::new(&clock), FamilyId::new(&clock));
        revoked.insert(first, clock.now() + Duration::from_secs(900), clock.now());
        assert!(revoked.contains(first) && !revoked.contains(second));
        clock.advance(Duration::from_secs(901));
        revoked.insert(second, clock.now() + Duration::from_secs(900), clock.now());
        assert!(!revoked.contains(first) && revoked.contains(second));
        assert_eq!(revoked.until.len(), 1);
    }
}
