//! A data folder of one test, and every Postgres that runs on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use parlance_foundation::testing::open_folder;

/// Gone with the test, together with any server that an engine left running on it. Drop the engine first.
pub struct DataFolder(tempfile::TempDir);

impl DataFolder {
    pub fn new() -> Self {
        Self(open_folder())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The process ids of the postmaster on this folder, or of the initdb that makes its data.
    pub fn servers(&self) -> Vec<i32> {
        let needle = self.join("postgres").display().to_string();
        let on_it = |pid: &i32| {
            // A zombie has no command line.
            let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let text = String::from_utf8_lossy(&command_line);
            let program = text.split('\0').next().unwrap_or_default();
            (program.ends_with("/postgres") || program.ends_with("/initdb")) && text.contains(&needle)
        };
        let found: Vec<i32> = processes().filter(on_it).collect();
        // A child that has not yet given itself a title of its own is called as the postmaster that made it.
        let is_child = |pid: &i32| parent_of(*pid).is_some_and(|parent| found.contains(&parent));
        found.iter().copied().filter(|pid| !is_child(pid)).collect()
    }

    /// Its running postmaster.
    pub fn postmaster(&self) -> Option<i32> {
        let text = fs::read_to_string(self.join("postgres/postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        self.servers().contains(&pid).then_some(pid)
    }

    /// Stops every process of its server in its tracks.
    pub fn freeze(&self) -> Frozen {
        let postmaster = self.postmaster().expect("it runs");
        let is_its_child = |pid: &i32| parent_of(*pid) == Some(postmaster);
        let pids: Vec<i32> = std::iter::once(postmaster).chain(processes().filter(is_its_child)).collect();
        for pid in &pids {
            kill(Pid::from_raw(*pid), Signal::SIGSTOP).unwrap();
        }
        Frozen(pids)
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.servers() {
            // It may be gone by now.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

/// Processes that stand still until this is dropped.
pub struct Frozen(Vec<i32>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            // It may have been killed, frozen as it was.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGCONT);
        }
    }
}

fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "pid (name) state parent …", and the name may hold anything.
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let begun = Instant::now();
        // Nobody needs the data: an immediate shutdown, and ruder when that takes long.
        self.signal_all(Signal::SIGQUIT);
        while !self.servers().is_empty() {
            if begun.elapsed() > Duration::from_secs(5) {
                self.signal_all(Signal::SIGKILL);
            }
            if begun.elapsed() > Duration::from_secs(10) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}
