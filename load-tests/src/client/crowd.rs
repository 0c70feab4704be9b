//! Many sessions on one thread: connected together, read together, ended together.

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
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Sessions that read until the crowd ends.
pub struct Crowd {
    sockets: Vec<Rc<Socket>>,
    readers: Vec<JoinHandle<()>>,
    /// Starts to read a socket, the one with this index.
    reader_of: Box<dyn Fn(usize, Rc<Socket>) -> JoinHandle<()>>,
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
        let mut crowd = Self { sockets: Vec::new(), readers: Vec::new(), reader_of: Box::new(reader_of) };
        for session in sessions {
            crowd.add(session);
        }
        crowd
    }

    /// One more, whose index is how many were there before it.
    pub fn add(&mut self, session: Session) {
        self.readers.push((self.reader_of)(self.sockets.len(), Rc::clone(&session.socket)));
        self.sockets.push(session.socket);
    }

    pub fn socket(&self, index: usize) -> Option<&Rc<Socket>> {
        self.sockets.get(index)
    }

    /// Says good-bye on every connection.
    pub async fn close(self) {
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
        if heartbeat {
            socket.speak().await;
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
