//! Waiting for what has to happen, not for time.

use std::time::{Duration, Instant};

/// Every wait is for a process, a socket or a row, and fails the test after this.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const POLL: Duration = Duration::from_millis(5);

/// Polls until it happened, within [`PATIENCE`].
pub async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !happened().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(POLL).await;
    }
}
