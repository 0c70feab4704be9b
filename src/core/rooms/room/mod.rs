//! One conversation: the actor that gives its changes their order. Thin shell around [`RoomLife`].
//!
//! Receives [`Command`]s from sessions and HTTP, and outcomes from its persister. Emits [`Delivery`]s to the hubs and
//! answers to whoever asked. Life: *loading* (commands wait in order) → *ready* → *settling*, when a write did not
//! commit as planned (the rest of what was taken is awaited, then the room is loaded anew and what was fenced is
//! decided again) → *loading* …
//!
//! Invariants: it never awaits SQL while ready; nothing is shown or acknowledged before its commit; every command is
//! answered once.
//!
//! [`Delivery`]: crate::publish::Delivery

mod life;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, StreamHandler, WrapFuture};
use serde_json::json;

use super::config::ChatConfig;
use super::directory::{ReleaseRoom, RoomDirectory};
use super::error::ChatError;
use super::mailbox::Command;
use super::memory::{LiveCard, RoomMemory};
use super::store;
use crate::persistence::{Outcome, Persisters, TakesJobs, Tray};
use crate::publish::Audience;
pub use life::{Around, LatestSeq, NOT_LOADED, Outcomes, RoomLife, Wish};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::RoomId;
use parlance_foundation::party::Party;
use parlance_foundation::storage::Storage;
use parlance_foundation::supervision::{ActorHandle, Supervised, after_what_has_come};

/// What every room needs from the engine.
#[derive(Clone)]
pub struct RoomParts {
    pub config: Arc<ChatConfig>,
    pub clock: Clock,
    pub storage: Storage,
    pub persisters: Persisters,
    pub audience: Arc<dyn Audience>,
    pub memory: RoomMemory,
}

/// A room is read within this time, or its commands are told to come again.
const LOAD_PATIENCE: Duration = Duration::from_secs(10);

/// Pause before a room that could not be read is tried again.
const LOAD_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Pause before a persister that is starting again is offered the room's jobs anew.
const HAND_OVER_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// See the module.
pub struct Room {
    id: RoomId,
    parts: RoomParts,
    directory: ActorHandle<RoomDirectory>,
    life: RoomLife,
    outcomes: Option<Outcomes>,
    tray: Arc<Tray>,
    /// The tray is handed over when the mailbox is empty, or after a pause.
    handing_over: bool,
    used_at: Instant,
    stopping: bool,
}

impl Room {
    /// A room that loads itself when it starts.
    pub fn new(
        id: RoomId,
        parts: RoomParts,
        directory: ActorHandle<RoomDirectory>,
        latest: LatestSeq,
        card: Arc<LiveCard>,
    ) -> Self {
        let tray = Arc::new(Tray::new(id, parts.persisters.clone()));
        let around = Around {
            config: Arc::clone(&parts.config),
            clock: parts.clock.clone(),
            jobs: Arc::clone(&tray) as Arc<dyn TakesJobs>,
            audience: Arc::clone(&parts.audience),
            memory: parts.memory.clone(),
            latest,
            card,
        };
        let (life, outcomes) = RoomLife::new(id, around);
        let outcomes = Some(outcomes);
        let used_at = Instant::now();
        Self { id, parts, directory, life, outcomes, tray, handing_over: false, used_at, stopping: false }
    }

    /// Does what the room wishes for after it has changed.
    fn follow_up(&mut self, ctx: &mut Context<Self>) {
        for wish in self.life.take_wishes() {
            match wish {
                Wish::Load(sends) => self.load(sends, ctx),
                Wish::LoadAgain => self.later(LOAD_AGAIN_AFTER, RoomLife::load_again, ctx),
                Wish::FlushMarks => {
                    let soon = Duration::from_millis(self.parts.config.receipts_every_ms);
                    self.later(soon, RoomLife::flush_marks, ctx);
                }
                Wish::DepartAgain => self.later(LOAD_AGAIN_AFTER, RoomLife::depart_again, ctx),
                Wish::Release => self.release(),
            }
        }
        self.hand_over_soon(ctx);
        if self.stopping {
            self.stop_when_idle(ctx);
        }
    }

