//! Which rooms are open: opens one on demand, lets idle ones go, notices those that ended.
//!
//! [`Rooms`] is the door: sends to an open room go straight to it; the first send to a room goes through the
//! directory, which opens it and passes the send on. Until the last send on that detour has arrived, later ones follow
//! it, so that none overtakes.
//! Keep room addressing behind this door: a room on another machine is only another handle.
//!
//! Invariant: at most one live [`Room`] actor a room id in this engine (and the fence holds even if not).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use actix_rt::ArbiterHandle;
use dashmap::DashMap;
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};

use super::doors::LookUps;
use super::error::ChatError;
use super::mailbox::{Command, CompareMembers, Reply};
use super::memory::LiveCard;
use super::room::{LatestSeq, NOT_LOADED, Room, RoomParts};
use super::store;
use crate::tree;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::party::Party;
use parlance_foundation::supervision::{ActorHandle, Refused, Supervised, Supervisor};

/// How long a room may take to commit what it took, when it is let go.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Pause before a room that could not compare its members is asked again.
const COMPARE_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Pause before a directory that was too busy is told again.
const TELL_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Rooms that compare their members at once: for each, one that is closed is opened, and somebody may have been taken out
/// of all that there are.
const COMPARING_MAX: usize = 16;

/// How long whoever leaves a space waits for its channels to notice.
const NOTICE_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct OpenRoom {
    room: ActorHandle<Room>,
    latest: LatestSeq,
    card: Arc<LiveCard>,
}

type OpenRooms = Arc<DashMap<RoomId, OpenRoom>>;

/// How many sends to a room are on their way through its directory; absent: none.
type Detours = Arc<DashMap<RoomId, usize>>;

/// One send's place in [`Detours`]; given up when it has arrived, or was dropped with its directory's mailbox.
struct Detour {
    room_id: RoomId,
    all: Detours,
}

impl Detour {
    fn begin(room_id: RoomId, all: &Detours) -> Self {
        *all.entry(room_id).or_insert(0) += 1;
        Self { room_id, all: Arc::clone(all) }
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.all.remove_if_mut(&self.room_id, |_, sends| {
            *sends = sends.saturating_sub(1);
            *sends == 0
        });
    }
}

/// The door to all rooms. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    open: OpenRooms,
    detours: Detours,
    /// One a room thread; a room always belongs to the same one.
    directories: Arc<[ActorHandle<RoomDirectory>]>,
    pub(super) parts: Arc<RoomParts>,
    comparing: Arc<Semaphore>,
    pub(super) look_ups: LookUps,
}

impl Rooms {
    /// Starts a directory on each of `threads` and returns the door in front of them.
    pub fn start(parts: &RoomParts, supervisor: &Supervisor, threads: &[ArbiterHandle]) -> Self {
        let open = OpenRooms::default();
        let start = |(shard, thread): (usize, &ArbiterHandle)| {
            let spec = tree::ROOM_DIRECTORY.spec(format!("app/rooms-{shard}"), parts.config.room_mailbox_max);
            let (open, parts, supervisor_of_rooms) = (open.clone(), parts.clone(), supervisor.clone());
            supervisor.start(spec, thread, move |own| RoomDirectory {
                shard,
                open: open.clone(),
                parts: parts.clone(),
                supervisor: supervisor_of_rooms.clone(),
                own: own.clone(),
                closing: HashMap::new(),
                stopping: false,
            })
        };
        let directories = threads.iter().enumerate().map(start).collect();
        let comparing = Arc::new(Semaphore::new(COMPARING_MAX));
        Self {
            open,
            detours: Detours::default(),
            directories,
            parts: Arc::new(parts.clone()),
            comparing,
            look_ups: LookUps::default(),
        }
    }

