//! Many sessions on one thread: connected together, kept alive together, ended together.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;

use super::accounts::Person;
use super::frame::{Heard, hear};
use super::session::{Ready, Session};
use super::socket::{Message, Socket};
use crate::measure::Progress;

/// Handshakes under way at once.
const PARALLEL: usize = 64;
/// The protocol asks for a word every 50 s; a word costs a system call.
const SPEAK_EVERY: Duration = Duration::from_secs(20);
/// Parts of that time, in each of which some of them speak.
const PARTS: u32 = 200;
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Sessions that read until the crowd ends.
pub struct Crowd {
    sockets: Vec<Rc<Socket>>,
    readers: Vec<JoinHandle<()>>,
    /// Starts to read a socket, the one with this index.
    reader_of: Box<dyn Fn(usize, Rc<Socket>) -> JoinHandle<()>>,
    speaker: JoinHandle<()>,
    /// The same sockets, for the one that speaks.
    spoken_to: Rc<RefCell<Vec<Rc<Socket>>>>,
}

impl Crowd {
    /// Reads each socket in a task; `on_frame` gets the index of the session and what it heard, and `on_end` the index
    /// of one whose connection ended.
    pub fn new(
        sessions: impl IntoIterator<Item = Session>,
        on_frame: impl Fn(usize, Heard<'_>, &[u8]) + 'static,
        on_end: impl Fn(usize, Option<u16>) + 'static,
    ) -> Self {
        let shared = Rc::new((on_frame, on_end));
        let reader_of = move |index, socket: Rc<Socket>| {
            let shared = Rc::clone(&shared);
            tokio::task::spawn_local(async move {
                let code = read_to_end(&socket, |heard, frame| shared.0(index, heard, frame)).await;
                shared.1(index, code);
            })
        };
        let spoken_to = Rc::default();
        let speaker = tokio::task::spawn_local(speak(Rc::clone(&spoken_to)));
        let (sockets, readers) = (Vec::new(), Vec::new());
        let mut crowd = Self { sockets, readers, reader_of: Box::new(reader_of), speaker, spoken_to };
        for session in sessions {
            crowd.add(session);
        }
        crowd
    }

    /// One more, whose index is how many were there before it.
    pub fn add(&mut self, session: Session) {
        let socket = Rc::new(session.socket);
        self.readers.push((self.reader_of)(self.sockets.len(), Rc::clone(&socket)));
        self.spoken_to.borrow_mut().push(Rc::clone(&socket));
        self.sockets.push(socket);
    }

    pub fn socket(&self, index: usize) -> Option<&Rc<Socket>> {
        self.sockets.get(index)
    }

    /// Says good-bye on every connection.
    pub async fn close(self) {
        self.speaker.abort();
        for socket in &self.sockets {
            // One that is gone already needs no good-bye.
            let _ = socket.close().await;
        }
        let ended = async {
            for reader in self.readers {
                let _ = reader.await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, ended).await;
    }

    /// Cuts every connection at once, without a word.
    pub fn cut(self) {
        self.speaker.abort();
        for socket in &self.sockets {
            socket.cut_on_drop();
        }
        // Each holds its socket, which goes with it.
        for reader in self.readers {
            reader.abort();
        }
    }
}

/// Reads until the connection ends; the close code, if one came. Answers heartbeats.
async fn read_to_end(socket: &Rc<Socket>, mut on_frame: impl FnMut(Heard<'_>, &[u8])) -> Option<u16> {
    let mut code = None;
    loop {
        let mut heartbeat = false;
        let read = socket
            .read(|message| match message {
                Message::Text(frame) => match hear(frame) {
                    Heard::Heartbeat => heartbeat = true,
                    heard => on_frame(heard, frame),
                },
                Message::Close(reason) => code = Some(reason),
                Message::Other => {}
            })
            .await;
        if !read.unwrap_or(false) || code.is_some() {
            return code;
        }
        if heartbeat && socket.pong().await.is_err() {
            return None;
        }
    }
}

/// A session that only listens must speak, too, or the engine takes it for dead.
async fn speak(sockets: Rc<RefCell<Vec<Rc<Socket>>>>) {
    let mut tick = tokio::time::interval(SPEAK_EVERY / PARTS);
    let (mut next, mut owed) = (0, 0);
    // Nobody speaks in the first round: hello was a word.
    tokio::time::sleep(SPEAK_EVERY).await;
    tick.reset();
    loop {
        tick.tick().await;
        // How many there are may have changed: each of them still has its turn once in a round.
        let count = sockets.borrow().len();
        owed += count;
        let turns = owed / PARTS as usize;
        owed %= PARTS as usize;
        for _ in 0..turns {
            let socket = sockets.borrow().get(next % count).map(Rc::clone);
            next = (next + 1) % count;
            if let Some(socket) = socket {
                // Whoever is gone is noticed by its reader.
                let _ = socket.pong().await;
            }
        }
    }
}

/// Connects all of these people, some at a time, in their order.
pub async fn connect_all(
    address: SocketAddr,
    people: &[Person],
    on_frame: impl Fn(usize, Heard<'_>, &[u8]),
) -> anyhow::Result<Vec<(Session, Ready)>> {
    use futures_util::{StreamExt, TryStreamExt};
    let progress = Progress::of("connections", people.len() as u64);
    let connect = async |(index, person): (usize, &Person)| {
        let started = Session::start(address, &person.token, &[], |heard, frame| on_frame(index, heard, frame)).await;
        progress.add(1);
        started.with_context(|| format!("session {index}"))
    };
    let connect = &connect;
    futures_util::stream::iter(people.iter().enumerate()).map(connect).buffered(PARALLEL).try_collect().await
}
