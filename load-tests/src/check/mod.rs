//! `check`: the correctness run. Does an engine keep its promises while everything around it fails?
//!
//! Writers, readers and people who change rooms record what they sent, were promised and saw; a nemesis kills, pauses,
//! cuts, stalls and floods; then all comes to rest, everything is read, the engine starts once more, everything is read
//! again, and the [`checker`] proves every law on the whole history. A failing run prints the smallest history that
//! shows what is wrong, and the command that runs the same schedule again.

mod again;
mod changers;
mod checker;
mod conclusion;
mod drafts;
mod ending;
mod events;
mod faults;
mod finals;
mod flaws;
mod flood;
mod history;
mod laws;
mod line;
mod mailboxes;
mod marking;
mod nemesis;
mod own_rooms;
mod posting;
mod proxy;
mod readers;
mod resuming;
mod revisions;
mod samples;
mod self_test;
mod shrink;
mod stage;
mod tale;
mod view;
mod world;
mod worth;
mod writers;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{Args, ValueEnum};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::client::Accounts;
use crate::engine::{Needs, TargetArgs};
use crate::report::{Report, can_be_written};
use conclusion::{Run, conclude};
use ending::settle;
use faults::{Flooder, Victim};
use history::{Cast, History, Who};
use nemesis::{Fault, FaultKind, plan};
use stage::gather;
use world::World;

#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Seconds during which things go wrong
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Decides what goes wrong and when; random when absent, and always printed
    #[arg(long)]
    pub seed: Option<u64>,
    /// People, each with a device that reads and one that writes
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(5..=200))]
    pub users: u16,
    /// Rooms, each with everybody in it, of whom some come and go
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rooms: u16,
    /// Messages a second, over all writers
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// What goes wrong; all of it by default, and only what happens to the network with --url
    #[arg(long, value_delimiter = ',', value_name = "KIND,…")]
    pub faults: Vec<FaultKind>,
    /// Seconds between two faults, about
    #[arg(long, default_value = "4s", value_parser = parse_seconds, value_name = "SECONDS")]
    pub every: f64,
    /// Write everything that was recorded to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    pub keep_history: Option<PathBuf>,
    /// Run no engine: feed the checker histories that are wrong in known ways, and see that it finds each
    #[arg(long)]
    pub self_test: bool,
}

/// Of how many rooms one hello is sent what it missed.
const RESUME_ROOMS_MAX: &str = "sessions.resume_rooms_max";
/// Limits low enough to be met in a short run; `--set` goes before them.
const TIGHT: &[(&str, &str)] = &[
    ("chat.content_bytes_max", "4096"),
    ("chat.page_bytes_max", "8192"),
    ("chat.window_events_max", "64"),
    ("chat.room_pending_max", "300"),
    ("chat.room_idle_s", "2"),
    ("chat.room_mailbox_max", "64"),
    ("chat.receipts_every_ms", "100"),
    ("persistence.queue_rows_max", "150"),
    ("persistence.write_timeout_ms", "2000"),
    ("sessions.heartbeat_ms", "1500"),
    ("sessions.hub_mailbox_max", "64"),
    ("sessions.outbox_bytes_max", "32768"),
    ("sessions.outbox_bytes_limit", "65536"),
    (RESUME_ROOMS_MAX, "2"),
    ("storage.postgres_shared_buffers_mb", "16"),
];

/// Whoever owns a room adds somebody to it no oftener.
const ADDITIONS_A_SECOND: u64 = 3;
/// Nobody adds more in a day.
const PEOPLE_MAX: usize = 10_000_000;

/// A flood is one account's, and who owns rooms adds everybody, and some again and again.
pub fn needs(args: &CheckArgs) -> Needs {
    let (rooms, changes) = (usize::from(args.rooms), args.seconds * ADDITIONS_A_SECOND * u64::from(args.rooms));
    let people = usize::from(args.users) * (rooms + 1) + usize::try_from(changes).unwrap_or(usize::MAX);
    Needs::default().set(TIGHT).no_limit_of_messages().made_by_one(rooms + 1, people.min(PEOPLE_MAX))
}

