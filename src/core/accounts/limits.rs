//! How often an address or an account may try.
//!
//! The generic cell rate algorithm (governor), on the engine's monotonic clock: a step of the time of day neither locks
//! anybody out nor gives a guesser a fresh allowance. A key falls by a randomly seeded hash into one of `limit_keys_max`
//! cells. Invariants: memory is bounded whatever arrives, and holds no address or email; a flood from many addresses
//! fills cells a little each rather than shutting newcomers out. The price: two keys may share a cell and its allowance,
//! which nobody can aim for.
//!
//! Guessing a password uses up the guesser's own allowance first, that of an account from one address; the allowance of
//! the account as a whole is for guesses from many addresses. Whoever uses that up would lock the owner out, so a device
//! that has signed in to the account before has an allowance of its own.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::address::ClientAddress;
use super::config::AuthConfig;
use super::error::AuthError;
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::UserId;

/// How often, in seconds, cells whose allowance is whole again are freed.
const TIDY_EVERY_S: u64 = 60;

/// All limits of accounts.
#[derive(Debug)]
pub(super) struct Limits {
    login_address: Limit,
    login_account_address: Limit,
    login_account: Limit,
    login_device: Limit,
    password_account: Limit,
    register_address: Limit,
    refresh_address: Limit,
}

impl Limits {
    pub(super) fn new(config: &AuthConfig, clock: &Clock) -> Self {
        let limit = |name, per: fn(NonZeroU32) -> Quota, count| {
            Limit::new(name, per(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)), config.limit_keys_max, clock)
        };
        let minute = |name, count| limit(name, Quota::per_minute, count);
        Self {
            login_address: minute("login_address", config.login_per_address_per_minute),
            login_account_address: minute("login_account_address", config.login_per_account_and_address_per_minute),
            login_account: minute("login_account", config.login_per_account_per_minute),
            login_device: minute("login_device", config.login_per_device_per_minute),
            password_account: minute("password_account", config.password_per_account_per_minute),
            register_address: limit("register_address", Quota::per_hour, config.register_per_address_per_hour),
            refresh_address: minute("refresh_address", config.refresh_per_address_per_minute),
        }
    }

    /// What one address may try at all, whatever it tries: each try costs a hash.
    pub(super) fn login_from(&self, address: ClientAddress) -> Result<(), AuthError> {
        self.login_address.take(&address)
    }

    /// Counted by what was typed, not by who it is, so that the limit says nothing about which accounts exist.
    pub(super) fn login_to(&self, login: &str, address: ClientAddress) -> Result<(), AuthError> {
        let login = login.to_lowercase();
        self.login_account_address.take(&(&login, address))?;
        self.login_account.take(&login)
    }

    /// The way through for a device that has signed in to this account before. It is an allowance too, because a
    /// device's id is no secret of the engine's making.
    pub(super) fn login_on(&self, user: UserId, device_id: &str) -> Result<(), AuthError> {
        self.login_device.take(&(user, device_id))
    }

    /// Guesses at the current password by somebody who holds an access token.
    pub(super) fn current_password(&self, user: UserId) -> Result<(), AuthError> {
        self.password_account.take(&user)
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
    limiter: RateLimiter<u64, DashMapStateStore<u64>, Monotonic, NoOpMiddleware<Duration>>,
    hasher: RandomState,
    cells: u64,
    clock: Monotonic,
    /// Seconds on the monotonic clock.
    tidied_at: AtomicU64,
}

impl Limit {
    fn new(name: &'static str, quota: Quota, keys_max: usize, clock: &Clock) -> Self {
        let clock = Monotonic(clock.clone());
        Self {
            name,
            limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()),
            hasher: RandomState::new(),
            cells: keys_max.max(1) as u64,
            clock,
            tidied_at: AtomicU64::new(0),
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
        let now_s = self.clock.0.monotonic().as_secs();
        if now_s.saturating_sub(self.tidied_at.load(Ordering::Relaxed)) >= TIDY_EVERY_S {
            self.tidied_at.store(now_s, Ordering::Relaxed);
            self.limiter.retain_recent();
        }
    }
}

/// The engine's clock in the terms of governor.
#[derive(Clone, Debug)]
struct Monotonic(Clock);

impl governor::clock::Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

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
    fn a_step_of_the_time_of_day_changes_no_allowance() {
        let clock = clock();
        let limit = Limit::new("test", Quota::per_minute(NonZeroU32::new(3).unwrap()), 1_000, &clock);
        for step in [TimeDelta::days(2), TimeDelta::days(-4), TimeDelta::zero()] {
            clock.step(step);
            limit.take(&"ada").unwrap();
        }
        clock.step(TimeDelta::days(2));
        let Err(AuthError::TooManyAttempts { retry_after_ms }) = limit.take(&"ada") else {
            panic!("a fresh allowance")
        };
        clock.step(TimeDelta::days(-20));
        clock.advance(Duration::from_millis(retry_after_ms));
        limit.take(&"ada").unwrap();
        clock.advance(Duration::from_secs(120));
        limit.take(&"ben").unwrap();
        assert_eq!(limit.limiter.len(), 1, "and cells are freed as ever");
    }

    #[test]
    fn capitals_do_not_buy_tries() {
        let mut config = parlance_foundation::testing::defaults::<AuthConfig>("auth");
        config.login_per_account_per_minute = 2;
        let limits = Limits::new(&config, &clock());
        let from = |last: u8| ClientAddress::from([192, 0, 2, last]);
        limits.login_to("ada", from(1)).unwrap();
        limits.login_to("ADA", from(2)).unwrap();
        assert!(limits.login_to("Ada", from(3)).is_err(), "one account, whatever the address");
        limits.login_to("ben", from(3)).unwrap();
    }

    #[test]
    fn who_guesses_from_one_address_uses_up_the_own_allowance() {
        let mut config = parlance_foundation::testing::defaults::<AuthConfig>("auth");
        (config.login_per_account_and_address_per_minute, config.login_per_account_per_minute) = (3, 10);
        let limits = Limits::new(&config, &clock());
        let from = |last: u8| ClientAddress::from([192, 0, 2, last]);
        let admitted = (0..100).filter(|_| limits.login_to("ada", from(1)).is_ok()).count();
        assert_eq!(admitted, 3);
        limits.login_to("ada", from(2)).unwrap();
    }
}
