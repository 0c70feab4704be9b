//! `parlance-load`: load, limits and proof.
//!
//! It speaks only the public protocol, with a lean client of its own. See load-tests/README.md.

mod baseline;
mod check;
mod client;
mod engine;
mod install;
mod measure;
mod replay;
mod report;
mod scenarios;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::{Report, ReportArgs};
use scenarios::{at_size, chatter, compare, connect, fanout, find_limit, heap, history, idle, mixed, resume, stall};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Loads a Parlance engine, finds its limits, and proves that it keeps its promises.
#[derive(Parser)]
#[command(name = "parlance-load", version)]
struct Cli {
    #[command(flatten)]
    target: engine::TargetArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One room, N listeners, W messages in flight
    Fanout(fanout::FanoutArgs),
    /// U users in rooms of size S at R messages a second
    Chatter(chatter::ChatterArgs),
    /// A storm of N connects a second, each with hello
    Connect(connect::ConnectArgs),
    /// N idle sessions: memory and CPU each
    Idle(idle::IdleArgs),
    /// Whose are the bytes of an idle session? For an engine built with --features heap-profile
    Heap(heap::HeapArgs),
    /// N sessions cut at once and coming back, each having missed M events
    Resume(resume::ResumeArgs),
    /// A day of an organisation: everything that the engine can do
    Mixed(mixed::MixedArgs),
    /// A mixed day for hours, watching for leaks
    Soak(mixed::soak::SoakArgs),
    /// Chatter at rising rates until p99 passes a bound
    FindLimit(find_limit::FindLimitArgs),
    /// Does it keep its promises while it is killed, paused, cut off and flooded?
    Check(check::CheckArgs),
    /// The engine's pure cores under thousands of seeds with faults at every step
    Replay(replay::Replay),
    /// What the machine can do without an engine
    #[command(subcommand)]
    Baseline(baseline::Baseline),
    /// Engine and baselines alternately, and their ratios
    Compare(compare::CompareArgs),
    /// The child processes of the baselines
    #[command(subcommand, hide = true)]
    Serve(baseline::Serve),
    /// Some listeners stop reading: what does each cost, and who else notices?
    Stall(stall::StallArgs),
    /// Pages of history and catching up in large rooms
    History(history::HistoryArgs),
    /// How long everything takes at the size of an installation, and beside a smaller one
    AtSize(at_size::AtSizeArgs),
    /// Fills a database with a large installation: 10 000 people, 10 million messages
    Install(install::InstallArgs),
}

fn main() -> ExitCode {
    match start(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("parlance-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn start(cli: &Cli) -> anyhow::Result<bool> {
    cli.target.check()?;
    cli.report.check()?;
    raise_open_files();
    // One thread: the generator shares the machine with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Some(report) = tokio::task::LocalSet::new().block_on(&runtime, run_or_end(cli))? else { return Ok(true) };
    report.deliver(&cli.report)?;
    Ok(report.failures.is_empty())
}

/// Runs it, unless somebody ends it: what was started for it then ends with it.
async fn run_or_end(cli: &Cli) -> anyhow::Result<Option<Report>> {
    // The first has things to set right and listens itself; the others started nothing, and end as any program does.
    if matches!(cli.command, Command::Check(_) | Command::Replay(_) | Command::Serve(_)) {
        return run(cli).await;
    }
    tokio::select! {
        // Listens before anything is started.
        biased;
        interrupted = interrupted() => Err(match cli.target.url {
            Some(_) => interrupted.context("the people of this run are still in its rooms"),
            None => interrupted,
        }),
        report = run(cli) => report,
    }
}

/// Somebody pressed Ctrl-C, sent SIGTERM, or closed the terminal; the last means nothing to a run under `nohup`.
async fn interrupted() -> anyhow::Error {
    use tokio::signal::unix::{SignalKind, signal};
    let ends = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
                anyhow::anyhow!("interrupted")
            }
            Err(error) => error.into(),
        }
    };
    tokio::select! {
        error = ends(SignalKind::interrupt()) => error,
        error = ends(SignalKind::terminate()) => error,
        error = ends(SignalKind::hangup()), if !hangup_is_ignored() => error,
    }
}

/// By whoever started us: the lowest bit of the mask is signal 1.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Runs what was asked for; a simulation and a child process speak for themselves.
async fn run(cli: &Cli) -> anyhow::Result<Option<Report>> {
    let target = &cli.target;
    let report = match &cli.command {
        Command::Fanout(args) => fanout::run(args, target).await,
        Command::Chatter(args) => chatter::run(args, target).await,
        Command::Connect(args) => connect::run(args, target).await,
        Command::Idle(args) => idle::run(args, target).await,
        Command::Heap(args) => heap::run(args, target).await,
        Command::Resume(args) => resume::run(args, target).await,
        Command::Mixed(args) => mixed::run(args, target).await,
        Command::Soak(args) => mixed::soak::run(args, target).await,
        Command::FindLimit(args) => find_limit::run(args, target).await,
        Command::Check(args) => check::run(args, target).await,
        Command::Baseline(which) => baseline::run(which, target).await,
        Command::Compare(args) => compare::run(args, target).await,
        Command::Stall(args) => stall::run(args, target).await,
        Command::History(args) => history::run(args, target).await,
        Command::AtSize(args) => at_size::run(args, target).await,
        Command::Install(args) => install::run(args, target).await,
        Command::Replay(replay) => {
            anyhow::ensure!(replay.run()?, "a promise is broken");
            return Ok(None);
        }
        Command::Serve(what) => return baseline::serve(what).await.map(|()| None),
    };
    report.map(Some)
}

/// Each connection is an open file here and in the engine, which inherits the limit.
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // A limit that cannot be raised is met later, with the error of the connection that is one too many.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
