//! The actor that commits: thin shell around [`Batch`] and `store`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use serde_json::json;
use sqlx::PgConnection;

use super::batch::{Batch, Run};
use super::config::PersistenceConfig;
use super::{Claim, Job, Outcome, Places, QueuedRows, RowBody, Write, store};
use crate::storage::{Storage, is_outage};
use crate::supervision::{Supervised, after_what_has_come};

/// Pause between flushes while Postgres is away.
const OUTAGE_PAUSE: Duration = Duration::from_millis(200);
/// A try gets this long, even when the deadline has passed.
const ATTEMPT_AT_LEAST: Duration = Duration::from_secs(2);

/// Command: do these jobs after those before them.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Enqueue(pub Vec<(Job, Places)>);

/// Commits batches, one at a time.
pub struct Persister {
    config: PersistenceConfig,
    storage: Storage,
    queue: VecDeque<Job>,
    /// The places of all jobs in `queue` and in the flush under way, in the order of their coming.
    places: VecDeque<Places>,
    queued: QueuedRows,
    /// Its own connection, outside the pool: away while a flush uses it, gone after an outage.
    link: Option<PgConnection>,
    flushing: bool,
    /// A flush begins when the mailbox is empty.
    gathering: bool,
    /// The last flush gave up on Postgres: until one succeeds, the next ones try once and do not wait.
    outage: bool,
    stopping: bool,
    meters: Meters,
}

struct Meters {
    messages: metrics::Counter,
    events: metrics::Counter,
    flush_rows: metrics::Histogram,
    flush_seconds: metrics::Histogram,
    queue_rows: metrics::Gauge,
}

impl Persister {
    /// A persister for shard `shard`; `queued` is shared with the door in front of it.
    pub fn new(shard: usize, config: PersistenceConfig, storage: Storage, queued: QueuedRows) -> Self {
        let shard = shard.to_string();
        let meters = Meters {
            messages: metrics::counter!("parlance_messages_committed_total"),
            events: metrics::counter!("parlance_events_committed_total"),
            flush_rows: metrics::histogram!("parlance_flush_rows"),
            flush_seconds: metrics::histogram!("parlance_flush_seconds"),
            queue_rows: metrics::gauge!("parlance_write_queue_rows", "shard" => shard),
        };
        Self {
            config,
            storage,
            queue: VecDeque::new(),
            places: VecDeque::new(),
            queued,
            link: None,
            flushing: false,
            gathering: false,
            outage: false,
            stopping: false,
            meters,
        }
    }

    /// Begins a flush once every job that is in the mailbox at this moment is in the queue: what was sent together is
    /// committed together, and no timer waits for more.
    fn flush_what_has_come(&mut self, ctx: &mut Context<Self>) {
        if self.flushing || self.gathering {
            return;
        }
        self.gathering = true;
        after_what_has_come(ctx, |actor, ctx| {
            actor.gathering = false;
            actor.flush(ctx);
        });
    }

    /// Begins the next flush unless one is under way.
    fn flush(&mut self, ctx: &mut Context<Self>) {
        if self.flushing {
            return;
        }
        if !self.answer_barriers() {
            if self.stopping {
                ctx.stop();
            }
            return;
        }
        let batch = Batch::take(&mut self.queue, self.config.flush_rows_max, self.config.flush_bytes_max);
        let rows = batch.rows;
        let patience = if self.outage { 0 } else { self.config.write_timeout_ms };
        let flush = Flush {
            storage: self.storage.clone(),
            link: self.link.take(),
            deadline: Instant::now() + Duration::from_millis(patience),
            pause: Duration::from_millis(self.config.retry_pause_ms),
            tries: 0,
            is_doubtful: false,
            gave_up: false,
        };
        self.flushing = true;
        let begun = Instant::now();
        let work = async move {
            let mut flush = flush;
            let outcomes = flush.run(&batch).await;
            (flush, batch, outcomes)
        };
        ctx.spawn(work.into_actor(self).map(move |(flush, mut batch, outcomes), actor, ctx| {
            actor.link = flush.link;
            actor.outage = flush.gave_up;
            actor.count(&batch, &outcomes, begun);
            let kept = if flush.gave_up { actor.keep_marks(&mut batch) } else { 0 };
            actor.give_back(rows - kept);
            actor.meters.queue_rows.set(f64::from(u32::try_from(actor.queued.get()).unwrap_or(u32::MAX)));
            let told = batch.writes.into_iter().zip(outcomes);
            Claim::answer_all(told.map(|(write, outcome)| (write.room_id, write.claim, outcome)));
            if actor.outage {
                ctx.run_later(OUTAGE_PAUSE, Self::next_flush);
            } else {
                actor.next_flush(ctx);
            }
        }));
    }

    fn next_flush(&mut self, ctx: &mut Context<Self>) {
        self.flushing = false;
        self.flush(ctx);
    }

    /// Nobody sends read marks again, so they stay for the next flush: in front, since a room that loads itself has
    /// asked behind them whether they are written. Returns their rows.
    fn keep_marks(&mut self, batch: &mut Batch) -> usize {
        if self.stopping {
            return 0;
        }
        let marks = std::mem::take(&mut batch.watermarks);
        let kept = marks.len();
        for (room, mark) in marks.into_iter().rev() {
            self.queue.push_front(Job::Watermarks(room, vec![mark]));
        }
        kept
    }

