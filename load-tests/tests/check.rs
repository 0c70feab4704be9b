//! A short correctness run against the real binaries: the engine keeps its promises while it and its Postgres are
//! killed and paused, and while its clients are cut off, stalled and flooded.

use std::path::Path;
use std::process::Command;

/// Runs the test with the schedule of an earlier run, which a failure names.
const SEED: &str = "PARLANCE_TEST_SEED";

/// The harness, with an engine to start.
fn harness() -> Command {
    let load = env!("CARGO_BIN_EXE_parlance-load");
    let beside = Path::new(load).with_file_name("parlance");
    let engine = std::env::var_os("PARLANCE_BIN").map_or(beside, Into::into);
    assert!(engine.is_file(), "{} is not there: run `cargo build` first (`make test` does)", engine.display());
    let mut load = Command::new(load);
    load.arg("--engine").arg(engine).env("RUST_BACKTRACE", "0");
    load
}

#[test]
fn an_engine_keeps_its_promises_while_everything_around_it_fails() {
    let mut check = harness();
    check.arg("check");
    // Every kind of fault at least once, kills among them.
    check.args(["--seconds", "60", "--every", "3s", "--users", "8", "--rooms", "3", "--rate", "60"]);
    if let Ok(seed) = std::env::var(SEED) {
        check.args(["--seed", &seed]);
    }
    let run = check.output().unwrap();
    let (said, noted) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}\n{noted}\n{said}", run.status);
    assert!(noted.contains("kill-engine") && noted.contains("kill-postgres"), "{noted}");
    println!("{noted}\n{said}");
}

#[test]
fn an_engine_that_refuses_everything_does_not_pass() {
    let refusing = "chat.content_bytes_max=8";
    let mut check = harness();
    check.args(["check", "--seconds", "3", "--every", "1s", "--users", "5", "--rooms", "1", "--rate", "20"]);
    let run = check.args(["--faults", "cut", "--set", refusing]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(!run.status.success(), "{said}");
    for failure in ["a member may write", "nothing was acknowledged", &format!("--set {refusing}")] {
        assert!(said.contains(failure), "{failure} is not said:\n{said}");
    }
}
