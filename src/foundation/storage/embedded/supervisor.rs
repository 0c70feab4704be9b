//! Keeps the server running until told to stop: a postmaster that dies is started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::error::EmbeddedError;
use super::process::{self, Postmaster};
use super::server::Server;
use super::server_log;

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A server that ran this long died of something new: the next restart does not wait long.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
const LOG_CHECK: Duration = Duration::from_secs(60);

/// What others may see of the server.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    /// 0: it does not run.
    pub pid: AtomicU32,
    pub restarts: AtomicU64,
}

/// Owns the postmaster.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub server: Arc<Server>,
    pub vitals: Arc<Vitals>,
    /// Turns true, or loses its sender, when the server shall stop.
    pub stop: watch::Receiver<bool>,
    pub start_timeout: Duration,
    pub stop_timeout: Duration,
}

enum Event {
    Died(String),
    CheckLog,
    Stop,
}

impl Supervisor {
    /// Returns when the server has stopped for good.
    pub async fn run(mut self, first: Postmaster) {
        let mut postmaster = first;
        let mut pause = PAUSE_MIN;
        let mut log_check = tokio::time::interval(LOG_CHECK);
        log_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut since = Instant::now();
        self.vitals.pid.store(postmaster.pid(), Ordering::Relaxed);
        loop {
            let event = tokio::select! {
                status = postmaster.ended() => Event::Died(status),
                _ = log_check.tick() => Event::CheckLog,
                () = told(&mut self.stop) => Event::Stop,
            };
            match event {
                Event::CheckLog => server_log::keep_short(&self.server.cluster.log),
                Event::Stop => break self.finish(postmaster).await,
                Event::Died(status) => {
                    self.vitals.pid.store(0, Ordering::Relaxed);
                    tracing::error!(status, "Postgres died; starting it again");
                    if since.elapsed() > HEALTHY_AFTER {
                        pause = PAUSE_MIN;
                    }
                    match self.revive(&mut pause).await {
                        Some(next) => postmaster = next,
                        None => break self.tidy(),
                    }
                    since = Instant::now();
                }
            }
        }
    }

    async fn finish(&self, postmaster: Postmaster) {
        postmaster.stop(self.stop_timeout).await;
        self.vitals.pid.store(0, Ordering::Relaxed);
        // There are some only if the postmaster had to be killed.
        if let Err(error) = self.stop_leftovers().await {
            tracing::error!("{error}");
        }
        self.tidy();
    }

    /// Leaves nothing in /tmp.
    fn tidy(&self) {
        if let Err(error) = self.server.remove_socket_dir() {
            tracing::warn!("{error}");
        }
    }

    /// `None` when told to stop meanwhile.
    async fn revive(&mut self, pause: &mut Duration) -> Option<Postmaster> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                () = told(&mut self.stop) => return None,
            }
            *pause = (*pause * 2).min(PAUSE_MAX);
            let restart = self.vitals.restarts.fetch_add(1, Ordering::Relaxed) + 1;
            metrics::counter!("parlance_postgres_restarts_total").increment(1);
            match self.start_again().await {
                Ok(Some(postmaster)) => {
                    self.vitals.pid.store(postmaster.pid(), Ordering::Relaxed);
                    tracing::warn!(restart, pid = postmaster.pid(), "Postgres runs again");
                    return Some(postmaster);
                }
                Ok(None) => return None,
                Err(error) => tracing::error!(restart, "Postgres does not come back, trying again: {error}"),
            }
        }
    }

    /// `None` when told to stop meanwhile.
    async fn start_again(&mut self) -> Result<Option<Postmaster>, EmbeddedError> {
        self.stop_leftovers().await?;
        self.server.clear_traces()?;
        let mut postmaster = Postmaster::spawn(&self.server)?;
        let ready = tokio::select! {
            ready = self.server.wait_until_ready(&mut postmaster, self.start_timeout) => Some(ready),
            () = told(&mut self.stop) => None,
        };
        match ready {
            Some(Ok(_connection)) => Ok(Some(postmaster)),
            Some(Err(error)) => {
                postmaster.stop(self.stop_timeout).await;
                Err(error)
            }
            None => {
                postmaster.stop(self.stop_timeout).await;
                Ok(None)
            }
        }
    }

    async fn stop_leftovers(&self) -> Result<(), EmbeddedError> {
        let Server { name, account, cluster, .. } = &*self.server;
        process::stop_leftovers(name, account, &cluster.dir, self.stop_timeout).await
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // A lost sender is an order too: nobody is left who could give another.
    let _ = stop.wait_for(|stop| *stop).await;
}
