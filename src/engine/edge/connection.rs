//! A connection of the HTTP server, with what the server itself does not see to: that each of its states ends.
//!
//! `actix-http` times the first request's head, and connections that are merely kept alive. Everything else would be
//! held for as long as a stranger likes: the head of a later request, a body that nobody reads any more, an answer that
//! its client does not read. [`Guarded`] is the stream under the server; [`Connection`] is what it shares with the
//! requests on it, which say how far they are.
//!
//! ```text
//! Waiting ──first byte──▶ Head ──whole──▶ Request ──answer begins──▶ Answering ──answer is out──▶ Waiting
//!                                                          and its body was not read to the end ──▶ Draining
//! ```
//!
//! Invariants: a stream that is past its deadline fails, and with it the connection ends; what an unfinished request
//! counts ([`Place`]) is given back with the connection at the latest. A connection that became a session's is no longer
//! guarded.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::admission::{Admission, Place, Reason};
use crate::server_config::ServerConfig;

/// From the first byte of a request to the end of its head.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection is kept alive between two requests.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// The server's own timers, which say why, come first.
const AFTER_THE_SERVER: Duration = Duration::from_secs(3);
/// Bytes of a head, and of what came with it, that are read before the head is known to be whole.
const HEAD_BYTES_MAX: usize = 32 * 1_024;
/// Bytes that are read before the server looks at them; its buffer, which stays as long as it once was, is not longer.
const READ_AT_ONCE_MAX: usize = 32 * 1_024;
/// Bytes of later requests that are read while one is answered. Past its own bound the server would ask again and again,
/// as fast as it can, whether there is room.
const READ_AHEAD_MAX: usize = 32 * 1_024;

/// How slow a transfer may be: in each window of time so many bytes must pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    window: Duration,
    bytes_min: u64,
}

/// What passed in the window that has not yet ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub window_ends: Instant,
    bytes: u64,
}

impl Pace {
    pub fn new(config: &ServerConfig) -> Self {
        let bytes_min = (config.transfer_window_ms.saturating_mul(config.transfer_bytes_per_s_min) / 1_000).max(1);
        Self { window: Duration::from_millis(config.transfer_window_ms), bytes_min }
    }

    pub fn begin(self) -> Passed {
        Passed { window_ends: Instant::now() + self.window, bytes: 0 }
    }

    /// At the end of a window: whether enough has passed; then the next one begins.
    pub fn is_kept(self, passed: &mut Passed) -> bool {
        let enough = passed.bytes >= self.bytes_min;
        if enough {
            *passed = self.begin();
        }
        enough
    }
}

impl Passed {
    pub fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Head {
        bytes: usize,
    },
    Request,
    Answering,
    /// The request is answered, and the rest of its body is read for nobody: by a server that closes the connection in
    /// peace, or that waits for the next request.
    Draining,
}

/// How far a connection's request is.
pub(super) struct Connection {
    phase: Cell<Phase>,
    /// `None`: as long as it likes.
    deadline: Cell<Option<Instant>>,
    place: RefCell<Option<Place>>,
    body_is_unread: Cell<bool>,
    /// Bytes of later requests.
    ahead: Cell<usize>,
    /// Woken when the request under way is finished, if something came meanwhile: the server may have had no room for
    /// it, and does not look at it again by itself.
    reader: Cell<Option<Waker>>,
    came_meanwhile: Cell<bool>,
}

impl Connection {
    fn new() -> Self {
        let deadline = Instant::now() + HEAD_WITHIN + AFTER_THE_SERVER;
        Self {
            phase: Cell::new(Phase::Waiting),
            deadline: Cell::new(Some(deadline)),
            place: RefCell::default(),
            body_is_unread: Cell::new(false),
            ahead: Cell::new(0),
            reader: Cell::new(None),
            came_meanwhile: Cell::new(false),
        }
    }

    fn enter(&self, phase: Phase, ends_within: Option<Duration>) {
        self.phase.set(phase);
        self.deadline.set(ends_within.map(|within| Instant::now() + within));
    }

    /// Bytes have come.
    fn read(&self, bytes: usize) {
        match self.phase.get() {
            Phase::Waiting => self.enter(Phase::Head { bytes }, Some(HEAD_WITHIN + AFTER_THE_SERVER)),
            Phase::Head { bytes: before } => self.phase.set(Phase::Head { bytes: before + bytes }),
            Phase::Request | Phase::Answering => {
                self.came_meanwhile.set(true);
                if !self.body_is_unread.get() {
                    self.ahead.set(self.ahead.get() + bytes);
                }
            }
            Phase::Draining => {}
        }
    }