    /// Sends a command to a room, opening it if need be. The command is answered through its own reply, also when it
    /// cannot be sent.
    pub fn send(&self, room_id: RoomId, command: Command) {
        let direct = !self.detours.contains_key(&room_id);
        let open = self.open.get(&room_id).filter(|_| direct).map(|entry| entry.room.clone());
        let Some(room) = open else { return self.send_through_directory(room_id, command) };
        match room.send(command) {
            Ok(()) => {}
            Err(Refused::Busy(command)) => command.fail(ChatError::Busy),
            // It ended, or is about to come back: the directory knows.
            Err(Refused::Down(command)) => self.send_through_directory(room_id, command),
        }
    }

    fn send_through_directory(&self, room_id: RoomId, command: Command) {
        let (_, low) = room_id.0.as_u64_pair();
        let index = usize::try_from(low % self.directories.len().max(1) as u64).unwrap_or(0);
        let Some(directory) = self.directories.get(index) else { return command.fail(ChatError::Unavailable) };
        let detour = Detour::begin(room_id, &self.detours);
        if let Err(refused) = directory.send(OpenAndSend { room_id, command, detour }) {
            let error = if matches!(refused, Refused::Busy(_)) { ChatError::Busy } else { ChatError::Restarted };
            refused.into_message().command.fail(error);
        }
    }

    /// Asks and waits for the answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        room_id: RoomId,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, ChatError> {
        let (reply, answer) = Reply::channel();
        self.send(room_id, command(reply));
        answer.await
    }

    /// The newest committed seq of an open room; `None` when it is not open or loaded, and so nothing is being committed.
    pub fn latest_seq(&self, room_id: RoomId) -> Option<i64> {
        self.open.get(&room_id).map(|entry| entry.latest.load(Ordering::Acquire)).filter(|seq| *seq != NOT_LOADED)
    }

    /// The card of a room that is open.
    pub(super) fn live_card(&self, room_id: RoomId) -> Option<Arc<LiveCard>> {
        self.open.get(&room_id).map(|entry| Arc::clone(&entry.card))
    }

    /// Postgres says that these came into a room or left it: nothing new, if it was the room that did it.
    pub fn members_changed(&self, room_id: RoomId, parties: Vec<Party>, are_members: bool) {
        self.parts.memory.moved(parties.iter().copied().filter_map(Party::user));
        self.parts.memory.closed.forget(&room_id);
        let is_known = |card: &LiveCard| card.read(|card| parties.iter().all(|party| card.facts().is_member(*party)));
        // Of those who left nobody may have told: a room that was closed, or is being read, does not know that they were
        // there. They would hear it again.
        let is_told = are_members && self.live_card(room_id).is_none_or(|card| is_known(&card) == Some(true));
        if !is_told {
            drop(self.compare_members(room_id, parties, are_members));
        }
    }

    /// Somebody left a space, and so these channels of it. Returns once each channel has noticed, so that it lets them read
    /// nothing any more; one that takes long goes on by itself.
    pub async fn members_departed(&self, user: UserId, channels: Vec<RoomId>) {
        self.parts.memory.moved([user]);
        let noticing = channels.into_iter().map(|channel| {
            self.parts.memory.closed.forget(&channel);
            self.compare_members(channel, vec![user.into()], false)
        });
        let all = futures_util::future::join_all(noticing.collect::<Vec<_>>());
        if tokio::time::timeout(NOTICE_PATIENCE, all).await.is_err() {
            tracing::warn!(user_id = %user, "channels of a space have not noticed yet who left it");
        }
    }

    /// Has each room tell of those who left it with its space, or were deleted, while an engine ended, or while nobody heard.
    pub async fn finish_departures(&self) -> Result<(), sqlx::Error> {
        for (channel, users) in store::untold_departures(&self.parts.storage).await? {
            tracing::info!(room_id = %channel, users = users.len(), "its order is yet to tell who left it with its space or account");
            self.members_changed(channel, users.into_iter().map(Party::User).collect(), false);
        }
        Ok(())
    }

    /// Asks the room to look, again if it cannot now.
    fn compare_members(
        &self,
        room_id: RoomId,
        parties: Vec<Party>,
        are_members: bool,
    ) -> actix_rt::task::JoinHandle<()> {
        let rooms = self.clone();
        actix_rt::spawn(async move {
            let Ok(_turn) = rooms.comparing.acquire().await else { return };
            let compare = |reply| Command::Compare(CompareMembers { parties: parties.clone(), are_members, reply });
            while rooms.ask(room_id, compare).await.is_err_and(|error| error.is_passing()) {
                tokio::time::sleep(COMPARE_AGAIN_AFTER).await;
            }
        })
    }

    /// Lets go of all rooms, so that each opens anew from Postgres on its next use: the log is not the one that they know.
    /// What they had taken is fenced there, and decided again on what Postgres has.
    pub async fn reopen_all(&self) {
        let open: Vec<RoomId> = self.open.iter().map(|entry| *entry.key()).collect();
        for (_, open) in open.into_iter().filter_map(|room_id| self.open.remove(&room_id)) {
            actix_rt::spawn(async move { open.room.stop(STOP_PATIENCE).await });
        }
        futures_util::future::join_all(self.directories.iter().map(forget_closing)).await;
    }

    /// How many rooms are open.
    pub fn open_len(&self) -> usize {
        self.open.len()
    }

    /// Ends all rooms, each after its commits, then the directories.
    pub async fn stop(&self, patience: Duration) {
        futures_util::future::join_all(self.directories.iter().map(|directory| directory.stop(patience))).await;
    }
}

