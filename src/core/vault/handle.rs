//! The door: secrets are put, used, replaced, deleted and listed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::TimeDelta;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::audit::{AuditEntry, AuditQuery, By, NotedReads};
use super::config::VaultConfig;
use super::envelope::{self, Place};
use super::key_source::KeySource;
use super::keys::{KeyId, Keyring, MasterKey};
use super::name::require_scope;
use super::store::{self, MetaRow, NewRow, SealedRow};
use super::wire::SecretMeta;
use super::{Secret, SecretName, VaultError, metrics};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::UserId;
use parlance_foundation::storage::Storage;

const LABEL_CHARS_MAX: usize = 200;
/// Rows that one statement of [`Vault::delete_old_audit`] deletes at most.
const DELETE_ROWS_MAX: i64 = 10_000;

/// The vault. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Vault(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: VaultConfig,
    pub(super) storage: Storage,
    pub(super) clock: Clock,
    pub(super) source: KeySource,
    /// The keys as last read.
    pub(super) ring: ArcSwap<Keyring>,
    first_key: FirstKey,
    reads: NotedReads,
}

/// What to do where there is no file of master keys, and nothing yet that would need one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstKey {
    /// Make it: this is the engine.
    Make,
    /// Leave it: this is a command beside the engine, which may be in the wrong folder.
    Leave,
}

impl Vault {
    /// Reads the master keys, or makes the first. That they are not to be had is no failure, but said and counted: rooms
    /// do not need the vault, and whoever restores a database first should find an engine that runs and says what is
    /// missing. Then the vault is *locked*: nothing is put into it, and what is under a key that is not here stays closed.
    pub async fn open(
        config: &VaultConfig,
        storage: Storage,
        clock: Clock,
        data_dir: &Path,
        first_key: FirstKey,
    ) -> Result<Self, VaultError> {
        let vault = Self(Arc::new(Inner {
            source: KeySource::of(config, data_dir)?,
            ring: ArcSwap::default(),
            reads: NotedReads::new(Duration::from_secs(config.audit_reads_every_s)),
            config: config.clone(),
            storage,
            clock,
            first_key,
        }));
        if first_key == FirstKey::Make {
            vault.0.source.tidy().await;
        }
        let mut conn = vault.0.storage.engine().acquire().await?;
        let used = store::key_ids(&mut conn).await?;
        drop(conn);
        let locked = match vault.read_keys(&used).await {
            Ok(ring) => vault.require_all(&ring, &used).err(),
            Err(error) => Some(error),
        };
        if let (Some(error), FirstKey::Make) = (locked, first_key) {
            tracing::error!(%error, "the engine starts without all keys of its vault");
        }
        vault.count_unreadable().await?;
        Ok(vault)
    }

    /// Keeps a new secret; [`VaultError::Taken`] when there is one of this name. `label` is for people.
    pub async fn put(
        &self,
        name: &SecretName,
        label: &str,
        secret: &Secret,
        by: &By,
    ) -> Result<SecretMeta, VaultError> {
        metrics::counted("put", self.try_put(name, label, secret, by).await)
    }

    /// The secret, for use now: ask again next time rather than keeping it, or it outlives its replacement. That it is
    /// used is written down before it is given out.
    pub async fn get(&self, name: &SecretName, by: &By) -> Result<Secret, VaultError> {
        metrics::counted("get", self.try_get(name, by).await)
    }

    /// Another value under the same name, id and label.
    pub async fn replace(&self, name: &SecretName, secret: &Secret, by: &By) -> Result<SecretMeta, VaultError> {
        metrics::counted("replace", self.try_replace(name, secret, by).await)
    }

    /// Deletes it, also one that cannot be read; what was done with it stays in the audit.
    pub async fn delete(&self, name: &SecretName, by: &By) -> Result<(), VaultError> {
        metrics::counted("delete", self.try_delete(name, by).await)
    }

