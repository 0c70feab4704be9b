//! An actor that the engine cannot do without, and that does not stay up.
//!
//! In this process, because the binary has no door through which somebody could make it panic.

use actix::{Actor, Context};

use crate::supervision::Supervised;
use crate::testing::TestApp;
use crate::tree;

struct Doomed;

impl Actor for Doomed {
    type Context = Context<Self>;
}

impl Supervised for Doomed {
    fn report(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

parlance_foundation::supervised!(Doomed);

#[actix_rt::test]
async fn restarts_that_are_spent_end_the_engine_in_an_orderly_way() {
    let mut app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    let thread = actix_rt::Arbiter::new();
    // With the rule of a persister.
    let spec = tree::PERSISTER.spec("app/doomed".into(), 1);
    app.engine().supervisor.start(spec, &thread.handle(), |_| -> Doomed { panic!("for the test") });
    let mut engine = app.app.take().unwrap();
    assert_eq!(engine.escalated().await, "app/doomed");
    // From here on, `main` does as after a signal, and exits with 70.
    let (code, ()) = tokio::join!(socket.closed(), engine.stop());
    assert_eq!(code, 4001);
    thread.stop();
}
