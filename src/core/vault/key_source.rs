//! Where the master keys are: a file beside the other keys of the engine, or the configuration.
//!
//! The file is read again whenever that matters: before each write, and when a row names a key that is not known. So a
//! running engine hears of a rotation without being told. Keys of the configuration stay as they are until the next start.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use zeroize::Zeroizing;

use super::config::VaultConfig;
use super::keys::{Keyring, MasterKey};
use super::{Secret, VaultError};
use parlance_foundation::secret_file;

/// The file in the data folder, unless `vault.master_key_file` names another.
const FILE: &str = "vault.key";
/// Far more than as many keys as there may be.
const FILE_BYTES_MAX: u64 = 65_536;

const HEAD: &str = "\
# Master keys of Parlance's vault, the newest last. Whoever has this file and the database has every secret in it; the
# database without this file has none. So keep a copy, apart from the backups of the database.
";

/// See the module.
#[derive(Debug)]
pub(super) enum KeySource {
    Given(Keyring),
    File(PathBuf),
}

impl KeySource {
    pub fn of(config: &VaultConfig, data_dir: &Path) -> Result<Self, VaultError> {
        if let Some(keys) = &config.master_key {
            // Checked with the rest of the configuration.
            let ring =
                Keyring::parse(keys).map_err(|error| VaultError::Locked(format!("vault.master_key: {error}")))?;
            return Ok(Self::Given(ring));
        }
        let file = config.master_key_file.as_ref().map_or_else(|| data_dir.join(FILE), PathBuf::from);
        Ok(Self::File(file))
    }

    /// The keys as they are now; `None` when there is no file.
    pub async fn read(&self) -> anyhow::Result<Option<Keyring>> {
        match self {
            Self::Given(ring) => Ok(Some(ring.clone())),
            Self::File(path) => {
                let path = path.clone();
                on_a_thread_that_may_wait(move || read(&path)).await
            }
        }
    }

    /// Makes the file with a first key, unless somebody else has meanwhile.
    pub async fn make(&self, now: DateTime<Utc>) -> anyhow::Result<Keyring> {
        let path = match self {
            Self::Given(ring) => return Ok(ring.clone()),
            Self::File(path) => path.clone(),
        };
        on_a_thread_that_may_wait(move || {
            let mut first = Keyring::default();
            first.add(MasterKey::random());
            secret_file::read_or_make(&path, || content(&first, now))?;
            read(&path)?.with_context(|| format!("{} vanished while it was made", path.display()))
        })
        .await
    }

    /// Puts these keys into the file that is there.
    pub async fn write(&self, ring: &Keyring, now: DateTime<Utc>) -> anyhow::Result<()> {
        let path = match self {
            Self::Given(_) => return Ok(()),
            Self::File(path) => path.clone(),
        };
        let content = content(ring, now);
        on_a_thread_that_may_wait(move || secret_file::replace(&path, &content)).await
    }

    /// Removes what a write left beside the file when it was cut off: keys that nobody looks after.
    pub async fn tidy(&self) {
        let Self::File(path) = self else { return };
        let path = path.clone();
        let removed = on_a_thread_that_may_wait(move || secret_file::remove_leftovers(&path)).await;
        if let Err(error) = removed {
            tracing::warn!(error = format!("{error:#}"), "what was left beside the vault's keys could not be removed");
        }
    }

    /// What an operator has to look at.
    pub fn place(&self) -> String {
        match self {
            Self::Given(_) => "vault.master_key (PARLANCE__VAULT__MASTER_KEY)".to_owned(),
            Self::File(path) => format!("the file {} (vault.master_key_file)", path.display()),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Option<Keyring>> {
    if let Ok(found) = path.metadata() {
        ensure!(found.is_file() && found.len() <= FILE_BYTES_MAX, "{} is no file of keys", path.display());
    }
    let Some(mut text) = secret_file::read(path)? else { return Ok(None) };
    let text = Secret::from(std::mem::take(&mut *text));
    Keyring::parse(&text).map(Some).with_context(|| format!("{} is no file of keys", path.display()))
}

fn content(ring: &Keyring, now: DateTime<Utc>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + 128 * ring.keys().len()));
    text.push_str(HEAD);
    text.push_str(&format!("# Written {}.\n", now.to_rfc3339_opts(SecondsFormat::Secs, true)));
    for key in ring.keys() {
        text.push_str(&key.to_text());
        text.push_str(" # ");
        text.push_str(key.id().as_str());
        text.push('\n');
    }
    text
}

async fn on_a_thread_that_may_wait<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("the keys could not be read")?
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_foundation::clock::Clock;

    #[actix_rt::test]
    async fn a_file_is_made_once_and_what_is_none_is_said_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/vault.key");
        let (source, now) = (KeySource::File(path.clone()), Clock::system().now());
        assert!(source.read().await.unwrap().is_none());
        let mut ring = source.make(now).await.unwrap();
        assert_eq!(source.make(now).await.unwrap().newest().unwrap().id(), ring.newest().unwrap().id());
        ring.add(MasterKey::random());
        source.write(&ring, now).await.unwrap();
        let ids = |ring: &Keyring| ring.keys().iter().map(|key| key.id().clone()).collect::<Vec<_>>();
        assert_eq!(ids(&source.read().await.unwrap().unwrap()), ids(&ring));
        for bad in ["", "not a key\n", &"x".repeat(70_000)] {
            std::fs::write(&path, bad).unwrap();
            let error = format!("{:#}", source.read().await.unwrap_err());
            assert!(error.contains("vault.key") && error.contains("no file of keys"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(source.read().await.is_err());
    }
}