    /// Up to `limit` secrets, of one scope or all, in the order in which they were made, after the id `after`: what is
    /// known of them without opening them.
    pub async fn list_meta(
        &self,
        scope: Option<&str>,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<SecretMeta>, VaultError> {
        scope.map(require_scope).transpose()?;
        let mut conn = self.0.storage.engine_read("vault").acquire().await?;
        let rows = store::list(&mut conn, scope, after, limit).await?;
        let known = rows.iter().all(|row| self.0.ring.load().find(&KeyId::from_row(row.key_id.clone())).is_some());
        // Of keys that another process made meanwhile. What cannot be read shows as such.
        let ring = if known { self.0.ring.load_full() } else { self.known_keys().await };
        Ok(rows.into_iter().map(|row| shown(row, &ring)).collect())
    }

    /// The name of a secret that is known by its id.
    pub async fn name_of(&self, id: Uuid) -> Result<SecretName, VaultError> {
        let mut conn = self.0.storage.engine_read("vault").acquire().await?;
        let row = store::meta(&mut conn, id).await?.ok_or(VaultError::NotFound)?;
        SecretName::new(row.scope, row.name)
    }

    /// What was done with secrets and by whom, the newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, VaultError> {
        let mut conn = self.0.storage.engine_read("vault").acquire().await?;
        Ok(store::audit(&mut conn, query).await?)
    }

    /// How many secrets are under keys that are not here.
    pub async fn count_unreadable(&self) -> Result<i64, VaultError> {
        let ring = self.known_keys().await;
        let mut conn = self.0.storage.engine_read("vault").acquire().await?;
        let unreadable = store::count_unreadable(&mut conn, &known(&ring)).await?;
        metrics::unreadable(unreadable);
        Ok(unreadable)
    }

    /// The same for the metric alone: what was committed stays done when this fails.
    async fn count_again(&self) {
        if let Err(error) = self.count_unreadable().await {
            tracing::warn!(%error, "the secrets that cannot be read could not be counted");
        }
    }

    /// Gives up the secrets that are under keys that are lost, if there are as many as `expected`; answers how many. In the
    /// wrong folder all of them are: whoever says how many has looked.
    pub async fn delete_unreadable(&self, expected: usize, by: &By) -> Result<usize, VaultError> {
        let mut transaction = self.0.storage.engine().begin().await?;
        store::lock_keys(&mut transaction).await?;
        // A file that is there and cannot be read is not lost: what is under its keys stays.
        let read = self.0.source.read().await.map_err(|error| self.locked(&format!("{error:#}")))?;
        let ring = read.unwrap_or_default();
        let gone = store::delete_unreadable(&mut transaction, &known(&ring)).await?;
        if gone.len() != expected {
            return Err(VaultError::OtherCount { unreadable: gone.len(), expected });
        }
        let entries: Vec<Uuid> = gone.iter().map(|_| self.0.clock.uuid()).collect();
        store::note_all(&mut transaction, &entries, "deleted", &gone, self.0.clock.now(), by).await?;
        transaction.commit().await?;
        tracing::warn!(deleted = gone.len(), %by, "secrets whose keys are lost were deleted");
        self.count_again().await;
        Ok(gone.len())
    }

    /// Deletes what the audit remembers for longer than `vault.audit_days`; answers how many entries. And
    /// counts what cannot be read, for the metric. Worth an hourly call.
    pub async fn delete_old_audit(&self) -> Result<u64, VaultError> {
        let before = self.0.clock.now() - TimeDelta::days(i64::from(self.0.config.audit_days));
        let mut deleted = 0;
        loop {
            let mut conn = self.0.storage.engine().acquire().await?;
            let rows = store::delete_audit(&mut conn, before, DELETE_ROWS_MAX).await?;
            deleted += rows;
            if rows == 0 {
                break;
            }
        }
        self.count_unreadable().await?;
        Ok(deleted)
    }

