//! Carrying out the nemesis' plan, and healing what it did.

use std::net::SocketAddr;
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
            carry_out(&world, &engine, flooder, fault).await.with_context(|| of)
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

async fn carry_out(world: &Rc<World>, engine: &Victim, flooder: Flooder, fault: Fault) -> anyhow::Result<()> {
    let lasts = Duration::from_millis(fault.size);
    match fault.kind {
        FaultKind::KillEngine => kill_engine(engine, lasts).await?,
        FaultKind::KillPostgres => {
            let engine = engine.lock().await;
            if let Some(postmaster) = engine.as_ref().and_then(OwnEngine::postmaster) {
                // It may be about to go by itself.
                let _ = signal_process(postmaster, Signal::SIGKILL);
            }
        }
        FaultKind::PauseEngine => {
            let engine = engine.lock().await;
            if let Some(engine) = &*engine {
                pause(vec![engine.pid()], lasts).await;
            }
        }
        FaultKind::PausePostgres => {
            let engine = engine.lock().await;
            if let Some(postmaster) = engine.as_ref().and_then(OwnEngine::postmaster) {
                pause([vec![postmaster], descendants(postmaster)].concat(), lasts).await;
            }
        }
        FaultKind::Cut => {
            weather(world, &fault, if fault.other_way { Weather::Torn } else { Weather::Cut }, lasts).await;
        }
        FaultKind::Stall => {
            let slow = Weather::Slow(Duration::from_millis(100));
            weather(world, &fault, if fault.other_way { slow } else { Weather::Stalled }, lasts).await;
        }
        FaultKind::Flood => super::flood::flood(Rc::clone(world), flooder.who, flooder.lane, fault.size).await,
    }
    Ok(())
}

async fn weather(world: &World, fault: &Fault, weather: Weather, lasts: Duration) {
    let victims = || fault.lanes.iter().filter_map(|lane| world.lanes.get(*lane));
    victims().for_each(|lane| lane.set(weather));
    // Long enough to be met by whoever waits for it.
    tokio::time::sleep(lasts.max(Duration::from_millis(5))).await;
    victims().for_each(|lane| lane.set(Weather::Fair));
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

async fn pause(pids: Vec<u32>, lasts: Duration) {
    let paused = Paused(pids);
    for pid in &paused.0 {
        let _ = signal_process(*pid, Signal::SIGSTOP);
    }
    tokio::time::sleep(lasts).await;
}

async fn kill_engine(engine: &Victim, down_for: Duration) -> anyhow::Result<()> {
    let mut engine = engine.lock().await;
    let Some(killed) = engine.take() else { return Ok(()) };
    killed.signal(Signal::SIGKILL)?;
    let launch = killed.launch();
    // Clearing it away waits for its Postgres to follow; the next engine does not.
    tokio::task::spawn_blocking(move || drop(killed));
    tokio::time::sleep(down_for).await;
    let started = OwnEngine::start(launch).await.context("the engine does not start again after it was killed")?;
    *engine = Some(started);
    Ok(())
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
