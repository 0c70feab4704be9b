//! The door to a worker thread's sessions: the actor that other threads send to.
//!
//! What it shares with the sessions of its thread is a `HubState`. It carries the thread's `Flusher`, and its sweep is
//! the one timer of all of its sockets. A hub that panics does not trust the state any more: all of its sockets are closed
//! with 4001 and come back.

mod doors;
mod listeners;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, WrapFuture};
use bytestring::ByteString;
use tokio::sync::oneshot;

use super::config::SessionsConfig;
use super::flusher::Flusher;
use crate::accounts::Admitted;
use crate::rooms::messages::Delivery;
use crate::wire::close::{self, CloseCode};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{FamilyId, RoomId, UserId};
use parlance_foundation::supervision::Supervised;

pub use doors::Hubs;
pub(super) use doors::answer;
pub(super) use listeners::Seat;
pub use listeners::{HubState, LocalHub};

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

/// Event: rows were committed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Arc<Delivery>);

/// Something short-lived for a room's listeners.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Whisper {
    pub room_id: RoomId,
    pub frames: Arc<[ByteString]>,
}

/// These users are in a room now, made just then: each with the frame that tells them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join {
    pub room_id: RoomId,
    pub next_seq: i64,
    pub users: Arc<[(UserId, ByteString)]>,
}

/// Something for all devices of a user.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell {
    pub user: UserId,
    pub frame: ByteString,
}

/// The answer to a command of one session.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Answer {
    pub session: u64,
    pub frame: ByteString,
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

/// Command: close these sockets.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Close {
    pub whose: Whose,
    pub code: CloseCode,
}

/// Question: who is in here, and by what?
#[derive(Message)]
#[rtype(result = "()")]
pub struct WhoIsIn {
    pub reply: oneshot::Sender<Admitted>,
}

impl Handler<WhoIsIn> for Hub {
    type Result = ();
    fn handle(&mut self, message: WhoIsIn, _: &mut Self::Context) {
        // Whoever asked may have gone.
        let _ = message.reply.send(self.state.borrow().admitted());
    }
}

impl Handler<Deliver> for Hub {
    type Result = ();
    fn handle(&mut self, message: Deliver, _: &mut Self::Context) {
        self.state.borrow_mut().deliver(&message.0);
    }
}

impl Handler<Whisper> for Hub {
    type Result = ();
    fn handle(&mut self, message: Whisper, _: &mut Self::Context) {
        self.state.borrow().whisper(message.room_id, &message.frames);
    }
}

impl Handler<Join> for Hub {
    type Result = ();
    fn handle(&mut self, message: Join, _: &mut Self::Context) {
        let mut state = self.state.borrow_mut();
        for (user, frame) in message.users.iter() {
            state.join(*user, message.room_id, message.next_seq, frame);
        }
    }
}

impl Handler<Tell> for Hub {
    type Result = ();
    fn handle(&mut self, message: Tell, _: &mut Self::Context) {
        self.state.borrow().tell(message.user, &message.frame);
    }
}

impl Handler<Answer> for Hub {
    type Result = ();
    fn handle(&mut self, message: Answer, _: &mut Self::Context) {
        self.state.borrow().answer(message.session, message.frame);
    }
}

impl Handler<Close> for Hub {
    type Result = ();
    fn handle(&mut self, message: Close, _: &mut Self::Context) {
        self.state.borrow().close(message.whose, message.code);
    }
}
