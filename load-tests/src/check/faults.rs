//! Carrying out the nemesis' plan, and healing what it did.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::history::Who;
use super::nemesis::{Fault, FaultKind};
use super::proxy::Weather;
use super::world::World;
use crate::engine::{OwnEngine, descendants, signal_process};

/// A started engine that is to be killed, paused and started again; `None` while it is down, or when it is not ours.
pub type Victim = Rc<Mutex<Option<OwnEngine>>>;

/// A Postgres that is not there is waited for so long before it counts as not killed.
const POSTMASTER_PATIENCE: Duration = Duration::from_secs(10);
const POSTMASTER_PAUSE: Duration = Duration::from_millis(50);

/// Who floods, and over which lane.
#[derive(Clone, Copy, Debug)]
pub struct Flooder {
    pub who: Who,
    pub lane: usize,
}

/// Everything in the plan, each at its time; returns when all has healed.
pub async fn strike(world: Rc<World>, engine: Victim, flooder: Flooder, plan: Vec<Fault>) -> anyhow::Result<()> {
    let begun = Instant::now();
    // Whatever is under way ends, and heals, when this is interrupted.
    let mut under_way = JoinSet::new();
    for fault in plan {
        tokio::time::sleep(Duration::from_millis(fault.at_ms).saturating_sub(begun.elapsed())).await;
        eprintln!("  {fault}");
        let (world, engine) = (Rc::clone(&world), Rc::clone(&engine));
        under_way.spawn_local(async move {
            let of = fault.to_string();
            if carry_out(&world, &engine, flooder, &fault).await.with_context(|| of)? {
                world.done.borrow_mut().push(fault.kind);
            } else {
                eprintln!("  {fault}: nothing was there to do it to");
            }
            anyhow::Ok(())
        });
    }
    while let Some(carried_out) = under_way.join_next().await {
        carried_out??;
    }
    for lane in &world.lanes {
        lane.set(Weather::Fair);
    }
    Ok(())
}

/// Whether it did something: what is to be killed or flooded may be away.
async fn carry_out(world: &Rc<World>, engine: &Victim, flooder: Flooder, fault: &Fault) -> anyhow::Result<bool> {
    let lasts = Duration::from_millis(fault.size);
    Ok(match fault.kind {
        FaultKind::KillEngine => kill_engine(engine, lasts).await?,
        FaultKind::KillPostgres => kill_postgres(engine).await,
        FaultKind::PauseEngine => {
            let engine = engine.lock().await;
            match &*engine {
                Some(engine) => pause(vec![engine.pid()], lasts).await,
                None => false,
            }
        }
        FaultKind::PausePostgres => pause_postgres(engine, lasts).await,
        FaultKind::Cut => {
            weather(world, fault, if fault.other_way { Weather::Torn } else { Weather::Cut }, lasts).await
        }
        FaultKind::Stall => {
            let slow = Weather::Slow(Duration::from_millis(100));
            weather(world, fault, if fault.other_way { slow } else { Weather::Stalled }, lasts).await
        }
        FaultKind::Flood => super::flood::flood(world, flooder, fault.size).await,
    })
}

/// As soon as it is there: the engine may be starting it, after an earlier fault.
async fn kill_postgres(engine: &Victim) -> bool {
    until_struck(engine, async |postmaster| signal_process(postmaster, Signal::SIGKILL).is_ok()).await
}

/// The same.
async fn pause_postgres(engine: &Victim, lasts: Duration) -> bool {
    // Its file outlives it: then nothing stands still, and there is nothing to wait for.
    let is_there = |postmaster: u32| Path::new(&format!("/proc/{postmaster}")).exists();
    let processes = |postmaster: u32| [vec![postmaster], descendants(postmaster)].concat();
    let strike = async |postmaster| is_there(postmaster) && pause(processes(postmaster), lasts).await;
    until_struck(engine, strike).await
}

/// Strikes at Postgres until that did something; not for long. Nothing else strikes at its engine meanwhile.
async fn until_struck(engine: &Victim, strike: impl AsyncFn(u32) -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < POSTMASTER_PATIENCE {
        let running = engine.lock().await;
        if let Some(postmaster) = running.as_ref().and_then(OwnEngine::postmaster)
            && strike(postmaster).await
        {
            return true;
        }
        drop(running);
        tokio::time::sleep(POSTMASTER_PAUSE).await;
    }
    false
}

async fn weather(world: &World, fault: &Fault, weather: Weather, lasts: Duration) -> bool {
    let victims = || fault.lanes.iter().filter_map(|lane| world.lanes.get(*lane));
    victims().for_each(|lane| lane.set(weather));
    // Long enough to be met by whoever waits for it.
    tokio::time::sleep(lasts.max(Duration::from_millis(5))).await;
    victims().for_each(|lane| lane.set(Weather::Fair));
    victims().next().is_some()
}

/// Processes that stand still until this is dropped.
struct Paused(Vec<u32>);

impl Drop for Paused {
    fn drop(&mut self) {
        for pid in &self.0 {
            // Some child of Postgres may have ended meanwhile.
            let _ = signal_process(*pid, Signal::SIGCONT);
        }
    }
}

/// Whether the first of them, which is the one that matters, stood still.
async fn pause(pids: Vec<u32>, lasts: Duration) -> bool {
    let paused = Paused(pids);
    let stopped: Vec<bool> = paused.0.iter().map(|pid| signal_process(*pid, Signal::SIGSTOP).is_ok()).collect();
    tokio::time::sleep(lasts).await;
    stopped.first().copied().unwrap_or(false)
}

async fn kill_engine(engine: &Victim, down_for: Duration) -> anyhow::Result<bool> {
    let mut engine = engine.lock().await;
    let Some(killed) = engine.take() else { return Ok(false) };
    killed.signal(Signal::SIGKILL)?;
    let launch = killed.launch();
    // Clearing it away waits for its Postgres to follow; the next engine does not.
    tokio::task::spawn_blocking(move || drop(killed));
    tokio::time::sleep(down_for).await;
    let started = OwnEngine::start(launch).await.context("the engine does not start again after it was killed")?;
    *engine = Some(started);
    Ok(true)
}

/// Ends the engine in order and starts it again, so that it has nothing in memory. Its address stays.
pub async fn restart(engine: &Victim) -> anyhow::Result<Option<SocketAddr>> {
    let mut engine = engine.lock().await;
    let Some(running) = engine.take() else { return Ok(None) };
    let launch = running.launch();
    running.stop().await?;
    let started = OwnEngine::start(launch).await?;
    let address = started.address();
    *engine = Some(started);
    Ok(Some(address))
}
