//! `parlance demo …`: what there is of the demo world, and its end; beside a running engine or without one.

use clap::Subcommand;

use super::users::counted;
use super::{beside_an_engine, say};
use crate::accounts::forget_demo_logins;
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{self, Removed, Status};
use crate::storage::Storage;

/// What can be done.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum DemoCommand {
    /// Say what there is of it
    Status,
    /// Delete its people, and the rooms and spaces that were made with them; it is not made again
    Remove {
        /// Also where others are in those rooms
        #[arg(long)]
        yes: bool,
    },
}

/// Does one of them.
pub async fn run(config: &Config, command: DemoCommand) -> anyhow::Result<()> {
    let database = beside_an_engine(config).await?;
    let done = async {
        database.storage.require_migrated().await?;
        perform(config, &database.storage, command).await
    };
    let done = done.await;
    database.close().await;
    say(&done?)
}

async fn perform(config: &Config, storage: &Storage, command: DemoCommand) -> anyhow::Result<String> {
    Ok(match command {
        DemoCommand::Status => said(&demo::status(storage).await?),
        DemoCommand::Remove { yes } => {
            let Removed { people, rooms, spaces } = demo::remove(storage, &Clock::system(), yes).await?;
            forget_demo_logins(&config.storage.data_dir)?;
            let many = |count: u64, what| counted(usize::try_from(count).unwrap_or(usize::MAX), what);
            let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
            format!("The demo is removed: {people}, {} and {}.", many(rooms, "room"), many(spaces, "space"))
        }
    })
}

fn said(status: &Status) -> String {
    let Status { is_removed, people, rooms, spaces, others } = status;
    match (*is_removed, *people) {
        (true, _) => "The demo was removed, and is not made again.".to_owned(),
        (false, 0) => "There is no demo in this database.".to_owned(),
        (false, people) => {
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!(" Also in its rooms: {}.", others.join(", ")),
            };
            let (rooms, spaces) = (counted(*rooms, "room"), counted(*spaces, "space"));
            format!("The demo has {people} people, {rooms} and {spaces}.{others} `parlance demo remove` deletes it.")
        }
    }
}
