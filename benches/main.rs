//! What the engine's parts cost, one question a file; README.md says how to run them and what they answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to say")]

mod batch_building;
mod catch_up_window;
mod database;
mod fence_statement;
mod frame_decode;
mod frame_encode;
mod hub_dispatch;
mod jobs;
mod material;
mod room_decision;
mod verify_token;

use std::time::Duration;

/// The engine's own, so that an allocation costs here what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// For one case: enough samples that a pause of the machine does not move the median.
const TIME_AT_LEAST: Duration = Duration::from_millis(500);

fn main() {
    let measures = std::env::args().any(|argument| argument == "--bench");
    if measures {
        println!("{}", database::what_it_is());
    }
    divan::Divan::default().min_time(TIME_AT_LEAST).config_with_args().main();
}
