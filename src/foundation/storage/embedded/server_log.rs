//! The server's log file: bounded on disk, and quoted when the server does not start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Past this the file moves to `<name>.1`, so that the two never take more than about twice as much.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// How much of the end an error message quotes.
const TAIL_BYTES_MAX: u64 = 4 * 1024;
const TAIL_LINES_MAX: usize = 15;

/// For the server to write to. It is opened here, so it need not be writable for the account of the server.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Copies and empties a log that grew too long. Moving it would not do: the server keeps writing to the file that
/// it was started with.
pub(super) fn keep_short(path: &Path) {
    let long = fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES_MAX);
    if !long {
        return;
    }
    if let Err(error) = fs::copy(path, older(path)) {
        // As on a full disk, where the room is worth more than the old lines; and half a copy takes room as well.
        tracing::warn!(log = %path.display(), %error, "the log of Postgres grew too long and its beginning is not kept");
        let _ = fs::remove_file(older(path));
    }
    let emptied = OpenOptions::new().write(true).open(path).and_then(|log| log.set_len(0));
    if let Err(error) = emptied {
        tracing::warn!(log = %path.display(), %error, "the log of Postgres could not be shortened");
    }
}

/// The last lines, for an error message.
pub(super) fn tail(path: &Path) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
        io::Result::Ok(last_lines(&String::from_utf8_lossy(&bytes)))
    };
    read().unwrap_or_else(|error| format!("(it cannot be read: {error})"))
}

/// The last few lines of what a program printed.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n")
}

fn older(path: &Path) -> PathBuf {
    path.with_added_extension("1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_set_aside_and_a_short_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, "short\n").unwrap();
        keep_short(&path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "short\n");

        let mut writer = open(&path).unwrap();
        io::copy(&mut io::repeat(b'x').take(LOG_BYTES_MAX), &mut writer).unwrap();
        keep_short(&path);
        assert_eq!(fs::metadata(folder.path().join("postgres.log.1")).unwrap().len(), LOG_BYTES_MAX + 6);
        io::Write::write_all(&mut writer, b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "next\n", "the server's handle goes on at the new end");
    }

    #[test]
    fn a_long_log_that_cannot_be_copied_is_emptied_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        io::copy(&mut io::repeat(b'x').take(LOG_BYTES_MAX + 1), &mut open(&path).unwrap()).unwrap();
        fs::create_dir(folder.path().join("postgres.log.1")).unwrap();
        keep_short(&path);
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }

    #[test]
    fn the_tail_is_the_last_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, (0..10_000).map(|line| format!("line {line}\n")).collect::<String>()).unwrap();
        let tail = tail(&path);
        assert_eq!(tail.lines().count(), TAIL_LINES_MAX);
        assert!(tail.ends_with("line 9999"), "{tail}");
    }
}
