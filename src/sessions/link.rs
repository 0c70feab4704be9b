//! What a hub, a session and its helpers share: all on one thread, so cells and no locks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use actix::Addr;
use bytestring::ByteString;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::outbox::Outbox;
use super::session::{Drain, UserSession};
use crate::ids::{FamilyId, UserId};
use crate::wire::close::CloseCode;

/// One connected socket as its hub sees it.
pub struct Link {
    pub key: u64,
    outbox: RefCell<Outbox>,
    session: RefCell<Option<Addr<UserSession>>>,
    /// A `Drain` is on its way: no need for another.
    woken: Cell<bool>,
    pub user: Cell<Option<UserId>>,
    pub family: Cell<Option<FamilyId>>,
    pub since: Instant,
    pub heard_at: Cell<Instant>,
    pub spoke_at: Cell<Instant>,
    /// A hello came; its answer may take a while.
    pub heard_hello: Cell<bool>,
    /// It was answered with `ready`.
    pub ready: Cell<bool>,
    /// One reader of a catch-up page at a time.
    page_turn: Semaphore,
    /// Commands that await their answer.
    pub inflight: Cell<usize>,
    /// Somebody reads pages for this session.
    pub reading: Cell<bool>,
    /// Told whenever the outbox got room.
    pub drained: Notify,
    pub gone: Cell<bool>,
}

impl Link {
    pub fn new(key: u64, outbox: Outbox) -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self {
            key,
            outbox: RefCell::new(outbox),
            session: RefCell::new(None),
            woken: Cell::new(false),
            user: Cell::new(None),
            family: Cell::new(None),
            since: now,
            heard_at: Cell::new(now),
            spoke_at: Cell::new(now),
            heard_hello: Cell::new(false),
            ready: Cell::new(false),
            page_turn: Semaphore::new(1),
            inflight: Cell::new(0),
            reading: Cell::new(false),
            drained: Notify::new(),
            gone: Cell::new(false),
        })
    }

    pub fn attach(&self, session: Addr<UserSession>) {
        *self.session.borrow_mut() = Some(session);
    }

    /// Changes the outbox, and wakes the session when there is something to send or read.
    pub fn with<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut outbox = self.outbox.borrow_mut();
        let result = change(&mut outbox);
        let lagged = outbox.take_lagged();
        if lagged > 0 {
            metrics::counter!("parlance_lagged_total").increment(lagged);
        }
        let due = !outbox.is_empty() || outbox.closing().is_some() || (outbox.is_behind() && !self.reading.get());
        drop(outbox);
        if due && !self.woken.get() {
            self.wake();
        }
        result
    }

    /// Changes the outbox without waking anyone: for the session itself.
    pub fn with_quietly<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        change(&mut self.outbox.borrow_mut())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a hub to a session on its own thread; at most one Drain waits, so the mailbox is bounded"
    )]
    fn wake(&self) {
        if let Some(session) = &*self.session.borrow() {
            self.woken.set(true);
            session.do_send(Drain);
        }
    }

    /// The session has begun to drain: what comes from here on needs a new wake.
    pub fn awake(&self) {
        self.woken.set(false);
    }

    /// Returns when it is the caller's turn and at most `bytes` wait in the outbox, or the socket is gone.
    pub async fn room_for_a_page(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        // Never closed: only then would there be no permit.
        let turn = self.page_turn.acquire().await.ok();
        loop {
            // Made before looking, so that a drain in between is not missed.
            let drained = self.drained.notified();
            if self.gone.get() || self.with_quietly(|outbox| outbox.bytes() <= bytes) {
                return turn;
            }
            drained.await;
        }
    }

    /// The answer to a command.
    pub fn answer(&self, frame: ByteString) {
        self.inflight.set(self.inflight.get().saturating_sub(1));
        self.with(|outbox| outbox.push(frame, false));
    }

    pub fn close(&self, code: CloseCode) {
        self.with(|outbox| outbox.close(code));
    }

    /// The socket is gone: nobody is woken any more.
    pub fn detach(&self) {
        self.gone.set(true);
        *self.session.borrow_mut() = None;
        self.drained.notify_waiters();
    }
}
