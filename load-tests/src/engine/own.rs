//! An engine that the harness starts: its own data folder, port and Postgres, all gone after the run.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Command};

/// The outside issuer that started engines trust.
pub const ISSUER: &str = "parlance-load";
pub const AUDIENCE: &str = "parlance";

const START_PATIENCE: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// For an engine whose run has failed, or was interrupted.
const DROP_PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);
/// Lines of the engine's log that are kept for the message when it does not start.
const LOG_LINES_MAX: usize = 40;

/// How to start an engine; the same can be started again on its folder and port.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    settings: Vec<(String, String)>,
    issuer_secret: String,
    folder: Arc<Folder>,
}

/// The data folder.
#[derive(Debug)]
enum Folder {
    /// Made at the first use, removed with the last.
    Passing(tempfile::TempDir),
    Kept(PathBuf),
    Unmade,
}

impl Launch {
    pub fn new(binary: PathBuf, data_dir: Option<PathBuf>) -> Self {
        let issuer_secret = format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let external = format!(
            "[{{issuer=\"{ISSUER}\",audience=\"{AUDIENCE}\",algorithms=[\"HS256\"],hs256_secret=\"{issuer_secret}\",create_users=true}}]"
        );
        let mut launch = Self {
            binary,
            settings: Vec::new(),
            issuer_secret,
            folder: Arc::new(data_dir.map_or(Folder::Unmade, Folder::Kept)),
        };
        launch.set("server.port", "0");
        launch.set("server.demo_accounts", "false");
        launch.set("log.level", "warn");
        launch.set("auth.external", &external);
        launch
    }

    /// Changes a setting, named as in the configuration: `sessions.heartbeat_ms`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Makes the data folder, so that everything started from here on shares it.
    pub fn make_folder(&mut self) -> anyhow::Result<&Path> {
        if matches!(*self.folder, Folder::Unmade) {
            // In /tmp and open to others: an engine that runs as root lends Postgres another user, who must get there.
            let folder = tempfile::Builder::new().prefix("parlance-load-").tempdir_in("/tmp")?;
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
            self.folder = Arc::new(Folder::Passing(folder));
        }
        Ok(self.folder())
    }

    pub fn folder(&self) -> &Path {
        match &*self.folder {
            Folder::Passing(folder) => folder.path(),
            Folder::Kept(folder) => folder,
            Folder::Unmade => Path::new(""),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("PARLANCE__") || name_text == "PARLANCE_PROFILE" || name_text == "DATABASE_URL" {
                command.env_remove(&name);
            }
        }
        command.arg("serve").env("PARLANCE__STORAGE__DATA_DIR", self.folder());
        for (key, value) in &self.settings {
            command.env(format!("PARLANCE__{}", key.replace('.', "__").to_uppercase()), value);
        }
        command
    }
}

/// An engine of ours. Ended when it is dropped.
#[derive(Debug)]
pub struct OwnEngine {
    child: Child,
    launch: Launch,
    base: String,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl OwnEngine {
    /// Starts it and waits until it serves.
    pub async fn start(mut launch: Launch) -> anyhow::Result<Self> {
        launch.make_folder()?;
        let mut command = launch.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{} does not start", launch.binary.display()))?;
        let (printed, log) = (lines(child.stdout.take()), lines(child.stderr.take()));
        // From here on it ends with us, also when we are interrupted before it serves.
        let mut engine =
            Self { child, launch, base: String::new(), address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        let begun = Instant::now();
        engine.base = loop {
            if let Some(base) = served_at(&printed) {
                break base;
            }
            let ended = engine.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > START_PATIENCE {
                bail!("the engine did not start ({ended:?}):\n{}", engine.log());
            }
            tokio::time::sleep(POLL).await;
        };
        engine.address = engine.base.strip_prefix("http://").unwrap_or_default().parse().context("its address")?;
        // Whoever starts it again finds it where it was.
        engine.launch.set("server.port", &engine.address.port().to_string());
        Ok(engine)
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn issuer_secret(&self) -> &str {
        &self.launch.issuer_secret
    }

    /// For starting it again on its folder and port.
    pub fn launch(&self) -> Launch {
        self.launch.clone()
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// The embedded Postgres under it.
    pub fn postmaster(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.launch.folder().join("postgres/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        signal_process(self.pid(), signal)
    }

    /// SIGTERM, and its orderly end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        let status = self.ended().await?;
        if !status.success() {
            bail!("the engine ended with {status}:\n{}", self.log());
        }
        Ok(())
    }

    async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > STOP_PATIENCE {
                bail!("the engine does not end:\n{}", self.log());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let begun = Instant::now();
        let is_within = |patience| begun.elapsed() < patience;
        // Fails when it has ended, which is as good.
        let _ = self.signal(Signal::SIGTERM);
        while matches!(self.child.try_wait(), Ok(None)) && is_within(DROP_PATIENCE) {
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The Postgres of an engine that was killed notices, and follows.
        if let Some(postmaster) = self.postmaster() {
            while Path::new(&format!("/proc/{postmaster}")).exists() && is_within(DROP_PATIENCE * 2) {
                std::thread::sleep(POLL);
            }
        }
    }
}

/// Sends a signal to a process of ours.
pub fn signal_process(pid: u32, signal: Signal) -> anyhow::Result<()> {
    kill(Pid::from_raw(i32::try_from(pid)?), signal).with_context(|| format!("{signal} to process {pid}"))
}

fn lines(pipe: Option<impl std::io::Read + Send + 'static>) -> Arc<Mutex<Vec<String>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let Some(pipe) = pipe else { return kept };
    let shared = Arc::clone(&kept);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut lines = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() >= LOG_LINES_MAX {
                lines.remove(0);
            }
            lines.push(line);
        }
    });
    kept
}

/// The address among the first lines that it printed, once the last of them is there.
fn served_at(printed: &Mutex<Vec<String>>) -> Option<String> {
    let lines = printed.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().find(|line| line.starts_with("  log level"))?;
    let line = lines.iter().find_map(|line| line.strip_prefix("  web client"))?;
    Some(line.trim().replace("localhost", "127.0.0.1").trim_end_matches('/').to_owned())
}
