//! Each scenario once, small, against the real engine: nothing may be lost, and no time is asserted.
//!
//! All but `soak`, which does little, run one after another, so that they do not starve each other on a small machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Runs a scenario on an engine of its own; its report.
fn run(arguments: &[&str]) -> Value {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_parlance-load"));
    let engine = program.with_file_name("parlance");
    assert!(engine.is_file(), "{} is not there: run `cargo build` first (`make test` does)", engine.display());
    let output = Command::new(&program).args(arguments).args(["--json", "-"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {said}"));
    assert!(output.status.success(), "{arguments:?}: {}", report["failures"]);
    assert_eq!(report["failures"], serde_json::json!([]), "{arguments:?}");
    report
}

fn figure(report: &Value, name: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    figures.iter().find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("no {name} in {figures:?}"))["value"]
        .as_f64()
        .unwrap()
}

#[test]
fn every_scenario_loses_nothing() {
    let fanout = run(&["fanout", "--listeners", "50", "--in-flight", "8", "--seconds", "2", "--warm-up", "0"]);
    assert!(figure(&fanout, "deliveries") > 0.0);
    let chatter = ["chatter", "--users", "40", "--rate", "100", "--seconds", "2", "--warm-up", "1"];
    assert!(figure(&run(&chatter), "messages delivered") > 0.0);
    run(&["connect", "--rate", "20", "--seconds", "2", "--users", "20", "--rooms", "5", "--room-size", "10"]);
    // So few sessions may cost less than the engine gives back meanwhile.
    assert!(figure(&run(&["idle", "--sessions", "50", "--seconds", "1"]), "engine with them") > 0.0);
    run(&["resume", "--sessions", "50", "--rooms", "5", "--room-size", "10", "--missed", "50"]);
    assert_eq!(figure(&run(&["roles", "--rooms", "5", "--changes", "3"]), "committed"), 15.0);
    // Fewer would answer for all that the engine's memory moves by meanwhile.
    let stall = ["stall", "--listeners", "20", "--stalled", "50", "--seconds", "3"];
    assert!(figure(&run(&stall), "deliveries beside stalled") > 0.0);
    let history = ["history", "--rooms", "1", "--events", "200", "--readers", "2", "--seconds", "1", "--warm-up", "0"];
    assert!(figure(&run(&history), "reads") > 0.0);
    let limit = ["find-limit", "--from", "20", "--to", "25", "--p99-ms", "60000", "--users", "20", "--seconds", "1"];
    assert!(figure(&run(&limit), "limit") > 0.0);
    let compare = ["compare", "--rounds", "1", "--seconds", "1", "--listeners", "10", "--in-flight", "1"];
    run(&[&compare[..], &["--chatter-rate", "1000", "--chatter-users", "20"]].concat());
    run(&["mixed", "--users", "20", "--rooms", "3", "--room-size", "5", "--rate", "30", "--seconds", "5"]);
    run(&["baseline", "socket", "--listeners", "20", "--seconds", "1", "--warm-up", "0"]);
    assert!(figure(&run(&["baseline", "postgres", "--seconds", "1"]), "rows") > 0.0);
}

#[test]
fn a_soak_watches_memory_and_what_the_engine_counts() {
    // A minute in which everything is still filling: of growth itself it says nothing.
    let soak = ["soak", "--minutes", "1", "--warm-up", "0", "--users", "20", "--rate", "20", "--burst", "40"];
    let report = run(&[&soak[..], &["--growth-max", "1000"]].concat());
    for what in ["memory", "open files", "sockets", "open rooms"] {
        assert!(figure(&report, &format!("{what} at the end")) > 0.0, "{what}");
    }
}

/// The text after `name=` among the variables of a process.
fn variable(process: &str, name: &str) -> Option<String> {
    let all = std::fs::read_to_string(format!("/proc/{process}/environ")).ok()?;
    all.split('\0').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// Starts a run, waits until its engine has got so far with its folder, and ends it.
fn interrupt_once(scenario: &str, is_so_far: impl Fn(&Path) -> bool) {
    let mut run =
        Command::new(env!("CARGO_BIN_EXE_parlance-load")).args([scenario, "--seconds", "600"]).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", run.id());
    let (engine, folder) = loop {
        assert_eq!(run.try_wait().unwrap(), None, "it runs for minutes");
        let engine = std::fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
        // Between fork and exec, the child still has our variables.
        let folder = variable(&engine, "PARLANCE__STORAGE__DATA_DIR").map(PathBuf::from);
        if let Some(folder) = folder.filter(|folder| is_so_far(folder)) {
            break (engine, folder);
        }
        std::thread::yield_now();
    };
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(run.id() as i32), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1));
    assert!(!PathBuf::from(format!("/proc/{engine}")).exists(), "its engine still runs");
    assert!(!folder.exists(), "{} is still there", folder.display());
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_behind() {
    // At its first breath, while it makes its database, and while its Postgres runs.
    for so_far in ["", "postgres", "postgres/postmaster.pid"] {
        for scenario in ["fanout", "check"] {
            interrupt_once(scenario, |folder| folder.join(so_far).exists());
        }
    }
}

#[test]
fn a_mistake_is_one_clear_line() {
    let program = env!("CARGO_BIN_EXE_parlance-load");
    for (arguments, words) in [
        (&["fanout", "--engine", "/nowhere/parlance"][..], "make build"),
        (&["fanout", "--url", "ftp://example.com"], "http://"),
        (&["find-limit", "--from", "0"], "--from"),
        (&["chatter", "--rate", "0"], "--rate"),
        (&["idle", "--json", "same.json", "--html", "./same.json"], "same file"),
        (&["check", "--keep-history", "/nowhere/history"], "cannot be written"),
        (&["soak", "--minutes", "10"], "--warm-up 15 has to be shorter"),
        (&["history", "--installed", "--data-dir", "/nowhere"], "no database"),
    ] {
        let output = Command::new(program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
        assert!(said.trim().lines().count() <= 5, "{said}");
    }
}
