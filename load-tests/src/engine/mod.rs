//! The engine under load: one that the harness starts for the run, or one that runs already.

mod metrics;
mod own;
mod usage;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
pub use metrics::Scrape;
pub use own::{Launch, OwnEngine, signal_process};
pub use usage::{Usage, descendants};

const HTTP_PATIENCE: Duration = Duration::from_secs(30);

/// Which engine to load.
#[derive(Args, Clone, Debug)]
pub struct TargetArgs {
    /// An engine that runs already, such as http://127.0.0.1:8080. Without it, one is started for the run and removed
    /// after it
    #[arg(long, global = true, value_name = "URL", env = "PARLANCE_LOAD_URL")]
    pub url: Option<String>,
    /// The binary to start; by default the one beside this program
    #[arg(long, global = true, value_name = "FILE", env = "PARLANCE_LOAD_ENGINE")]
    pub engine: Option<PathBuf>,
    /// A setting of the started engine, such as sessions.outbox_bytes_max=1000000; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Start the engine on this data folder and leave it there, rather than on one that is removed after the run
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// With --url: an outside issuer that the engine trusts (`auth.external`), so that accounts need no password hash
    #[arg(long, global = true, value_name = "NAME", default_value = own::ISSUER)]
    pub issuer: String,
    /// With --url: that issuer's audience
    #[arg(long, global = true, value_name = "NAME", default_value = own::AUDIENCE)]
    pub audience: String,
    /// With --url: that issuer's HS256 secret
    #[arg(long, global = true, value_name = "TEXT", env = "PARLANCE_LOAD_ISSUER_SECRET")]
    pub issuer_secret: Option<String>,
    /// With --url on this machine: the engine's process id, to read its CPU and memory from /proc
    #[arg(long, global = true, value_name = "PID")]
    pub pid: Option<u32>,
}

/// An outside issuer whose tokens the engine accepts.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub name: String,
    pub audience: String,
    pub secret: String,
}

/// The engine under load.
#[derive(Debug)]
pub struct Target {
    /// Such as `http://127.0.0.1:8080`, without a slash at the end.
    pub base: String,
    pub address: SocketAddr,
    pub issuer: Issuer,
    /// What to read CPU and memory of; `None` for an engine elsewhere.
    pub pid: Option<u32>,
    /// `None`: it runs without us.
    pub own: Option<OwnEngine>,
}

impl TargetArgs {
    /// Starts an engine, or finds the one that was named. `extra` are settings that the scenario needs; those of the
    /// command line win.
    pub async fn open(&self, extra: &[(&str, String)]) -> anyhow::Result<Target> {
        match &self.url {
            Some(url) => self.attach(url).await,
            None => {
                let own = OwnEngine::start(self.launch(extra)?).await?;
                Ok(Target::of(own))
            }
        }
    }

    /// Refuses what contradicts itself, before anything is started.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.url.is_some() && (self.data_dir.is_some() || !self.settings.is_empty() || self.engine.is_some()) {
            bail!(
                "--engine, --data-dir and --set are for an engine that is started for the run: leave out --url, or them"
            );
        }
        let Some(pid) = self.pid else { return Ok(()) };
        if self.url.is_none() {
            bail!("--pid is for an engine that runs already: give its --url, too");
        }
        if !Path::new(&format!("/proc/{pid}")).is_dir() {
            bail!("--pid {pid}: there is no such process on this machine");
        }
        Ok(())
    }

    /// How an own engine is to be started.
    pub fn launch(&self, extra: &[(&str, String)]) -> anyhow::Result<Launch> {
        let mut launch = Launch::new(self.binary()?, self.data_dir.clone());
        for (key, value) in extra {
            launch.set(key, value);
        }
        for setting in &self.settings {
            let pair = setting.split_once('=').filter(|(key, _)| !key.is_empty());
            let (key, value) = pair.context("--set wants KEY=VALUE, such as log.level=debug")?;
            launch.set(key, value);
        }
        Ok(launch)
    }

    /// The engine's binary: named, or beside this program, as cargo puts them.
    pub fn binary(&self) -> anyhow::Result<PathBuf> {
        let beside = || Some(std::env::current_exe().ok()?.with_file_name("parlance"));
        let Some(binary) = self.engine.clone().or_else(beside) else { bail!("name the engine's binary with --engine") };
        if !binary.is_file() {
            bail!("{} is not there: run `make build`, or name the engine's binary with --engine", binary.display());
        }
        Ok(binary)
    }

    async fn attach(&self, url: &str) -> anyhow::Result<Target> {
        let base = url.trim_end_matches('/').to_owned();
        let host = base.strip_prefix("http://").context("--url begins with http:// (put TLS in front elsewhere)")?;
        let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let mut found = tokio::net::lookup_host(&with_port).await.with_context(|| format!("{url} is no address"))?;
        let address = found.next().with_context(|| format!("{url} has no address"))?;
        http_client()?
            .get(format!("{base}/readyz"))
            .send()
            .await?
            .error_for_status()
            .with_context(|| format!("{url} is not ready"))?;
        let secret = self.issuer_secret.clone().context(
            "--url needs --issuer-secret, and the engine an outside issuer with that secret in auth.external: \
             load-tests/README.md shows how",
        )?;
        let issuer = Issuer { name: self.issuer.clone(), audience: self.audience.clone(), secret };
        Ok(Target { base, address, issuer, pid: self.pid, own: None })
    }
}

/// For questions to an engine that may have stopped answering. One for all: to make one costs more than to ask. No
/// connection is kept, since the engine may be another by the next time.
pub fn http_client() -> anyhow::Result<&'static reqwest::Client> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client);
    }
    let client = reqwest::Client::builder().timeout(HTTP_PATIENCE).pool_max_idle_per_host(0).build()?;
    Ok(CLIENT.get_or_init(|| client))
}

impl Target {
    pub fn of(own: OwnEngine) -> Self {
        let issuer = Issuer {
            name: own::ISSUER.to_owned(),
            audience: own::AUDIENCE.to_owned(),
            secret: own.issuer_secret().to_owned(),
        };
        Self { base: own.base().to_owned(), address: own.address(), issuer, pid: Some(own.pid()), own: Some(own) }
    }

    pub async fn scrape(&self) -> anyhow::Result<Scrape> {
        Scrape::from(&self.base).await
    }

    /// Ends an engine of ours in order; leaves any other alone.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.own {
            Some(own) => own.stop().await,
            None => Ok(()),
        }
    }
}
