//! From outboxes to sockets: one flusher a worker thread.
//!
//! Whoever changes an outbox marks its link; nobody is sent a message. The flusher is a future of the hub, so it runs
//! once the hub has handled all that its mailbox held: what several rooms and answers said to a socket by then leaves in
//! one system call. A parcel that waits alone is written from where it is, shared with all other listeners; anything
//! else is copied into one buffer of the thread first: a copy of a typical frame costs some 10 ns, a slice of its own in
//! a vectored write costs the kernel more than that.
//!
//! Invariants
//! - A link is on the list at most once, and off it before it is flushed: what a panic interrupts can be marked again.
//! - What a full connection did not take is bounded (`DRAIN_BYTES` and one frame), and is all that is out of the outbox:
//!   the rest stays there, where it can be shed.
//! - One round a link at a time: a socket that takes much does not hold up those after it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;

use actix_http::ws::{CloseCode as WsCloseCode, CloseReason, OpCode, Parser};
use actix_web::web::BytesMut;
use metrics::Counter;

use super::link::Link;
use super::outbox::Outgoing;
use super::parcel::Parcel;
use super::resume;

/// Bytes handed to a connection at once: enough for writes to coalesce, little enough for the rest to stay sheddable.
const DRAIN_BYTES: usize = 64 * 1024;
/// Links flushed before others on the thread get a turn.
const LINKS_AT_ONCE: usize = 64;
/// A buffer that one huge frame made larger than this is given back.
const SCRATCH_KEPT_BYTES: usize = 4 * DRAIN_BYTES;

/// The links of one thread that have something to send.
pub struct Flusher {
    marked: RefCell<VecDeque<Rc<Link>>>,
    waiting: Cell<Option<Waker>>,
    scratch: RefCell<BytesMut>,
    /// Looked up once: a look-up by name costs more than a frame.
    frames: Counter,
    bytes: Counter,
    writes: Counter,
}

