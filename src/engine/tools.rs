//! What a command beside `serve` works on: the database of an engine that may be running meanwhile.
//!
//! | the database | is reached |
//! |---|---|
//! | named by `DATABASE_URL` | as the engine reaches it; no data folder is needed |
//! | embedded, its engine runs | through the socket in the data folder, which stays that engine's |
//! | embedded, no engine runs | by running its Postgres for as long as the command takes |
//!
//! Invariants: none of them makes a data folder or a database, because that is how a command in the wrong folder would
//! answer for an empty one; only `migrate` changes the schema, and not under a running engine.

pub mod demo;
pub mod jobs;
pub mod users;
pub mod vault;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;

use crate::accounts::Auth;
use crate::app::embedded_settings;
use crate::clock::Clock;
use crate::config::Config;
use crate::schema::MIGRATIONS;
use crate::storage::embedded::{
    DataDir, DataDirError, EmbeddedPostgres, EmbeddedSettings, find_data_dir, running_server, take_data_dir,
};
use crate::storage::{self, Storage};
use crate::vault::{FirstKey, Vault};

/// One command does one thing at a time.
const POOL_CONNECTIONS: u32 = 2;

/// The database for one command, and what is held of it meanwhile.
pub struct Borrowed {
    pub storage: Storage,
    /// The Postgres that was started for the command, and the lock of its folder.
    started: Option<(EmbeddedPostgres, DataDir)>,
}

impl Borrowed {
    /// Closes the pool, and stops the Postgres if it was started for this.
    pub async fn close(self) {
        self.storage.close().await;
        if let Some((postgres, _lock)) = self.started {
            postgres.stop().await;
        }
    }
}

/// The accounts of the configured database.
pub async fn accounts(config: &Config) -> anyhow::Result<(Auth, Borrowed)> {
    let database = beside_an_engine(config).await?;
    let opened = async {
        database.storage.require_migrated().await?;
        let mut settings = config.auth.clone();
        // Nobody gets a token from here: the engine's key stays unread, and none is made.
        settings.token_secret = Some(crate::accounts::random_secret());
        Auth::new(&settings, database.storage.clone(), Clock::system(), &config.storage.data_dir).await
    };
    match opened.await {
        Ok(auth) => Ok((auth, database)),
        Err(error) => {
            database.close().await;
            Err(error)
        }
    }
}

/// The vault of the configured database, with the keys of the configured data folder; none are made.
pub async fn vault_of(config: &Config) -> anyhow::Result<(Vault, Borrowed)> {
    let data_dir = match &config.storage.database_url {
        Some(_) => std::path::absolute(&config.storage.data_dir)?,
        None => find_data_dir(&config.storage.data_dir)?,
    };
    let database = beside_an_engine(config).await?;
    let opened = async {
        database.storage.require_migrated().await?;
        let storage = database.storage.clone();
        anyhow::Ok(Vault::open(&config.vault, storage, Clock::system(), &data_dir, FirstKey::Leave).await?)
    };
    match opened.await {
        Ok(vault) => Ok((vault, database)),
        Err(error) => {
            database.close().await;
            Err(error)
        }
    }
}

/// Brings the schema up to date. An engine on the embedded Postgres does that for itself.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let database = match &config.storage.database_url {
        Some(url) => named(config, url).await?,
        None => {
            let folder = find_data_dir(&config.storage.data_dir)?;
            start(config, take_data_dir(folder)?).await?
        }
    };
    let migrated = database.storage.migrate().await;
    database.close().await;
    Ok(migrated?)
}

/// Begins a new epoch of the log, of which a running engine hears at once.
pub async fn renew_epoch(config: &Config) -> anyhow::Result<uuid::Uuid> {
    let database = beside_an_engine(config).await?;
    let renewed = async {
        database.storage.require_migrated().await?;
        anyhow::Ok(database.storage.renew_epoch().await?)
    };
    let renewed = renewed.await;
    database.close().await;
    renewed
}

async fn beside_an_engine(config: &Config) -> anyhow::Result<Borrowed> {
    if let Some(url) = &config.storage.database_url {
        return named(config, url).await;
    }
    let folder = find_data_dir(&config.storage.data_dir)?;
    match take_data_dir(folder.clone()) {
        Ok(lock) => start(config, lock).await,
        Err(DataDirError::InUse { .. }) => running(config, folder).await,
        Err(error) => Err(error.into()),
    }
}

async fn named(config: &Config, url: &str) -> anyhow::Result<Borrowed> {
    let storage = connect(config, storage::parse_url(url)?).await?;
    Ok(Borrowed { storage, started: None })
}

async fn start(config: &Config, lock: DataDir) -> anyhow::Result<Borrowed> {
    let postgres = EmbeddedPostgres::start(embedded_settings(config, lock.path())).await?;
    match connect(config, postgres.connect_options()).await {
        Ok(storage) => Ok(Borrowed { storage, started: Some((postgres, lock)) }),
        Err(error) => {
            postgres.stop().await;
            Err(error)
        }
    }
}

async fn running(config: &Config, folder: PathBuf) -> anyhow::Result<Borrowed> {
    let EmbeddedSettings { data_dir, port, .. } = embedded_settings(config, &folder);
    let options = running_server(&data_dir, port)?;
    // What the engine runs is there already, or not at all.
    let mut config = config.clone();
    config.storage.start_timeout_ms = 0;
    let storage = connect(&config, options).await.with_context(|| {
        format!(
            "an engine holds the data folder {}, but no Postgres answers there. If it is starting or stopping, try again; \
             if it uses a DATABASE_URL, give this command the same one",
            folder.display()
        )
    })?;
    Ok(Borrowed { storage, started: None })
}

async fn connect(config: &Config, options: sqlx::postgres::PgConnectOptions) -> anyhow::Result<Storage> {
    let mut settings = config.storage.clone();
    settings.pool_connections_max = POOL_CONNECTIONS;
    Ok(Storage::connect(options, &settings, &MIGRATIONS).await?)
}

/// Whoever reads only the first lines (`| head`) has seen enough: that is no failure, and nothing to panic about.
fn say(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the answer cannot be written"),
    }
}
