//! An actor that answers nothing: the engine says so, and goes on.
//!
//! With an actor of the test's own, because nothing that is public makes one of the engine's hang.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::supervision::Supervised;
use crate::testing::TestApp;
use crate::testing::process::until;
use crate::tree;

/// Waits for a permit and nothing else.
struct Waiter(Arc<Semaphore>);

impl Actor for Waiter {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        let gate = Arc::clone(&self.0);
        ctx.wait(async move { drop(gate.acquire().await) }.into_actor(self));
    }
}

impl Supervised for Waiter {
    fn report(&self) -> Value {
        Value::Null
    }
}

parlance_foundation::supervised!(Waiter);

#[actix_rt::test]
async fn an_actor_that_answers_nothing_makes_the_engine_not_ready_and_is_named() {
    let app = TestApp::with(|config| {
        (config.supervision.heartbeat_ms, config.supervision.stuck_after_ms) = (20, 1_500);
    })
    .await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let (thread, gate) = (actix_rt::Arbiter::new(), Arc::new(Semaphore::new(0)));
    let waits_for = Arc::clone(&gate);
    let spec = tree::ROOM_DIRECTORY.spec("app/rooms/waiter".into(), 16);
    app.engine().supervisor.start(spec, &thread.handle(), move |_| Waiter(Arc::clone(&waits_for)));
    let names = |said: &str| said.contains("app/rooms/waiter for ");
    until("it is told", async || {
        let (status, said) = app.page("/readyz").await;
        status == 503 && names(&said)
    })
    .await;
    app.post(&ada, &room, "1", "the others go on").await;
    gate.add_permits(1);
    until("it is ready again", async || app.page("/readyz").await.0 == 200).await;
    thread.stop();
}
