//! What was read from Postgres lately, kept for as long as it is sure to be right. Pure; shared by all threads.
//!
//! Postgres stays the truth. An entry is read by whoever misses it, and forgotten by whoever learns that it changed.
//! Between the two there is a race: a value that was read before a change must not be put in after it. So a reader takes
//! a [`ReadToken`] before it reads, and what it read is kept only if nothing near it was forgotten since.
//!
//! Invariants
//! - [`Recent::get`] never returns what was read before the last [`Recent::forget`] of the key.
//! - While it is not trusted, because nobody hears of changes, it is empty and keeps nothing. That is how it begins.
//! - It holds at most the number of entries that it was made for; those unused for longest go.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;

/// Parts with a lock of their own, so that threads seldom meet.
const SHARDS_MAX: usize = 64;

/// See the module.
pub struct Recent<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    meters: Meters,
}

struct Shard<K, V> {
    entries: LruCache<K, V>,
    /// How often something was forgotten here: coarser than by key, which costs a reader another read at worst.
    changes: u64,
    trusted: bool,
}

struct Meters {
    entries: metrics::Gauge,
    hits: metrics::Counter,
    misses: metrics::Counter,
}

/// Version of the shard when a read began: what was read is kept only if that has not changed.
#[derive(Clone, Copy, Debug)]
pub struct ReadToken(u64);

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Empty and not trusted; `name` is the label of its metrics.
    pub fn new(name: &'static str, entries_max: usize) -> Self {
        let count = entries_max.clamp(1, SHARDS_MAX);
        let shard = |_| {
            let entries = LruCache::new(entries_max.div_ceil(count));
            Mutex::new(Shard { entries, changes: 0, trusted: false })
        };
        let lookups = |outcome: &'static str| metrics::counter!("parlance_recent_lookups_total", "of" => name, "outcome" => outcome);
        let meters = Meters {
            entries: metrics::gauge!("parlance_recent_entries", "of" => name),
            hits: lookups("hit"),
            misses: lookups("miss"),
        };
        Self { shards: (0..count).map(shard).collect(), hasher: RandomState::new(), meters }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let found = self.change(key, |shard| shard.entries.get(key).cloned());
        if found.is_some() {
            self.meters.hits.increment(1)
        } else {
            self.meters.misses.increment(1)
        }
        found
    }

    /// To be taken before reading what [`Recent::fill`] gets.
    pub fn read_token(&self, key: &K) -> ReadToken {
        self.change(key, |shard| ReadToken(shard.changes))
    }

    /// Keeps what was read since `token`, unless it may have changed meanwhile. Whether it was kept.
    pub fn fill(&self, key: K, token: ReadToken, value: V) -> bool {
        self.shard_of(&key).is_some_and(|mut shard| {
            let sure = shard.trusted && shard.changes == token.0;
            if sure {
                self.insert(&mut shard, key, value);
            }
            sure
        })
    }

    /// Keeps what the caller knows to be so: reads under way are too old by now.
    pub fn put(&self, key: K, value: V) {
        if let Some(mut shard) = self.shard_of(&key) {
            shard.changes += 1;
            if shard.trusted {
                self.insert(&mut shard, key, value);
            }
        }
    }

    /// It has changed; what was known of it comes back.
    pub fn forget(&self, key: &K) -> Option<V> {
        let mut shard = self.shard_of(key)?;
        shard.changes += 1;
        let known = shard.entries.remove(key);
        self.meters.entries.decrement(f64::from(u8::from(known.is_some())));
        known
    }

    /// Anything may have changed.
    pub fn forget_all(&self) {
        self.each(|shard| shard.changes += 1);
    }

    /// Whether somebody hears of changes from here on. Whatever is known was known under other circumstances: it goes.
    pub fn trust(&self, trusted: bool) {
        self.each(|shard| {
            shard.changes += 1;
            shard.trusted = trusted;
        });
    }

    pub fn is_trusted(&self) -> bool {
        self.shards.first().is_some_and(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).trusted)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).entries.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, shard: &mut Shard<K, V>, key: K, value: V) {
        let before = shard.entries.len();
        shard.entries.insert(key, value);
        // One that was replaced or gave way to this one leaves the number as it is.
        self.meters.entries.increment(f64::from(u8::from(shard.entries.len() > before)));
    }

    /// Changes every shard and empties it.
    fn each(&self, change: impl Fn(&mut Shard<K, V>)) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut shard);
            self.meters.entries.decrement(f64::from(u32::try_from(shard.entries.len()).unwrap_or(u32::MAX)));
            shard.entries.clear();
        }
    }

    fn change<T: Default>(&self, key: &K, change: impl FnOnce(&mut Shard<K, V>) -> T) -> T {
        self.shard_of(key).map(|mut shard| change(&mut shard)).unwrap_or_default()
    }

    fn shard_of(&self, key: &K) -> Option<MutexGuard<'_, Shard<K, V>>> {
        let index = self.hasher.hash_one(key) % self.shards.len().max(1) as u64;
        let shard = self.shards.get(usize::try_from(index).unwrap_or(0))?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for ReadToken {
    /// Of no use: nothing is kept for it.
    fn default() -> Self {
        Self(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn trusted(entries_max: usize) -> Recent<u8, u64> {
        let recent = Recent::new("test", entries_max);
        recent.trust(true);
        recent
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let recent = trusted(100);
        let token = recent.read_token(&1);
        recent.forget(&1);
        assert!(!recent.fill(1, token, 7));
        assert_eq!(recent.get(&1), None);
        assert!(recent.fill(1, recent.read_token(&1), 8));
        assert_eq!((recent.get(&1), recent.forget(&1), recent.get(&1)), (Some(8), Some(8), None));
    }

    #[test]
    fn nothing_is_kept_while_nobody_hears_of_changes() {
        let recent = Recent::new("test", 100);
        assert!(!recent.fill(1, recent.read_token(&1), 7), "it begins untrusted");
        recent.put(1, 7);
        recent.trust(true);
        assert_eq!(recent.get(&1), None);
        let before = recent.read_token(&2);
        recent.put(1, 7);
        recent.trust(false);
        assert!(recent.is_empty() && !recent.is_trusted());
        recent.trust(true);
        assert!(!recent.fill(2, before, 7), "read before the gap");
        recent.put(1, 7);
        recent.forget_all();
        assert!(recent.is_empty());
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let recent: Recent<u32, u32> = Recent::new("test", 640);
        recent.trust(true);
        recent.put(0, 0);
        for n in 1..10_000 {
            recent.put(n, n);
            assert_eq!(recent.get(&0), Some(0));
        }
        assert!(recent.len() <= 640);
    }

    /// Readers and writers of few keys on several threads: nobody ever sees an older value than a change that was told
    /// before they looked.
    #[test]
    fn threads_never_see_a_value_older_than_its_last_change() {
        let recent = trusted(4);
        let truth: [AtomicU64; 3] = Default::default();
        std::thread::scope(|scope| {
            for (key, truth) in (0_u8..).zip(&truth) {
                let recent = &recent;
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        truth.fetch_add(1, Ordering::SeqCst);
                        recent.forget(&key);
                    }
                });
                for _ in 0..2 {
                    scope.spawn(move || {
                        let mut told = 0;
                        for _ in 0..20_000 {
                            let seen = recent.get(&key).unwrap_or_else(|| {
                                let token = recent.read_token(&key);
                                let read = truth.load(Ordering::SeqCst);
                                recent.fill(key, token, read);
                                read
                            });
                            // The change before the newest has been told: the writer went on.
                            assert!(seen + 1 >= told, "{seen} after {told}");
                            told = truth.load(Ordering::SeqCst);
                        }
                    });
                }
            }
        });
        for (key, truth) in (0_u8..).zip(&truth) {
            let last = truth.load(Ordering::SeqCst);
            assert!(recent.get(&key).is_none_or(|seen| seen == last), "stale for good");
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Change(u8),
        BeginRead(u8),
        EndRead(u8),
        Trust(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4_u8).prop_map(Step::Change),
            (0..4_u8).prop_map(Step::BeginRead),
            (0..4_u8).prop_map(Step::EndRead),
            any::<bool>().prop_map(Step::Trust),
        ]
    }

    proptest! {
        #[test]
        fn in_every_order_of_reads_changes_and_gaps_what_is_kept_is_true(steps in prop::collection::vec(step(), 1..80)) {
            let recent = Recent::new("test", 100);
            let (mut truth, mut reads, mut heard) = ([0_u64; 4], HashMap::new(), false);
            for step in steps {
                match step {
                    Step::Change(key) => {
                        truth[usize::from(key)] += 1;
                        if heard {
                            recent.forget(&key);
                        }
                    }
                    Step::BeginRead(key) => {
                        reads.insert(key, (recent.read_token(&key), truth[usize::from(key)]));
                    }
                    Step::EndRead(key) => {
                        if let Some((token, value)) = reads.remove(&key) {
                            recent.fill(key, token, value);
                        }
                    }
                    Step::Trust(now) => {
                        heard = now;
                        recent.trust(now);
                    }
                }
                for key in 0..4_u8 {
                    prop_assert!(recent.get(&key).is_none_or(|value| value == truth[usize::from(key)]));
                }
            }
        }
    }
}
