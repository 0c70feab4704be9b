//! The demo world: a few people, a space and conversations with history, so that a newcomer finds something to look at.
//!
//! Made by the first start on an empty database, where `demo.enabled` says so; printed with its logins at each start;
//! removed by `parlance demo remove`. A later product adds one line to [`PARTS`].
//!
//! It is made through the engine's own doors, by rooms whose clock is moved by hand: so messages have been sent in the
//! days before, and are in order.
//!
//! Persists: `demo_parts` (what was made, and whether it was removed), `demo_made` (each thing of it).
//!
//! Invariants
//! - Nothing is made in a database that has people. A demo that was removed is not made again.
//! - A part that was cut off is finished by the next start: what it makes has client ids, so that nothing is made twice.
//! - Whoever is of the demo is in `demo_made` before anything else is made, so that removing finds it.

mod chat;
pub mod config;
mod people;
mod remove;
mod store;
mod world;

use std::path::Path;
use std::time::Duration;

use actix_rt::Arbiter;
use futures_util::future::LocalBoxFuture;

use crate::accounts::{Auth, DemoLogin};
use crate::clock::Clock;
use crate::rooms::{RoomMemory, RoomParts, Rooms};
use crate::supervision::Supervisor;
pub use remove::{DemoError, Removed, Status, remove, status};
use world::World;

/// What one product adds to the demo.
pub struct DemoPart {
    pub name: &'static str,
    /// May have been cut off in the middle, and is then called again: what it makes has client ids.
    pub make: for<'a> fn(&'a World) -> LocalBoxFuture<'a, anyhow::Result<()>>,
}

/// In the order in which they are made. A product adds one line.
pub const PARTS: &[DemoPart] = &[chat::PART];

/// How far back the history goes.
const HISTORY: Duration = Duration::from_secs(5 * 86_400);
/// For the rooms of the demo to end: they have nothing left to write.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Makes what is missing of the demo, if this is its database. Answers the logins of its people, if there are any.
pub async fn make(
    auth: &Auth,
    parts: &RoomParts,
    supervisor: &Supervisor,
    data_dir: &Path,
) -> anyhow::Result<Option<Vec<DemoLogin>>> {
    let storage = &parts.storage;
    // Engines that start at once make it one after the other.
    let mut turn = storage.engine().begin().await?;
    store::take_turn(&mut turn).await?;
    if store::is_removed(&mut turn).await? {
        return Ok(None);
    }
    let Some(logins) = auth.ensure_demo_accounts(data_dir, people::PEOPLE).await? else { return Ok(None) };
    // An earlier version made others, or somebody deleted one: what was meant for all of them is not made.
    if logins.len() < people::PEOPLE.len() {
        return Ok(Some(logins));
    }
    let done = store::parts_made(&mut turn).await?;
    let missing: Vec<&DemoPart> = PARTS.iter().filter(|part| !done.iter().any(|name| name == part.name)).collect();
    if !missing.is_empty() {
        make_parts(&logins, &missing, parts, supervisor).await?;
    }
    turn.commit().await?;
    Ok(Some(logins))
}

async fn make_parts(
    logins: &[DemoLogin],
    missing: &[&DemoPart],
    parts: &RoomParts,
    supervisor: &Supervisor,
) -> anyhow::Result<()> {
    let now = parts.clock.now();
    let past =
        RoomParts { clock: Clock::manual(now - HISTORY), memory: RoomMemory::new(&parts.config), ..parts.clone() };
    let thread = Arbiter::new();
    let rooms = Rooms::start(&past, supervisor, &[thread.handle()]);
    let world = World::new(now, past, rooms, logins);
    let made = async {
        for login in logins {
            world.remember("user", login.user_id.0).await?;
        }
        for part in missing {
            (part.make)(&world).await?;
            store::part_made(world.storage(), part.name, now).await?;
            tracing::info!(part = part.name, "the demo has been made");
        }
        anyhow::Ok(())
    };
    let made = made.await;
    world.rooms().stop(STOP_PATIENCE).await;
    thread.stop();
    made
}
