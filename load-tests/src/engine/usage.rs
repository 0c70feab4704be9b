//! CPU and memory of an engine and of its Postgres.
//!
//! From `/proc` where its process can be seen; else from its own metrics, which know nothing of Postgres. What is not known
//! is not a number: it is no figure, and `null` in JSON.

use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

use super::metrics::Scrape;

/// Where CPU and memory of an engine are read.
#[derive(Clone, Debug)]
pub enum UsageSource {
    /// In `/proc`: a process of this machine, and the Postgres below it.
    Process(u32),
    /// In the metrics of the engine at this address, such as `http://127.0.0.1:8080`.
    Metrics(String),
}

/// What one program has used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsageOf {
    /// User and system time since its start, or between two moments.
    pub cpu_seconds: f64,
    /// Only whole seconds of it are told.
    is_coarse: bool,
    /// Resident memory now; shared pages of several processes count once each.
    pub resident_bytes: f64,
}

/// What an engine has used, and the Postgres that it started.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub engine: UsageOf,
    pub postgres: UsageOf,
}

/// Clock ticks a second in `/proc`: fixed for user space on Linux.
const TICKS: f64 = 100.0;
/// Less CPU than this, counted in whole seconds, is a guess.
const COARSE_SECONDS_MIN: f64 = 10.0;

/// What `/proc` counts memory in.
static PAGE_BYTES: LazyLock<f64> = LazyLock::new(|| {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|bytes| u32::try_from(bytes).ok()).map_or(4096.0, f64::from)
});

struct Stat {
    parent: u32,
    ticks: u64,
    ticks_of_dead_children: u64,
    resident_pages: u64,
}

impl Usage {
    /// Reads the process and everything below it, which is its Postgres.
    pub fn of(pid: u32) -> Self {
        let processes = all();
        let below = processes.iter().filter(|(child, _)| **child != pid && descends(**child, pid, &processes));
        let postgres = below.map(|(_, stat)| UsageOf::one(stat, true)).reduce(UsageOf::plus);
        let engine = processes.get(&pid).map(|stat| UsageOf::one(stat, false));
        Self { engine: engine.unwrap_or(UsageOf::UNKNOWN), postgres: postgres.unwrap_or(UsageOf::UNKNOWN) }
    }

    /// What was used since `before`; memory as it is now.
    pub fn since(&self, before: &Self) -> Self {
        Self { engine: self.engine.since(&before.engine), postgres: self.postgres.since(&before.postgres) }
    }
}

impl UsageSource {
    /// What has been used by now.
    pub async fn usage(&self) -> Usage {
        let base = match self {
            // Elsewhere: to look at every process of a large machine would hold up whatever is being timed here.
            Self::Process(pid) => {
                let pid = *pid;
                let read = tokio::task::spawn_blocking(move || Usage::of(pid)).await;
                return read.unwrap_or(Usage { engine: UsageOf::UNKNOWN, postgres: UsageOf::UNKNOWN });
            }
            Self::Metrics(base) => base,
        };
        let engine = Scrape::from(base).await.ok().and_then(|scrape| UsageOf::told(&scrape));
        Usage { engine: engine.unwrap_or(UsageOf::UNKNOWN), postgres: UsageOf::UNKNOWN }
    }
}

impl UsageOf {
    const UNKNOWN: Self = Self { cpu_seconds: f64::NAN, is_coarse: false, resident_bytes: f64::NAN };

    /// What an engine says of itself.
    pub fn told(scrape: &Scrape) -> Option<Self> {
        let cpu_seconds = scrape.value("process_cpu_seconds_total")?;
        let resident_bytes = scrape.value("process_resident_memory_bytes")?;
        Some(Self { cpu_seconds, is_coarse: true, resident_bytes })
    }

    /// Whether an engine that told this may be the process of which that was read before and after.
    pub fn is_between(&self, before: &Self, after: &Self) -> bool {
        let (least, most) =
            (before.resident_bytes.min(after.resident_bytes), before.resident_bytes.max(after.resident_bytes));
        let whole_second_before = before.cpu_seconds.floor() - 0.5 / TICKS;
        (whole_second_before..=after.cpu_seconds + 1.0 / TICKS).contains(&self.cpu_seconds)
            && (least * 0.8..=most * 1.2).contains(&self.resident_bytes)
    }

    fn one(stat: &Stat, with_children: bool) -> Self {
        let dead = if with_children { stat.ticks_of_dead_children } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "ticks and pages are far below 2^52")]
        Self {
            cpu_seconds: (stat.ticks + dead) as f64 / TICKS,
            is_coarse: false,
            resident_bytes: stat.resident_pages as f64 * *PAGE_BYTES,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            is_coarse: self.is_coarse || other.is_coarse,
            resident_bytes: self.resident_bytes + other.resident_bytes,
        }
    }

    /// A process that ended since took what it had used with it: how much that was is not known.
    fn since(&self, before: &Self) -> Self {
        let used = self.cpu_seconds - before.cpu_seconds;
        let least = if self.is_coarse { COARSE_SECONDS_MIN } else { 0.0 };
        Self { cpu_seconds: if used < least { f64::NAN } else { used }, ..*self }
    }
}

/// CPU that this program has used.
pub fn own_cpu_seconds() -> f64 {
    read(std::process::id()).map_or(f64::NAN, |stat| UsageOf::one(&stat, false).cpu_seconds)
}

/// Every process below this one.
pub fn descendants(pid: u32) -> Vec<u32> {
    let processes = all();
    processes.keys().copied().filter(|child| *child != pid && descends(*child, pid, &processes)).collect()
}

fn all() -> HashMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

/// `/proc/<pid>/stat`: "pid (name) state parent …", and the name may hold anything.
fn read(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
        ticks_of_dead_children: number(13)? + number(14)?,
        resident_pages: number(21)?,
    })
}

fn descends(pid: u32, ancestor: u32, processes: &HashMap<u32, Stat>) -> bool {
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

    #[test]
    fn what_a_process_took_with_it_is_not_known() {
        let used = |cpu_seconds| UsageOf { cpu_seconds, is_coarse: false, resident_bytes: 1.0 };
        assert_eq!(used(3.0).since(&used(1.0)), used(2.0));
        assert!(used(0.5).since(&used(1.0)).cpu_seconds.is_nan());
        assert!(UsageOf::UNKNOWN.since(&used(1.0)).cpu_seconds.is_nan());
        assert!(Usage::of(u32::MAX).engine.cpu_seconds.is_nan());
    }

    #[test]
    fn a_few_whole_seconds_say_nothing() {
        let told = |cpu_seconds| UsageOf { cpu_seconds, is_coarse: true, resident_bytes: 1.0 };
        assert!(told(3.0).since(&told(1.0)).cpu_seconds.is_nan());
        assert_eq!(told(31.0).since(&told(1.0)).cpu_seconds, 30.0);
    }

    #[test]
    fn an_engine_is_known_by_its_cpu_and_memory() {
        let read = |cpu_seconds, resident_bytes| UsageOf { cpu_seconds, is_coarse: false, resident_bytes };
        let engine = UsageOf { cpu_seconds: 3.0, is_coarse: true, resident_bytes: 66e6 };
        assert!(engine.is_between(&read(3.98, 66e6), &read(4.01, 66e6)));
        for other in [read(325.0, 66e6), read(0.1, 66e6), read(3.5, 20e6), UsageOf::UNKNOWN] {
            assert!(!engine.is_between(&other, &other), "{other:?}");
        }
    }
}
