//! Which life of the log this is.
//!
//! Clients keep the newest `seq` of each room. A database that came back from a backup gives the same numbers to other
//! events; its epoch is another one, so that clients read anew instead of lacking what they believe to have.
//!
//! Beside the epoch the database keeps a fingerprint of where the log is: another cluster, another timeline, another
//! database or other tables mean that it may not be the log that it was. [`Epoch::check`] compares, at start and whenever
//! the change listener connects or has heard nothing for a while; where it differs, a new epoch begins. Some of those are
//! harmless (an upgrade of the cluster, a failover that lost nothing): clients read once more than they had to.
//!
//! What no fingerprint shows, a snapshot of the disk that was put back, shows in the position of the write-ahead log,
//! which only grows: the engine remembers how far it was, in memory and in a file beside its keys. Whoever restores both
//! says so: `parlance epoch renew`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serde_json::json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// The file in the data folder that remembers how far the log was.
const POSITION_FILE: &str = "log.position";

/// The epoch as last read. Cheap to clone; clones are one.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    current: ArcSwap<Uuid>,
    /// When the current one was first read, if another one was known before.
    changed: ArcSwap<Option<Instant>>,
    /// Another epoch than the one before was read, and [`Epoch::begun`] has not been said since.
    is_to_begin: AtomicBool,
    /// How far the write-ahead log was, in bytes.
    position: AtomicU64,
    /// Remembers the position for the next start.
    file: Mutex<Option<PathBuf>>,
    /// Parts of the fingerprint that could not be read, so that the log says it once.
    unreadable: Mutex<Vec<&'static str>>,
}

/// Where the log is, as far as we may read it.
type Fingerprint = BTreeMap<&'static str, String>;

/// Each part of the fingerprint by itself: what may not be read is left out.
const PARTS: [(&str, &str); 4] = [
    ("system", "SELECT system_identifier::text FROM pg_control_system()"),
    ("timeline", "SELECT left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"),
    ("database", "SELECT oid::text FROM pg_database WHERE datname = current_database()"),
    ("rooms", "SELECT 'rooms'::regclass::oid::text"),
];

impl Epoch {
    pub fn current(&self) -> Uuid {
        **self.0.current.load()
    }

    /// Remembers in `data_dir` how far the log was, and reads how far it was last time.
    pub fn remember_in(&self, data_dir: &Path) {
        let file = data_dir.join(POSITION_FILE);
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    }

    /// Whether the epoch changed within the last `age`: what is older belongs to the one before.
    pub(super) fn began_after(&self, age: Duration) -> bool {
        self.0.changed.load().is_some_and(|changed| changed.elapsed() < age)
    }

    /// Compares the database with what it was, begins a new epoch if it is another one, and reads the epoch. Whether
    /// that is another one than the engine works by, which has to begin anew and then say so ([`Epoch::begun`]).
    pub(super) async fn check(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let fingerprint = json!(self.fingerprint(connection).await);
        let position = position(connection).await;
        let Some(known) = read(connection, &fingerprint).await? else {
            begin(connection, &fingerprint).await?;
            let epoch = sqlx::query_scalar!("SELECT epoch FROM log_epoch").fetch_one(connection).await?;
            return Ok(self.set(epoch, position));
        };
        if position.is_some_and(|position| position < self.last_position(known.epoch)) {
            tracing::warn!("the database is not as far as it was: a restore or a snapshot has set it back");
            renew(connection, known.epoch).await?;
        }
        if !known.is_same {
            tracing::info!(was = %known.fingerprint, is = %fingerprint, "the database is not where it was");
            move_to(connection, &fingerprint).await?;
        }
        let epoch = sqlx::query_scalar!("SELECT epoch FROM log_epoch").fetch_one(connection).await?;
        Ok(self.set(epoch, position))
    }

    /// Begins a new epoch, whatever the database looks like.
    pub(super) async fn renew(&self, connection: &mut PgConnection) -> Result<Uuid, sqlx::Error> {
        self.check(connection).await?;
        renew(connection, self.current()).await?;
        self.check(connection).await?;
        Ok(self.current())
    }

    /// Nothing is kept of an epoch before this one.
    pub(super) fn begun(&self) {
        self.0.is_to_begin.store(false, Ordering::Release);
    }

