//! `parlance-load`: load, limits and proof.

use clap::{Parser, Subcommand};

/// Loads a Parlance engine, finds its limits, and proves that it keeps its promises.
#[derive(Parser)]
#[command(name = "parlance-load", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {}
}
