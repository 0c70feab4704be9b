//! The command line.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use parlance::app::App;
use parlance::clock::Clock;
use parlance::config::{Config, Flags};
use parlance::storage::StorageError;
use parlance::tools::demo::{self, DemoCommand};
use parlance::tools::jobs::{self, JobsCommand};
use parlance::tools::users::{self, UsersCommand, base_address};
use parlance::tools::vault::{self, VaultCommand};
use parlance::{docs, protocol, telemetry, tools, tree};

/// An actor that the engine cannot do without has failed for good: a supervisor should start it anew.
const EXIT_ESCALATED: u8 = 70;
/// The configuration or the surroundings are wrong: starting again will not help.
const EXIT_REFUSED: u8 = 78;
/// Postgres was not to be had: starting again later may help.
const EXIT_AWAY: u8 = 75;
/// How long what is printed beside the log may wait for its reader.
const PRINTED_WITHIN: Duration = Duration::from_secs(1);
/// An orderly stop that takes longer is cut short: ten seconds are promised, and the process has to end, too.
const STOP_WITHIN: Duration = Duration::from_millis(9_000);

#[cfg(not(feature = "heap-profile"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
#[cfg(feature = "heap-profile")]
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Deep enough to reach our own code through the frames of a runtime and of nested futures.
#[cfg(feature = "heap-profile")]
const PROFILED_FRAMES: usize = 60;

/// Parlance: an actor-based realtime messaging engine.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Reads config/<PROFILE>.toml over the defaults (also PARLANCE_PROFILE)
    #[arg(long, global = true)]
    profile: Option<String>,
    /// Folder of the profiles
    #[arg(long, global = true, default_value = "config")]
    config_dir: PathBuf,
    /// Address to listen on
    #[arg(long, global = true)]
    host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Folder of the embedded Postgres and the engine's keys
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    /// Postgres of your own (also DATABASE_URL)
    #[arg(long, global = true)]
    database_url: Option<String>,
    /// error, warn, info, debug, trace, or a filter
    #[arg(long, global = true)]
    log_level: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the engine (the default)
    Serve,
    /// Bring an existing database up to date and exit
    Migrate,
    /// Print the supervision tree
    Tree,
    /// Print the configuration in force, secrets masked
    Config,
    /// Print a generated reference document
    Docs { document: Document },
    /// Manage accounts, beside a running engine or without one
    #[command(subcommand)]
    Users(UsersCommand),
    /// See or remove the demo world
    #[command(subcommand)]
    Demo(DemoCommand),
    /// See what follows commits or is due at a time, and what of it failed
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Manage the secrets that features keep, and the master keys, beside a running engine or without one
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Tell clients that the log is another one, after a restore
    #[command(subcommand)]
    Epoch(Epoch),
}

#[derive(Clone, Copy, ValueEnum)]
enum Document {
    /// OpenAPI 3.1 of the HTTP API
    Openapi,
    /// AsyncAPI 3 of the WebSocket
    Asyncapi,
}

#[derive(Subcommand)]
enum Epoch {
    /// Begin a new epoch: every client reads anew. The last step of every restore; a running engine hears of it
    Renew,
}

/// Writes its file when it is dropped.
#[cfg(feature = "heap-profile")]
static PROFILER: std::sync::Mutex<Option<dhat::Profiler>> = std::sync::Mutex::new(None);

fn main() -> ExitCode {
    #[cfg(feature = "heap-profile")]
    profile_heap();
    use_small_pages();
    let arguments = Arguments::parse();
    let flags = Flags {
        profile: arguments.profile,
        config_dir: Some(arguments.config_dir),
        host: arguments.host,
        port: arguments.port,
        data_dir: arguments.data_dir,
        database_url: arguments.database_url,
        log_level: arguments.log_level,
    };
    let code = run(arguments.command.unwrap_or(Command::Serve), &flags).unwrap_or_else(|error| {
        telemetry::flush_logs(PRINTED_WITHIN);
        // Not through the log: this is the answer to whoever started it.
        print_beside_the_log(io::stderr(), format!("parlance: {}\n", told_once(&error)));
        let is_passing = error.downcast_ref::<StorageError>().is_some_and(StorageError::is_passing);
        ExitCode::from(if is_passing { EXIT_AWAY } else { EXIT_REFUSED })
    });
    telemetry::flush_logs(PRINTED_WITHIN);
    code
}

/// Prints what a command answers; it waits for a slow reader, as a pipe's writer does. That nobody reads any more, as
/// behind `| head`, is no failure.
fn answer(text: &str) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints from a thread of its own: the engine starts and ends also when nobody takes what it says.
fn print_beside_the_log(mut stream: impl Write + Send + 'static, text: String) {
    let (done, printed) = mpsc::channel();
    let print = move || {
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        let _ = done.send(());
    };
    if std::thread::Builder::new().spawn(print).is_ok() {
        let _ = printed.recv_timeout(PRINTED_WITHIN);
    }
}

/// Where the kernel may, it joins pages of which little is used into pages of 2 MiB, hour after hour: after an hour of
/// soak that was more than a fifth of the engine's memory. Postgres, which is started from here, inherits this.
fn use_small_pages() {
    // Only a saving: a kernel that cannot leaves things as they are.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}

#[cfg(feature = "heap-profile")]
fn profiler() -> std::sync::MutexGuard<'static, Option<dhat::Profiler>> {
    PROFILER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(feature = "heap-profile")]
