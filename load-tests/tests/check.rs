//! A short correctness run against the real binaries: the engine keeps its promises while it and its Postgres are
//! killed and paused, and while its clients are cut off, stalled and flooded.

use std::path::Path;
use std::process::Command;

/// Runs the test with the schedule of an earlier run, which a failure names.
const SEED: &str = "PARLANCE_TEST_SEED";

#[test]
fn an_engine_keeps_its_promises_while_everything_around_it_fails() {
    let load = env!("CARGO_BIN_EXE_parlance-load");
    let beside = Path::new(load).with_file_name("parlance");
    let engine = std::env::var_os("PARLANCE_BIN").map_or(beside, Into::into);
    assert!(engine.is_file(), "{} is not there: run `cargo build` first (`make test` does)", engine.display());
    let mut check = Command::new(load);
    check.arg("--engine").arg(engine).arg("check");
    // Every kind of fault at least once, kills among them.
    check.args(["--seconds", "60", "--every", "3s", "--users", "8", "--rooms", "3", "--rate", "60"]);
    if let Ok(seed) = std::env::var(SEED) {
        check.args(["--seed", &seed]);
    }
    let run = check.env("RUST_BACKTRACE", "0").output().unwrap();
    let (said, noted) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}\n{noted}\n{said}", run.status);
    assert!(noted.contains("kill-engine") && noted.contains("kill-postgres"), "{noted}");
    println!("{noted}\n{said}");
}
