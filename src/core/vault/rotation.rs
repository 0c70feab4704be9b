//! A new master key, and every data key wrapped by it.
//!
//! 1. The new key is in the file, on disk, before anything is wrapped by it; the older ones stay. Whoever writes a secret
//!    holds a lock meanwhile that this step takes alone, and reads the file under it: from here on, all use the new key.
//! 2. Data keys are wrapped anew in batches, each a transaction: engines go on reading, and one that meets the new key
//!    reads the file again.
//! 3. What was cut off half-way is finished by the next rotation, which makes no other key for it. Secrets that do not open
//!    stay under their keys and are named; where nothing else is left to finish, a new key is made all the same.
//!
//! Keys of the configuration are not ours to change: there an operator appends the new one, restarts the engines, and the
//! rotation does step 2.

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::audit::By;
use super::envelope::{self, Place};
use super::handle::Vault;
use super::key_source::KeySource;
use super::keys::{KEYS_MAX, KeyId, Keyring, MasterKey};
use super::store::{self, NamedRow};
use super::{SecretName, VaultError};

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The fingerprint of the key that everything is under now.
    pub key_id: KeyId,
    /// Whether that key is new; else an earlier rotation was finished, or the key was given.
    pub is_new: bool,
    /// Data keys that were wrapped anew.
    pub rewrapped: usize,
    /// Secrets that do not open, because somebody changed their rows: left as they are.
    pub damaged: Vec<String>,
    /// Keys that were removed from the file.
    pub forgotten: usize,
}

impl Vault {
    /// Makes a new master key and wraps every data key by it; with `forget_old`, removes those that nothing is under any
    /// more. Safe beside running engines, and when it is cut off: then it is to be called again.
    pub async fn rotate(&self, by: &By, forget_old: bool) -> Result<Rotated, VaultError> {
        // A connection of its own, because the lock goes with it, however this ends.
        let mut lock = self.0.storage.engine().acquire().await?.detach();
        if !store::try_lock_rotation(&mut lock).await? {
            return Err(VaultError::Rotating);
        }
        let rotated = self.rotate_alone(by, forget_old).await;
        // Not only by closing it, which Postgres may notice a little later. Whatever becomes of the lock, what was done is
        // told: without its connection it is gone as well.
        let _ = store::unlock_rotation(&mut lock).await;
        let _ = lock.close().await;
        let rotated = rotated?;
        tracing::info!(
            key = %rotated.key_id,
            is_new = rotated.is_new,
            rewrapped = rotated.rewrapped,
            damaged = rotated.damaged.len(),
            forgotten = rotated.forgotten,
            %by,
            "the vault's secrets are under another master key"
        );
        Ok(rotated)
    }

    async fn rotate_alone(&self, by: &By, forget_old: bool) -> Result<Rotated, VaultError> {
        let mut forgotten = 0;
        if forget_old {
            forgotten += self.forget_old().await?;
        }
        let (mut newest, mut is_new) = self.next_key(false).await?;
        let (mut rewrapped, mut damaged) = self.rewrap_all(&newest, by).await?;
        if !is_new && rewrapped == 0 && !damaged.is_empty() {
            (newest, is_new) = self.next_key(true).await?;
            (rewrapped, damaged) = self.rewrap_all(&newest, by).await?;
        }
        if forget_old {
            forgotten += self.forget_old().await?;
        }
        Ok(Rotated { key_id: newest.id().clone(), is_new, rewrapped, damaged, forgotten })
    }

    /// Wraps every data key by `newest`; how many, and which do not open.
    async fn rewrap_all(&self, newest: &MasterKey, by: &By) -> Result<(usize, Vec<String>), VaultError> {
        let (mut rewrapped, mut damaged, mut after) = (0, Vec::new(), Uuid::nil());
        while let Some(batch) = self.rewrap_batch(newest, after, by).await? {
            after = batch.last;
            rewrapped += batch.rewrapped;
            damaged.extend(batch.damaged);
        }
        Ok((rewrapped, damaged))
    }

