//! The way to all hubs, from any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytestring::ByteString;

use super::super::backlog::{Backlog, Next};
use super::{Answer, Close, Deliver, Hub, Join, Tell, Whisper, WhoIsIn, Whose};
use crate::accounts::Admitted;
use crate::rooms::messages::{Audience, Delivery};
use crate::wire::close::{self, CloseCode};
use parlance_foundation::ids::{FamilyId, RoomId, UserId};
use parlance_foundation::supervision::{ActorHandle, Refused};

/// Pause before a hub that was too busy is told again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Every hub of this engine. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hubs {
    hubs: Arc<ArcSwap<Vec<Arc<Door>>>>,
}

/// The way to one hub.
struct Door {
    hub: ActorHandle<Hub>,
    /// What it was too busy to take; everything follows behind while `is_late`.
    backlog: Mutex<Backlog<ToHub>>,
    /// A task works the backlog off. Written under its lock; read without, so that a hub that keeps up costs no lock.
    /// A room's thread that put something there sees its own write, so a room's order is kept.
    is_late: AtomicBool,
}

/// What a hub is told.
#[derive(Clone)]
enum ToHub {
    Deliver(Arc<Delivery>),
    Whisper(RoomId, Arc<[ByteString]>),
    Join(RoomId, i64, Arc<[(UserId, ByteString)]>),
    Tell(UserId, ByteString),
    Close(Close),
}

impl Hubs {
    /// Adds the hub of a worker thread that has begun.
    pub fn register(&self, hub: &ActorHandle<Hub>) {
        let door = Arc::new(Door { hub: hub.clone(), backlog: Mutex::default(), is_late: AtomicBool::new(false) });
        self.hubs.rcu(|hubs| {
            let mut hubs = Vec::clone(hubs);
            hubs.push(Arc::clone(&door));
            hubs
        });
    }

    /// Something that concerns this user alone: all of their devices hear it.
    pub fn tell_user(&self, user: UserId, frame: ByteString) {
        self.tell_all(&ToHub::Tell(user, frame));
    }

    /// Closes the sockets of a sign-in that ended.
    pub fn end_family(&self, family: FamilyId) {
        self.tell_all(&ToHub::Close(Close { whose: Whose::Family(family), code: close::SIGNED_OUT }));
    }

    /// Closes all sockets of a user.
    pub fn end_user(&self, user: UserId) {
        self.tell_all(&ToHub::Close(Close { whose: Whose::User(user), code: close::SIGNED_OUT }));
    }

    /// Closes the sockets of a user that live by tokens of outside issuers: who these stand for is to be asked anew.
    pub fn end_outside(&self, user: UserId) {
        self.tell_all(&ToHub::Close(Close { whose: Whose::Outside(user), code: close::BAD_TOKEN }));
    }

    /// Who is connected, and by what.
    pub async fn admitted(&self) -> Admitted {
        let hubs = self.hubs.load_full();
        let mut all = Admitted::default();
        for here in futures_util::future::join_all(hubs.iter().map(|door| door.admitted())).await {
            all.users.extend(here.users);
            all.families.extend(here.families);
            all.outside.extend(here.outside);
        }
        all
    }

    /// Closes every socket.
    pub fn close_all(&self, code: CloseCode) {
        self.tell_all(&ToHub::Close(Close { whose: Whose::Everyone, code }));
    }

    /// Ends all hubs, and with them all sockets.
    pub async fn stop(&self, patience: Duration) {
        let hubs = self.hubs.load_full();
        futures_util::future::join_all(hubs.iter().map(|door| door.hub.stop(patience))).await;
    }

    fn tell_all(&self, message: &ToHub) {
        for door in self.hubs.load().iter() {
            door.tell(message.clone());
        }
    }
}

