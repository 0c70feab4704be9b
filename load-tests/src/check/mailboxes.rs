//! What the engine says of its full mailboxes: how often one of its actors would not take a message.

use std::rc::Rc;
use std::time::Duration;

use super::world::World;
use crate::engine::Scrape;

const METRIC: &str = "parlance_sends_refused_total";
/// Often, for what was counted since the last time goes with an engine that is killed.
const EVERY: Duration = Duration::from_millis(200);
/// A paused engine does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Those whose mailboxes have a limit that a run may meet.
const ACTORS: [&str; 4] = ["Room", "RoomDirectory", "Hub", "Persister"];

/// Counts until it is dropped. What it counts is reported, and proves nothing: how much a mailbox gets is for the machine
/// to say.
pub async fn watch(world: Rc<World>, base: String) {
    let mut before: Option<[f64; ACTORS.len()]> = None;
    loop {
        if let Ok(Ok(scrape)) = tokio::time::timeout(PATIENCE, Scrape::from(&base)).await {
            let now = ACTORS.map(|actor| scrape.sum(&format!("{METRIC}{{actor=\"{actor}\"}}")));
            if let Some(before) = before {
                for ((actor, now), before) in ACTORS.into_iter().zip(now).zip(before) {
                    // An engine that was started again counts from 0.
                    let grown = if now < before { now } else { now - before };
                    *world.mailboxes_full.borrow_mut().entry(actor).or_default() += grown;
                }
            }
            before = Some(now);
        }
        tokio::time::sleep(EVERY).await;
    }
}
