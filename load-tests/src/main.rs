//! `parlance-load`: load, limits and proof.
//!
//! It speaks only the public protocol, with a lean client of its own. See load-tests/README.md.

mod baseline;
mod client;
mod engine;
mod measure;
mod report;
mod scenarios;

use clap::{Parser, Subcommand};

use report::{Report, ReportArgs};
use scenarios::{chatter, compare, fanout};

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
    /// What the machine can do without an engine
    #[command(subcommand)]
    Baseline(baseline::Baseline),
    /// Engine and baselines alternately, and their ratios
    Compare(compare::CompareArgs),
    /// The child processes of the baselines
    #[command(subcommand, hide = true)]
    Serve(baseline::Serve),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    raise_open_files();
    // One thread: the generator shares the machine with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Some(report) = tokio::task::LocalSet::new().block_on(&runtime, run(&cli))? else { return Ok(()) };
    report.deliver(&cli.report)?;
    if !report.failures.is_empty() {
        std::process::exit(1);
    }
    Ok(())
}

/// Runs what was asked for; a child process has nothing to report.
async fn run(cli: &Cli) -> anyhow::Result<Option<Report>> {
    let target = &cli.target;
    let report = match &cli.command {
        Command::Fanout(args) => fanout::run(args, target).await,
        Command::Chatter(args) => chatter::run(args, target).await,
        Command::Baseline(which) => baseline::run(which, target).await,
        Command::Compare(args) => compare::run(args, target).await,
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