    /// The key to rotate to: a new one, unless an earlier rotation is not finished or the keys are given. `is_finished`: it
    /// is, as far as can be.
    async fn next_key(&self, is_finished: bool) -> Result<(MasterKey, bool), VaultError> {
        let mut transaction = self.0.storage.engine().begin().await?;
        store::lock_keys(&mut transaction).await?;
        let used = store::key_ids(&mut transaction).await?;
        let ring = self.read_keys(&used).await?;
        self.require_all(&ring, &used)?;
        let newest = ring.newest().cloned().ok_or_else(|| self.locked("it has no key"))?;
        let is_unfinished = !is_finished && used.iter().any(|id| id != newest.id());
        if is_unfinished || matches!(self.0.source, KeySource::Given(_)) {
            return Ok((newest, false));
        }
        if ring.keys().len() >= KEYS_MAX {
            let why = format!("it has {KEYS_MAX} keys: `parlance vault rotate --forget-old` removes those not in use");
            return Err(VaultError::Locked(format!("{} cannot have another key, for {why}", self.0.source.place())));
        }
        let key = MasterKey::random();
        let mut next = Keyring::clone(&ring);
        next.add(key.clone());
        self.write_keys(next).await?;
        transaction.commit().await?;
        Ok((key, true))
    }

    /// Removes the keys that nothing is under; the newest stays.
    async fn forget_old(&self) -> Result<usize, VaultError> {
        if matches!(self.0.source, KeySource::Given(_)) {
            return Ok(0);
        }
        let mut transaction = self.0.storage.engine().begin().await?;
        store::lock_keys(&mut transaction).await?;
        let used = store::key_ids(&mut transaction).await?;
        let mut ring = Keyring::clone(&*self.read_keys(&used).await?);
        self.require_all(&ring, &used)?;
        // Without a secret nothing shows that file and database belong together: its keys may be another one's.
        if used.is_empty() {
            return Ok(0);
        }
        let forgotten = ring.forget_unless(&used);
        if forgotten > 0 {
            self.write_keys(ring).await?;
        }
        transaction.commit().await?;
        Ok(forgotten)
    }

    async fn write_keys(&self, ring: Keyring) -> Result<(), VaultError> {
        let written = self.0.source.write(&ring, self.0.clock.now()).await;
        written.map_err(|error| VaultError::Internal(format!("{error:#}; nothing was changed")))?;
        self.0.ring.store(std::sync::Arc::new(ring));
        Ok(())
    }

    /// The next batch after the id `after`; `None` when there is none.
    async fn rewrap_batch(&self, newest: &MasterKey, after: Uuid, by: &By) -> Result<Option<Batch>, VaultError> {
        let mut transaction = self.0.storage.engine().begin().await?;
        let rows = store::to_rewrap(&mut transaction, newest.id(), after, self.0.config.rotation_rows_max).await?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok(None) };
        let (mut wrapped, mut done, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let shown = format!("{}/{}", row.scope, row.name);
            // A name that is none was written by somebody else.
            let Ok(name) = SecretName::new(row.scope, row.name) else {
                damaged.push(shown);
                continue;
            };
            let place = Place { id: row.id, name: &name, version: row.version };
            let old = self.0.ring.load().find(&KeyId::from_row(row.key_id)).cloned();
            match old.ok_or(envelope::Damaged).and_then(|old| envelope::rewrap(&old, newest, place, &row.wrapped_key)) {
                Ok(key) => {
                    wrapped.push(key);
                    done.push(NamedRow { id: row.id, scope: name.scope().into(), name: name.name().into() });
                }
                Err(envelope::Damaged) => damaged.push(shown),
            }
        }
        self.write_batch(&mut transaction, newest.id(), &wrapped, &done, by).await?;
        transaction.commit().await?;
        Ok(Some(Batch { last, rewrapped: done.len(), damaged }))
    }

    async fn write_batch(
        &self,
        conn: &mut PgConnection,
        newest: &KeyId,
        wrapped: &[Vec<u8>],
        done: &[NamedRow],
        by: &By,
    ) -> Result<(), VaultError> {
        let now = self.0.clock.now();
        let ids: Vec<Uuid> = done.iter().map(|row| row.id).collect();
        let entries: Vec<Uuid> = done.iter().map(|_| self.0.clock.uuid()).collect();
        store::rewrap(conn, &ids, wrapped, newest, now).await?;
        Ok(store::note_all(conn, &entries, "rotated", done, now, by).await?)
    }
}

/// One transaction's part of a rotation.
struct Batch {
    last: Uuid,
    rewrapped: usize,
    damaged: Vec<String>,
}