pub async fn run(args: &CheckArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    if args.self_test {
        return Ok(self_test::run());
    }
    args.keep_history.as_deref().map_or(Ok(()), can_be_written)?;
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    eprintln!("seed {seed}");
    let elsewhere = target.url.is_some();
    let kinds = args.kinds(elsewhere)?;
    let again = again::command(args, seed, target);
    let resumed_max = resumed_max(target);
    let mut target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let (world, cast) = gather(args, seed, &target, &accounts).await?;
    let cast = Cast { resumed_max, ..cast };
    let plan = plan(seed, &kinds, args.seconds * 1_000, millis(args.every), world.lanes.len());
    let engine: Victim = Rc::new(Mutex::new(target.own.take()));
    let mailboxes = tokio::task::spawn_local(mailboxes::watch(Rc::clone(&world), target.base.clone()));
    let lived = live(args, &world, &engine, &accounts, plan.clone()).await;
    mailboxes.abort();
    let log = engine.lock().await.as_ref().map(crate::engine::OwnEngine::log).unwrap_or_default();
    let (complete, mut troubles) = match lived {
        Ok(troubles) => (true, troubles),
        Err(error) => (false, vec![format!("{error:#}\nThe engine's last words:\n{log}")]),
    };
    target.own = engine.lock().await.take();
    if let Err(error) = target.close().await {
        troubles.push(format!("{error:#}"));
    }
    let history = History { cast, entries: world.recorder.take() };
    if let Some(file) = &args.keep_history {
        conclusion::keep(&history, file)?;
    }
    let run = Run { seed, again, plan: &plan, history: &history, complete, troubles };
    Ok(conclude(args, &world, run))
}

/// `None`: an engine elsewhere does not tell.
fn resumed_max(target: &TargetArgs) -> Option<u64> {
    let own = TIGHT.iter().find(|(key, _)| *key == RESUME_ROOMS_MAX).map(|(_, value)| *value);
    let set = target.settings.iter().filter_map(|setting| setting.split_once('='));
    let set = set.filter(|(key, _)| *key == RESUME_ROOMS_MAX).map(|(_, value)| value).next_back();
    set.or(own).filter(|_| target.url.is_none())?.parse().ok()
}

impl CheckArgs {
    fn kinds(&self, elsewhere: bool) -> anyhow::Result<Vec<FaultKind>> {
        let all: Vec<FaultKind> = FaultKind::value_variants().to_vec();
        let mut kinds = if self.faults.is_empty() { all } else { self.faults.clone() };
        if elsewhere {
            if let Some(kind) = self.faults.iter().find(|kind| kind.needs_own_engine()) {
                bail!("{kind} takes an engine that this run starts itself; with --url there are cut, stall and flood");
            }
            kinds.retain(|kind| !kind.needs_own_engine());
        }
        Ok(kinds)
    }
}

/// The run itself; what did not come to its end in time.
async fn live(
    args: &CheckArgs,
    world: &Rc<World>,
    engine: &Victim,
    accounts: &Accounts,
    plan: Vec<Fault>,
) -> anyhow::Result<Vec<String>> {
    let begun = Instant::now();
    let people = usize::from(args.users);
    let readers: Vec<JoinHandle<()>> = (0..args.users)
        .map(|who| tokio::task::spawn_local(readers::Reader::new(world, who, usize::from(who)).read()))
        .collect();
    let per_writer = f64::from(args.rate) / f64::from(args.users);
    let write = |who: Who| {
        let writer = writers::Writer::new(world, who, people + usize::from(who), per_writer);
        tokio::task::spawn_local(async move {
            if who % 3 == 2 { writer.over_http().await } else { writer.over_socket().await }
        })
    };
    let writers: Vec<JoinHandle<usize>> = (0..args.users).map(write).collect();
    let late = args.users - 1;
    let changers = world.room_numbers().filter_map(|room| {
        changers::Changer::new(world, room, people * 2 + usize::from(room), &[late])
            .map(changers::Changer::change_things)
    });
    let changers: Vec<JoinHandle<()>> = changers.map(tokio::task::spawn_local).collect();
    let flooder = Flooder { who: 0, lane: people * 2 + usize::from(args.rooms) };
    faults::strike(Rc::clone(world), Rc::clone(engine), flooder, plan).await?;
    tokio::time::sleep(Duration::from_secs(args.seconds).saturating_sub(begun.elapsed())).await;
    settle(world, engine, accounts, (readers, writers, changers)).await
}

/// `4s`, or `4`, or `0.5s`.
fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse::<f64>().map_err(|error| error.to_string())?;
    if (0.1..=3_600.0).contains(&seconds) { Ok(seconds) } else { Err("between 0.1 and 3600 seconds".to_owned()) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked when it was parsed")]
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0) as u64
}
