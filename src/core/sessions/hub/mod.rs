//! The door to a worker thread's sessions: the actor that other threads send to.
//!
//! What it shares with the sessions of its thread is a `HubState`. It carries the thread's `Flusher`, and its sweep is
//! the one timer of all of its sockets. A hub that panics does not trust the state any more: all of its sockets are closed
//! with 4001 and come back.

mod doors;
mod listeners;
mod topics;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, WrapFuture};
use bytestring::ByteString;
use tokio::sync::oneshot;

use super::config::SessionsConfig;
use super::flusher::Flusher;
use crate::accounts::Admitted;
use crate::order::OrderId;
use crate::publish::{Delivery, Publication};
use crate::wire::close::{self, CloseCode};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{FamilyId, SessionId, UserId};
use parlance_foundation::supervision::Supervised;

pub use doors::Hubs;
pub(super) use doors::answer;
pub(super) use listeners::Seat;
pub use listeners::{HubState, LocalHub};
pub use topics::TooManyTopics;

/// While it stops, the hub looks this often for sockets that are still there.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The door to a thread's sessions.
pub struct Hub {
    state: LocalHub,
    flusher: Rc<Flusher>,
    config: Arc<SessionsConfig>,
    clock: Clock,
}

impl Hub {
    /// A hub over `state`; what a former life left in it is closed.
    pub fn new(state: LocalHub, flusher: Rc<Flusher>, config: Arc<SessionsConfig>, clock: Clock) -> Self {
        state.borrow().close_all(close::RESTARTING);
        Self { state, flusher, config, clock }
    }

    fn sweep(&self) {
        self.state.borrow().sweep(&self.config, &self.clock);
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let tick = (self.config.heartbeat_ms.min(self.config.hello_timeout_ms) / 8).clamp(20, 1_000);
        ctx.run_interval(Duration::from_millis(tick), |hub, _| hub.sweep());
        ctx.spawn(Rc::clone(&self.flusher).run().into_actor(self));
    }
}

impl Supervised for Hub {
    /// Closes every socket with 4001, and ends when all are gone: the supervisor bounds how long that may take.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.state.borrow_mut().stop();
        ctx.run_interval(LOOK_EVERY, |hub, ctx| {
            hub.sweep();
            if hub.state.borrow().is_empty() {
                ctx.stop();
            }
        });
    }

    fn report(&self) -> serde_json::Value {
        self.state.borrow().report()
    }
}

parlance_foundation::supervised!(Hub);

/// Everything that a hub is told or asked.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToHub {
    /// Event: rows of an order were committed.
    Deliver(Arc<Delivery>),
    /// Something beside all orders.
    Publish(Publication),
    /// These users are in an order now, made just then: each with the frame that tells them.
    Join { order: OrderId, next_seq: i64, users: Arc<[(UserId, ByteString)]> },
    /// The answer to a command of one session.
    Answer { session: u64, frame: ByteString },
    /// Command: close these sockets.
    Close { whose: Whose, code: CloseCode },
    /// Question: who is in here, and by what?
    WhoIsIn(oneshot::Sender<Admitted>),
    /// Question: what is this user connected with?
    DevicesOf(UserId, oneshot::Sender<Vec<ConnectedDevice>>),
}

/// Which sockets to close.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    Everyone,
    Family(FamilyId),
    User(UserId),
    /// Those of the user that live by a token of an outside issuer.
    Outside(UserId),
}

/// A device that is connected now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedDevice {
    pub session: SessionId,
    /// The sign-in that it lives by; `None` for a token of an outside issuer.
    pub family: Option<FamilyId>,
    /// As its hello named it.
    pub id: Option<String>,
    pub name: Option<String>,
}

impl Handler<ToHub> for Hub {
    type Result = ();

    fn handle(&mut self, message: ToHub, _: &mut Self::Context) {
        let mut state = self.state.borrow_mut();
        match message {
            ToHub::Deliver(delivery) => state.deliver(&delivery),
            ToHub::Publish(publication) => state.publish(&publication),
            ToHub::Join { order, next_seq, users } => {
                users.iter().for_each(|(user, frame)| state.join(*user, order, next_seq, frame));
            }
            ToHub::Answer { session, frame } => state.answer(session, frame),
            ToHub::Close { whose, code } => state.close(whose, code),
            // Whoever asked may have gone.
            ToHub::WhoIsIn(reply) => drop(reply.send(state.admitted())),
            ToHub::DevicesOf(user, reply) => drop(reply.send(state.devices_of(user))),
        }
    }
}
