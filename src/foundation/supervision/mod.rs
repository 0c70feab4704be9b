//! How actors live, die and come back. No word of the domain in here.
//!
//! actix's own `Supervisor` does not restart an actor that panics, because the unwinding ends the task that
//! both share, and its `do_send` ignores the mailbox bound. So this module starts each actor as a task of its
//! own, sees stop and panic apart, restarts with back-off inside a budget, and escalates when the budget is
//! spent. The rest of the engine holds [`ActorHandle`]s, which survive a restart and offer bounded sends only.
//!
//! Invariants
//! - A panic ends one actor: its task unwinds, the supervisor's does not.
//! - A handle is never dangling: while the actor is down, a send answers [`Refused::Down`] with the message.
//! - A full mailbox answers [`Refused::Busy`] with the message; nothing is dropped silently.
//! - `stopping` and `stopped` of an actor run during unwinding as well: they must not panic.
//! - Deliberately absent: registries, system services, unbounded sends.

pub mod config;
mod gather;
mod handle;
mod heartbeat;
mod order;
mod registry;
mod restart;
mod supervisor;
#[cfg(test)]
mod tests;

use actix::{Actor, ActorContext, Context, Handler, Message};

pub use gather::after_what_has_come;
pub use handle::{ActorHandle, Refused};
pub use heartbeat::Pulse;
pub use order::StartOrder;
pub use registry::{ActorReport, Life, Registry};
pub use restart::RestartRule;
pub use supervisor::{Escalation, OnSpent, Spec, Supervisor, panic_text};

/// What every supervised actor offers besides its own messages; [`supervised!`](crate::supervised) wires it.
pub trait Supervised: Actor<Context = Context<Self>> + Handler<Shutdown> + Handler<Inspect> + Handler<Pulse> {
    /// Begins an orderly end: finish what is in flight, then `ctx.stop()`.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        ctx.stop();
    }

    /// What an operator wants to know about this actor right now.
    fn report(&self) -> serde_json::Value;
}

/// Command: end in order. Sent by the supervisor only.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Shutdown;

/// Question: what is your state?
#[derive(Message)]
#[rtype(result = "()")]
pub struct Inspect(pub tokio::sync::oneshot::Sender<serde_json::Value>);

/// Implements the messages that every supervised actor answers.
#[macro_export]
macro_rules! supervised {
    ($actor:ty) => {
        impl ::actix::Handler<$crate::supervision::Shutdown> for $actor {
            type Result = ();
            fn handle(&mut self, _: $crate::supervision::Shutdown, ctx: &mut Self::Context) {
                $crate::supervision::Supervised::shut_down(self, ctx);
            }
        }

        impl ::actix::Handler<$crate::supervision::Inspect> for $actor {
            type Result = ();
            fn handle(&mut self, question: $crate::supervision::Inspect, _: &mut Self::Context) {
                // The asker may have given up; then nobody needs the answer.
                let _ = question.0.send($crate::supervision::Supervised::report(self));
            }
        }

        impl ::actix::Handler<$crate::supervision::Pulse> for $actor {
            type Result = ();
            // To have come to it is the answer.
            fn handle(&mut self, _: $crate::supervision::Pulse, _: &mut Self::Context) {}
        }
    };
}
