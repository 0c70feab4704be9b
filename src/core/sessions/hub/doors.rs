//! The way to all hubs, from any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytestring::ByteString;
use tokio::sync::oneshot;

use super::super::backlog::{Backlog, Next};
use super::super::link::count_shed;
use super::{ConnectedDevice, Hub, ToHub, Whose};
use crate::accounts::Admitted;
use crate::publish::{Audience, Delivery, Publication, Publish};
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

    /// Closes the sockets of a sign-in that ended.
    pub fn end_family(&self, family: FamilyId) {
        self.close(Whose::Family(family), close::SIGNED_OUT);
    }

    /// Closes all sockets of a user.
    pub fn end_user(&self, user: UserId) {
        self.close(Whose::User(user), close::SIGNED_OUT);
    }

    /// Closes the sockets of a user that live by tokens of outside issuers: who these stand for is to be asked anew.
    pub fn end_outside(&self, user: UserId) {
        self.close(Whose::Outside(user), close::BAD_TOKEN);
    }

    /// Who is connected, and by what.
    pub async fn admitted(&self) -> Admitted {
        let mut all = Admitted::default();
        for here in self.ask_all(ToHub::WhoIsIn).await {
            all.users.extend(here.users);
            all.families.extend(here.families);
            all.outside.extend(here.outside);
        }
        all
    }

    /// What a user is connected with now, on all threads. What they are to hear is published to their topic.
    pub async fn devices_of(&self, user: UserId) -> Vec<ConnectedDevice> {
        self.ask_all(|reply| ToHub::DevicesOf(user, reply)).await.concat()
    }

    async fn ask_all<T: Default>(&self, question: impl Fn(oneshot::Sender<T>) -> ToHub) -> Vec<T> {
        let hubs = self.hubs.load_full();
        futures_util::future::join_all(hubs.iter().map(|door| door.ask(&question))).await
    }

    /// Closes every socket.
    pub fn close_all(&self, code: CloseCode) {
        self.close(Whose::Everyone, code);
    }

    /// Ends all hubs, and with them all sockets.
    pub async fn stop(&self, patience: Duration) {
        let hubs = self.hubs.load_full();
        futures_util::future::join_all(hubs.iter().map(|door| door.hub.stop(patience))).await;
    }

    fn close(&self, whose: Whose, code: CloseCode) {
        self.tell_all(|| ToHub::Close { whose, code });
    }

    fn tell_all(&self, message: impl Fn() -> ToHub) {
        for door in self.hubs.load().iter() {
            door.tell(message());
        }
    }
}

impl Door {
    /// A hub that is down has nobody: it begins by closing whoever is still there.
    async fn ask<T: Default>(&self, question: impl Fn(oneshot::Sender<T>) -> ToHub) -> T {
        let (reply, answer) = oneshot::channel();
        let mut question = question(reply);
        while let Err(again) = self.offer(question) {
            question = again;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        answer.await.unwrap_or_default()
    }

    /// Sends what must arrive: at once, or after everything that waits already.
    fn tell(self: &Arc<Self>, message: ToHub) {
        let late = if self.is_late.load(Ordering::Acquire) { Some(message) } else { self.offer(message).err() };
        if let Some(message) = late {
            self.wait(|backlog| backlog.keep(message));
        }
    }

    /// Sends events; for a hub that is too busy they shrink to "there is more".
    fn tell_events(self: &Arc<Self>, delivery: &Arc<Delivery>) {
        if self.is_late.load(Ordering::Acquire) || self.offer(ToHub::Deliver(Arc::clone(delivery))).is_err() {
            self.wait(|backlog| backlog.keep_news(delivery.order, delivery.last_seq()));
        }
    }

    /// Sends what is not worth waiting for: whoever marks goes on to mark, and lists of members have it all along.
    fn tell_if_it_keeps_up(&self, publication: &Publication) {
        if self.is_late.load(Ordering::Acquire) || self.offer(ToHub::Publish(publication.clone())).is_err() {
            publication.frames.iter().filter_map(|frame| frame.class.grade()).for_each(|grade| count_shed(grade, 1));
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
            let refused = match next {
                Next::Must(message) => self.offer(message).err().map(Next::Must),
                Next::News(order, seq) => {
                    let announced = self.offer(ToHub::Deliver(Arc::new(Delivery::announcement(order, seq))));
                    announced.err().map(|_| Next::News(order, seq))
                }
            };
            if let Some(next) = refused {
                backlog.put_back(next);
                return false;
            }
        }
        self.is_late.store(false, Ordering::Release);
        true
    }

    /// Sends; gives it back when the hub is too busy. One that is down has no sockets to tell.
    fn offer(&self, message: ToHub) -> Result<(), ToHub> {
        match self.hub.send(message) {
            Err(Refused::Busy(message)) => Err(message),
            Ok(()) | Err(Refused::Down(_)) => Ok(()),
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

    fn join(&self, room_id: RoomId, next_seq: i64, users: Vec<(UserId, ByteString)>) {
        let users: Arc<[_]> = users.into();
        self.tell_all(|| ToHub::Join { order: room_id.into(), next_seq, users: Arc::clone(&users) });
    }
}

impl Publish for Hubs {
    fn publish_all(&self, publication: Publication) {
        if publication.is_must() {
            return self.tell_all(|| ToHub::Publish(publication.clone()));
        }
        self.hubs.load().iter().for_each(|door| door.tell_if_it_keeps_up(&publication));
    }
}

/// Sends a session its answer; a hub that is busy is tried again from a task of this thread.
pub fn answer(hub: &ActorHandle<Hub>, session: u64, frame: ByteString) {
    if let Err(Refused::Busy(answer)) = hub.send(ToHub::Answer { session, frame }) {
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