    async fn try_put(
        &self,
        name: &SecretName,
        label: &str,
        secret: &Secret,
        by: &By,
    ) -> Result<SecretMeta, VaultError> {
        self.require_fit(secret)?;
        if label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
            return Err(VaultError::InvalidLabel);
        }
        let (mut transaction, master) = self.begin_write().await?;
        let (id, now) = (self.0.clock.uuid(), self.0.clock.now());
        let sealed = envelope::seal(&master, Place { id, name, version: 1 }, secret).map_err(not_sealed)?;
        let hint = secret.hint();
        let row = NewRow { id, name, label, hint: hint.as_deref(), sealed: &sealed, now, by };
        if !store::insert(&mut transaction, &row).await? {
            return Err(VaultError::Taken);
        }
        // This one is among them.
        if store::count(&mut transaction).await? > self.0.config.secrets_max {
            return Err(VaultError::Full { secrets_max: self.0.config.secrets_max });
        }
        store::note(&mut transaction, self.0.clock.uuid(), "created", id, name, now, by).await?;
        self.commit(transaction, id, "created", name, by).await
    }

    async fn try_get(&self, name: &SecretName, by: &By) -> Result<Secret, VaultError> {
        let mut conn = self.0.storage.engine_read("vault").acquire().await?;
        let (row, master) = match self.find_with_key(&mut conn, name).await {
            // A rotation may have put it under another key meanwhile, and forgotten this one.
            Err(VaultError::Locked(_)) => self.find_with_key(&mut conn, name).await?,
            found => found?,
        };
        let (id, version, sealed) = (row.id, row.version, row.sealed());
        let secret = envelope::open(&master, Place { id, name, version }, &sealed).map_err(|_| {
            tracing::error!(secret = %name, "a secret does not open: its row was changed by somebody else");
            VaultError::Damaged(name.clone())
        })?;
        let now = self.0.clock.monotonic();
        if self.0.reads.is_due(id, by, now) {
            store::note(&mut conn, self.0.clock.uuid(), "read", id, name, self.0.clock.now(), by).await?;
            self.0.reads.noted(id, by, now);
        }
        Ok(secret)
    }

    async fn find_with_key(
        &self,
        conn: &mut PgConnection,
        name: &SecretName,
    ) -> Result<(SealedRow, MasterKey), VaultError> {
        let row = store::find(conn, name).await?.ok_or(VaultError::NotFound)?;
        let master = self.key(&KeyId::from_row(row.key_id.clone())).await?;
        Ok((row, master))
    }

    async fn try_replace(&self, name: &SecretName, secret: &Secret, by: &By) -> Result<SecretMeta, VaultError> {
        self.require_fit(secret)?;
        let (mut transaction, master) = self.begin_write().await?;
        let (id, version) = store::lock(&mut transaction, name).await?.ok_or(VaultError::NotFound)?;
        let version = version.checked_add(1).ok_or_else(|| VaultError::Internal("replaced too often".into()))?;
        let sealed = envelope::seal(&master, Place { id, name, version }, secret).map_err(not_sealed)?;
        let now = self.0.clock.now();
        store::replace(&mut transaction, id, version, &sealed, secret.hint().as_deref(), now).await?;
        store::note(&mut transaction, self.0.clock.uuid(), "replaced", id, name, now, by).await?;
        self.commit(transaction, id, "replaced", name, by).await
    }

    async fn try_delete(&self, name: &SecretName, by: &By) -> Result<(), VaultError> {
        let mut transaction = self.0.storage.engine().begin().await?;
        let id = store::delete(&mut transaction, name).await?.ok_or(VaultError::NotFound)?;
        store::note(&mut transaction, self.0.clock.uuid(), "deleted", id, name, self.0.clock.now(), by).await?;
        transaction.commit().await?;
        tracing::info!(secret = %name, %by, "a secret was deleted");
        self.count_again().await;
        Ok(())
    }

    async fn commit(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        id: Uuid,
        what: &str,
        name: &SecretName,
        by: &By,
    ) -> Result<SecretMeta, VaultError> {
        let row = store::meta(&mut transaction, id).await?.ok_or(VaultError::NotFound)?;
        transaction.commit().await?;
        tracing::info!(secret = %name, %by, "a secret was {what}");
        Ok(shown(row, &self.0.ring.load()))
    }

    fn require_fit(&self, secret: &Secret) -> Result<(), VaultError> {
        let bytes_max = self.0.config.secret_bytes_max;
        match secret.len() {
            0 => Err(VaultError::Empty),
            bytes if bytes > bytes_max => Err(VaultError::TooLarge { bytes_max }),
            _ => Ok(()),
        }
    }

    /// A transaction in which the keys stay as they are, and the newest of them. Refused while the vault is locked: an
    /// engine with the keys of another machine would put in what nobody else can read.
    ///
    /// Alone while no key is in use: of two engines that each made a first key in a folder of its own, one decides which
    /// it is, and the other one sees that.
    async fn begin_write(&self) -> Result<(Transaction<'static, Postgres>, MasterKey), VaultError> {
        let (mut transaction, mut used) = self.begin_with_keys(false).await?;
        if used.is_empty() {
            transaction.rollback().await?;
            (transaction, used) = self.begin_with_keys(true).await?;
        }
        let ring = self.read_keys(&used).await?;
        self.require_all(&ring, &used)?;
        let newest = ring.newest().cloned().ok_or_else(|| self.locked("it has no key"))?;
        Ok((transaction, newest))
    }

    /// A transaction in which the keys stay as they are, and those that are in use.
    async fn begin_with_keys(&self, alone: bool) -> Result<(Transaction<'static, Postgres>, Vec<KeyId>), VaultError> {
        let mut transaction = self.0.storage.engine().begin().await?;
        if alone {
            store::lock_keys(&mut transaction).await?;
        } else {
            store::share_keys(&mut transaction).await?;
        }
        let used = store::key_ids(&mut transaction).await?;
        Ok((transaction, used))
    }

    /// The key of this fingerprint, looked for once more where it is not known.
    async fn key(&self, id: &KeyId) -> Result<MasterKey, VaultError> {
        if let Some(key) = self.0.ring.load().find(id) {
            return Ok(key.clone());
        }
        let used = std::slice::from_ref(id);
        let ring = self.read_keys(used).await?;
        self.require_all(&ring, used)?;
        ring.find(id).cloned().ok_or_else(|| self.locked("it lacks a key"))
    }

    /// The keys as they are now, if there are any. Makes none; and where they cannot be read for a while, what is in memory
    /// stays there for those who use secrets meanwhile.
    async fn known_keys(&self) -> Arc<Keyring> {
        match self.0.source.read().await {
            Ok(Some(ring)) => {
                let ring = Arc::new(ring);
                self.0.ring.store(Arc::clone(&ring));
                ring
            }
            Ok(None) | Err(_) => Arc::default(),
        }
    }

    /// The keys as they are now, remembered. The first is made where none is there, none is in use, and it is ours to do.
    pub(super) async fn read_keys(&self, used: &[KeyId]) -> Result<Arc<Keyring>, VaultError> {
        let read = self.0.source.read().await.map_err(|error| self.locked(&format!("{error:#}")))?;
        let ring = match read {
            Some(ring) => ring,
            None if used.is_empty() && self.0.first_key == FirstKey::Make => {
                let made = self.0.source.make(self.0.clock.now()).await;
                made.map_err(|error| self.locked(&format!("{error:#}")))?
            }
            None => return Err(self.locked("it is not there")),
        };
        let ring = Arc::new(ring);
        self.0.ring.store(Arc::clone(&ring));
        Ok(ring)
    }

    /// Fails unless every key that is in use is here.
    pub(super) fn require_all(&self, ring: &Keyring, used: &[KeyId]) -> Result<(), VaultError> {
        let missing: Vec<&str> = used.iter().filter(|id| ring.find(id).is_none()).map(KeyId::as_str).collect();
        if missing.is_empty() { Ok(()) } else { Err(self.locked(&format!("it lacks the key {}", missing.join(", ")))) }
    }

    pub(super) fn locked(&self, why: &str) -> VaultError {
        let folder = match self.0.first_key {
            FirstKey::Make => "",
            FirstKey::Leave => "A command needs the --data-dir of its engine. ",
        };
        VaultError::Locked(format!(
            "its master keys are looked for in {}, but {why}. {folder}Bring back the file that belongs to this database, from the \
             machine or the backup where it is; nothing has to be restarted. If it is lost, so are the secrets under its \
             keys: `parlance vault list` shows which, `parlance vault delete --unreadable` how to give them up",
            self.0.source.place()
        ))
    }
}

/// A row as it may be seen, with the keys that are here.
fn shown(row: MetaRow, ring: &Keyring) -> SecretMeta {
    let key_id = KeyId::from_row(row.key_id);
    SecretMeta {
        id: row.id,
        scope: row.scope,
        name: row.name,
        label: row.label,
        hint: row.hint,
        version: row.version,
        readable: ring.find(&key_id).is_some(),
        key_id: key_id.to_string(),
        created_at: row.created_at,
        created_by: row.created_by.map(UserId),
        replaced_at: row.replaced_at,
        rotated_at: row.rotated_at,
        last_used_at: row.last_used_at,
    }
}

fn known(ring: &Keyring) -> Vec<String> {
    ring.keys().iter().map(|key| key.id().to_string()).collect()
}

fn not_sealed(_: envelope::Damaged) -> VaultError {
    VaultError::Internal("a secret could not be encrypted".into())
}