    /// Whether a client sends request upon request while one is answered; then the task is woken when that is finished.
    fn is_far_ahead(&self, cx: &Context<'_>) -> bool {
        if !matches!(self.phase.get(), Phase::Request | Phase::Answering) {
            self.ahead.set(0);
            return false;
        }
        self.reader.set(Some(cx.waker().clone()));
        let far = !self.body_is_unread.get() && self.ahead.get() >= READ_AHEAD_MAX;
        if far {
            self.came_meanwhile.set(true);
        }
        far
    }

    /// The head is whole; the request is to be answered within this time.
    pub fn begin_request(&self, within: Duration) {
        self.enter(Phase::Request, Some(within + AFTER_THE_SERVER));
    }

    /// The request has a body, or its body has come to its end.
    pub fn set_body_is_unread(&self, unread: bool) {
        self.body_is_unread.set(unread);
    }

    /// What the request counts until it is finished.
    pub fn keep(&self, place: Place) {
        self.place.replace(Some(place));
    }

    /// Counts so many more bytes of the body.
    pub fn charge(&self, bytes: usize) -> Result<(), Reason> {
        self.place.borrow_mut().as_mut().map_or(Ok(()), |place| place.charge(bytes))
    }

    /// From here on the pace of its reader counts.
    pub fn begin_answer(&self) {
        self.enter(Phase::Answering, None);
    }

    /// The answer is with the server's buffer, or nobody waits for it any more.
    pub fn finish(&self) {
        self.place.take();
        if let (Some(reader), true) = (self.reader.take(), self.came_meanwhile.take()) {
            reader.wake();
        }
        if self.body_is_unread.take() {
            self.enter(Phase::Draining, Some(HEAD_WITHIN));
        } else {
            self.enter(Phase::Waiting, Some(KEEP_ALIVE + AFTER_THE_SERVER));
        }
    }
}

/// The stream of a connection, which fails when it is past its deadline.
pub(super) struct Guarded {
    stream: TcpStream,
    connection: Rc<Connection>,
    admission: Arc<Admission>,
    pace: Pace,
    /// Since a write could not be completed at once.
    stuck: Option<Passed>,
    /// Bytes since the server looked at what was read.
    read_at_once: usize,
    timer: Pin<Box<Sleep>>,
}

impl Guarded {
    pub fn new(stream: TcpStream, admission: Arc<Admission>, pace: Pace) -> Self {
        let connection = Rc::new(Connection::new());
        let timer = Box::pin(sleep_until(Instant::now() + HEAD_WITHIN + AFTER_THE_SERVER));
        Self { stream, connection, admission, pace, stuck: None, read_at_once: 0, timer }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    /// Fails past the deadline; else sees to it that the task is woken there.
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            let ends = self.connection.deadline.get();
            let Some(due) = self.stuck.map(|stuck| stuck.window_ends).into_iter().chain(ends).min() else {
                return Ok(());
            };
            if self.timer.deadline() != due {
                self.timer.as_mut().reset(due);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            if Some(due) == ends {
                return self.cut_off(Reason::Unfinished);
            }
            if !self.stuck.as_mut().is_none_or(|stuck| self.pace.is_kept(stuck)) {
                return self.cut_off(Reason::SlowReader);
            }
        }
    }

    fn cut_off<T>(&self, reason: Reason) -> io::Result<T> {
        self.admission.refused(reason);
        Err(io::Error::new(io::ErrorKind::TimedOut, reason.name()))
    }

    fn head_is_long(&self) -> bool {
        matches!(self.connection.phase.get(), Phase::Head { bytes } if bytes >= HEAD_BYTES_MAX)
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        if self.read_at_once >= READ_AT_ONCE_MAX || (self.read_at_once > 0 && self.head_is_long()) {
            // The server reads until there is no more, and only then looks.
            self.read_at_once = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.head_is_long() {
            return Poll::Ready(self.cut_off(Reason::LongHead));
        }
        if self.connection.is_far_ahead(cx) {
            self.read_at_once = 0;
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if read.is_pending() {
            self.read_at_once = 0;
        }
        ready!(read)?;
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.read_at_once += bytes;
            self.connection.read(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        match &written {
            Poll::Pending => {
                let pace = self.pace;
                self.stuck.get_or_insert_with(|| pace.begin());
                self.in_time(cx)?;
            }
            Poll::Ready(Ok(count)) => {
                if let Some(stuck) = &mut self.stuck {
                    stuck.add(*count);
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    /// The server asks for it when all it had to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stuck = None;
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// For a session, which guards itself.
impl From<Guarded> for TcpStream {
    fn from(guarded: Guarded) -> Self {
        guarded.stream
    }
}
