//! The engine under load: one that the harness starts for the run, or one that runs already.

mod metrics;
mod needs;
mod opened;
mod own;
mod running;
mod usage;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
pub use metrics::Scrape;
pub use needs::Needs;
use opened::Opened;
pub use own::{Launch, OwnEngine, passing_folder, see_postgres_end, signal_process};
use usage::UsageOf;
pub use usage::{Usage, UsageSource, descendants, own_cpu_seconds};

use crate::client::Visitors;

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
    #[arg(long, global = true, value_name = "TEXT", env = "PARLANCE_LOAD_ISSUER_SECRET", hide_env_values = true)]
    pub issuer_secret: Option<String>,
    /// With --url on this machine: the engine's process id, to read CPU and memory from /proc, its Postgres' among them
    #[arg(long, global = true, value_name = "PID")]
    pub pid: Option<u32>,
    /// Who came to the engine in this run.
    #[arg(skip)]
    pub visitors: Visitors,
    /// Which engines this run has opened.
    #[arg(skip)]
    pub opened: Opened,
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
    pub usage: UsageSource,
    /// `None`: it runs without us.
    pub own: Option<OwnEngine>,
    pub visitors: Visitors,
}

impl TargetArgs {
    /// Starts an engine, or finds the one that was named. What the scenario needs goes behind the command line.
    pub async fn open(&self, needs: &Needs) -> anyhow::Result<Target> {
        match &self.url {
            Some(url) => self.attach(url).await,
            None => {
                let own = OwnEngine::start(self.launch(needs)?).await?;
                self.opened.own(own.running(), own.version());
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

    /// Refuses a folder without a database: an engine that is started there would make a new one.
    pub fn needs_database(&self) -> anyhow::Result<()> {
        match &self.data_dir {
            Some(folder) if !folder.join("postgres/PG_VERSION").is_file() => {
                bail!("{} holds no database: fill it with `parlance-load install` first", folder.display())
            }
            _ => Ok(()),
        }
    }

    /// How an own engine is to be started.
    pub fn launch(&self, needs: &Needs) -> anyhow::Result<Launch> {
        let binary = self.binary()?;
        let mut launch = Launch::new(&binary, self.data_dir.as_deref())?;
        needs.apply(&own::known_to(&binary), &mut launch);
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
        let address = reached(&with_port).await.with_context(|| format!("{url} cannot be reached"))?;
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
        let usage = self.usage_of(&base).await?;
        self.opened.other(address, version_of(&base).await);
        Ok(Target { base, address, issuer, usage, own: None, visitors: self.visitors.clone() })
    }

    /// Where CPU and memory of an engine that runs already can be read. That they cannot is said before a run of hours.
    async fn usage_of(&self, base: &str) -> anyhow::Result<UsageSource> {
        let Some(pid) = self.pid else {
            let told = UsageOf::told(&Scrape::from(base).await?);
            told.with_context(|| format!("{base}/metrics tells no CPU and memory of the engine: give its --pid"))?;
            return Ok(UsageSource::Metrics(base.to_owned()));
        };
        let before = Usage::of(pid).engine;
        let told = UsageOf::told(&Scrape::from(base).await?);
        let after = Usage::of(pid).engine;
        if told.is_some_and(|told| !told.is_between(&before, &after)) {
            bail!("--pid {pid} is not the engine of --url: that one has used other CPU and memory than this process");
        }
        Ok(UsageSource::Process(pid))
    }
}

/// What an engine elsewhere says in its reference.
async fn version_of(base: &str) -> Option<String> {
    let reference = http_client().ok()?.get(format!("{base}/docs/openapi.json")).send().await.ok()?;
    let reference: serde_json::Value = reference.json().await.ok()?;
    Some(reference.pointer("/info/version")?.as_str()?.to_owned())
}

/// The first address of this name that takes a connection: a name may have one for IPv6 on which nobody listens.
async fn reached(name: impl tokio::net::ToSocketAddrs) -> anyhow::Result<SocketAddr> {
    let connecting = tokio::net::TcpStream::connect(name);
    let connected = tokio::time::timeout(HTTP_PATIENCE, connecting).await;
    let stream = connected.with_context(|| format!("no connection within {} s", HTTP_PATIENCE.as_secs()))??;
    Ok(stream.peer_addr()?)
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
        let (base, address, usage) = (own.base().to_owned(), own.address(), UsageSource::Process(own.pid()));
        Self { base, address, issuer, usage, own: Some(own), visitors: Visitors::default() }
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_engine_is_found_behind_an_address_on_which_nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let deserted = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(reached(&[deserted, address][..]).await.unwrap(), address);
        assert!(reached(deserted).await.is_err());
    }
}
