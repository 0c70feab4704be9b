//! An engine that the harness starts: its own data folder, port and Postgres, all gone after the run.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::needs::Known;
use super::running::{Lines, Running};

/// The outside issuer that started engines trust.
pub const ISSUER: &str = "parlance-load";
pub const AUDIENCE: &str = "parlance";

const START_PATIENCE: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// For an engine whose run has failed, or was interrupted.
const DROP_PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);

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
    pub fn new(binary: &Path, data_dir: Option<&Path>) -> anyhow::Result<Self> {
        // The engine runs elsewhere than we do.
        let absolute = |path: &Path| std::path::absolute(path).with_context(|| format!("the path {}", path.display()));
        let folder = data_dir.map(absolute).transpose()?;
        let issuer_secret = format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let external = format!(
            "[{{issuer=\"{ISSUER}\",audience=\"{AUDIENCE}\",algorithms=[\"HS256\"],hs256_secret=\"{issuer_secret}\",create_users=true}}]"
        );
        let mut launch = Self {
            binary: absolute(binary)?,
            settings: Vec::new(),
            issuer_secret,
            folder: Arc::new(folder.map_or(Folder::Unmade, Folder::Kept)),
        };
        launch.set("server.port", "0");
        launch.set("log.level", "warn");
        launch.set("auth.external", &external);
        Ok(launch)
    }

    /// Changes a setting, named as in the configuration: `sessions.heartbeat_ms`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    #[cfg(test)]
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Makes the data folder, so that everything started from here on shares it.
    pub fn make_folder(&mut self) -> anyhow::Result<&Path> {
        match &*self.folder {
            Folder::Unmade => self.folder = Arc::new(Folder::Passing(passing_folder()?)),
            Folder::Kept(folder) => make_kept(folder).with_context(|| format!("making {}", folder.display()))?,
            Folder::Passing(_) => {}
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

    /// The binary, told to do this with the engine's settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = undisturbed(&self.binary);
        // What it leaves behind where it runs, such as a profile of its heap, goes or stays with its data.
        command.args(arguments).env("PARLANCE__STORAGE__DATA_DIR", self.folder()).current_dir(self.folder());
        for (key, value) in &self.settings {
            command.env(format!("PARLANCE__{}", key.replace('.', "__").to_uppercase()), value);
        }
        command
    }
}

/// The binary without what the shell of the developer has set for it.
fn undisturbed(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("PARLANCE__") || name_text == "PARLANCE_PROFILE" || name_text == "DATABASE_URL" {
            command.env_remove(&name);
        }
    }
    command
}

/// What the binary says that its configuration is by default. One that does not say knows nothing.
pub fn known_to(binary: &Path) -> Known {
    // Elsewhere than where a profile of the developer's may lie.
    let said =
        std::path::absolute(binary).and_then(|binary| undisturbed(&binary).arg("config").current_dir("/").output());
    said.map(|said| Known::of(&String::from_utf8_lossy(&said.stdout))).unwrap_or_default()
}

/// A data folder that goes when it is dropped.
pub fn passing_folder() -> anyhow::Result<tempfile::TempDir> {
    // In /tmp and open to others: an engine that runs as root lends Postgres another user, who must get there.
    let folder = tempfile::Builder::new().prefix("parlance-load-").tempdir_in("/tmp")?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// A data folder that stays, as an engine makes it: its Postgres, who may be another user, passes through.
fn make_kept(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))
}

/// An engine of ours. Ended when it is dropped.
#[derive(Debug)]
pub struct OwnEngine {
    running: Arc<Running>,
    launch: Launch,
    /// Empty until it serves.
    base: String,
    address: SocketAddr,
}

