//! What supervision promises, with real actors that really panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message, WrapFuture};
use actix_rt::Arbiter;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::*;

/// Panics, answers or blocks as told.
struct Probe {
    lives: Arc<AtomicU32>,
    ends: mpsc::UnboundedSender<&'static str>,
    name: &'static str,
}

impl Actor for Probe {
    type Context = Context<Self>;
    fn started(&mut self, _: &mut Self::Context) {
        self.lives.fetch_add(1, Ordering::SeqCst);
    }
    fn stopped(&mut self, _: &mut Self::Context) {
        let _ = self.ends.send(self.name);
    }
}

impl Supervised for Probe {
    fn report(&self) -> serde_json::Value {
        json!({ "lives": self.lives.load(Ordering::SeqCst) })
    }
}

crate::supervised!(Probe);

#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

#[derive(Message)]
#[rtype(result = "()")]
struct Ask(oneshot::Sender<u32>);

/// Keeps the actor busy until the test lets it go.
#[derive(Message)]
#[rtype(result = "()")]
struct Block(Arc<Semaphore>);

impl Handler<Panic> for Probe {
    type Result = ();
    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("told to");
    }
}

impl Handler<Ask> for Probe {
    type Result = ();
    fn handle(&mut self, ask: Ask, _: &mut Self::Context) {
        let _ = ask.0.send(self.lives.load(Ordering::SeqCst));
    }
}

impl Handler<Block> for Probe {
    type Result = ();
    fn handle(&mut self, block: Block, ctx: &mut Self::Context) {
        ctx.wait(
            async move {
                let _ = block.0.acquire().await;
            }
            .into_actor(self),
        );
    }
}

struct Rig {
    supervisor: Supervisor,
    escalations: mpsc::UnboundedReceiver<Escalation>,
    ends: mpsc::UnboundedReceiver<&'static str>,
    ended: mpsc::UnboundedSender<&'static str>,
}

impl Rig {
    fn new() -> Self {
        let (supervisor, escalations) = Supervisor::new();
        let (ended, ends) = mpsc::unbounded_channel();
        Self { supervisor, escalations, ends, ended }
    }

    fn probe(&self, name: &'static str, restarts_max: u32, on_spent: OnSpent) -> ActorHandle<Probe> {
        let lives = Arc::new(AtomicU32::new(0));
        let ends = self.ended.clone();
        let spec = Spec {
            name: name.to_owned(),
            kind: "Probe",
            mailbox_max: 4,
            restart: RestartRule::Restart { max: restarts_max, within: Duration::from_secs(60) },
            on_spent,
        };
        let make = move |_: &_| Probe { lives: Arc::clone(&lives), ends: ends.clone(), name };
        self.supervisor.start(spec, &Arbiter::current(), make)
    }
}

/// Sends until the actor is up, then returns its answer: which life it is in.
async fn ask(handle: &ActorHandle<Probe>) -> u32 {
    loop {
        let (sender, receiver) = oneshot::channel();
        if handle.send(Ask(sender)).is_ok()
            && let Ok(life) = receiver.await
        {
            return life;
        }
        tokio::task::yield_now().await;
    }
}

#[actix_rt::test]
async fn a_panicking_actor_is_restarted_and_its_neighbours_live_on() {
    let rig = Rig::new();
    let (victim, neighbour) = (rig.probe("victim", 5, OnSpent::Escalate), rig.probe("neighbour", 5, OnSpent::Escalate));
    assert_eq!((ask(&victim).await, ask(&neighbour).await), (1, 1));
    victim.send(Panic).unwrap();
    // The same handle reaches the second life.
    while ask(&victim).await != 2 {}
    assert_eq!(ask(&neighbour).await, 1);
    assert_eq!((victim.restarts(), neighbour.restarts()), (1, 0));
}

#[actix_rt::test]
async fn messages_behind_a_panic_are_dropped_so_that_their_senders_learn_of_it() {
    let rig = Rig::new();
    let probe = rig.probe("probe", 5, OnSpent::Escalate);
    ask(&probe).await;
    let (sender, receiver) = oneshot::channel();
    probe.send(Panic).unwrap();
    probe.send(Ask(sender)).unwrap();
    assert!(receiver.await.is_err());
}

#[actix_rt::test]
async fn a_spent_restart_limit_escalates() {
    let mut rig = Rig::new();
    let probe = rig.probe("probe", 2, OnSpent::Escalate);
    for life in 1..=3 {
        while ask(&probe).await != life {}
        probe.send(Panic).unwrap();
    }
    assert_eq!(rig.escalations.recv().await.unwrap().actor, "probe");
    probe.ended().await;
    assert!(matches!(probe.send(Panic), Err(Refused::Down(_))));
}

#[actix_rt::test]
async fn an_actor_that_may_be_given_up_does_not_take_the_engine_with_it() {
    let mut rig = Rig::new();
    let probe = rig.probe("probe", 0, OnSpent::GiveUp);
    ask(&probe).await;
    probe.send(Panic).unwrap();
    probe.ended().await;
    assert!(rig.escalations.try_recv().is_err());
    assert!(rig.supervisor.registry().is_empty());
}

