//! Processes of the server: starting the postmaster, finding what an earlier engine left behind, stopping both.
//!
//! Every process of one cluster carries its `cluster_name`, a name made from the device and inode of the data
//! folder: the postmaster among its arguments, its children in their titles. So they are found through
//! `/proc/<pid>/cmdline`, which anybody may read, even where a container hides `/proc/<pid>/exe` from root, and
//! also when the postmaster, and with it `postmaster.pid`, says nothing about them any more.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::account::Account;
use super::error::EmbeddedError;
use super::server::Server;
use super::server_log;

/// How long an immediate shutdown may take before what is left of it is killed.
const QUIT_PATIENCE: Duration = Duration::from_secs(6);
const KILL_PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// Ends a postmaster whose engine is gone. The engine holds the other end of its standard input, so that `read`
/// returns when the engine ends in whatever way. It asks for the same orderly stop as the next start of an engine
/// would, and only if the process is still that postmaster, so it never hits a later one.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
read -r _
grep -qF -- "$2" "/proc/$1/cmdline" 2>/dev/null && kill -INT "$1"
"#;

/// A program of Postgres, run as its account, without the engine's environment and away from its terminal.
pub(super) fn clean_command(program: &Path, account: &Account) -> Command {
    let mut command = Command::new(program);
    command
        // PGDATA, PGOPTIONS, LANG and the like would change what the server does.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        // Initdb and postgres look at the folder that they were started in, which the account may not be able to.
        .current_dir("/")
        // Ctrl-C in the terminal is for the engine, which then stops Postgres after its last write.
        .process_group(0);
    account.run_as(&mut command);
    command
}

/// The process group of a program that [`clean_command`] started, killed when this is dropped.
pub(super) struct KillGroup(pub(super) u32);

impl Drop for KillGroup {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.0) {
            // After an orderly end there is nobody left in it.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

/// A running postmaster that is our child.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    pid: u32,
    /// Lives for its standard input: closing that is what sets it off.
    _watchdog: Option<Child>,
}

