//! Logs and metrics.
//!
//! Logs go to standard error through `tracing` and a queue of their own (`log_lines`), so that no reader of the log can
//! hold up or fail the engine; pretty on a terminal and JSON otherwise. Field names are
//! stable so that they can be searched: `actor`, `room_id`, `user_id`, `session_id`, `seq`, `shard`,
//! `request_id`, `error`, `elapsed_ms`. Message content, passwords and tokens are never logged.
//! Metrics are named `parlance_<what>_<unit>` and listed, with their meaning, in the engine's `metrics_list`; what every
//! process has (`process_resident_memory_bytes`, …) keeps the names that Prometheus users expect.

mod config;
mod log_lines;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

pub use config::{LogConfig, LogFormat};
pub use log_lines::flush as flush_logs;

thread_local! {
    /// The request that this worker thread is answering; a handler that awaits sets it anew at each poll.
    static REQUEST_ID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Bounds in seconds: from a flush of one row to an outage that a client waited out.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const ROWS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// Filters that a level in the configuration does not speak of; one that names the same target wins.
/// The server logs as errors what strangers send to its port (no HTTP at all, half a request, a body cut off): that is
/// no fault of ours, and anybody could fill the log with it. What it says of its own start is of no use to anybody.
const BESIDE_THE_LEVEL: &str = "actix_http=off,actix_server=warn";

/// Starts logging; a second call in the same process (tests) changes nothing.
pub fn init_logs(config: &LogConfig) {
    let filter = EnvFilter::try_new(format!("{BESIDE_THE_LEVEL},{}", config.level));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let pretty = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = log_lines::Queue::to_stderr(config.queue_lines_max);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.clone());
    // Fails only when a subscriber is already there.
    let _ = if pretty {
        builder.with_target(true).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).try_init()
    };
}

/// Panics go the way of all log lines: the standard hook writes to standard error itself, and would wait there for a
/// reader that takes nothing.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let said = panic.payload_as_str().unwrap_or("something that is no text");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(error = said, place, thread, %backtrace, "a panic");
    } else {
        tracing::error!(error = said, place, thread, "a panic; RUST_BACKTRACE=1 would tell how it came to it");
    }
}

/// Whether `text` is a log filter that we can follow.
pub fn is_filter(text: &str) -> bool {
    !text.trim().is_empty() && EnvFilter::try_new(text).is_ok()
}

/// Installs the process-wide recorder, for which `describe` describes every metric; [`render_metrics`] renders its
/// handle. A second call (tests) gets its own, unconnected one.
pub fn init_metrics(describe: fn()) -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_rows".into()), ROWS)?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    Ok(handle)
}

/// What only the program around the engine can tell: its heap, when it profiles that.
#[cfg(feature = "heap-profile")]
static BEFORE_EACH_SCRAPE: std::sync::OnceLock<fn()> = std::sync::OnceLock::new();

/// Has `tell` set its gauges before each reading of `/metrics`; the first one stays.
#[cfg(feature = "heap-profile")]
pub fn before_each_scrape(tell: fn()) {
    let _ = BEFORE_EACH_SCRAPE.set(tell);
}

/// The text of `/metrics`. What the process uses is read now, for nobody else asks.
pub fn render_metrics(handle: &PrometheusHandle) -> String {
    metrics::counter!("parlance_log_lines_dropped_total").absolute(log_lines::dropped());
    metrics_process::Collector::default().collect();
    #[cfg(feature = "heap-profile")]
    if let Some(tell) = BEFORE_EACH_SCRAPE.get() {
        tell();
    }
    handle.render()
}

/// Remembers the id of the request that this thread is about to work on.
pub fn set_request_id(id: Option<&str>) {
    REQUEST_ID.with_borrow_mut(|current| *current = id.map(str::to_owned));
}

/// The id of the request that this thread works on, or a dash.
pub fn current_request_id() -> String {
    REQUEST_ID.with_borrow(|current| current.clone()).unwrap_or_else(|| "-".to_owned())
}