    /// Whether the engine has to begin anew.
    fn set(&self, epoch: Uuid, position: Option<u64>) -> bool {
        let before = self.0.current.swap(Arc::new(epoch));
        if !before.is_nil() && *before != epoch {
            self.0.is_to_begin.store(true, Ordering::Release);
            self.0.changed.store(Arc::new(Some(Instant::now())));
            metrics::counter!("parlance_epoch_changes_total").increment(1);
            tracing::warn!(was = %before, is = %epoch, "a new life of the log: clients read anew what they keep");
        }
        if let Some(position) = position {
            self.remember(epoch, position);
        }
        self.0.is_to_begin.load(Ordering::Acquire)
    }

    fn remember(&self, epoch: Uuid, position: u64) {
        self.0.position.store(position, Ordering::Relaxed);
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file
            && let Err(error) = std::fs::write(file, format!("{epoch} {position}\n"))
        {
            tracing::warn!(%error, file = %file.display(), "how far the log is could not be remembered");
        }
    }

    /// How far the log of this epoch was when we last looked.
    fn last_position(&self, epoch: Uuid) -> u64 {
        if self.current() == epoch {
            return self.0.position.load(Ordering::Relaxed);
        }
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let of_epoch = text.trim().strip_prefix(&epoch.to_string()).map(str::trim);
        of_epoch.and_then(|position| position.parse().ok()).unwrap_or_default()
    }

    async fn fingerprint(&self, connection: &mut PgConnection) -> Fingerprint {
        let mut found = Fingerprint::new();
        for (part, query) in PARTS {
            match sqlx::raw_sql(query).fetch_one(&mut *connection).await.and_then(|row| row.try_get(0)) {
                Ok(value) => {
                    found.insert(part, value);
                }
                Err(error) => self.say_unreadable(part, &error),
            }
        }
        found
    }

    fn say_unreadable(&self, part: &'static str, error: &sqlx::Error) {
        let mut unreadable = self.0.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        if !unreadable.contains(&part) {
            unreadable.push(part);
            tracing::warn!(part, %error, "a restored database will not be known by this, because it cannot be read");
        }
    }
}

/// The epoch as the database has it.
struct Known {
    epoch: Uuid,
    fingerprint: serde_json::Value,
    /// Nothing of the fingerprint is new or another.
    is_same: bool,
}

async fn read(connection: &mut PgConnection, now: &serde_json::Value) -> Result<Option<Known>, sqlx::Error> {
    sqlx::query_as!(Known, r#"SELECT epoch, fingerprint, fingerprint @> $1 AS "is_same!" FROM log_epoch"#, now)
        .fetch_optional(connection)
        .await
}

/// The first epoch, unless another engine has begun it.
async fn begin(connection: &mut PgConnection, fingerprint: &serde_json::Value) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO log_epoch (epoch, begun_at, fingerprint) VALUES ($1, now(), $2) ON CONFLICT DO NOTHING",
        Uuid::now_v7(),
        fingerprint
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// A new epoch, unless somebody else has begun one after `known`.
async fn renew(connection: &mut PgConnection, known: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE log_epoch SET epoch = $2, begun_at = now() WHERE epoch = $1", known, Uuid::now_v7())
        .execute(connection)
        .await
        .map(|_| ())
}

/// Keeps the new fingerprint, and begins a new epoch where it contradicts the old one. Engines that notice at once begin
/// one together: the second finds nothing different.
async fn move_to(connection: &mut PgConnection, fingerprint: &serde_json::Value) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH compared AS (
             SELECT EXISTS (
                 SELECT FROM jsonb_each_text(fingerprint) AS was JOIN jsonb_each_text($1) AS now_is USING (key)
                 WHERE was.value <> now_is.value
             ) AS is_other
             FROM log_epoch FOR UPDATE
         )
         UPDATE log_epoch
         SET fingerprint = fingerprint || $1,
             epoch = CASE WHEN is_other THEN $2 ELSE epoch END,
             begun_at = CASE WHEN is_other THEN now() ELSE begun_at END
         FROM compared",
        fingerprint,
        Uuid::now_v7()
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// How far the write-ahead log is on disk: no crash takes that back. `None` where it may not be read.
async fn position(connection: &mut PgConnection) -> Option<u64> {
    let query = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text";
    let row = sqlx::raw_sql(query).fetch_one(connection).await.ok()?;
    row.try_get::<&str, _>(0).ok()?.parse().ok()
}