    /// Gives back places for `rows`. Which ones does not matter: only their sum bounds the queue.
    fn give_back(&mut self, mut rows: usize) {
        while rows > 0 {
            let Some(first) = self.places.front_mut() else { return };
            let part = first.rows.min(rows);
            drop(first.split_off(part));
            rows -= part;
            if first.rows == 0 {
                self.places.pop_front();
            }
        }
    }

    /// Answers barriers at the front of the queue; whether a job is left behind them.
    fn answer_barriers(&mut self) -> bool {
        while let Some(job) = self.queue.pop_front() {
            let Job::Barrier(reply) = job else {
                self.queue.push_front(job);
                return true;
            };
            self.give_back(1);
            // Whoever waited may have given up.
            let _ = reply.send(());
        }
        false
    }

    fn count(&self, batch: &Batch, outcomes: &[Outcome], begun: Instant) {
        let committed = batch.writes.iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Committed);
        let (mut messages, mut events) = (0, 0);
        for row in committed.flat_map(|(write, _)| &write.rows) {
            match row.body {
                RowBody::Message(_) => messages += 1,
                RowBody::Event(_) => events += 1,
            }
        }
        let rows = u32::try_from(batch.rows).unwrap_or(u32::MAX);
        self.meters.messages.increment(messages);
        self.meters.events.increment(events);
        self.meters.flush_rows.record(f64::from(rows));
        self.meters.flush_seconds.record(begun.elapsed().as_secs_f64());
    }
}

impl Actor for Persister {
    type Context = Context<Self>;

    /// Connects ahead of the first write, which would wait for it.
    fn started(&mut self, ctx: &mut Self::Context) {
        let storage = self.storage.clone();
        ctx.wait(async move { connect(&storage).await }.into_actor(self).map(|link, actor, _| match link {
            Ok(link) => actor.link = Some(link),
            Err(error) => tracing::warn!(%error, "Postgres is away; the first flush tries again"),
        }));
    }
}

impl Supervised for Persister {
    /// Commits what is queued, then ends.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.stopping = true;
        self.flush(ctx);
    }

    fn report(&self) -> serde_json::Value {
        json!({ "queued_rows": self.queued.get(), "flushing": self.flushing, "connected": self.link.is_some() || self.flushing })
    }
}

crate::supervised!(Persister);

impl Handler<Enqueue> for Persister {
    type Result = ();

    fn handle(&mut self, jobs: Enqueue, ctx: &mut Self::Context) {
        for (job, places) in jobs.0 {
            self.queue.push_back(job);
            self.places.push_back(places);
        }
        self.flush_what_has_come(ctx);
    }
}

/// One batch on its way into Postgres, through outages.
struct Flush {
    storage: Storage,
    link: Option<PgConnection>,
    deadline: Instant,
    pause: Duration,
    tries: u32,
    /// An earlier try of the same rows may have been committed.
    is_doubtful: bool,
    /// Postgres stayed away.
    gave_up: bool,
}

impl Flush {
    /// One outcome a write, in order.
    async fn run(&mut self, batch: &Batch) -> Vec<Outcome> {
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
            self.link = None;
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
        if self.link.is_none() {
            self.link = Some(connect(&self.storage).await?);
        }
        let Some(link) = self.link.as_mut() else { return Err(sqlx::Error::WorkerCrashed) };
        let held = store::flush(link, batch).await?;
        let fenced: Vec<(Run, uuid::Uuid)> = batch
            .runs()
            .into_iter()
            .filter(|run| !held.contains(&run.room_id))
            .filter_map(|run| Some((run, last_id(batch, run)?)))
            .collect();
        // Only after a failed try can a fence have been moved by ourselves.
        let ours = if fenced.is_empty() || (self.tries == 1 && !self.is_doubtful) {
            Default::default()
        } else {
            store::recognise(link, &fenced).await?
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
        for write in &batch.writes {
            if self.gave_up {
                // Each of them would wait for Postgres anew.
                outcomes.push(Outcome::Unavailable);
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
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Why Postgres refused one write: its row is there already, or is impossible.
    async fn judge(&mut self, write: &Write, error: &sqlx::Error) -> Outcome {
        if let (Some(link), [row]) = (self.link.as_mut(), write.rows.as_slice()) {
            let reading = store::first_result(link, write.room_id, row);
            let read = tokio::time::timeout(ATTEMPT_AT_LEAST, reading).await;
            match read.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(Some(first)) => return Outcome::Duplicate(first),
                Ok(None) => {}
                Err(error) => {
                    // The connection's state is unknown.
                    self.link = None;
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
async fn connect(storage: &Storage) -> Result<PgConnection, sqlx::Error> {
    const PATIENCE: Duration = Duration::from_secs(2);
    tokio::time::timeout(PATIENCE, storage.dedicated_connection()).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// The id of the last row of a run.
fn last_id(batch: &Batch, run: Run) -> Option<uuid::Uuid> {
    let last = batch.writes.iter().rev().find(|write| write.room_id == run.room_id)?;
    last.rows.last().map(|row| Arc::as_ref(row).id())
}