impl Postmaster {
    pub fn spawn(server: &Server) -> Result<Self, EmbeddedError> {
        let program = server.install.bin.join("postgres");
        let log = &server.cluster.log;
        server_log::keep_short(log);
        let output = server_log::open(log).map_err(EmbeddedError::io("write", log))?;
        let errors = output.try_clone().map_err(EmbeddedError::io("write", log))?;
        let mut command = clean_command(&program, &server.account);
        command.arg("-D").arg(&server.cluster.dir);
        for setting in server.settings() {
            command.arg("-c").arg(setting);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(EmbeddedError::io("run", program))?;
        let pid = child.id().unwrap_or_default();
        Ok(Self { child, pid, _watchdog: watch(pid, &server.name, &server.account) })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> String {
        describe(self.child.wait().await)
    }

    /// How it ended, if it did.
    pub fn has_ended(&mut self) -> Option<String> {
        self.child.try_wait().transpose().map(describe)
    }

    /// A fast shutdown (open transactions are rolled back, everything is written), then ever ruder ones. Even the
    /// rudest loses nothing that was committed.
    pub async fn stop(mut self, patience: Duration) {
        let steps = [(Signal::SIGINT, patience), (Signal::SIGQUIT, QUIT_PATIENCE), (Signal::SIGKILL, KILL_PATIENCE)];
        for (signal, patience) in steps {
            // Once its end was noticed, the number may belong to somebody else.
            if self.child.id().is_none() {
                return;
            }
            if signal != Signal::SIGINT {
                tracing::warn!(pid = self.pid, "Postgres did not stop in time: sending {signal}");
            }
            send(self.pid, signal);
            if tokio::time::timeout(patience, self.child.wait()).await.is_ok() {
                return;
            }
        }
        tracing::error!(pid = self.pid, "Postgres cannot be stopped");
    }
}

fn describe(ended: io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn watch(postmaster: u32, name: &str, account: &Account) -> Option<Child> {
    let mut command = clean_command(Path::new("/bin/sh"), account);
    command.args(["-c", WATCHDOG, "parlance-watchdog", &postmaster.to_string(), name]);
    let watchdog = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    // Without it a killed engine leaves its Postgres running until the next start; no reason not to run now.
    watchdog.inspect_err(|error| tracing::warn!(%error, "cannot run /bin/sh to watch over Postgres")).ok()
}

/// Stops whatever still runs on the cluster called `name`: a server that outlived its engine, or the children of a
/// postmaster that was killed. Returns when none is left, so that no two servers ever share the data.
pub(super) async fn stop_leftovers(
    server_name: &str,
    account: &Account,
    cluster: &Path,
    patience: Duration,
) -> Result<(), EmbeddedError> {
    let mut left = Leftovers::find(server_name, account);
    if left.is_empty() {
        return Ok(());
    }
    if left.postmasters.is_empty() {
        tracing::info!(pids = ?left.pids(), "ending what a killed Postgres left behind");
    } else {
        tracing::warn!(pids = ?left.postmasters, "stopping a Postgres that an earlier engine left running");
    }
    // Children without a postmaster notice that by themselves, but may first finish a long query.
    let orderly = if left.postmasters.is_empty() { Duration::ZERO } else { patience };
    let steps = [(Signal::SIGINT, orderly), (Signal::SIGQUIT, QUIT_PATIENCE), (Signal::SIGKILL, KILL_PATIENCE)];
    for (signal, patience) in steps {
        let targets = if signal == Signal::SIGINT { left.postmasters.clone() } else { left.pids() };
        for pid in targets {
            send(pid, signal);
        }
        let begun = Instant::now();
        while begun.elapsed() < patience {
            left = Leftovers::find(server_name, account);
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Err(EmbeddedError::Leftover { path: cluster.to_owned(), pids: left.pids() })
}

/// Processes of one cluster.
#[derive(Debug, Default)]
struct Leftovers {
    postmasters: Vec<u32>,
    children: Vec<u32>,
}

impl Leftovers {
    fn find(name: &str, account: &Account) -> Self {
        let mut found = Self::default();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|text| text.parse::<u32>().ok()) else { continue };
            // Anybody may call their process what they like; only the account's own count.
            if !fs::metadata(entry.path()).is_ok_and(|process| process.uid() == account.uid()) {
                continue;
            }
            let Ok(command_line) = fs::read(entry.path().join("cmdline")) else { continue };
            match role(&command_line, name) {
                Some(Role::Postmaster) => found.postmasters.push(pid),
                Some(Role::Child) => found.children.push(pid),
                None => {}
            }
        }
        found
    }

    fn is_empty(&self) -> bool {
        self.postmasters.is_empty() && self.children.is_empty()
    }

    fn pids(&self) -> Vec<u32> {
        [self.postmasters.as_slice(), &self.children].concat()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Role {
    Postmaster,
    Child,
}

/// What a process is to the cluster called `name`, by its command line.
fn role(command_line: &[u8], name: &str) -> Option<Role> {
    let text = String::from_utf8_lossy(command_line);
    let mut words = text.split('\0');
    let program = words.next()?;
    if program.strip_prefix("postgres: ").is_some_and(|title| title.starts_with(&format!("{name}: "))) {
        Some(Role::Child)
    } else if program.ends_with("/postgres") && words.any(|word| word == format!("cluster_name={name}")) {
        Some(Role::Postmaster)
    } else {
        None
    }
}

/// Whether `pid` is in use by a process that is surely not a server on this data.
pub(super) fn is_something_else(pid: u32, cluster: &Path) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    let Ok(command_line) = fs::read(process.join("cmdline")) else { return false };
    match (fs::read_link(process.join("cwd")), fs::canonicalize(cluster)) {
        // A server works in its data folder.
        (Ok(working_dir), Ok(cluster)) => working_dir != cluster,
        // Containers may hide it, even from root.
        _ => {
            let text = String::from_utf8_lossy(&command_line);
            let program = text.split(['\0', ' ']).next().unwrap_or_default();
            !["postgres", "postgres:", "postmaster"].iter().any(|name| program.ends_with(name))
        }
    }
}

/// Whether any process works in this data folder, as every server on it does.
pub(super) fn works_in(cluster: &Path) -> bool {
    let Ok(cluster) = fs::canonicalize(cluster) else { return false };
    let mut processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.any(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == cluster))
}

fn send(pid: u32, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    if pid > 1
        && let Err(error) = kill(Pid::from_raw(pid), signal)
        && error != nix::errno::Errno::ESRCH
    {
        tracing::warn!(pid, %signal, %error, "cannot signal Postgres");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processes_of_this_cluster_are_taken_for_its_own() {
        let cases: [(&[u8], Option<Role>); 6] = [
            (b"/x/bin/postgres\0-D\0/d\0-c\0cluster_name=parlance-1-2\0-c\0port=1\0", Some(Role::Postmaster)),
            (b"postgres: parlance-1-2: walwriter \0\0\0", Some(Role::Child)),
            (b"/x/bin/postgres\0-D\0/d\0-c\0cluster_name=parlance-1-23\0", None),
            (b"postgres: parlance-1-23: walwriter\0", None),
            (b"/bin/sh\0-c\0cluster_name=parlance-1-2\0", None),
            (b"", None),
        ];
        for (command_line, expected) in cases {
            assert_eq!(role(command_line, "parlance-1-2"), expected, "{}", String::from_utf8_lossy(command_line));
        }
    }
}
