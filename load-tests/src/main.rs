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

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use report::{Report, ReportArgs};
use scenarios::{
    at_size, chatter, compare, connect, fanout, find_limit, heap, history, idle, mixed, resume, roles, stall,
};

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
    /// A burst of role changes over many rooms
    Roles(roles::RolesArgs),
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
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match start(&cli, matches.subcommand_name().unwrap_or_default()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("parlance-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn start(cli: &Cli, scenario: &str) -> anyhow::Result<bool> {
    cli.target.check()?;
    cli.report.check()?;
    raise_open_files();
    // One thread: the generator shares the machine with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, run_or_end(cli));
    let report = report.or_else(|error| Report::cut_short(scenario, &error).map(Some).ok_or(error))?;
    let Some(report) = report.map(|report| with_origin(report, &cli.target)) else { return Ok(true) };
    report.deliver(&cli.report)?;
    Ok(report.failures.is_empty())
}

/// With what else it takes to repeat the run: which programs, and the settings of the engine.
fn with_origin(mut report: Report, target: &engine::TargetArgs) -> Report {
    report = report.setting("harness", env!("CARGO_PKG_VERSION"));
    if let Some(version) = target.opened.version() {
        report = report.setting("engine", version);
    }
    target.settings.iter().fold(report, |report, setting| report.setting("set", report::without_secret(setting)))
}

/// Runs it, unless somebody ends it, or its engine does: what was started for it then ends with it.
async fn run_or_end(cli: &Cli) -> anyhow::Result<Option<Report>> {
    // These start nothing, and end as any program does.
    let ends_by_itself = matches!(cli.command, Command::Replay(_) | Command::Serve(_));
    // This one kills its engines, and sees itself that they come back.
    let loses_engines = matches!(cli.command, Command::Check(_));
    let opened = &cli.target.opened;
    let ended = tokio::select! {
        // Listens before anything is started.
        biased;
        interrupted = interrupted(), if !ends_by_itself => Err(interrupted),
        lost = opened.lost(), if !loses_engines => Err(lost),
        report = run(cli) => match report {
            // Whatever a run says of an engine that is gone, this is why.
            Err(error) if !loses_engines => Err(opened.lost_by_now().await.unwrap_or(error)),
            report => report,
        },
    };
    let left = tokio::select! {
        left = client::take_leave(&cli.target) => left,
        // Once more: somebody has no time for that.
        interrupted = interrupted() => Err(interrupted.context("people of this run are still in its rooms")),
    };
    match (ended, left) {
        (Ok(Some(mut report)), left) => {
            report.take_in(left);
            Ok(Some(report))
        }
        (Err(error), Err(left)) => Err(anyhow::anyhow!("{error:#}; {left:#}")),
        (ended, left) => left.and(ended),
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

/// Runs what was asked for; a child process speaks for itself.
async fn run(cli: &Cli) -> anyhow::Result<Option<Report>> {
    let target = &cli.target;
    let report = match &cli.command {
        Command::Fanout(args) => fanout::run(args, target).await,
        Command::Chatter(args) => chatter::run(args, target).await,
        Command::Connect(args) => connect::run(args, target).await,
        Command::Idle(args) => idle::run(args, target).await,
        Command::Heap(args) => heap::run(args, target).await,
        Command::Resume(args) => resume::run(args, target).await,
        Command::Roles(args) => roles::run(args, target).await,
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
        Command::Replay(replay) => replay.run(),
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
