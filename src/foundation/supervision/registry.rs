//! Who lives in the tree right now: names, states and restarts, for `/internal/actors` and for orderly stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use utoipa::ToSchema;

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
        Self { name, kind, essential, restarts: AtomicU32::new(0), life, wanted }
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
}

/// All supervised actors, by name.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Arc<DashMap<u64, Entry>>,
    next: Arc<AtomicU64>,
}

impl Registry {
    pub(super) fn enter(&self, status: Arc<Status>, ask: AskState) -> u64 {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.entries.insert(key, Entry { status, ask });
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
