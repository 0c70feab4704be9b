//! Who lives in the tree right now: names, states and restarts, for `/internal/actors` and for orderly stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use utoipa::ToSchema;

use super::heartbeat::{self, Waiting};

/// Where an actor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    Starting,
    Running,
    /// Ended by a panic and waiting for its next life.
    Restarting,
    Stopping,
    Ended,
}

/// One line of the live tree.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActorReport {
    /// Its place in the tree, such as `app/rooms/0192…`.
    pub name: String,
    /// What kind of actor it is, such as `Room`.
    pub actor: &'static str,
    pub life: Life,
    pub restarts: u32,
    /// What the actor says of itself; null when it did not answer in time.
    pub state: serde_json::Value,
}

type Beat = Box<dyn Fn() + Send + Sync>;
type AskState = Box<dyn Fn() -> Option<oneshot::Receiver<serde_json::Value>> + Send + Sync>;

/// The part of a slot that does not depend on the actor's type.
pub(super) struct Status {
    pub name: String,
    pub kind: &'static str,
    /// When it fails for good, the engine stops.
    essential: bool,
    restarts: AtomicU32,
    life: watch::Sender<Life>,
    wanted: watch::Sender<Wanted>,
    /// For an answer to the last heartbeat.
    pub waiting: Arc<Waiting>,
}

/// What was asked of an actor's supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Life,
    Stop,
    Kill,
}

impl Status {
    pub fn new(name: String, kind: &'static str, essential: bool) -> Self {
        let (life, _) = watch::channel(Life::Starting);
        let (wanted, _) = watch::channel(Wanted::Life);
        Self { name, kind, essential, restarts: AtomicU32::new(0), life, wanted, waiting: Waiting::new() }
    }

    pub fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub fn set_life(&self, life: Life) {
        self.life.send_replace(life);
    }

    pub fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    pub async fn stop(&self, patience: Duration) {
        self.wanted.send_if_modified(|wanted| std::mem::replace(wanted, Wanted::Stop) == Wanted::Life);
        if tokio::time::timeout(patience, self.ended()).await.is_err() {
            tracing::warn!(actor = %self.name, "did not stop in time; ending it");
            self.wanted.send_replace(Wanted::Kill);
            self.ended().await;
        }
    }

    pub async fn ended(&self) {
        // The sender is in `self`: it cannot be gone while we wait.
        let _ = self.life.subscribe().wait_for(|life| *life == Life::Ended).await;
    }
}

struct Entry {
    status: Arc<Status>,
    ask: AskState,
    beat: Beat,
}

/// In so many beats every actor is asked once.
const SLICES: u64 = 12;

/// An actor that has answered nothing for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its place in the tree.
    pub name: String,
    /// What kind of actor it is.
    pub kind: &'static str,
    /// Whether the engine cannot go on without it.
    pub is_essential: bool,
    pub owed_for: Duration,
}

/// All supervised actors, by name.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Arc<DashMap<u64, Entry>>,
    next: Arc<AtomicU64>,
    /// As the last heartbeat found them.
    stuck: Arc<ArcSwap<Vec<Stuck>>>,
}

impl Registry {
    pub(super) fn enter(&self, status: Arc<Status>, ask: AskState, beat: Beat) -> u64 {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.entries.insert(key, Entry { status, ask, beat });
        key
    }

    pub(super) fn leave(&self, key: u64) {
        self.entries.remove(&key);
    }

    /// Whether every actor without which the engine cannot go on runs, or is about to for the first time.
    pub fn all_well(&self) -> bool {
        let well = |status: &Status| matches!(*status.life.borrow(), Life::Starting | Life::Running);
        self.entries.iter().all(|entry| !entry.status.essential || well(&entry.status))
    }

    /// The actors that answer nothing, the one that is silent for longest first.
    pub fn stuck(&self) -> Arc<Vec<Stuck>> {
        self.stuck.load_full()
    }

    /// Those without which the engine cannot go on, in words, for people; `None` when each of them answers.
    pub fn stuck_in_words(&self) -> Option<String> {
        let mut stuck = Vec::clone(&self.stuck());
        stuck.retain(|one| one.is_essential);
        (!stuck.is_empty()).then(|| heartbeat::named(&stuck))
    }

    /// Asks every actor that is not asked already: those without which the engine cannot go on, of which there are a few on
    /// each thread, at each beat; of the others, which may be a hundred thousand rooms, one slice a beat.
    pub(super) fn ask(&self, beat: u64) {
        for entry in self.entries.iter() {
            if entry.status.essential || entry.key() % SLICES == beat % SLICES {
                (entry.beat)();
            }
        }
    }

    /// Looks who has owed an answer for `after`, keeps that, and counts it by kind.
    pub(super) fn find_stuck(&self, after: Duration) -> Arc<Vec<Stuck>> {
        let mut stuck: Vec<Stuck> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let owed_for = entry.status.waiting.owed_for().filter(|owed| *owed >= after)?;
                let status = &entry.status;
                Some(Stuck { name: status.name.clone(), kind: status.kind, is_essential: status.essential, owed_for })
            })
            .collect();
        stuck.sort_by_key(|one| std::cmp::Reverse(one.owed_for));
        let mut kinds: BTreeMap<&'static str, u32> = self.stuck.load().iter().map(|one| (one.kind, 0)).collect();
        for one in &stuck {
            *kinds.entry(one.kind).or_default() += 1;
        }
        for (kind, actors) in kinds {
            metrics::gauge!("parlance_actors_stuck", "actor" => kind).set(actors);
        }
        let stuck = Arc::new(stuck);
        self.stuck.store(Arc::clone(&stuck));
        stuck
    }

    /// How many actors there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first `limit` actors by name; each gets until `patience` to tell its state.
    pub async fn reports(&self, limit: usize, patience: Duration) -> Vec<ActorReport> {
        let mut asked: Vec<_> =
            self.entries.iter().map(|entry| (entry.status.clone(), entry.key().to_owned())).collect();
        asked.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        asked.truncate(limit);
        let deadline = tokio::time::Instant::now() + patience;
        let answers: Vec<_> = asked
            .into_iter()
            .map(|(status, key)| {
                let answer = self.entries.get(&key).and_then(|entry| (entry.ask)());
                (status, answer)
            })
            .collect();
        let mut reports = Vec::with_capacity(answers.len());
        for (status, answer) in answers {
            let state = match answer {
                Some(answer) => tokio::time::timeout_at(deadline, answer).await.ok().and_then(Result::ok),
                None => None,
            };
            let life = *status.life.borrow();
            reports.push(ActorReport {
                name: status.name.clone(),
                actor: status.kind,
                life,
                restarts: status.restarts(),
                state: state.unwrap_or_default(),
            });
        }
        reports
    }
}
