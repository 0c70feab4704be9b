//! The actor: a thin shell that keeps the [`Runner`] going and ends it in order.

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use serde_json::json;
use tokio::sync::watch;

use super::config::JobsConfig;
use super::runner::{Runner, Seen};
use super::{JobsHandle, Registry};
use parlance_foundation::supervision::Supervised;

/// See the module.
pub struct Jobs {
    config: JobsConfig,
    handle: JobsHandle,
    kinds: Registry,
    seen: Rc<RefCell<Seen>>,
    stopping: watch::Sender<bool>,
}

impl Jobs {
    /// Runs jobs of these kinds from its start on.
    pub fn new(config: JobsConfig, handle: JobsHandle, kinds: Registry) -> Self {
        Self { config, handle, kinds, seen: Rc::default(), stopping: watch::Sender::new(false) }
    }
}

impl Actor for Jobs {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (config, handle, kinds) = (self.config.clone(), self.handle.clone(), self.kinds.clone());
        let runner = Runner::new(config, handle, kinds, Rc::clone(&self.seen));
        let stopping = self.stopping.subscribe();
        // A future of the actor, so that its panic is the actor's.
        ctx.spawn(runner.run(stopping).into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Supervised for Jobs {
    /// Lets what runs end within `jobs.stop_timeout_ms`, gives back the rest, then ends.
    fn shut_down(&mut self, _: &mut Context<Self>) {
        self.stopping.send_replace(true);
    }

    fn report(&self) -> serde_json::Value {
        let seen = self.seen.borrow();
        json!({
            "running": seen.running,
            "postgres_away": seen.postgres_away,
            "in_round": seen.in_round,
            "next_look_at": seen.next_look_at,
            "stopping": *self.stopping.borrow(),
        })
    }
}

parlance_foundation::supervised!(Jobs);
