//! Coming back after the engine ended the connection, or could not be reached.

use std::rc::Rc;
use std::time::Duration;

use super::Device;
use crate::client::socket::Socket;

/// The first pause before another try; each is twice the one before, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Half a minute of tries.
const TRIES_MAX: u32 = 12;
/// Close codes that say not to come back.
const FOR_GOOD: std::ops::Range<u16> = 4500..5000;

impl Device {
    /// A tunnel: the connection is cut without a word, and the device comes back with what it has.
    pub async fn come_back(self: &Rc<Self>) -> anyhow::Result<()> {
        self.cut();
        let connected = self.connect().await;
        if connected.is_err() {
            self.return_soon();
        }
        connected
    }

    /// The connection has ended. One that the device has left or replaced itself is none any more.
    pub(super) fn lose(self: &Rc<Self>, socket: &Rc<Socket>, code: Option<u16>) {
        let is_ours = |connection: &super::Connection| Rc::ptr_eq(&connection.socket, socket);
        if !self.connection.borrow().as_ref().is_some_and(is_ours) {
            return;
        }
        self.connection.take();
        self.answers.borrow_mut().clear();
        self.watcher.ended(code);
        if !code.is_some_and(|code| FOR_GOOD.contains(&code)) {
            self.return_soon();
        }
    }

    fn return_soon(self: &Rc<Self>) {
        let device = Rc::clone(self);
        tokio::task::spawn_local(async move { device.keep_coming().await });
    }

    /// Tries to connect, less and less often; thousands that lost their engine at once do not come back at once.
    async fn keep_coming(self: Rc<Self>) {
        let (mut pause, mut last) = (PAUSE_FIRST, None);
        for _ in 0..TRIES_MAX {
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
            if self.has_left.get() || self.is_connected() {
                return;
            }
            match self.connect().await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        let why = last.map(|error| format!("{error:#}")).unwrap_or_default();
        self.watcher.broken(format!("{} could not come back: {why}", self.person.id));
    }
}