impl Door {
    /// A hub that is down has nobody: it begins by closing whoever is still there.
    async fn admitted(&self) -> Admitted {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let mut question = WhoIsIn { reply };
        while let Err(Refused::Busy(again)) = self.hub.send(question) {
            question = again;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        answer.await.unwrap_or_default()
    }

    /// Sends what must arrive: at once, or after everything that waits already.
    fn tell(self: &Arc<Self>, message: ToHub) {
        if self.is_late.load(Ordering::Acquire) || !self.takes(&message) {
            self.wait(|backlog| backlog.keep(message));
        }
    }

    /// Sends events; for a hub that is too busy they shrink to "there is more".
    fn tell_events(self: &Arc<Self>, delivery: &Arc<Delivery>) {
        if self.is_late.load(Ordering::Acquire) || !self.takes(&ToHub::Deliver(Arc::clone(delivery))) {
            self.wait(|backlog| backlog.keep_news(delivery.room_id, delivery.last_seq()));
        }
    }

    /// Sends what is not worth waiting for: whoever marks goes on to mark, and lists of members have it all along.
    fn whisper(&self, message: &ToHub) {
        if !self.is_late.load(Ordering::Acquire) {
            self.takes(message);
        }
    }

    /// Adds to the backlog, and sees to it that somebody works it off.
    fn wait(self: &Arc<Self>, keep: impl FnOnce(&mut Backlog<ToHub>)) {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        keep(&mut backlog);
        if !self.is_late.swap(true, Ordering::AcqRel) {
            let door = Arc::clone(self);
            actix_rt::spawn(async move {
                while !door.work_off() {
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            });
        }
    }

    /// Sends of the backlog what the hub takes; whether that was all.
    fn work_off(&self) -> bool {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(next) = backlog.take_next() {
            let is_taken = match &next {
                Next::Must(message) => self.takes(message),
                Next::News(room, seq) => self.takes(&ToHub::Deliver(Arc::new(Delivery::announcement(*room, *seq)))),
            };
            if !is_taken {
                backlog.put_back(next);
                return false;
            }
        }
        self.is_late.store(false, Ordering::Release);
        true
    }

    /// Sends; whether the hub was not too busy. One that is down has no sockets to tell.
    fn takes(&self, message: &ToHub) -> bool {
        fn is_taken<M>(result: Result<(), Refused<M>>) -> bool {
            !matches!(result, Err(Refused::Busy(_)))
        }
        match message {
            ToHub::Deliver(delivery) => is_taken(self.hub.send(Deliver(Arc::clone(delivery)))),
            ToHub::Whisper(room_id, frames) => {
                is_taken(self.hub.send(Whisper { room_id: *room_id, frames: Arc::clone(frames) }))
            }
            ToHub::Join(room_id, next_seq, users) => {
                is_taken(self.hub.send(Join { room_id: *room_id, next_seq: *next_seq, users: Arc::clone(users) }))
            }
            ToHub::Tell(user, frame) => is_taken(self.hub.send(Tell { user: *user, frame: frame.clone() })),
            ToHub::Close(close) => is_taken(self.hub.send(*close)),
        }
    }
}

impl Audience for Hubs {
    /// What had to wait shrinks to an announcement: then the outboxes see a gap and catch up.
    fn deliver(&self, delivery: Delivery) {
        let delivery = Arc::new(delivery);
        for door in self.hubs.load().iter() {
            if !delivery.joined.is_empty() || !delivery.left.is_empty() {
                door.tell(ToHub::Deliver(Arc::clone(&delivery)));
            } else {
                door.tell_events(&delivery);
            }
        }
    }

    fn whisper(&self, room_id: RoomId, frames: Vec<ByteString>) {
        let message = ToHub::Whisper(room_id, frames.into());
        self.hubs.load().iter().for_each(|door| door.whisper(&message));
    }

    fn join(&self, room_id: RoomId, next_seq: i64, users: Vec<(UserId, ByteString)>) {
        self.tell_all(&ToHub::Join(room_id, next_seq, users.into()));
    }
}

/// Sends a session its answer; a hub that is busy is tried again from a task of this thread.
pub fn answer(hub: &ActorHandle<Hub>, session: u64, frame: ByteString) {
    if let Err(Refused::Busy(answer)) = hub.send(Answer { session, frame }) {
        let hub = hub.clone();
        actix_rt::spawn(async move {
            let mut waiting = Some(answer);
            while let Some(answer) = waiting.take() {
                tokio::time::sleep(AGAIN_AFTER).await;
                if let Err(Refused::Busy(answer)) = hub.send(answer) {
                    waiting = Some(answer);
                }
            }
        });
    }
}
