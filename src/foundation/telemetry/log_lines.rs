//! The way of a log line to standard error: a bounded queue, and a thread that writes.
//!
//! Invariant: writing a line never fails, blocks or panics for whoever writes it, whatever is at the other end: a pipe
//! whose reader ended, a full pipe that nobody reads, a full disk. Lines that the queue or standard error does not take
//! are dropped and counted ([`dropped`]); when standard error takes lines again, one of them says how many are missing.
//!
//! Not `tracing-appender`, which does the same: it drops lines that could not be written without counting them, and
//! nobody can wait until what is queued is written.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The queue of this process, once logging has begun.
static QUEUE: OnceLock<Queue> = OnceLock::new();

static DROPPED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether the queue took the last line of this thread.
    static LAST_TAKEN: Cell<bool> = const { Cell::new(true) };
}

enum Entry {
    Line(Vec<u8>),
    /// Answered when everything before it is written or dropped.
    Flush(SyncSender<()>),
}

/// Where lines wait for their writer.
#[derive(Clone)]
pub(super) struct Queue(SyncSender<Entry>);

impl Queue {
    /// The one queue of this process, with a thread that takes its lines to standard error.
    pub fn to_stderr(lines_max: usize) -> &'static Self {
        QUEUE.get_or_init(|| {
            // Not through std's handle: its lock would be held while a write blocks.
            let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
            match stderr {
                Ok(stderr) => Self::to(stderr, lines_max),
                Err(_) => Self::to(io::sink(), lines_max),
            }
        })
    }

    fn to(target: impl Write + Send + 'static, lines_max: usize) -> Self {
        let (sender, lines) = sync_channel(lines_max);
        // Without the thread its end of the queue is gone, and every line counts as dropped.
        let _ = std::thread::Builder::new().name("log".into()).spawn(move || write_all(&lines, target));
        Self(sender)
    }

    /// Waits until what was logged so far is written, but no longer than `patience`.
    fn flush(&self, patience: Duration) {
        let (done, written) = sync_channel(1);
        if self.0.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(patience);
        }
    }
}

/// Lines that were not written since the start of the process.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits until what was logged so far is written, but no longer than `patience`: for what is printed beside the log.
pub fn flush(patience: Duration) {
    if let Some(queue) = QUEUE.get() {
        queue.flush(patience);
    }
}

impl Write for &Queue {
    /// One call is one line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_taken = self.0.try_send(Entry::Line(line.to_vec())).is_ok();
        if !is_taken {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        LAST_TAKEN.set(is_taken);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Until the last sender is gone: for the log of the process, never.
fn write_all(lines: &Receiver<Entry>, mut target: impl Write) {
    let mut reported = 0;
    // A line was cut off in its middle: the next one shall not continue it.
    let mut torn = false;
    while let Ok(entry) = lines.recv() {
        let line = match entry {
            Entry::Line(line) => line,
            Entry::Flush(done) => {
                let _ = done.send(());
                continue;
            }
        };
        let written = if torn { target.write_all(b"\n") } else { Ok(()) };
        if written.and_then(|()| target.write_all(&line)).is_err() {
            torn = true;
            DROPPED.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        torn = false;
        let missing = dropped();
        if missing > reported {
            tracing::warn!(lines = missing - reported, "log lines are missing here: standard error did not take them");
            // Where the queue is full of others it comes to be said behind one of those.
            if LAST_TAKEN.get() {
                reported = missing;
            } else {
                DROPPED.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes bytes, refuses them, or blocks, as it is told.
    #[derive(Clone, Default)]
    struct Target(Arc<Mutex<Vec<u8>>>, Arc<Mutex<bool>>);

    impl Write for Target {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.lock().unwrap();
            if *self.1.lock().unwrap() {
                // The beginning of a line still finds room.
                if bytes.len() > 1 {
                    taken.push(bytes[0]);
                    return Ok(1);
                }
                return Err(io::Error::from_raw_os_error(28));
            }
            taken.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_target_that_refuses_or_blocks_fails_nobody_and_the_next_line_is_whole() {
        let target = Target::default();
        let queue = Queue::to(target.clone(), 4);
        let say = |text: &str| (&queue).write_all(text.as_bytes()).unwrap();
        say("one\n");
        queue.flush(PATIENCE);

        *target.1.lock().unwrap() = true;
        let before = dropped();
        say("lost\n");
        queue.flush(PATIENCE);
        assert!(dropped() > before);
        *target.1.lock().unwrap() = false;
        say("two\n");
        queue.flush(PATIENCE);
        let taken = String::from_utf8(target.0.lock().unwrap().clone()).unwrap();
        assert!(taken.starts_with("one\nlost") && taken.ends_with("\ntwo\n"), "{taken:?}");

        // Blocked, with a queue that is soon full.
        let held = target.0.lock().unwrap();
        let before = dropped();
        (0..20).for_each(|_| say("three\n"));
        assert!(dropped() - before >= 15, "{}", dropped() - before);
        queue.flush(Duration::ZERO);
        drop(held);
        queue.flush(PATIENCE);
    }
}
