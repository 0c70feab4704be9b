//! `install`: fills a database with a large installation, so that everything can be measured at its size.
//!
//! Rows go in through `COPY`, all in one transaction: an installation that fails or is interrupted leaves nothing
//! behind. Messages go in in the order of their time, as they would have come, so that a room's rows lie as scattered
//! as those of a room that has grown.

mod copy;
mod dice;
pub mod people;
mod room;
mod rows;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use clap::Args;
use parlance::app::Database;
use parlance::clock::Clock;
use parlance::config::{Config, Flags};
use parlance::storage::{Storage, parse_url};
use sqlx::PgConnection;

use crate::engine::TargetArgs;
use crate::measure::Progress;
use crate::report::Report;
use dice::Dice;
use rows::Loading;
use shape::{Shape, Sizes};

#[derive(Args, Clone, Debug)]
pub struct InstallArgs {
    /// People
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    pub users: u64,
    /// Messages, over all rooms
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub messages: u64,
    /// Rooms of every kind; by default four a person, which puts everybody into about twenty
    #[arg(long, value_parser = clap::value_parser!(u64).range(40..=4_000_000))]
    pub rooms: Option<u64>,
    /// So much of all that: 1 makes the hundredth part of the same shape
    #[arg(long, default_value_t = 100.0)]
    pub percent: f64,
    /// Another seed makes other people and rooms
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What it is called: person 17 is the subject `load-NAME-17` of the issuer, and signs in as
    /// load-NAME-17@example.org
    #[arg(long, default_value = people::NAME, value_parser = plain_name)]
    pub name: String,
    /// Everybody's password
    #[arg(long, default_value = people::PASSWORD)]
    pub password: String,
    /// A Postgres of your own, rather than the embedded one of --data-dir
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Add to a database that is not empty
    #[arg(long)]
    pub force: bool,
    /// Leave indexes and foreign keys on while messages come: slower, but others can go on reading
    #[arg(long)]
    pub keep_indexes: bool,
}

fn plain_name(text: &str) -> Result<String, String> {
    let plain =
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if plain { Ok(text.to_owned()) } else { Err("1 to 20 small letters and digits".to_owned()) }
}

pub async fn run(args: &InstallArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    // Before a database is opened, which makes one where there is none.
    args.sizes()?;
    if target.url.is_some() {
        bail!("install writes to a database, not through a running engine: use --data-dir or --database-url");
    }
    match (&target.data_dir, &args.database_url) {
        (Some(folder), None) => into_folder(args, target, folder).await,
        (None, Some(url)) => into_server(args, target, url).await,
        _ => bail!("say where to: either --data-dir FOLDER, with its engine stopped, or --database-url URL"),
    }
}

/// Into the embedded Postgres of a folder, which no engine may be using.
async fn into_folder(args: &InstallArgs, target: &TargetArgs, folder: &Path) -> anyhow::Result<Report> {
    let config = Config::load(&Flags { data_dir: Some(folder.to_owned()), ..Flags::default() })?;
    if config.storage.database_url.is_some() {
        bail!("DATABASE_URL is set: unset it, or name that database with --database-url instead of --data-dir");
    }
    let database = Database::open(&config).await?;
    let installed = install(args, target, &config, &database.storage).await;
    database.close().await;
    installed
}

async fn into_server(args: &InstallArgs, target: &TargetArgs, url: &str) -> anyhow::Result<Report> {
    let config = Config::load(&Flags { database_url: Some(url.to_owned()), ..Flags::default() })?;
    let storage = Storage::connect(parse_url(url)?, &config.storage, &parlance::schema::MIGRATIONS).await?;
    storage.migrate().await?;
    let installed = install(args, target, &config, &storage).await;
    storage.close().await;
    installed
}