/// Command: open the room if it is not, and pass this on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct OpenAndSend {
    room_id: RoomId,
    command: Command,
    detour: Detour,
}

/// Command: this room is idle or does not exist: let it go.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ReleaseRoom {
    pub room_id: RoomId,
}

/// Command: keep no cards of the rooms that are being let go. Dropped when that is done.
#[derive(Message)]
#[rtype(result = "()")]
struct ForgetClosing(#[expect(dead_code, reason = "dropping it is the answer")] oneshot::Sender<()>);

/// Returns when the directory has forgotten, or has ended, and with it what it knew.
async fn forget_closing(directory: &ActorHandle<RoomDirectory>) {
    let (done, forgotten) = oneshot::channel();
    let mut waiting = Some(ForgetClosing(done));
    while let Some(message) = waiting.take() {
        if let Err(Refused::Busy(message)) = directory.send(message) {
            tokio::time::sleep(TELL_AGAIN_AFTER).await;
            waiting = Some(message);
        }
    }
    // The sender is dropped, never used.
    let _ = forgotten.await;
}

/// Event: a room's actor ended for good.
#[derive(Message)]
#[rtype(result = "()")]
struct RoomEnded {
    room_id: RoomId,
    room: ActorHandle<Room>,
}

/// Starts, lists and ends the rooms of one thread.
pub struct RoomDirectory {
    shard: usize,
    open: OpenRooms,
    parts: RoomParts,
    supervisor: Supervisor,
    own: ActorHandle<RoomDirectory>,
    /// Cards of rooms that were let go and have not ended yet; of those that were opened again meanwhile, none.
    closing: HashMap<RoomId, Arc<LiveCard>>,
    stopping: bool,
}

impl RoomDirectory {
    /// Starts the room's actor here; it takes commands at once and keeps them until it is loaded.
    fn open(&mut self, room_id: RoomId, ctx: &Context<Self>) -> OpenRoom {
        self.closing.remove(&room_id);
        // Right until the room's first commit, by which time the room has made its own.
        let card = LiveCard::new(self.parts.memory.closed.forget(&room_id));
        let latest: LatestSeq = Arc::new(AtomicI64::new(NOT_LOADED));
        let name = format!("app/rooms-{}/{room_id}", self.shard);
        let spec = tree::ROOM.spec(name, self.parts.config.room_mailbox_max);
        let (parts, directory) = (self.parts.clone(), self.own.clone());
        let (seen, shown) = (Arc::clone(&latest), Arc::clone(&card));
        let make =
            move |_: &_| Room::new(room_id, parts.clone(), directory.clone(), Arc::clone(&seen), Arc::clone(&shown));
        let room = self.supervisor.start_here(spec, make);
        Self::watch(room_id, room.clone(), ctx);
        OpenRoom { room, latest, card }
    }

    /// Not a future of this actor, which would poll all of them at each message, but a task of its own.
    fn watch(room_id: RoomId, room: ActorHandle<Room>, ctx: &Context<Self>) {
        let directory = ctx.address();
        actix_rt::spawn(async move {
            room.ended().await;
            // `send` waits for room in the mailbox; a directory that ended needs no news.
            let _ = directory.send(RoomEnded { room_id, room }).await;
        });
    }

    /// The rooms of this thread.
    fn own_rooms(&self) -> Vec<(RoomId, ActorHandle<Room>)> {
        let prefix = format!("app/rooms-{}/", self.shard);
        let own = self.open.iter().filter(|entry| entry.room.name().starts_with(&prefix));
        own.map(|entry| (*entry.key(), entry.room.clone())).collect()
    }

    fn gauge(&self) {
        metrics::gauge!("parlance_rooms_open").set(f64::from(u32::try_from(self.open.len()).unwrap_or(u32::MAX)));
    }
}

impl Actor for RoomDirectory {
    type Context = Context<Self>;

    /// A directory that crashed finds its rooms still open and watches them again.
    fn started(&mut self, ctx: &mut Self::Context) {
        for (room_id, room) in self.own_rooms() {
            Self::watch(room_id, room, ctx);
        }
    }
}

impl Supervised for RoomDirectory {
    /// Ends all rooms, each after its commits, then itself.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.stopping = true;
        let rooms = self.own_rooms();
        let all = async move {
            futures_util::future::join_all(rooms.iter().map(|(_, room)| room.stop(STOP_PATIENCE))).await;
        };
        ctx.spawn(all.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }

    fn report(&self) -> serde_json::Value {
        json!({ "open_rooms": self.own_rooms().len() })
    }
}

parlance_foundation::supervised!(RoomDirectory);

impl Handler<OpenAndSend> for RoomDirectory {
    type Result = ();

    fn handle(&mut self, message: OpenAndSend, ctx: &mut Self::Context) {
        // Given up at the end, when the command has arrived.
        let OpenAndSend { room_id, command, detour: _arriving } = message;
        if self.stopping {
            return command.fail(ChatError::Unavailable);
        }
        let known = self.open.get(&room_id).map(|entry| entry.clone());
        let open = match &known {
            Some(open) => open.clone(),
            None => self.open(room_id, ctx),
        };
        match open.room.send(command) {
            Ok(()) => {}
            Err(Refused::Busy(command)) => command.fail(ChatError::Busy),
            // Between two lives: the sender is told to try again at once.
            Err(Refused::Down(command)) => command.fail(ChatError::Restarted),
        }
        if known.is_none() {
            self.open.insert(room_id, open);
            // A greeting may have read it from Postgres just now, and kept it: from here on the room has its own.
            self.parts.memory.closed.forget(&room_id);
            self.gauge();
        }
    }
}

impl Handler<ReleaseRoom> for RoomDirectory {
    type Result = ();

    fn handle(&mut self, message: ReleaseRoom, _: &mut Self::Context) {
        if let Some((_, open)) = self.open.remove(&message.room_id) {
            self.closing.insert(message.room_id, Arc::clone(&open.card));
            actix_rt::spawn(async move { open.room.stop(STOP_PATIENCE).await });
            self.gauge();
        }
    }
}

impl Handler<ForgetClosing> for RoomDirectory {
    type Result = ();

    fn handle(&mut self, _: ForgetClosing, _: &mut Self::Context) {
        self.closing.clear();
        self.gauge();
    }
}

impl Handler<RoomEnded> for RoomDirectory {
    type Result = ();

    fn handle(&mut self, message: RoomEnded, _: &mut Self::Context) {
        self.open.remove_if(&message.room_id, |_, open| open.room.same(&message.room));
        // Here only if the room was let go, and not opened again: then nobody writes to it.
        let card = self.closing.remove(&message.room_id).and_then(|card| card.left_behind());
        if let Some(card) = card {
            self.parts.memory.closed.put(message.room_id, Arc::new(card));
        }
        self.gauge();
    }
}
