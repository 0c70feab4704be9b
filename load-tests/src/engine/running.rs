//! The process of an engine that the harness started, and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last lines that an engine printed are kept, so many of them.
const LOG_LINES_MAX: usize = 40;

/// The process of an engine of ours, shared with whoever watches it.
#[derive(Debug)]
pub struct Running {
    child: Mutex<Child>,
    log: Lines,
    /// Somebody has told it to.
    is_to_end: AtomicBool,
}

impl Running {
    pub fn of(mut child: Child) -> Self {
        let log = Lines::of(child.stderr.take());
        Self { child: Mutex::new(child), log, is_to_end: AtomicBool::new(false) }
    }

    /// How it ended, when nobody has told it to, and the end of its log.
    pub fn lost(&self) -> Option<String> {
        if self.is_to_end.load(Ordering::Relaxed) {
            return None;
        }
        let status = self.ended().ok().flatten()?;
        Some(format!("the engine ended before the run did, with {status}; {}", self.last_words()))
    }

    /// Whether it has, and how.
    pub fn ended(&self) -> std::io::Result<Option<ExitStatus>> {
        self.child().try_wait()
    }

    /// From here on its end is no news. One that has ended already did so by itself.
    pub fn expect_end(&self) {
        if matches!(self.ended(), Ok(None)) {
            self.is_to_end.store(true, Ordering::Relaxed);
        }
    }

    /// Nobody else sees the process while this is held.
    pub fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn log(&self) -> String {
        self.log.all().join("\n")
    }

    pub fn last_words(&self) -> String {
        let log = self.log();
        if log.is_empty() { "it logged nothing".to_owned() } else { format!("the end of its log:\n{log}") }
    }
}

/// The last lines that a program printed, as they come.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Self::default();
        let Some(pipe) = pipe else { return kept };
        let shared = kept.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut lines = shared.all();
                if lines.len() >= LOG_LINES_MAX {
                    lines.remove(0);
                }
                lines.push(line);
            }
        });
        kept
    }

    pub fn all(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn running(script: &str) -> Running {
        Running::of(Command::new("sh").args(["-c", script]).stderr(Stdio::piped()).spawn().unwrap())
    }

    #[test]
    fn an_engine_that_nobody_ended_is_lost() {
        let killed = running("echo oh >&2; kill -9 $$");
        killed.child().wait().unwrap();
        // Its last line comes through a thread of its own.
        while killed.log().is_empty() {
            std::thread::yield_now();
        }
        killed.expect_end();
        let lost = killed.lost().unwrap();
        assert!(lost.contains("SIGKILL") && lost.ends_with("oh"), "{lost}");
    }

    #[test]
    fn an_engine_that_was_told_to_end_is_not() {
        let told = running("exec sleep 60");
        assert_eq!(told.lost(), None);
        told.expect_end();
        told.child().kill().unwrap();
        told.child().wait().unwrap();
        assert_eq!(told.lost(), None);
    }
}
