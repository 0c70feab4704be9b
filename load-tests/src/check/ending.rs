//! The end of a run: all comes to rest, and everything is read, before and after one more start of the engine.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::faults::{self, Victim};
use super::finals::Finals;
use super::history::Pass;
use super::world::World;
use crate::client::Accounts;

/// Clients finish what they have begun within this time of quiet, or the run fails.
const DRAIN: Duration = Duration::from_secs(120);

/// Those who read, write and change rooms.
pub type Clients = (Vec<JoinHandle<()>>, Vec<JoinHandle<usize>>, Vec<JoinHandle<()>>);

/// Lets everything come to its end, and reads what there is, before and after one more start of the engine.
pub async fn settle(
    world: &Rc<World>,
    engine: &Victim,
    accounts: &Accounts,
    (readers, writers, changers): Clients,
) -> anyhow::Result<Vec<String>> {
    eprintln!("  quiet");
    world.quiet.set(true);
    let mut troubles = Vec::new();
    let deadline = Instant::now() + DRAIN;
    for (who, writer) in writers.into_iter().enumerate() {
        let unfinished = "has messages that are neither acknowledged nor refused after all is quiet";
        troubles.extend(end_of(&format!("writer {who}"), unfinished, deadline, writer).await);
    }
    for (room, changer) in changers.into_iter().enumerate() {
        let unfinished = "is not answered after all is quiet";
        troubles.extend(end_of(&format!("who changes room {room}"), unfinished, deadline, changer).await);
    }
    let finals = Finals { world, accounts };
    let (ends, restless) = finals.rest().await?;
    troubles.extend(restless);
    // Nobody else sets it.
    let _ = world.ends.set(ends.clone());
    let deadline = Instant::now() + DRAIN;
    for (who, reader) in readers.into_iter().enumerate() {
        let unfinished = "does not get to the end of its rooms";
        troubles.extend(end_of(&format!("reader {who}"), unfinished, deadline, reader).await);
    }
    finals.marks_written(&ends).await?;
    finals.record(Pass::First).await?;
    finals.record_cards(Pass::First).await?;
    finals.knock(Pass::First, &ends).await?;
    if faults::restart(engine).await?.is_some() {
        // Before anything is read that would open a room: what people find who come back first.
        finals.record_cards(Pass::Again).await?;
        finals.record(Pass::Again).await?;
        finals.knock(Pass::Again, &ends).await?;
    }
    Ok(troubles)
}

/// Waits for the end of a client; what is wrong with it, if it is not an end in order.
async fn end_of<T>(name: &str, unfinished: &str, deadline: Instant, client: JoinHandle<T>) -> Option<String> {
    match tokio::time::timeout_at(deadline, client).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!("{name} did not come to its end: {error}")),
        Err(_) => Some(format!("{name} {unfinished}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_panics_has_not_come_to_its_end() {
        let deadline = Instant::now() + DRAIN;
        let panics = tokio::spawn(async { panic!("a defect of the harness") });
        let what = end_of("reader 3", "does not end", deadline, panics).await;
        assert!(what.is_some_and(|what| what.contains("reader 3") && what.contains("panic")));
        assert_eq!(end_of("writer 1", "does not end", deadline, tokio::spawn(async { 7 })).await, None);
        let stays = tokio::spawn(std::future::pending::<()>());
        let what = end_of("reader 4", "does not end", Instant::now(), stays).await;
        assert_eq!(what.as_deref(), Some("reader 4 does not end"));
    }
}