impl OwnEngine {
    /// Starts it and waits until it serves.
    pub async fn start(mut launch: Launch) -> anyhow::Result<Self> {
        launch.make_folder()?;
        let mut command = launch.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{} does not start", launch.binary.display()))?;
        let printed = Lines::of(child.stdout.take());
        // From here on it ends with us, also when we are interrupted before it serves.
        let running = Arc::new(Running::of(child));
        let mut engine = Self { running, launch, base: String::new(), address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let begun = Instant::now();
        engine.base = loop {
            if let Some(base) = served_at(&printed) {
                break base;
            }
            if let Some(status) = engine.running.ended()? {
                bail!("the engine did not start, but ended with {status}; {}", engine.running.last_words());
            }
            if begun.elapsed() > START_PATIENCE {
                bail!("the engine did not start in time; {}", engine.running.last_words());
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
        self.running.child().id()
    }

    pub fn running(&self) -> &Arc<Running> {
        &self.running
    }

    /// As its binary says it.
    pub fn version(&self) -> Option<String> {
        let said = Command::new(&self.launch.binary).arg("--version").output().ok()?;
        String::from_utf8_lossy(&said.stdout).split_whitespace().last().map(str::to_owned)
    }

    /// Makes somebody an admin, as an operator does.
    pub async fn make_admin(&self, login: &str) -> anyhow::Result<()> {
        let mut command = tokio::process::Command::from(self.launch.command(&["users", "set-role", login, "admin"]));
        let said = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        if !said.status.success() {
            bail!("{login} was not made an admin: {}", String::from_utf8_lossy(&said.stderr).trim());
        }
        Ok(())
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
        self.running.log()
    }

    /// The embedded Postgres under it.
    pub fn postmaster(&self) -> Option<u32> {
        postmaster_of(self.launch.folder())
    }

    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let mut child = self.running.child();
        // By then its number may be another's.
        if let Some(status) = child.try_wait()? {
            bail!("the engine has ended already, with {status}");
        }
        signal_process(child.id(), signal)
    }

    /// SIGTERM, and its orderly end.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.running.expect_end();
        // Fails when it has ended: then how it did says more.
        let _ = self.signal(Signal::SIGTERM);
        let status = self.ended().await?;
        if !status.success() {
            bail!("the engine ended with {status}; {}", self.running.last_words());
        }
        Ok(())
    }

    async fn ended(&self) -> anyhow::Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.running.ended()? {
                return Ok(status);
            }
            if begun.elapsed() > STOP_PATIENCE {
                bail!("the engine does not end; {}", self.running.last_words());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        let begun = Instant::now();
        let is_within = |patience| begun.elapsed() < patience;
        self.running.expect_end();
        // Fails when it has ended, which is as good.
        let _ = self.signal(Signal::SIGTERM);
        while matches!(self.running.ended(), Ok(None)) && is_within(DROP_PATIENCE) {
            std::thread::sleep(POLL);
        }
        let mut child = self.running.child();
        let _ = child.kill();
        let _ = child.wait();
        // A folder that is kept may be another engine's, and with it the Postgres there.
        let has_postgres = !self.base.is_empty() || matches!(*self.launch.folder, Folder::Passing(_));
        if has_postgres {
            see_postgres_end(self.launch.folder());
        }
    }
}

/// Waits until the Postgres of a data folder is gone: that of a program which was killed notices, and follows.
pub fn see_postgres_end(folder: &Path) {
    let begun = Instant::now();
    let Some(postmaster) = postmaster_of(folder) else { return };
    while Path::new(&format!("/proc/{postmaster}")).exists() && begun.elapsed() < DROP_PATIENCE {
        std::thread::sleep(POLL);
    }
}

fn postmaster_of(folder: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Sends a signal to a process of ours.
pub fn signal_process(pid: u32, signal: Signal) -> anyhow::Result<()> {
    kill(Pid::from_raw(i32::try_from(pid)?), signal).with_context(|| format!("{signal} to process {pid}"))
}

/// The address among the first lines that it printed, once the last of them is there.
fn served_at(printed: &Lines) -> Option<String> {
    let lines = printed.all();
    lines.iter().find(|line| line.starts_with("  log level"))?;
    let line = lines.iter().find_map(|line| line.strip_prefix("  web client"))?;
    Some(line.trim().replace("localhost", "127.0.0.1").trim_end_matches('/').to_owned())
}
