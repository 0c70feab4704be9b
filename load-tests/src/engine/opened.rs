//! What a run has opened: which engine that was, and whether it is still there.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::running::Running;

/// How soon the end of an engine is noticed.
const EVERY: Duration = Duration::from_secs(1);

/// See the module. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Opened(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    engines: Vec<Engine>,
    version: Option<String>,
}

#[derive(Clone, Debug)]
enum Engine {
    Own(Arc<Running>),
    Other(SocketAddr),
}

impl Opened {
    pub fn own(&self, running: &Arc<Running>, version: Option<String>) {
        self.note(Engine::Own(Arc::clone(running)), version);
    }

    pub fn other(&self, address: SocketAddr, version: Option<String>) {
        self.note(Engine::Other(address), version);
    }

    fn note(&self, engine: Engine, version: Option<String>) {
        let mut inner = self.0.borrow_mut();
        inner.engines.push(engine);
        inner.version = version.or(inner.version.take());
    }

    /// Of the engine, as it says itself.
    pub fn version(&self) -> Option<String> {
        self.0.borrow().version.clone()
    }

    /// Returns when an engine has ended that nobody has told to, and says how.
    pub async fn lost(&self) -> anyhow::Error {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Some(lost) = self.lost_by_now().await {
                return lost;
            }
        }
    }

    /// The same, at once.
    pub async fn lost_by_now(&self) -> Option<anyhow::Error> {
        let engines = self.0.borrow().engines.clone();
        for engine in engines {
            let lost = match engine {
                Engine::Own(running) => running.lost(),
                Engine::Other(address) => refused(address).await,
            };
            if let Some(lost) = lost {
                return Some(anyhow::Error::msg(lost));
            }
        }
        None
    }
}

/// An engine that is busy answers late; only where nobody listens is a connection refused.
async fn refused(address: SocketAddr) -> Option<String> {
    let connected = tokio::time::timeout(EVERY, TcpStream::connect(address)).await;
    let is_refused = matches!(connected, Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused);
    is_refused.then(|| format!("the engine has ended: nobody listens on {address} any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_elsewhere_is_lost_when_nobody_listens() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let opened = Opened::default();
        opened.other(listener.local_addr().unwrap(), Some("1.2.3".to_owned()));
        assert!(opened.lost_by_now().await.is_none());
        drop(listener);
        assert!(opened.clone().lost_by_now().await.is_some());
        assert_eq!(opened.version().as_deref(), Some("1.2.3"));
    }
}
