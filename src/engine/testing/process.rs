//! The real binary as a process: started, watched, signalled, and cleared away whatever becomes of the test.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{DataFolder, READER_ROLE};
use parlance_foundation::testing::POLL;
pub use parlance_foundation::testing::{PATIENCE, until};

/// Where the binary is: `PARLANCE_BIN`, else where `cargo build` puts it, which is beside the tests' folder.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("PARLANCE_BIN") {
        return named.into();
    }
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(Path::parent).unwrap().join("parlance");
    assert!(built.is_file(), "{} is not there: run `cargo build` first (`make test` does)", built.display());
    built
}

/// The binary with these arguments, apart from whatever the shell of the developer has set for it.
pub fn parlance(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("PARLANCE") || name == "DATABASE_URL";
        if ours {
            command.env_remove(name);
        }
    }
    // A failure that is explained needs no backtrace, not even for those who ask for one.
    command.args(arguments).env("RUST_BACKTRACE", "1");
    command
}

/// An engine on `folder` with its own Postgres, a free port, and accounts that are cheap to make.
pub fn engine_on(folder: &DataFolder) -> Command {
    let mut command = parlance(&["serve"]);
    // By variable, so that a test may add a flag, which wins.
    command
        .env("PARLANCE__SERVER__PORT", "0")
        .env("PARLANCE__DEMO__ENABLED", "false")
        .env("PARLANCE__STORAGE__DATA_DIR", folder.path())
        .env("PARLANCE__STORAGE__POSTGRES_SHARED_BUFFERS_MB", "16")
        .env("PARLANCE__STORAGE__POOL_CONNECTIONS_MAX", "6")
        .env("PARLANCE__AUTH__ARGON2_MEMORY_KIB", "8")
        .env("PARLANCE__AUTH__ARGON2_PASSES", "1")
        .env("PARLANCE__AUTH__REGISTER_PER_ADDRESS_PER_HOUR", "100000")
        .env("PARLANCE__LIMITS__MESSAGES_BURST", "1000000")
        .env("PARLANCE__LIMITS__ROOMS_BURST", "1000000");
    command
}

/// An engine on `folder` and a Postgres that runs already; quicker to start.
pub fn engine_with(folder: &DataFolder, database_url: &str) -> Command {
    let mut command = engine_on(folder);
    command.env("DATABASE_URL", database_url);
    // A test database is a copy, and its grants are to the role of all of them.
    if database_url.contains("/parlance_test_") {
        command.env("PARLANCE__STORAGE__READER_ROLE", READER_ROLE);
    }
    command
}

/// One run of the binary. Killed when it is dropped.
pub struct Engine {
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

/// What a process printed, while it runs and afterwards.
struct Captured {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// How a run ended.
pub struct Ended {
    /// `None`: by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Engine {
    /// Starts and returns at once.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: Captured::of(stdout), stderr: Captured::of(stderr) }
    }

    /// The same, with its own output going where `command` sends it: nobody hears it here.
    pub fn spawn_unheard(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        Self { child, stdout: Captured::of(std::io::empty()), stderr: Captured::of(std::io::empty()) }
    }

    /// Starts and waits until it serves.
    pub async fn start(command: Command) -> Self {
        let mut engine = Self::spawn(command);
        engine.ready().await;
        engine
    }

    /// Waits until the first lines are printed, the last thing of a start.
    pub async fn ready(&mut self) {
        let begun = Instant::now();
        while self.line("  log level").is_none() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}) while starting:\n{}", self.stderr.so_far());
            assert!(begun.elapsed() < PATIENCE, "it did not start:\n{}", self.stderr.so_far());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Where it serves.
    pub fn base(&self) -> String {
        self.line("  web client").expect("it is ready").replace("localhost", "127.0.0.1")
    }

    /// What follows `label` in a line that it printed.
    pub fn line(&self, label: &str) -> Option<String> {
        let printed = self.stdout.so_far();
        let line = printed.split_inclusive('\n').find(|line| line.starts_with(label) && line.ends_with('\n'))?;
        Some(line.strip_prefix(label)?.trim().to_owned())
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// SIGKILL: it gets no chance to do anything.
    pub async fn kill(self) -> Ended {
        self.signal(Signal::SIGKILL);
        self.ended().await
    }

    /// SIGTERM, and an exit code of 0.
    pub async fn stop(self) -> Ended {
        self.signal(Signal::SIGTERM);
        let ended = self.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.stderr.so_far());
            tokio::time::sleep(POLL).await;
        };
        Ended { code: status.code(), stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Fails when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that is given this on standard input to its end.
pub async fn run_with(mut command: Command, input: &str) -> Ended {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that reads nothing closes it; that is for the test to judge by what it says.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    Engine { child, stdout: Captured::of(stdout), stderr: Captured::of(stderr) }.ended().await
}

/// Runs a command to its end.
pub async fn run(command: Command) -> Ended {
    Engine::spawn(command).ended().await
}

impl Ended {
    /// What it said when it refused to work: one line, on standard error, beside the log. `words` must be in it.
    #[track_caller]
    pub fn refusal(&self, words: &[&str]) -> &str {
        let Self { code, stdout, stderr } = self;
        assert_eq!(*code, Some(78), "{stdout}{stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("backtrace"), "{stderr}");
        // The log is JSON here, because nobody's terminal is at the other end.
        let said: Vec<&str> = stderr.lines().filter(|line| !line.starts_with('{')).collect();
        let [line] = said[..] else { panic!("not one line:\n{stderr}") };
        assert!(line.starts_with("parlance: "), "{line}");
        for word in words {
            assert!(line.contains(word), "{word:?} is not in: {line}");
        }
        line
    }
}

impl Captured {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            while pipe.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                shared.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Once the process has ended, so that the other end is closed.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// A port that is free now and stays so: outgoing connections get theirs from 32768 up, and one that is tried while the
/// engine is away could otherwise be given the engine's own number.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