fn profile_heap() {
    *profiler() = Some(dhat::Profiler::builder().trim_backtraces(Some(PROFILED_FRAMES)).build());
    parlance::telemetry::before_each_scrape(tell_heap);
}

/// How much of the heap is in use: what resident memory, with the allocator's free pages in it, does not tell.
#[cfg(feature = "heap-profile")]
fn tell_heap() {
    let profiler = profiler();
    if profiler.is_none() {
        return;
    }
    let heap = dhat::HeapStats::get();
    for (name, now) in [("parlance_heap_bytes", heap.curr_bytes), ("parlance_heap_blocks", heap.curr_blocks)] {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        metrics::gauge!(name).set(now as f64);
    }
}

/// The error and its causes, except those that the text before them holds already.
fn told_once(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.contains(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

fn run(command: Command, flags: &Flags) -> anyhow::Result<ExitCode> {
    // These print what is built in and need no configuration.
    match &command {
        Command::Tree => answer(&format!("{}\n", tree::picture())),
        Command::Docs { document: Document::Openapi } => {
            answer(&format!("{}\n", serde_json::to_string_pretty(&docs::openapi(&Config::defaults()?))?));
        }
        Command::Docs { document: Document::Asyncapi } => {
            answer(&format!("{}\n", serde_json::to_string_pretty(&protocol::document())?));
        }
        Command::Serve
        | Command::Migrate
        | Command::Config
        | Command::Users(_)
        | Command::Demo(_)
        | Command::Jobs(_)
        | Command::Vault(_)
        | Command::Epoch(_) => {}
    }
    if matches!(command, Command::Tree | Command::Docs { .. }) {
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(flags)?;
    if matches!(command, Command::Config) {
        answer(&config.masked()?);
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::init_logs(&config.log);
    telemetry::log_panics();
    let system = actix_rt::System::new();
    system.block_on(async {
        match command {
            Command::Serve => serve(config).await,
            Command::Migrate => migrate(&config).await,
            Command::Users(command) => users::run(&config, command).await.map(|()| ExitCode::SUCCESS),
            Command::Demo(command) => demo::run(&config, command).await.map(|()| ExitCode::SUCCESS),
            Command::Jobs(command) => jobs::run(&config, command).await.map(|()| ExitCode::SUCCESS),
            Command::Vault(command) => vault::run(&config, command).await.map(|()| ExitCode::SUCCESS),
            Command::Epoch(Epoch::Renew) => renew_epoch(&config).await,
            Command::Tree | Command::Config | Command::Docs { .. } => Ok(ExitCode::SUCCESS),
        }
    })
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    // Caught from here on, so that a stop during the start is orderly, too.
    let mut stop = StopSignal::listen()?;
    raise_file_limit();
    let shown = config.clone();
    let mut starting = std::pin::pin!(App::start(config, Clock::system()));
    let mut app = tokio::select! {
        started = &mut starting => started?,
        signal = stop.received() => {
            tracing::info!(signal, "stopping before the start is complete");
            return stop_starting(starting).await;
        }
    };
    greet(&shown, &app);
    let code = tokio::select! {
        signal = stop.received() => {
            tracing::info!(signal, "stopping");
            ExitCode::SUCCESS
        }
        actor = app.escalated() => {
            tracing::error!(actor, "the engine cannot go on without it; stopping");
            ExitCode::from(EXIT_ESCALATED)
        }
    };
    // What is in use at this moment is what a profile is for; a moment later, everything is being given back.
    #[cfg(feature = "heap-profile")]
    drop(profiler().take());
    if tokio::time::timeout(STOP_WITHIN, app.stop()).await.is_err() {
        tracing::error!("the stop took too long and was cut short; nothing that was acknowledged is lost");
    }
    tracing::info!("stopped");
    Ok(code)
}

/// A start that is nearly done is completed, to be stopped in order. One that waits for something ends with the process,
/// and the embedded Postgres with it: nothing was acknowledged yet.
async fn stop_starting(starting: impl Future<Output = anyhow::Result<App>>) -> anyhow::Result<ExitCode> {
    if let Ok(started) = tokio::time::timeout(STOP_WITHIN / 2, starting).await {
        let _ = tokio::time::timeout(STOP_WITHIN / 2, started?.stop()).await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Where everything is. Printed when all else is under way, so that these lines stand below the log of the start.
fn greet(config: &Config, app: &App) {
    let base = base_address(config.server.host, app.port);
    let mut lines = format!("Parlance {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |label: &str, what: &dyn std::fmt::Display| {
        let _ = writeln!(lines, "  {label:<11} {what}");
    };
    line("web client", &base);
    line("API docs", &format_args!("{base}/docs"));
    line("data folder", &app.data_dir.display());
    line("log level", &config.log.level);
    for login in app.demo_logins.iter().flatten() {
        line("demo login", &format_args!("{} / {}", login.username, login.password));
    }
    telemetry::flush_logs(PRINTED_WITHIN);
    print_beside_the_log(io::stdout(), lines);
}

async fn migrate(config: &Config) -> anyhow::Result<ExitCode> {
    tools::migrate(config).await?;
    answer("The database is up to date.\n");
    Ok(ExitCode::SUCCESS)
}

async fn renew_epoch(config: &Config) -> anyhow::Result<ExitCode> {
    let epoch = tools::renew_epoch(config).await?;
    answer(&format!("A new epoch has begun: {epoch}. Every client reads anew what it keeps of rooms.\n"));
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and SIGINT.
struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// A socket is a file: take as many as the system lets us.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, soft, hard, "the limit of open files stays where it is");
    }
}
