//! CPU and memory of an engine and of its Postgres, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

/// What one program has used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageOf {
    /// User and system time since its start.
    pub cpu_seconds: f64,
    /// Resident memory now; shared pages of several processes count once each.
    pub resident_bytes: f64,
}

/// What an engine has used, and the Postgres that it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub engine: UsageOf,
    pub postgres: UsageOf,
}

/// Clock ticks a second in `/proc`: fixed for user space on Linux.
const TICKS: f64 = 100.0;

/// What `/proc` counts memory in.
static PAGE_BYTES: LazyLock<f64> = LazyLock::new(|| {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|bytes| u32::try_from(bytes).ok()).map_or(4096.0, f64::from)
});

struct Process {
    parent: u32,
    ticks: u64,
    ticks_of_dead_children: u64,
    resident_pages: u64,
}

impl Usage {
    /// Reads the process and everything below it, which is its Postgres.
    pub fn of(pid: u32) -> Self {
        let processes = all();
        let mut usage = Self::default();
        if let Some(process) = processes.get(&pid) {
            usage.engine.add(process, false);
        }
        for (child, process) in &processes {
            if *child != pid && descends(*child, pid, &processes) {
                usage.postgres.add(process, true);
            }
        }
        usage
    }

    /// What was used since `before`; memory as it is now.
    pub fn since(&self, before: &Self) -> Self {
        Self { engine: self.engine.since(&before.engine), postgres: self.postgres.since(&before.postgres) }
    }
}

impl UsageOf {
    fn add(&mut self, process: &Process, with_children: bool) {
        let dead = if with_children { process.ticks_of_dead_children } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "ticks and pages are far below 2^52")]
        {
            self.cpu_seconds += (process.ticks + dead) as f64 / TICKS;
            self.resident_bytes += process.resident_pages as f64 * *PAGE_BYTES;
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self { cpu_seconds: self.cpu_seconds - before.cpu_seconds, resident_bytes: self.resident_bytes }
    }
}

/// Every process below this one.
pub fn descendants(pid: u32) -> Vec<u32> {
    let processes = all();
    processes.keys().copied().filter(|child| *child != pid && descends(*child, pid, &processes)).collect()
}

fn all() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

/// `/proc/<pid>/stat`: "pid (name) state parent …", and the name may hold anything.
fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
        ticks_of_dead_children: number(13)? + number(14)?,
        resident_pages: number(21)?,
    })
}

fn descends(pid: u32, ancestor: u32, processes: &HashMap<u32, Process>) -> bool {
    let mut current = pid;
    while let Some(process) = processes.get(&current) {
        if process.parent == ancestor {
            return true;
        }
        if process.parent <= 1 {
            return false;
        }
        current = process.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id());
        assert!(usage.engine.resident_bytes > 100_000.0, "{usage:?}");
    }
}
