//! One task a supervised actor: start it, watch it end, decide what follows.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::dev::ToEnvelope;
use actix::{Addr, AsyncContext, Context};
use actix_rt::ArbiterHandle;
use arc_swap::ArcSwapOption;
use tokio::sync::{mpsc, oneshot, watch};

use super::config::SupervisionConfig;
use super::handle::{ActorHandle, Slot};
use super::heartbeat;
use super::registry::{Life, Registry, Status, Wanted};
use super::restart::{Budget, RestartRule};
use super::{Inspect, Pulse, Shutdown, Supervised};

/// What to do when an actor panicked more often than its rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSpent {
    /// The engine cannot do without it: stop everything in order and exit with code 70.
    Escalate,
    /// Its parent opens it again on next use.
    GiveUp,
}

/// How one actor is kept.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its place in the tree, such as `app/persister-0`.
    pub name: String,
    /// What kind of actor it is, such as `Persister`: the label of its metrics.
    pub kind: &'static str,
    pub mailbox_max: usize,
    pub restart: RestartRule,
    pub on_spent: OnSpent,
}

/// An actor whose restarts are spent and without which the engine cannot go on.
#[derive(Clone, Debug)]
pub struct Escalation {
    pub actor: String,
}

/// Starts actors and keeps them alive. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    registry: Registry,
    escalations: mpsc::UnboundedSender<Escalation>,
}

/// How a life ended.
enum Ended {
    Stopped,
    Panicked(String),
    Killed,
}

impl Supervisor {
    /// A supervisor and the end at which escalations arrive.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Escalation>) {
        let (escalations, receiver) = mpsc::unbounded_channel();
        (Self { registry: Registry::default(), escalations }, receiver)
    }

    /// The live tree.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Asks every actor at each heartbeat whether it is there, on this thread, until the task is aborted. Who does not
    /// answer is in [`Registry::stuck`], in a metric, and in the log once a minute.
    pub fn watch(&self, config: &SupervisionConfig) -> tokio::task::JoinHandle<()> {
        let [every, stuck_after] = [config.heartbeat_ms, config.stuck_after_ms].map(Duration::from_millis);
        actix_rt::spawn(heartbeat::beat(self.registry.clone(), every, stuck_after))
    }

    /// Starts an actor on `arbiter`'s thread; `make` builds it anew for each life. Until its thread gets to it, sends
    /// answer `Down`.
    pub fn start<A>(
        &self,
        spec: Spec,
        arbiter: &ArbiterHandle,
        make: impl Fn(&ActorHandle<A>) -> A + Send + Sync + 'static,
    ) -> ActorHandle<A>
    where
        A: Supervised,
        A::Context: ToEnvelope<A, Shutdown> + ToEnvelope<A, Inspect> + ToEnvelope<A, Pulse>,
    {
        let (handle, key) = self.enter(&spec);
        let (supervisor, own) = (self.clone(), handle.clone());
        // Only the closure travels: the future holds the actor, which never leaves its thread.
        let begun = arbiter.spawn_fn(move || {
            let keeper = Keeper { handle: own, spec, make: Rc::new(make), supervisor, key };
            let first = keeper.begin();
            actix_rt::spawn(keeper.keep(first));
        });
        if !begun {
            tracing::error!(actor = handle.name(), "its thread has ended: the actor cannot start");
        }
        handle
    }

    /// Starts an actor on this thread; it takes messages at once, and may share what only this thread has.
    pub fn start_here<A>(&self, spec: Spec, make: impl Fn(&ActorHandle<A>) -> A + 'static) -> ActorHandle<A>
    where
        A: Supervised,
        A::Context: ToEnvelope<A, Shutdown> + ToEnvelope<A, Inspect> + ToEnvelope<A, Pulse>,
    {
        let (handle, key) = self.enter(&spec);
        let keeper = Keeper { handle: handle.clone(), spec, make: Rc::new(make), supervisor: self.clone(), key };
        let first = keeper.begin();
        actix_rt::spawn(keeper.keep(first));
        handle
    }

    /// A handle for a new actor, and its entry in the registry.
    fn enter<A>(&self, spec: &Spec) -> (ActorHandle<A>, u64)
    where
        A: Supervised,
        A::Context: ToEnvelope<A, Inspect> + ToEnvelope<A, Pulse>,
    {
        let status = Arc::new(Status::new(spec.name.clone(), spec.kind, spec.on_spent == OnSpent::Escalate));
        let handle = ActorHandle::new(Arc::new(Slot { address: ArcSwapOption::empty(), status: Arc::clone(&status) }));
        let asked = handle.clone();
        let ask = move || {
            let (sender, receiver) = oneshot::channel();
            asked.send(Inspect(sender)).ok().map(|()| receiver)
        };
        let asked = handle.clone();
        let beat = move || asked.beat();
        let key = self.registry.enter(status, Box::new(ask), Box::new(beat));
        (handle, key)
    }
}