#[actix_rt::test]
async fn a_full_mailbox_answers_busy() {
    let rig = Rig::new();
    let probe = rig.probe("probe", 5, OnSpent::Escalate);
    ask(&probe).await;
    let gate = Arc::new(Semaphore::new(0));
    probe.send(Block(Arc::clone(&gate))).unwrap();
    let mut receivers = Vec::new();
    let refused = loop {
        let (sender, receiver) = oneshot::channel();
        match probe.send(Ask(sender)) {
            Ok(()) => receivers.push(receiver),
            Err(refused) => break refused,
        }
        assert!(receivers.len() < 100, "the mailbox has no bound");
    };
    assert!(matches!(refused, Refused::Busy(_)));
    // What was taken is answered once there is room again.
    gate.add_permits(1);
    for receiver in receivers {
        assert_eq!(receiver.await.unwrap(), 1);
    }
}

#[actix_rt::test]
async fn a_stop_is_orderly_and_one_that_hangs_is_cut_short() {
    let mut rig = Rig::new();
    let (first, second) = (rig.probe("first", 5, OnSpent::Escalate), rig.probe("second", 5, OnSpent::Escalate));
    ask(&first).await;
    ask(&second).await;
    first.stop(Duration::from_secs(5)).await;
    assert_eq!(rig.ends.recv().await, Some("first"));
    second.send(Block(Arc::new(Semaphore::new(0)))).unwrap();
    second.stop(Duration::from_millis(50)).await;
    assert_eq!(rig.ends.recv().await, Some("second"));
    assert!(rig.supervisor.registry().is_empty());
}

#[actix_rt::test]
async fn the_registry_reports_states_and_restarts() {
    let rig = Rig::new();
    let probe = rig.probe("probe", 5, OnSpent::Escalate);
    ask(&probe).await;
    let reports = rig.supervisor.registry().reports(10, Duration::from_secs(5)).await;
    assert_eq!((reports[0].name.as_str(), reports[0].life, reports[0].restarts), ("probe", Life::Running, 0));
    assert_eq!(reports[0].state, json!({ "lives": 1 }));
}

/// Which actors answer nothing, once that is as it should be.
async fn stuck_is(rig: &Rig, names: &[&str]) {
    loop {
        let stuck = rig.supervisor.registry().stuck();
        if stuck.iter().map(|one| one.name.as_str()).eq(names.iter().copied()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[actix_rt::test]
async fn an_actor_that_answers_nothing_is_noticed_and_left_alone() {
    let rig = Rig::new();
    let (blocked, neighbour) =
        (rig.probe("blocked", 5, OnSpent::Escalate), rig.probe("neighbour", 5, OnSpent::Escalate));
    assert_eq!((ask(&blocked).await, ask(&neighbour).await), (1, 1));
    let watching = rig.supervisor.watch(&config::SupervisionConfig { heartbeat_ms: 2, stuck_after_ms: 20 });
    let gate = Arc::new(Semaphore::new(0));
    blocked.send(Block(Arc::clone(&gate))).unwrap();
    stuck_is(&rig, &["blocked"]).await;
    assert!(rig.supervisor.registry().stuck_in_words().unwrap().starts_with("blocked for "));
    assert_eq!((ask(&neighbour).await, blocked.restarts()), (1, 0));
    gate.add_permits(1);
    stuck_is(&rig, &[]).await;
    assert_eq!(ask(&blocked).await, 1, "the same life");
    watching.abort();
}

#[actix_rt::test]
async fn a_full_mailbox_takes_the_question_in_its_turn_and_a_question_ends_with_its_actor() {
    let rig = Rig::new();
    let full = rig.probe("full", 0, OnSpent::GiveUp);
    ask(&full).await;
    let gate = Arc::new(Semaphore::new(0));
    full.send(Block(Arc::clone(&gate))).unwrap();
    while full.send(Block(Arc::clone(&gate))).is_ok() {}
    let watching = rig.supervisor.watch(&config::SupervisionConfig { heartbeat_ms: 2, stuck_after_ms: 20 });
    stuck_is(&rig, &["full"]).await;
    gate.add_permits(100);
    stuck_is(&rig, &[]).await;
    gate.forget_permits(100);
    full.send(Block(Arc::new(Semaphore::new(0)))).unwrap();
    stuck_is(&rig, &["full"]).await;
    full.stop(Duration::ZERO).await;
    stuck_is(&rig, &[]).await;
    watching.abort();
}

#[actix_rt::test]
async fn an_actor_that_was_restarted_owes_no_answer_of_its_life_before() {
    let rig = Rig::new();
    let probe = rig.probe("probe", 5, OnSpent::Escalate);
    ask(&probe).await;
    let waiting = Arc::clone(&probe.status().waiting);
    let gate = Arc::new(Semaphore::new(0));
    probe.send(Block(Arc::clone(&gate))).unwrap();
    probe.send(Panic).unwrap();
    probe.beat();
    assert!(waiting.owed_for().is_some());
    gate.add_permits(1);
    while ask(&probe).await != 2 {}
    assert_eq!(waiting.owed_for(), None);
}
