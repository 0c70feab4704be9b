//! What a hub, a session and its helpers share: all on one thread, so cells and no locks.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use bytestring::ByteString;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;

use super::outbox::{Outbox, Shed};
use super::session::SessionParts;
use crate::accounts::Caller;
use crate::accounts::wire::Device;
use crate::limits::SocketPlace;
use crate::publish::{Grade, Topic};
use crate::wire::close::{self, CloseCode};
use parlance_foundation::ids::{FamilyId, SessionId, UserId};

/// How long a client may take to answer a close, and one that was too slow anyway to take it.
const FAREWELL: Duration = Duration::from_secs(1);

/// One connected socket as its hub sees it.
pub struct Link {
    pub key: u64,
    /// Its name among all sessions, as `ready` tells it.
    pub session: SessionId,
    pub parts: Rc<SessionParts>,
    outbox: RefCell<Outbox>,
    /// None once the socket is gone: what still holds the link does not hold the connection.
    socket: RefCell<Option<Rc<TcpStream>>>,
    /// The session's own task.
    task: RefCell<Option<AbortHandle>>,
    /// Writes what a full connection did not take; there only while it is full.
    writer: RefCell<Option<AbortHandle>>,
    /// It is on the flusher's list.
    pub(super) marked: Cell<bool>,
    /// What the newest ping said: older ones need no pong any more (RFC 6455, section 5.5.3).
    pong: Cell<Option<Bytes>>,
    /// Nothing leaves while a hello is looked at: `ready` goes first.
    pub holding: Cell<bool>,
    /// The close frame was encoded: nothing follows it.
    said_goodbye: Cell<bool>,
    /// When the hub ends the socket, however far it is.
    ends_at: Cell<Option<Instant>>,
    pub user: Cell<Option<UserId>>,
    /// As its hello named it. Boxed: many clients name none.
    device: OnceCell<Box<Device>>,
    /// What it asked to be told of, beside its rooms and its user.
    pub subscriptions: RefCell<Vec<Topic>>,
    /// The sign-in of its token; `None` for one of an outside issuer.
    family: Cell<Option<FamilyId>>,
    /// Among its account's sockets, once greeted.
    place: RefCell<Option<SocketPlace>>,
    /// Until when it may live by its token, on the monotonic clock: a time of day that is set back prolongs nothing.
    lives_until: Cell<Duration>,
    /// Another token is looked at.
    pub renewing: Cell<bool>,
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
    pub fn new(key: u64, parts: Rc<SessionParts>, socket: Rc<TcpStream>) -> Rc<Self> {
        let now = Instant::now();
        let outbox = Outbox::new(parts.config.outbox_bytes_max, parts.config.outbox_bytes_limit);
        Rc::new(Self {
            key,
            session: SessionId::new(&parts.clock),
            parts,
            outbox: RefCell::new(outbox),
            socket: RefCell::new(Some(socket)),
            task: RefCell::new(None),
            writer: RefCell::new(None),
            marked: Cell::new(false),
            pong: Cell::new(None),
            holding: Cell::new(false),
            said_goodbye: Cell::new(false),
            ends_at: Cell::new(None),
            user: Cell::new(None),
            device: OnceCell::new(),
            subscriptions: RefCell::default(),
            family: Cell::new(None),
            place: RefCell::new(None),
            lives_until: Cell::new(Duration::MAX),
            renewing: Cell::new(false),
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

    /// From here on it lives by this token: a moment longer, and no longer than its sign-in.
    pub fn live_by(&self, caller: &Caller) {
        self.family.set(caller.family_id);
        let (clock, grace) = (&self.parts.clock, Duration::from_secs(self.parts.config.token_grace_s.into()));
        // One that is just past its end, as a clock apart from ours allows, has nothing left of its own.
        let left = (caller.expires_at - clock.now()).to_std().unwrap_or_default();
        self.lives_until.set(clock.monotonic().saturating_add(left).saturating_add(grace));
    }

    /// The device is this, for as long as the connection lives.
    pub fn come_from(&self, device: Device) {
        // Said once, with the hello.
        let _ = self.device.set(Box::new(device));
    }

    pub fn device(&self) -> Option<&Device> {
        self.device.get().map(|device| &**device)
    }

    /// The device's own id, for logs.
    pub fn device_id(&self) -> &str {
        self.device().and_then(|device| device.id.as_deref()).unwrap_or_default()
    }

    pub fn family(&self) -> Option<FamilyId> {
        self.family.get()
    }

    /// Whether its token has run out, and the moment after that.
    pub fn has_outlived_its_token(&self, monotonic: Duration) -> bool {
        self.lives_until.get() <= monotonic
    }

    pub fn attach(&self, task: AbortHandle) {
        *self.task.borrow_mut() = Some(task);
    }

    /// Counts among its account's sockets until it is gone.
    pub fn occupy(&self, place: SocketPlace) {
        if !self.gone.get() {
            *self.place.borrow_mut() = Some(place);
        }
    }

    /// Changes the outbox, and has it flushed when there is something to send or read.
    pub fn with<T>(self: &Rc<Self>, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut outbox = self.outbox.borrow_mut();
        let result = change(&mut outbox);
        count(outbox.take_shed());
        if outbox.is_closing() && self.ends_at.get().is_none() {
            let patience = match outbox.closing() {
                Some(close::TOO_SLOW) => FAREWELL,
                _ => Duration::from_millis(self.parts.config.stalled_socket_ms.into()),
            };
            self.ends_at.set(Some(Instant::now() + patience));
        }
        let due = !outbox.is_empty() || outbox.closing().is_some() || (outbox.is_behind() && !self.reading.get());
        drop(outbox);
        if due {
            self.parts.flusher.mark(self);
        }
        result
    }

    /// Changes the outbox and leaves it at that: for the flusher, and for questions.
    pub fn with_quietly<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        change(&mut self.outbox.borrow_mut())
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
    pub fn answer(self: &Rc<Self>, frame: ByteString) {
        self.inflight.set(self.inflight.get().saturating_sub(1));
        self.with(|outbox| outbox.push(frame));
    }

    /// The answer to a ping, instead of those to earlier ones that have not left yet.
    pub fn answer_ping(self: &Rc<Self>, payload: &[u8]) {
        self.pong.set(Some(Bytes::copy_from_slice(payload)));
        self.parts.flusher.mark(self);
    }

    pub fn take_pong(&self) -> Option<Bytes> {
        self.pong.take()
    }

    /// What was said before still leaves, then the close code; past a bound of time the socket ends without.
    pub fn close(self: &Rc<Self>, code: CloseCode) {
        self.with(|outbox| outbox.close(code));
    }

    pub fn is_closing(&self) -> bool {
        self.said_goodbye() || self.with_quietly(|outbox| outbox.is_closing())
    }

    pub fn said_goodbye(&self) -> bool {
        self.said_goodbye.get()
    }

    /// The close frame is on its way: nothing follows it.
    pub fn say_goodbye(&self) {
        self.said_goodbye.set(true);
    }

    /// The close frame has left: the client has a moment to answer it.
    pub fn hang_up(&self) {
        self.ends_at.set(Some(Instant::now() + FAREWELL));
        if let Some(socket) = self.socket() {
            // One that is not connected any more needs no half-close.
            let _ = socket2::SockRef::from(&*socket).shutdown(Shutdown::Write);
        }
    }

    /// Whether its time to end in order is over.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.ends_at.get().is_some_and(|at| at <= now)
    }

    /// Ends the socket at once, whatever the session waits for.
    pub fn end(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.abort();
        }
    }

    pub fn socket(&self) -> Option<Rc<TcpStream>> {
        self.socket.borrow().clone()
    }

    /// The connection is full until `writer` has ended.
    pub fn block(&self, writer: AbortHandle) {
        *self.writer.borrow_mut() = Some(writer);
    }

    pub fn unblock(&self) {
        *self.writer.borrow_mut() = None;
    }

    pub fn is_blocked(&self) -> bool {
        self.writer.borrow().is_some()
    }

    /// The socket is gone: nothing is written any more.
    pub fn detach(&self) {
        self.gone.set(true);
        *self.socket.borrow_mut() = None;
        *self.task.borrow_mut() = None;
        *self.place.borrow_mut() = None;
        if let Some(writer) = self.writer.borrow_mut().take() {
            writer.abort();
        }
        self.drained.notify_waiters();
    }
}

fn count(shed: Shed) {
    // Looked up only when there is something to count: a look-up by name costs more than a frame.
    if shed == Shed::default() {
        return;
    }
    if shed.lagged > 0 {
        metrics::counter!("parlance_lagged_total").increment(shed.lagged.into());
    }
    for (grade, frames) in Grade::ALL.into_iter().zip(shed.short) {
        count_shed(grade, frames);
    }
}

/// Counts short-lived frames that were not told.
pub fn count_shed(grade: Grade, frames: u32) {
    if frames > 0 {
        metrics::counter!("parlance_frames_shed_total", "class" => grade.as_str()).increment(frames.into());
    }
}
