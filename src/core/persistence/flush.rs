//! One batch on its way into Postgres: tried again through outages, and one by one when Postgres refuses it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::batch::{Adrift, Batch, Run};
use super::{Claim, Outcome, Write, store};
use parlance_foundation::storage::{Storage, is_outage};

/// A try gets this long, even when the deadline has passed.
const ATTEMPT_AT_LEAST: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Flush {
    storage: Storage,
    /// Gone after an outage.
    pub connection: Option<PgConnection>,
    deadline: Instant,
    pause: Duration,
    tries: u32,
    /// An earlier try of the same rows may have been committed.
    is_doubtful: bool,
    /// Postgres stayed away.
    pub gave_up: bool,
}

impl Flush {
    /// One that waits for Postgres as long as `patience`, with pauses that begin at `pause`.
    pub fn new(storage: Storage, connection: Option<PgConnection>, patience: Duration, pause: Duration) -> Self {
        let deadline = Instant::now() + patience;
        Self { storage, connection, deadline, pause, tries: 0, is_doubtful: false, gave_up: false }
    }

    /// One outcome a write, in order.
    pub async fn run(&mut self, batch: &Batch) -> Vec<Outcome> {
        match self.settle(batch).await {
            Ok(outcomes) => outcomes,
            Err(error) if is_outage(&error) => {
                tracing::error!(%error, rows = batch.rows, "Postgres stayed away; the senders are told to try again");
                self.gave_up = true;
                vec![Outcome::Unavailable; batch.writes.len()]
            }
            Err(error) => {
                tracing::info!(%error, rows = batch.rows, "a batch was refused; writing it one by one");
                self.one_by_one(batch).await
            }
        }
    }

    /// Commits all of the batch; an outage is waited out until the deadline.
    async fn settle(&mut self, batch: &Batch) -> Result<Vec<Outcome>, sqlx::Error> {
        loop {
            self.tries += 1;
            // A server that is there and says nothing is away, too.
            let patience = self.deadline.saturating_duration_since(Instant::now()).max(ATTEMPT_AT_LEAST);
            let error = match tokio::time::timeout(patience, self.attempt(batch)).await {
                Ok(Ok(outcomes)) => return Ok(outcomes),
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut,
            };
            if !is_outage(&error) {
                return Err(error);
            }
            // The connection's state is unknown: begin with a new one.
            self.connection = None;
            let pause = self.pause.saturating_mul(1 << self.tries.min(10)).min(Duration::from_secs(1));
            if Instant::now() + pause > self.deadline {
                return Err(error);
            }
            metrics::counter!("parlance_write_retries_total").increment(1);
            tracing::warn!(%error, tries = self.tries, "a flush failed; trying again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Vec<Outcome>, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(connect(&self.storage).await?);
        }
        let Some(connection) = self.connection.as_mut() else { return Err(sqlx::Error::WorkerCrashed) };
        let runs = batch.runs();
        let held = store::flush(connection, batch, &runs).await?;
        let fenced: Vec<(Run, uuid::Uuid)> = runs
            .into_iter()
            .filter(|run| !held.contains(&run.room_id))
            .filter_map(|run| Some((run, last_id(batch, run)?)))
            .collect();
        // Only after a failed try can a fence have been moved by ourselves.
        let ours = if fenced.is_empty() || (self.tries == 1 && !self.is_doubtful) {
            Default::default()
        } else {
            store::recognise(connection, &fenced).await?
        };
        let fenced_now = fenced.len() - ours.len();
        metrics::counter!("parlance_writes_fenced_total").increment(fenced_now as u64);
        let outcome = |write: &Write| match held.contains(&write.room_id) || ours.contains(&write.room_id) {
            true => Outcome::Committed,
            false => Outcome::Fenced,
        };
        Ok(batch.writes.iter().map(outcome).collect())
    }

    /// For a batch that Postgres refuses as a whole: each write on its own, so that only the guilty one fails.
    async fn one_by_one(&mut self, batch: &Batch) -> Vec<Outcome> {
        self.is_doubtful = self.tries > 1;
        let marks = Batch { watermarks: batch.watermarks.clone(), ..Batch::default() };
        if !marks.is_empty()
            && let Err(error) = self.settle(&marks).await
        {
            self.gave_up = is_outage(&error);
            tracing::error!(%error, "read marks could not be written");
        }
        let mut outcomes = Vec::with_capacity(batch.writes.len());
        let mut adrift = Adrift::default();
        for write in &batch.writes {
            if self.gave_up {
                // Each of them would wait for Postgres anew.
                outcomes.push(Outcome::Unavailable);
                continue;
            }
            if adrift.has(write.room_id) {
                outcomes.push(Outcome::Fenced);
                continue;
            }
            let single = Batch {
                writes: vec![Write {
                    room_id: write.room_id,
                    from_seq: write.from_seq,
                    rows: write.rows.clone(),
                    claim: Claim::waived(),
                }],
                ..Batch::default()
            };
            self.tries = 0;
            let outcome = match self.settle(&single).await {
                Ok(outcomes) => outcomes.into_iter().next().unwrap_or(Outcome::Unavailable),
                Err(error) if is_outage(&error) => {
                    self.gave_up = true;
                    Outcome::Unavailable
                }
                Err(error) => self.judge(write, &error).await,
            };
            adrift.note([(write, &outcome)]);
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Why Postgres refused one write: its row is there already, or is impossible.
    async fn judge(&mut self, write: &Write, error: &sqlx::Error) -> Outcome {
        if store::is_out_of_space(error) {
            return Outcome::OutOfSpace;
        }
        if let (Some(connection), [row]) = (self.connection.as_mut(), write.rows.as_slice()) {
            let reading = store::first_result(connection, write.room_id, row);
            let read = tokio::time::timeout(ATTEMPT_AT_LEAST, reading).await;
            match read.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(Some(first)) => return Outcome::Duplicate(first),
                Ok(None) => {}
                Err(error) => {
                    // The connection's state is unknown.
                    self.connection = None;
                    self.gave_up = is_outage(&error);
                    tracing::warn!(%error, "the first result of a repeated write could not be read");
                    return Outcome::Unavailable;
                }
            }
        }
        tracing::error!(%error, room_id = %write.room_id, from_seq = write.from_seq, "Postgres refuses a write");
        Outcome::Refused
    }
}

/// A connection within a bounded time: a server that accepts and says nothing counts as away.
pub(super) async fn connect(storage: &Storage) -> Result<PgConnection, sqlx::Error> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let connecting = async {
        let mut connection = storage.dedicated_connection().await?;
        store::plan_once(&mut connection).await.map(|()| connection)
    };
    tokio::time::timeout(PATIENCE, connecting).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// The connection, or a new one, when Postgres takes writes on it.
pub(super) async fn probe(storage: &Storage, connection: Option<PgConnection>) -> Option<PgConnection> {
    let probing = async {
        let mut connection = match connection {
            Some(connection) => connection,
            None => connect(storage).await?,
        };
        store::try_to_write(&mut connection).await.map(|()| connection)
    };
    match tokio::time::timeout(ATTEMPT_AT_LEAST, probing).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
        Ok(connection) => Some(connection),
        Err(error) => {
            tracing::debug!(%error, "Postgres still takes no writes");
            None
        }
    }
}

/// The id of the last row of a run.
fn last_id(batch: &Batch, run: Run) -> Option<uuid::Uuid> {
    let last = batch.writes.iter().rev().find(|write| write.room_id == run.room_id)?;
    last.rows.last().map(|row| Arc::as_ref(row).id())
}
