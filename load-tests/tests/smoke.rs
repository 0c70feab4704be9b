//! Each scenario once, small, against the real engine: nothing may be lost, and no time is asserted.
//!
//! They run one after another, so that they do not starve each other on a small machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
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
    run(&["mixed", "--users", "20", "--rooms", "3", "--room-size", "5", "--rate", "30", "--seconds", "5"]);
    run(&["baseline", "socket", "--listeners", "20", "--seconds", "1", "--warm-up", "0"]);
    assert!(figure(&run(&["baseline", "postgres", "--seconds", "1"]), "rows") > 0.0);
}

#[test]
fn a_mistake_is_one_clear_line() {
    let program = env!("CARGO_BIN_EXE_parlance-load");
    for (arguments, words) in [
        (&["fanout", "--engine", "/nowhere/parlance"][..], "make build"),
        (&["fanout", "--url", "ftp://example.com"], "http://"),
        (&["find-limit", "--from", "0"], "--from"),
        (&["chatter", "--rate", "0"], "--rate"),
    ] {
        let output = Command::new(program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
        assert!(said.trim().lines().count() <= 5, "{said}");
    }
}
