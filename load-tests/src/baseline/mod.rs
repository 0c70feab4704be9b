//! Baselines: what the machine at hand can do without an engine.
//!
//! `socket` is the ceiling of fan-out, `postgres` that of durable messages. Each runs as a process of its own, so that
//! its CPU is measured as the engine's is.

pub mod postgres;
mod room;
mod server;
pub mod socket;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Subcommand;
use tokio::sync::mpsc;

use crate::report::Report;
use crate::scenarios::fanout::FanoutArgs;

const END_PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// Which ceiling to measure.
#[derive(Subcommand, Clone, Debug)]
pub enum Baseline {
    /// A hand-written tokio WebSocket broadcaster: no actors, no storage
    Socket(FanoutArgs),
    /// The same rows as the engine's, in batches, straight into Postgres
    Postgres(postgres::PostgresArgs),
}

/// What a child of this program does; not for people.
#[derive(Subcommand, Clone, Debug)]
pub enum Serve {
    /// Broadcasts on a free port until it is killed
    Socket {
        #[arg(long)]
        threads: usize,
    },
    /// Inserts rows as it is told, then ends
    Postgres(postgres::ServeArgs),
}

pub async fn run(which: &Baseline, target: &crate::engine::TargetArgs) -> anyhow::Result<Report> {
    anyhow::ensure!(
        target.url.is_none() && target.settings.is_empty() && target.data_dir.is_none(),
        "--url, --set and --data-dir are for an engine: a baseline runs without one, on a folder of its own"
    );
    match which {
        Baseline::Socket(args) => socket::run(args).await,
        Baseline::Postgres(args) => postgres::run(args).await,
    }
}

pub async fn serve(what: &Serve) -> anyhow::Result<()> {
    match what {
        Serve::Socket { threads } => server::serve(*threads).await,
        Serve::Postgres(args) => postgres::serve(args).await,
    }
}

/// A child that runs `serve …` of this program. Killed when it is dropped.
pub struct Served {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Served {
    pub fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.arg("serve").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting the baseline")?;
        let output = BufReader::new(child.stdout.take().context("its output is piped")?);
        let (told, lines) = mpsc::unbounded_channel();
        // A thread of its own, for which nobody waits when the run is interrupted.
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Ok(Self { child, lines })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its orderly end, after which nothing of it is left.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(begun.elapsed() < END_PATIENCE, "the baseline does not end");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    pub fn kill(&mut self) {
        // Fails when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        self.lines.recv().await.context("the baseline ended before it had said what it should")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}