async fn install(
    args: &InstallArgs,
    target: &TargetArgs,
    config: &Config,
    storage: &Storage,
) -> anyhow::Result<Report> {
    let sizes = args.sizes()?;
    let mut connection = storage.dedicated_connection().await?;
    store::begin(&mut connection).await?;
    // Before anything is made, so that a refusal comes at once.
    let talked = store::refuse_if_used(&mut connection, &target.issuer, &args.name, args.force).await?;
    let begun = Instant::now();
    let dice = Dice::of(args.seed, &args.name);
    let shape = Shape::of(sizes, dice, Clock::system().now().timestamp_micros());
    let loading = Loading {
        shape: &shape,
        dice,
        name: &args.name,
        issuer: &target.issuer,
        password_hash: hash(&args.password, config)?,
    };
    // An installation beside others is the smaller part: rebuilding the indexes of everything would cost more.
    let keep_indexes = talked || args.keep_indexes;
    let rows = fill(&mut connection, &loading, keep_indexes).await?;
    let progress = Progress::of("committing", 1);
    store::run(&mut connection, "COMMIT".to_owned()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    progress.add(1);
    let progress = Progress::of("vacuuming", 1);
    store::tidy(&mut connection).await?;
    progress.add(1);
    let bytes = store::size_bytes(&mut connection).await?;
    Ok(args.report(&shape, rows, keep_indexes, (seconds, begun.elapsed().as_secs_f64()), bytes))
}

/// Everything but the commit; how many rows.
async fn fill(connection: &mut PgConnection, loading: &Loading<'_>, keep_indexes: bool) -> anyhow::Result<u64> {
    let mut rows = loading.people(connection).await?;
    rows += loading.rooms(connection).await?;
    let taken_off = if keep_indexes { None } else { Some(store::take_off(connection, "messages").await?) };
    rows += loading.messages(connection).await?;
    rows += loading.events(connection).await?;
    if let Some(taken_off) = taken_off {
        let progress = Progress::of("indexes", taken_off.len() as u64);
        taken_off.put_back(connection, &progress).await?;
    }
    store::check(connection).await?;
    Ok(rows)
}

/// One hash for everybody, as the engine would make it: with today's parameters, so that signing in makes no other.
fn hash(password: &str, config: &Config) -> anyhow::Result<String> {
    use argon2::password_hash::PasswordHasher;
    let auth = &config.auth;
    let params = argon2::Params::new(auth.argon2_memory_kib, auth.argon2_passes, 1, None)
        .map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash: argon2::password_hash::phc::PasswordHash =
        hasher.hash_password(password.as_bytes()).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

impl InstallArgs {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn sizes(&self) -> anyhow::Result<Sizes> {
        if !(0.01..=100.0).contains(&self.percent) {
            bail!("--percent is between 0.01 and 100");
        }
        let part = |whole: u64| (whole as f64 * self.percent / 100.0).round() as u64;
        let rooms = self.rooms.unwrap_or(self.users * 4);
        Ok(Sizes { users: part(self.users).max(10), messages: part(self.messages), rooms: part(rooms).max(10) })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a report")]
    fn report(&self, shape: &Shape, rows: u64, kept: bool, (seconds, with_vacuum): (f64, f64), bytes: i64) -> Report {
        let mut report = Report::of("install")
            .setting("name", &self.name)
            .setting("percent", self.percent)
            .setting("seed", self.seed)
            .setting("indexes", if kept { "kept" } else { "rebuilt" });
        let largest = shape.rooms.iter().map(|room| room.messages).max().unwrap_or(0);
        report.figure("users", shape.users as f64, "");
        report.figure("rooms", shape.rooms.len() as f64, "");
        report.figure("memberships", shape.memberships() as f64, "");
        report.figure("messages", shape.rooms.iter().map(|room| room.messages).sum::<u64>() as f64, "");
        report.figure("messages of the largest room", largest as f64, "");
        report.figure("rows of all tables", rows as f64, "");
        report.figure("loading", seconds, "s, indexes and commit included");
        report.figure("with vacuum and analyze", with_vacuum, "s");
        report.figure("loaded", rows as f64 / seconds, "rows a second");
        report.figure("size", bytes as f64 / 1_048_576.0, "MiB");
        report
    }
}
