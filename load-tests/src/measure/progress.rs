//! Progress while a run is under way: a bar on a terminal, silence in a log.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One bar. Gone from the terminal when it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// Progress of `what`, up to `whole`.
    pub fn of(what: &str, whole: u64) -> Self {
        let bar = ProgressBar::new(whole).with_message(what.to_owned());
        // The template is ours and valid; the default would do as well.
        if let Ok(style) = ProgressStyle::with_template("{msg:>16} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Progress of a run of this length, with a line that says how it goes.
    pub fn of_run(what: &str, length: Duration) -> Self {
        let bar = ProgressBar::new(length.as_secs()).with_prefix(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{prefix:>16} {bar:20} {pos}/{len} s  {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub fn add(&self, count: u64) {
        self.0.inc(count);
    }

    pub fn set(&self, position: u64, message: String) {
        self.0.set_position(position);
        self.0.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