    /// What all commands in the mailbox at this moment lead to is handed to the persister at once.
    fn hand_over_soon(&mut self, ctx: &mut Context<Self>) {
        if self.handing_over || self.tray.is_empty() {
            return;
        }
        self.handing_over = true;
        after_what_has_come(ctx, Self::hand_over);
    }

    fn hand_over(&mut self, ctx: &mut Context<Self>) {
        self.handing_over = !self.tray.hand_over();
        if self.handing_over {
            ctx.run_later(HAND_OVER_AGAIN_AFTER, Self::hand_over);
        }
    }

    fn later(&self, after: Duration, act: fn(&mut RoomLife), ctx: &mut Context<Self>) {
        ctx.run_later(after, move |room, ctx| {
            act(&mut room.life);
            room.follow_up(ctx);
        });
    }

    /// Reads the room from Postgres, after every write that is still on its way there.
    fn load(&self, sends: Vec<(Option<Party>, String)>, ctx: &mut Context<Self>) {
        // Marks may lie there. Where they cannot be handed over, the barrier behind them is refused as well.
        self.tray.hand_over();
        let (id, parts) = (self.id, self.parts.clone());
        let reading = async move {
            parts.persisters.settle(id).await.map_err(|_| ChatError::Busy)?;
            let Some(snapshot) = store::load_room(&parts.storage, id, &parts.config).await? else { return Ok(None) };
            // Looked up together: each repeated send would else cost a refused batch and another load.
            Ok(Some((snapshot, store::sent_before(&parts.storage, id, &sends).await?)))
        };
        // A Postgres that is there and says nothing is away, too.
        let work = async { tokio::time::timeout(LOAD_PATIENCE, reading).await.unwrap_or(Err(ChatError::Unavailable)) };
        ctx.spawn(work.into_actor(self).map(|loaded, room, ctx| {
            room.life.loaded(loaded);
            room.follow_up(ctx);
        }));
    }

    /// Asks the directory to let this room go.
    fn release(&self) {
        // A directory that is busy or restarting is asked again at the next tick.
        let _ = self.directory.send(ReleaseRoom { room_id: self.id });
    }

    fn stop_when_idle(&mut self, ctx: &mut Context<Self>) {
        if self.life.is_at_rest() {
            self.life.flush_marks();
            self.life.complete_card();
            // Marks that a persister does not take now are lost, as with a crash: nobody waits for them.
            self.tray.hand_over();
            ctx.stop();
        }
    }
}

impl Actor for Room {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(mut outcomes) = self.outcomes.take() {
            ctx.add_stream(futures_util::stream::poll_fn(move |cx| outcomes.poll_recv(cx)));
        }
        let idle = Duration::from_secs(self.parts.config.room_idle_s);
        ctx.run_interval(idle, move |room, _| {
            if room.used_at.elapsed() >= idle && room.life.may_be_let_go() {
                room.release();
            }
        });
        self.follow_up(ctx);
    }
}

impl Supervised for Room {
    /// Waits for the commits of what was taken, then ends.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.stopping = true;
        self.stop_when_idle(ctx);
    }

    fn report(&self) -> serde_json::Value {
        let state = self.life.state();
        json!({
            "phase": self.life.phase(),
            "waiting": self.life.waiting_len(),
            "committed_seq": state.map(|state| state.committed_seq()),
            "members": state.map(|state| state.facts().members.count()),
            "window_events": state.map(|state| state.window_len()),
        })
    }
}

parlance_foundation::supervised!(Room);

impl Handler<Command> for Room {
    type Result = ();

    fn handle(&mut self, command: Command, ctx: &mut Self::Context) {
        self.used_at = Instant::now();
        self.life.obey(command);
        self.follow_up(ctx);
    }
}

impl StreamHandler<Vec<(u64, Outcome)>> for Room {
    fn handle(&mut self, outcomes: Vec<(u64, Outcome)>, ctx: &mut Self::Context) {
        self.life.settle(outcomes);
        self.follow_up(ctx);
    }
}