impl Flusher {
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            marked: RefCell::default(),
            waiting: Cell::new(None),
            scratch: RefCell::default(),
            frames: metrics::counter!("parlance_frames_out_total"),
            bytes: metrics::counter!("parlance_bytes_out_total"),
            writes: metrics::counter!("parlance_writes_total"),
        })
    }

    /// Has the link flushed soon.
    pub fn mark(&self, link: &Rc<Link>) {
        if link.marked.replace(true) {
            return;
        }
        self.marked.borrow_mut().push_back(Rc::clone(link));
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Flushes what is marked, for ever.
    pub async fn run(self: Rc<Self>) {
        poll_fn(|context| {
            self.flush_some();
            if self.marked.borrow().is_empty() {
                self.waiting.set(Some(context.waker().clone()));
            } else {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }

    fn flush_some(&self) {
        let count = self.marked.borrow().len().min(LINKS_AT_ONCE);
        if count == 0 {
            return;
        }
        let now = Instant::now();
        for _ in 0..count {
            let Some(link) = self.marked.borrow_mut().pop_front() else { return };
            link.marked.set(false);
            self.flush(&link, now);
        }
    }

    /// Hands the connection what waits, as far as it takes bytes: a full one leaves everything in the outbox.
    pub fn flush(&self, link: &Rc<Link>, now: Instant) {
        if link.is_blocked() || link.said_goodbye() {
            return;
        }
        if link.holding.get() {
            if !link.with_quietly(|outbox| outbox.is_closing()) {
                return;
            }
            // Not greeted, and never will be: what it would have heard after that is for nobody.
            link.with_quietly(|outbox| outbox.clear());
        }
        let mut scratch = self.scratch.borrow_mut();
        if let Some((parcel, skip)) = self.encode(link, &mut scratch) {
            link.spoke_at.set(now);
            self.write(link, parcel.bytes_after(skip));
        } else if !scratch.is_empty() {
            link.spoke_at.set(now);
            self.write(link, &scratch);
        }
        drop(scratch);
        self.go_on(link);
    }

    /// Puts what waits into frames of the WebSocket, into `scratch`; or returns the one parcel that waits, which is in
    /// such frames already.
    fn encode(&self, link: &Link, scratch: &mut BytesMut) -> Option<(Rc<Parcel>, usize)> {
        scratch.clear();
        if scratch.capacity() > SCRATCH_KEPT_BYTES {
            *scratch = BytesMut::new();
        }
        if let Some(payload) = link.take_pong() {
            Parser::write_message(scratch, payload, OpCode::Pong, true, false);
        }
        let mut sole = None;
        let mut frames = 0;
        let closing = link.with_quietly(|outbox| {
            outbox.take(DRAIN_BYTES, |outgoing| {
                if let Some((parcel, skip)) = sole.take() {
                    put(scratch, &Outgoing::Parcel(parcel, skip));
                }
                match outgoing {
                    Outgoing::Parcel(parcel, skip) => {
                        frames += parcel.len() - skip;
                        if scratch.is_empty() {
                            sole = Some((parcel, skip));
                        } else {
                            put(scratch, &Outgoing::Parcel(parcel, skip));
                        }
                    }
                    frame => {
                        frames += 1;
                        put(scratch, &frame);
                    }
                }
            });
            outbox.closing()
        });
        if frames > 0 {
            self.frames.increment(frames as u64);
            link.drained.notify_waiters();
        }
        if let Some(close) = closing {
            metrics::counter!("parlance_closes_total", "code" => close.code.to_string()).increment(1);
            let code = WsCloseCode::Other(close.code);
            let reason = CloseReason { code, description: Some(close.reason.to_owned()) };
            if let Some((parcel, skip)) = sole.take() {
                put(scratch, &Outgoing::Parcel(parcel, skip));
            }
            Parser::write_close(scratch, Some(reason), false);
            link.say_goodbye();
        }
        sole
    }

    fn write(&self, link: &Rc<Link>, bytes: &[u8]) {
        let Some(socket) = link.socket() else { return };
        self.writes.increment(1);
        self.bytes.increment(bytes.len() as u64);
        let written = match socket.try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(_) => return link.end(),
        };
        if let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            let writer = actix_rt::spawn(write_rest(Rc::clone(link), rest.to_vec(), self.writes.clone()));
            link.block(writer.abort_handle());
        }
    }

    /// What follows once the connection has taken everything that it was handed.
    fn go_on(&self, link: &Rc<Link>) {
        if link.is_blocked() {
            return;
        }
        if link.said_goodbye() {
            return link.hang_up();
        }
        let (more, behind) = link.with_quietly(|outbox| (!outbox.is_empty(), outbox.is_behind()));
        if behind
            && link.ready.get()
            && let Some(user) = link.user.get()
        {
            resume::start(link, user);
        }
        if more {
            self.mark(link);
        }
    }
}

fn put(scratch: &mut BytesMut, outgoing: &Outgoing) {
    match outgoing {
        Outgoing::Frame(frame) => Parser::write_message(scratch, frame.as_bytes(), OpCode::Text, true, false),
        Outgoing::Parcel(parcel, skip) => scratch.extend_from_slice(parcel.bytes_after(*skip)),
    }
}

/// Writes what a full connection did not take, as it empties. A task of its own: the session may be waiting for something
/// else, and an idle one needs none.
async fn write_rest(link: Rc<Link>, rest: Vec<u8>, writes: Counter) {
    let Some(socket) = link.socket() else { return };
    let mut rest = rest.as_slice();
    while !rest.is_empty() {
        let written = match socket.writable().await {
            Ok(()) => socket.try_write(rest),
            Err(error) => Err(error),
        };
        match written {
            Ok(written) => {
                writes.increment(1);
                rest = rest.get(written..).unwrap_or_default();
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return link.end(),
        }
    }
    link.spoke_at.set(Instant::now());
    link.unblock();
    if link.said_goodbye() {
        return link.hang_up();
    }
    // For all that came meanwhile, a pong and a close included.
    link.parts.flusher.mark(&link);
}
