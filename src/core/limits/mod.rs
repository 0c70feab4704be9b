//! What one account may do in a while, over all of its devices and through both doors, the WebSocket and HTTP: messages and
//! their bytes, rooms and spaces made, people added, and sockets open at once.
//!
//! Buckets (the generic cell rate algorithm, governor): so much at once, refilled evenly. Sockets are counted, since they
//! last. How often an address may sign in or register is `auth`'s own.
//!
//! Invariants
//! - One allowance an account, not one a socket or an address: opening another connection buys nothing.
//! - Time is monotonic: setting the wall clock neither locks out nor lets through.
//! - Whoever is refused is told when to come again, and has used up nothing of what refused them; of two allowances, the
//!   first may have been used.
//! - Memory holds accounts whose allowance is not whole, and those with sockets; all others are forgotten once a minute.

pub mod config;
mod sockets;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use metrics::{counter, describe_counter};

use config::LimitsConfig;
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;
pub use sockets::SocketPlace;
use sockets::Sockets;

/// How often accounts whose allowance is whole again are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A whole allowance is back after so long at most.
const REFILL_WITHIN: Duration = Duration::from_secs(366 * 24 * 3_600);

/// When an account that has as many sockets as it may should try again: one that was cut off may take as long to be noticed.
const SOCKET_AGAIN_MS: u64 = 10_000;

/// Why something is not done now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limited {
    #[error(
        "Your account sends more messages than it may, over all of its devices. Send it again later, with the same client_id."
    )]
    Messages { retry_after_ms: u64 },
    #[error(
        "Your account sends more text than it may, over all of its devices. Send it again later, with the same client_id."
    )]
    Bytes { retry_after_ms: u64 },
    #[error("Your account makes more rooms and spaces than it may. Try again later.")]
    Rooms { retry_after_ms: u64 },
    #[error("Your account adds more people to rooms and spaces than it may. Try again later.")]
    People { retry_after_ms: u64 },
    #[error("At most {max} people can be added at once. Add them in several steps.")]
    PeopleAtOnce { max: u32 },
    #[error("Your account has as many connections open as it may: {max}. Close one, or come back later.")]
    Sockets { max: u32 },
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        let detail = limited.to_string();
        match limited {
            Limited::Messages { retry_after_ms } => Self::too_many("limits.messages", detail, retry_after_ms),
            Limited::Bytes { retry_after_ms } => Self::too_many("limits.bytes", detail, retry_after_ms),
            Limited::Rooms { retry_after_ms } => Self::too_many("limits.rooms", detail, retry_after_ms),
            Limited::People { retry_after_ms } => Self::too_many("limits.people", detail, retry_after_ms),
            Limited::PeopleAtOnce { .. } => Self::invalid("limits.people_at_once", detail),
            Limited::Sockets { .. } => Self::too_many("limits.sockets", detail, SOCKET_AGAIN_MS),
        }
    }
}

/// The allowances of all accounts. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    messages: Bucket,
    bytes: Bucket,
    rooms: Bucket,
    people: Bucket,
    people_at_once: u32,
    sockets: Sockets,
}

impl Limits {
    pub fn new(config: &LimitsConfig) -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(3_600);
        let c = config;
        Self(Arc::new(Inner {
            messages: Bucket::new("messages", c.messages_burst, c.messages_per_minute, MINUTE, DefaultClock::default()),
            bytes: Bucket::new("bytes", c.bytes_burst, c.bytes_per_minute, MINUTE, DefaultClock::default()),
            rooms: Bucket::new("rooms", c.rooms_burst, c.rooms_per_hour, HOUR, DefaultClock::default()),
            people: Bucket::new("people", c.people_burst, c.people_per_hour, HOUR, DefaultClock::default()),
            people_at_once: c.people_burst,
            sockets: Sockets::new(c.sockets_max),
        }))
    }

    /// `by` wants to post a message of so many bytes.
    pub fn post(&self, by: UserId, bytes: usize) -> Result<(), Limited> {
        self.0.messages.take(by, 1).map_err(|wait| Limited::Messages { retry_after_ms: wait.ms() })?;
        let bytes = u32::try_from(bytes.max(1)).unwrap_or(u32::MAX);
        self.0.bytes.take(by, bytes).map_err(|wait| Limited::Bytes { retry_after_ms: wait.ms() })
    }

    /// `by` wants to change a room, as its members then hear: that counts as a message.
    pub fn change_room(&self, by: UserId) -> Result<(), Limited> {
        self.0.messages.take(by, 1).map_err(|wait| Limited::Messages { retry_after_ms: wait.ms() })
    }

    /// `by` wants to make a room or a space.
    pub fn make_room(&self, by: UserId) -> Result<(), Limited> {
        self.0.rooms.take(by, 1).map_err(|wait| Limited::Rooms { retry_after_ms: wait.ms() })
    }

    /// `by` wants to add so many others to a room or a space.
    pub fn add_people(&self, by: UserId, count: usize) -> Result<(), Limited> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self.0.people.take(by, count) {
            Ok(()) => Ok(()),
            Err(Wait::For(ms)) => Err(Limited::People { retry_after_ms: ms }),
            Err(Wait::Never) => Err(Limited::PeopleAtOnce { max: self.0.people_at_once }),
        }
    }

    /// The right of one more socket of `user` to be here.
    pub fn connect(&self, user: UserId) -> Result<SocketPlace, Limited> {
        self.0.sockets.take(user).ok_or_else(|| {
            count_refusal("sockets");
            Limited::Sockets { max: self.0.sockets.max() }
        })
    }
}

