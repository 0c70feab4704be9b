//! What came together is done together, and no timer waits for more.

use actix::fut::{ActorFutureExt, ready};
use actix::{Actor, AsyncContext, Context};

/// Has `then` run once the actor has handled what its mailbox and its streams hold at this moment: its new futures are
/// polled after those. Whoever calls this for each message remembers that it has been called.
pub fn after_what_has_come<A>(ctx: &mut Context<A>, then: impl FnOnce(&mut A, &mut Context<A>) + 'static)
where
    A: Actor<Context = Context<A>>,
{
    ctx.spawn(ready(()).map(|(), actor, ctx| then(actor, ctx)));
}
