//! How often an address or an account may try.
//!
//! The generic cell rate algorithm (governor), on the engine's own clock. A key falls by a randomly seeded hash
//! into one of `limit_keys_max` cells. Invariants: memory is bounded whatever arrives, and holds no address or
//! email; a flood from many addresses fills cells a little each rather than shutting newcomers out. The price: two
//! keys may share a cell and its allowance, which nobody can aim for.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::address::ClientAddress;
use super::config::AuthConfig;
use super::error::AuthError;
use crate::clock::Clock;

/// How often, in seconds, cells whose allowance is whole again are freed.
const TIDY_EVERY_S: i64 = 60;

/// All limits of accounts.
#[derive(Debug)]
pub(super) struct Limits {
    login_address: Limit,
    login_account: Limit,
    register_address: Limit,
    refresh_address: Limit,
}

impl Limits {
    pub(super) fn new(config: &AuthConfig, clock: &Clock) -> Self {
        let limit = |name, per: fn(NonZeroU32) -> Quota, count| {
            Limit::new(name, per(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)), config.limit_keys_max, clock)
        };
        Self {
            login_address: limit("login_address", Quota::per_minute, config.login_per_address_per_minute),
            login_account: limit("login_account", Quota::per_minute, config.login_per_account_per_minute),
            register_address: limit("register_address", Quota::per_hour, config.register_per_address_per_hour),
            refresh_address: limit("refresh_address", Quota::per_minute, config.refresh_per_address_per_minute),
        }
    }

    /// Counted by what was typed, not by who it is, so that the limit says nothing about which accounts exist.
    pub(super) fn login(&self, address: ClientAddress, login: &str) -> Result<(), AuthError> {
        self.login_address.take(&address)?;
        self.login_account.take(&login.to_lowercase())
    }

    pub(super) fn register(&self, address: ClientAddress) -> Result<(), AuthError> {
        self.register_address.take(&address)
    }

    pub(super) fn refresh(&self, address: ClientAddress) -> Result<(), AuthError> {
        self.refresh_address.take(&address)
    }
}

/// One allowance a cell.
#[derive(Debug)]
struct Limit {
    name: &'static str,
    limiter: RateLimiter<u64, DashMapStateStore<u64>, Since1970, NoOpMiddleware<Duration>>,
    hasher: RandomState,
    cells: u64,
    clock: Since1970,
    /// Seconds since 1970.
    tidied_at: AtomicI64,
}

impl Limit {
    fn new(name: &'static str, quota: Quota, keys_max: usize, clock: &Clock) -> Self {
        let clock = Since1970(clock.clone());
        Self {
            name,
            limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()),
            hasher: RandomState::new(),
            cells: keys_max.max(1) as u64,
            clock,
            tidied_at: AtomicI64::new(0),
        }
    }

    /// Takes one try of `key`, or says when there is one again.
    fn take(&self, key: &impl Hash) -> Result<(), AuthError> {
        self.tidy();
        let cell = self.hasher.hash_one(key) % self.cells;
        let Err(not_until) = self.limiter.check_key(&cell) else { return Ok(()) };
        metrics::counter!("parlance_attempts_refused_total", "limit" => self.name).increment(1);
        let wait = not_until.wait_time_from(governor::clock::Clock::now(&self.clock));
        Err(AuthError::TooManyAttempts { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) })
    }

    fn tidy(&self) {
        let now_s = self.clock.0.now().timestamp();
        if now_s - self.tidied_at.load(Ordering::Relaxed) >= TIDY_EVERY_S {
            self.tidied_at.store(now_s, Ordering::Relaxed);
            self.limiter.retain_recent();
        }
    }
}

/// The engine's clock in the terms of governor.
#[derive(Clone, Debug)]
struct Since1970(Clock);

impl governor::clock::Clock for Since1970 {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().timestamp_micros()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn clock() -> Clock {
        Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    #[test]
    fn a_key_that_waits_as_told_may_try_again() {
        let clock = clock();
        let limit = Limit::new("test", Quota::per_minute(NonZeroU32::new(3).unwrap()), 1_000, &clock);
        for _ in 0..3 {
            limit.take(&"ada").unwrap();
        }
        let Err(AuthError::TooManyAttempts { retry_after_ms }) = limit.take(&"ada") else { panic!("not limited") };
        assert_eq!(retry_after_ms, 20_000);
        limit.take(&"ben").unwrap();
        clock.advance(Duration::from_millis(retry_after_ms - 1));
        assert!(limit.take(&"ada").is_err(), "too early");
        clock.advance(Duration::from_millis(1));
        limit.take(&"ada").unwrap();
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let clock = clock();
        let limit = Limit::new("test", Quota::per_minute(NonZeroU32::new(2).unwrap()), 100, &clock);
        let admitted = (0..10_000).filter(|key: &u32| limit.take(key).is_ok()).count();
        assert_eq!(admitted, 200, "two tries a cell");
        assert_eq!(limit.limiter.len(), 100);
        clock.advance(Duration::from_secs(120));
        limit.take(&"ada").unwrap();
        assert_eq!(limit.limiter.len(), 1, "whole allowances are freed");
    }

    #[test]
    fn capitals_do_not_buy_tries() {
        let mut config = crate::config::Config::defaults().unwrap().auth;
        config.login_per_account_per_minute = 2;
        let limits = Limits::new(&config, &clock());
        let from = |last: u8| ClientAddress::from([192, 0, 2, last]);
        limits.login(from(1), "ada").unwrap();
        limits.login(from(2), "ADA").unwrap();
        assert!(limits.login(from(3), "Ada").is_err(), "one account, whatever the address");
        limits.login(from(3), "ben").unwrap();
    }
}