/// The supervising side of one actor.
struct Keeper<A: Supervised, F> {
    handle: ActorHandle<A>,
    spec: Spec,
    make: Rc<F>,
    supervisor: Supervisor,
    /// Its entry in the registry.
    key: u64,
}

/// One life under way.
struct Lively<A: Supervised> {
    address: Addr<A>,
    task: tokio::task::JoinHandle<()>,
}

impl<A: Supervised, F: Fn(&ActorHandle<A>) -> A + 'static> Keeper<A, F>
where
    A::Context: ToEnvelope<A, Shutdown> + ToEnvelope<A, Inspect> + ToEnvelope<A, Pulse>,
{
    /// Lives and restarts until the end, then takes the actor off the registry.
    async fn keep(self, first: Lively<A>) {
        self.restart_until_spent(first).await;
        self.supervisor.registry.leave(self.key);
        self.handle.status().set_life(Life::Ended);
    }

    async fn restart_until_spent(&self, first: Lively<A>) {
        let mut life = Some(first);
        let mut budget = Budget::new(self.spec.restart);
        let mut wanted = self.handle.status().wanted();
        // A stop that was asked for before this line must be seen by the first life as well.
        wanted.mark_changed();
        loop {
            let life = life.take().unwrap_or_else(|| self.begin());
            let cause = match self.watch(life, &mut wanted).await {
                Ended::Panicked(cause) => cause,
                Ended::Stopped | Ended::Killed => return,
            };
            let actor = &self.spec.name;
            let Some(pause) = budget.spend(Instant::now()) else {
                tracing::error!(%actor, %cause, "panicked; no restart left");
                if self.spec.on_spent == OnSpent::Escalate {
                    // Nobody listens only once the engine is already stopping.
                    let _ = self.supervisor.escalations.send(Escalation { actor: actor.clone() });
                }
                return;
            };
            self.handle.status().set_life(Life::Restarting);
            self.handle.status().count_restart();
            metrics::counter!("parlance_actor_restarts_total", "actor" => self.spec.kind).increment(1);
            tracing::error!(%actor, %cause, pause_ms = pause.as_millis(), "panicked; starting it again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = wanted.wait_for(|wanted| *wanted != Wanted::Life) => return,
            }
        }
    }

    /// Begins a life: from here on, sends are taken.
    fn begin(&self) -> Lively<A> {
        let mut context = Context::<A>::new();
        context.set_mailbox_capacity(self.spec.mailbox_max);
        let address = context.address();
        let (make, handle) = (Rc::clone(&self.make), self.handle.clone());
        // The constructor runs inside the task, so that its panic is a panic of the actor.
        let task = actix_rt::spawn(async move { context.into_future(make(&handle)).await });
        self.handle.slot().address.store(Some(Arc::new(address.clone())));
        self.handle.status().set_life(Life::Running);
        Lively { address, task }
    }

    /// Follows a life to its `stopped` or to its panic.
    async fn watch(&self, life: Lively<A>, wanted: &mut watch::Receiver<Wanted>) -> Ended {
        let Lively { address, mut task } = life;
        let ended = loop {
            tokio::select! {
                joined = &mut task => break ended_by(joined),
                _ = wanted.changed() => match *wanted.borrow_and_update() {
                    Wanted::Life => {}
                    Wanted::Stop => {
                        self.handle.status().set_life(Life::Stopping);
                        let stop = address.clone();
                        // `send` waits for room in a full mailbox; the actor may end meanwhile.
                        actix_rt::spawn(async move { let _ = stop.send(Shutdown).await; });
                    }
                    Wanted::Kill => {
                        task.abort();
                        break Ended::Killed;
                    }
                },
            }
        };
        self.handle.slot().address.store(None);
        ended
    }
}

fn ended_by(joined: Result<(), tokio::task::JoinError>) -> Ended {
    match joined {
        Ok(()) => Ended::Stopped,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => Ended::Panicked(panic_text(&*payload)),
            Err(_) => Ended::Killed,
        },
    }
}

/// What a panic said.
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a text".into())
}
