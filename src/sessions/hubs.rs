//! The way to all hubs, from any thread.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Handler, Message};
use arc_swap::ArcSwap;
use bytestring::ByteString;
use dashmap::DashMap;

use super::hub::{Answer, Close, Deliver, Hub, Join, Whisper, Whose};
use crate::chat::messages::{Audience, Delivery};
use crate::ids::{FamilyId, RoomId, UserId};
use crate::supervision::{ActorHandle, Refused};
use crate::wire::close::{self, CloseCode};

/// Pause before a hub that was too busy is told again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Every hub of this engine. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hubs {
    hubs: Arc<ArcSwap<Vec<ActorHandle<Hub>>>>,
    /// Rooms whose news a hub was too busy to take, by hub and room, with their newest seq.
    late: Arc<DashMap<(String, RoomId), i64>>,
}

impl Hubs {
    /// Adds the hub of a worker thread that has begun.
    pub fn register(&self, hub: &ActorHandle<Hub>) {
        self.hubs.rcu(|hubs| {
            let mut hubs = Vec::clone(hubs);
            hubs.push(hub.clone());
            hubs
        });
    }

    /// The users are in a new room: tell their devices, and let them follow it.
    pub fn join(&self, room_id: RoomId, next_seq: i64, users: Vec<(UserId, ByteString)>) {
        let users: Arc<[_]> = users.into();
        self.tell_all(|| Join { room_id, next_seq, users: Arc::clone(&users) });
    }

    /// Closes the sockets of a sign-in that ended.
    pub fn end_family(&self, family: FamilyId) {
        self.tell_all(|| Close { whose: Whose::Family(family), code: close::SIGNED_OUT });
    }

    /// Closes all sockets of a user.
    pub fn end_user(&self, user: UserId) {
        self.tell_all(|| Close { whose: Whose::User(user), code: close::SIGNED_OUT });
    }

    /// Closes every socket.
    pub fn close_all(&self, code: CloseCode) {
        self.tell_all(|| Close { whose: Whose::Everyone, code });
    }

    /// Ends all hubs, and with them all sockets.
    pub async fn stop(&self, patience: Duration) {
        let hubs = self.hubs.load_full();
        futures_util::future::join_all(hubs.iter().map(|hub| hub.stop(patience))).await;
    }

    fn tell_all<M>(&self, message: impl Fn() -> M)
    where
        M: Message<Result = ()> + Send + 'static,
        Hub: Handler<M>,
        actix::Context<Hub>: ToEnvelope<Hub, M>,
    {
        for hub in self.hubs.load().iter() {
            send_until_taken(hub, message());
        }
    }

    /// Tells all who follow the room that its newest seq is this: whoever has less catches up.
    pub fn announce(&self, room_id: RoomId, last_seq: i64) {
        self.deliver(Delivery::announcement(room_id, last_seq));
    }

    /// For a hub that is too busy: what it missed shrinks to "there is more", once a room, until it takes that.
    fn announce_later(&self, hub: &ActorHandle<Hub>, room_id: RoomId, last_seq: i64) {
        let key = (hub.name().to_owned(), room_id);
        if self.late.insert(key.clone(), last_seq).is_some() {
            return;
        }
        let (hub, late) = (hub.clone(), Arc::clone(&self.late));
        actix_rt::spawn(async move {
            loop {
                tokio::time::sleep(AGAIN_AFTER).await;
                let Some((_, newest)) = late.remove(&key) else { return };
                match hub.send(Deliver(Arc::new(Delivery::announcement(room_id, newest)))) {
                    // Newer news may come meanwhile: it begins a task of its own.
                    Err(Refused::Busy(_)) if !late.contains_key(&key) => drop(late.insert(key.clone(), newest)),
                    Ok(()) | Err(_) => return,
                }
            }
        });
    }
}

/// Sends; a hub that is busy is tried again from a task of this thread, so that nothing is lost and nobody blocks. A hub
/// that is down has no sockets to tell.
pub(super) fn send_until_taken<M>(hub: &ActorHandle<Hub>, message: M)
where
    M: Message<Result = ()> + Send + 'static,
    Hub: Handler<M>,
    actix::Context<Hub>: ToEnvelope<Hub, M>,
{
    if let Err(Refused::Busy(message)) = hub.send(message) {
        let hub = hub.clone();
        actix_rt::spawn(async move {
            let mut waiting = Some(message);
            while let Some(message) = waiting.take() {
                tokio::time::sleep(AGAIN_AFTER).await;
                if let Err(Refused::Busy(message)) = hub.send(message) {
                    waiting = Some(message);
                }
            }
        });
    }
}

impl Audience for Hubs {
    /// Deliveries that had to wait may arrive after later ones: then the outboxes see a gap and catch up.
    fn deliver(&self, delivery: Delivery) {
        let delivery = Arc::new(delivery);
        for hub in self.hubs.load().iter() {
            if !delivery.joined.is_empty() || !delivery.left.is_empty() {
                send_until_taken(hub, Deliver(Arc::clone(&delivery)));
            } else if let Err(Refused::Busy(_)) = hub.send(Deliver(Arc::clone(&delivery))) {
                self.announce_later(hub, delivery.room_id, delivery.last_seq());
            }
        }
    }

    fn whisper(&self, room_id: RoomId, frames: Vec<ByteString>) {
        let frames: Arc<[ByteString]> = frames.into();
        self.tell_all(|| Whisper { room_id, frames: Arc::clone(&frames) });
    }
}

/// Sends a session its answer.
pub(super) fn answer(hub: &ActorHandle<Hub>, session: u64, frame: ByteString) {
    send_until_taken(hub, Answer { session, frame });
}