/// How long until there is enough again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    For(u64),
    /// It is more than the whole allowance.
    Never,
}

impl Wait {
    /// For what the configuration lets be as large as anything that can be sent.
    fn ms(self) -> u64 {
        match self {
            Self::For(ms) => ms,
            Self::Never => u64::from(u32::MAX),
        }
    }
}

type States = DashMapStateStore<UserId>;

/// One allowance an account. Looking it up takes the lock of one of many shards for a moment, for reading: 100 ns.
struct Bucket<C: Clock = DefaultClock> {
    name: &'static str,
    limiter: RateLimiter<UserId, States, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    begun: Instant,
    /// Seconds after `begun`.
    tidied_at: AtomicU64,
}

impl<C: Clock + Clone> Bucket<C> {
    fn new(name: &'static str, burst: u32, refill: u32, every: Duration, clock: C) -> Self {
        let (burst, refill) = (burst.max(1), refill.max(1));
        // Never nothing, and the whole of it within what a clock of nanoseconds can count.
        let one_each = (every / refill).clamp(Duration::from_nanos(1), REFILL_WITHIN / burst);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(one_each).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst);
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        Self { name, limiter, clock, begun: Instant::now(), tidied_at: AtomicU64::new(0) }
    }

    fn take(&self, by: UserId, count: u32) -> Result<(), Wait> {
        let Some(count) = NonZeroU32::new(count) else { return Ok(()) };
        self.tidy();
        let wait = match self.limiter.check_key_n(&by, count) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.clock.now());
                Wait::For(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1))
            }
            Err(_) => Wait::Never,
        };
        count_refusal(self.name);
        Err(wait)
    }

    fn tidy(&self) {
        let now_s = self.begun.elapsed().as_secs();
        let tidied_at = self.tidied_at.load(Ordering::Relaxed);
        let is_due = now_s.saturating_sub(tidied_at) >= TIDY_EVERY.as_secs();
        // One of those who come at the same time does it.
        if is_due && self.tidied_at.compare_exchange(tidied_at, now_s, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.limiter.retain_recent();
        }
    }
}

fn count_refusal(limit: &'static str) {
    counter!("parlance_limited_total", "limit" => limit).increment(1);
}

/// What is counted here, with its meaning.
pub fn describe_metrics() {
    describe_counter!(
        "parlance_limited_total",
        "What accounts were refused because they had used up their allowance, by limit"
    );
    for limit in ["messages", "bytes", "rooms", "people", "sockets"] {
        counter!("parlance_limited_total", "limit" => limit).absolute(0);
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn bucket(burst: u32, per_minute: u32) -> (Bucket<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Bucket::new("test", burst, per_minute, Duration::from_secs(60), clock.clone()), clock)
    }

    #[test]
    fn an_account_may_spend_its_allowance_at_once_and_gets_it_back_evenly() {
        let (bucket, clock) = bucket(3, 60);
        assert!((0..3).all(|_| bucket.take(user(1), 1).is_ok()));
        let Err(Wait::For(ms)) = bucket.take(user(1), 1) else { panic!("not limited") };
        assert!((900..=1_001).contains(&ms), "{ms}");
        bucket.take(user(2), 3).unwrap();
        clock.advance(Duration::from_millis(ms));
        bucket.take(user(1), 1).unwrap();
        assert!(bucket.take(user(1), 1).is_err(), "one a second, not more");
        clock.advance(Duration::from_secs(3_600));
        bucket.take(user(1), 3).unwrap();
        assert!(bucket.take(user(1), 1).is_err(), "never more than the whole allowance");
    }

    #[test]
    fn more_than_there_ever_is_is_refused_for_good_and_costs_nothing() {
        let (bucket, _clock) = bucket(3, 60);
        assert_eq!(bucket.take(user(1), 4), Err(Wait::Never));
        bucket.take(user(1), 3).unwrap();
        bucket.take(user(1), 0).unwrap();
    }

    #[test]
    fn an_allowance_beyond_all_measure_still_comes_back() {
        for (burst, refill) in [(u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX), (0, 0)] {
            let bucket = Bucket::new("test", burst, refill, Duration::from_secs(3_600), FakeRelativeClock::default());
            bucket.take(user(1), burst.max(1)).unwrap();
        }
    }

    #[test]
    fn accounts_whose_allowance_is_whole_are_forgotten() {
        let (bucket, clock) = bucket(2, 60);
        (0..1_000).for_each(|n| bucket.take(user(n), 1).unwrap());
        assert_eq!(bucket.limiter.len(), 1_000);
        clock.advance(Duration::from_secs(61));
        bucket.limiter.retain_recent();
        assert_eq!(bucket.limiter.len(), 0);
    }

    #[test]
    fn each_limit_has_a_code_of_its_own_and_says_when_to_come_again() {
        for (limited, code, status, later) in [
            (Limited::Messages { retry_after_ms: 5 }, "limits.messages", 429, Some(5)),
            (Limited::Bytes { retry_after_ms: 6 }, "limits.bytes", 429, Some(6)),
            (Limited::Rooms { retry_after_ms: 7 }, "limits.rooms", 429, Some(7)),
            (Limited::People { retry_after_ms: 8 }, "limits.people", 429, Some(8)),
            (Limited::PeopleAtOnce { max: 9 }, "limits.people_at_once", 422, None),
            (Limited::Sockets { max: 1 }, "limits.sockets", 429, Some(SOCKET_AGAIN_MS)),
        ] {
            let problem = Problem::from(limited);
            assert_eq!((problem.code, problem.status.as_u16(), problem.retry_after_ms), (code, status, later));
        }
    }
}
