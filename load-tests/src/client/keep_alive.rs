//! Keeping sessions alive: a word within each heartbeat, whoever holds the session and whatever they do with it.
//!
//! One task speaks for all sessions of a thread: a timer each would cost more than the words.
//!
//! Invariant: a session is known only weakly, so that dropping it ends its connection as if nobody spoke for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::socket::Socket;

/// It looks this often whose turn has come: well below the shortest heartbeat of an engine, which is 200 ms.
const TICK: Duration = Duration::from_millis(50);

/// How long a session is silent, in heartbeats. The server ends a session that is silent for two.
const SILENCE: f64 = 0.8;

thread_local! {
    static TURNS: RefCell<Turns> = RefCell::default();
}

/// Who speaks when.
#[derive(Default)]
struct Turns {
    /// In the order of their turns; the number tells those of one moment apart.
    voices: BTreeMap<(Instant, u64), Voice>,
    given: u64,
    /// Ends with the runtime, and is then replaced.
    speaker: Option<JoinHandle<()>>,
}

struct Voice {
    socket: Weak<Socket>,
    every: Duration,
}

/// Speaks for this session until it is dropped.
pub fn keep_alive(socket: &Rc<Socket>, heartbeat: Duration) {
    let every = heartbeat.mul_f64(SILENCE);
    // Those who came together do not speak together.
    let first = Instant::now() + every.mul_f64(rand::random_range(0.0..1.0));
    TURNS.with_borrow_mut(|turns| {
        turns.give(first, Voice { socket: Rc::downgrade(socket), every });
        if turns.speaker.as_ref().is_none_or(JoinHandle::is_finished) {
            turns.speaker = Some(tokio::task::spawn_local(speak()));
        }
    });
}

async fn speak() {
    loop {
        tokio::time::sleep(TICK).await;
        let now = Instant::now();
        while let Some(socket) = TURNS.with_borrow_mut(|turns| turns.take(now)) {
            socket.speak().await;
        }
    }
}

impl Turns {
    fn give(&mut self, at: Instant, voice: Voice) {
        self.given += 1;
        self.voices.insert((at, self.given), voice);
    }

    /// The next one whose turn has come; its turn after that is given at once.
    fn take(&mut self, now: Instant) -> Option<Rc<Socket>> {
        loop {
            let first = self.voices.first_entry().filter(|first| first.key().0 <= now)?;
            let voice = first.remove();
            if let Some(socket) = voice.socket.upgrade() {
                self.give(now + voice.every, voice);
                return Some(socket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::client::handshake::shake_hands;

    #[test]
    fn a_session_speaks_until_it_is_dropped() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let test = async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let opening = Socket::open(listener.local_addr().unwrap());
            let (socket, mut server) = tokio::join!(opening, shake_hands(&listener));
            let socket = Rc::new(socket.unwrap());
            keep_alive(&socket, Duration::from_millis(20));
            for _ in 0..2 {
                let mut word = [0; 6];
                server.read_exact(&mut word).await.unwrap();
                assert_eq!(word, [0x8A, 0x80, 0, 0, 0, 0]);
            }
            drop(socket);
            let mut rest = Vec::new();
            server.read_to_end(&mut rest).await.unwrap();
            assert!(rest.len().is_multiple_of(6), "{rest:?}");
        };
        tokio::task::LocalSet::new().block_on(&runtime, test);
    }
}
