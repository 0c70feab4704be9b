//! The actor that commits: thin shell around [`Batch`] and [`Flush`].

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use serde_json::json;
use sqlx::PgConnection;

use super::batch::{Adrift, Batch};
use super::company::Company;
use super::config::PersistenceConfig;
use super::flush::{Flush, connect, probe};
use super::{Claim, Job, Outcome, Places, QueuedRows, Write};
use crate::order::RowBody;
use parlance_foundation::storage::Storage;
use parlance_foundation::supervision::{Supervised, after_what_has_come};

/// Pause between flushes while Postgres is away.
const OUTAGE_PAUSE: Duration = Duration::from_millis(200);

/// Pause between looks whether Postgres takes writes again, while nobody wants to write.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

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
    adrift: Adrift,
    /// Its own connection, outside the pool: away while a flush uses it, gone after an outage.
    connection: Option<PgConnection>,
    flushing: bool,
    /// A flush begins when the mailbox is empty.
    gathering: bool,
    company: Company,
    /// A flush begins when it has waited long enough for company.
    waiting: bool,
    /// The last flush gave up on Postgres: until one succeeds, the next ones try once and do not wait.
    outage: bool,
    /// The next look whether the outage is over is due.
    probe_is_due: bool,
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
        queued.failing.store(false, Ordering::Relaxed);
        let shard = shard.to_string();
        let meters = Meters {
            messages: metrics::counter!("parlance_messages_committed_total"),
            events: metrics::counter!("parlance_events_committed_total"),
            flush_rows: metrics::histogram!("parlance_flush_rows"),
            flush_seconds: metrics::histogram!("parlance_flush_seconds"),
            queue_rows: metrics::gauge!("parlance_write_queue_rows", "shard" => shard),
        };
        let company = Company::new(Duration::from_millis(config.flush_wait_ms_max), Instant::now());
        Self {
            config,
            storage,
            queue: VecDeque::new(),
            places: VecDeque::new(),
            queued,
            adrift: Adrift::default(),
            connection: None,
            flushing: false,
            gathering: false,
            company,
            waiting: false,
            outage: false,
            probe_is_due: false,
            stopping: false,
            meters,
        }
    }

    /// Begins a flush once every job that is in the mailbox at this moment is in the queue: what was sent together is
    /// committed together.
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

    /// Begins the next flush unless one is under way, or should wait for company.
    fn flush(&mut self, ctx: &mut Context<Self>) {
        if self.flushing || self.waiting {
            return;
        }
        if !self.answer_barriers() {
            if self.stopping {
                ctx.stop();
            } else if self.outage {
                self.probe_soon(ctx);
            }
            return;
        }
        let now = Instant::now();
        if let Some(wait) = self.company.wait(self.queued.get(), now).filter(|_| !self.stopping) {
            self.waiting = true;
            ctx.run_later(wait, |actor, ctx| {
                actor.waiting = false;
                actor.flush(ctx);
            });
            return;
        }
        let (rows_max, bytes_max) = (self.config.flush_rows_max, self.config.flush_bytes_max);
        let mut batch = Batch::take(&mut self.queue, &self.adrift, rows_max, bytes_max);
        self.fence(std::mem::take(&mut batch.adrift));
        if batch.is_empty() {
            return self.flush(ctx);
        }
        self.company.note_begin(now);
        let rows = batch.rows;
        let patience = if self.outage { 0 } else { self.config.write_timeout_ms };
        let pause = Duration::from_millis(self.config.retry_pause_ms);
        let mut flush =
            Flush::new(self.storage.clone(), self.connection.take(), Duration::from_millis(patience), pause);
        self.flushing = true;
        let work = async move {
            let outcomes = flush.run(&batch).await;
            (flush, batch, outcomes)
        };
        ctx.spawn(work.into_actor(self).map(move |(flush, mut batch, outcomes), actor, ctx| {
            actor.connection = flush.connection;
            actor.note_outage(flush.gave_up);
            actor.count(&batch, &outcomes, now);
            actor.adrift.note(batch.writes.iter().zip(&outcomes));
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

    /// Answers writes of rooms that are adrift.
    fn fence(&mut self, writes: Vec<Write>) {
        self.give_back(writes.iter().map(|write| write.rows.len()).sum());
        metrics::counter!("parlance_writes_fenced_total").increment(writes.len() as u64);
        Claim::answer_all(writes.into_iter().map(|write| (write.room_id, write.claim, Outcome::Fenced)));
    }

    fn note_outage(&mut self, outage: bool) {
        self.outage = outage;
        self.queued.failing.store(outage, Ordering::Relaxed);
    }

    /// Whoever looks at `/readyz` sends no writes here while the last one failed: nobody but us would find out that the
    /// next would succeed.
    fn probe_soon(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.probe_is_due, true) {
            return;
        }
        ctx.run_later(PROBE_PAUSE, |actor, ctx| {
            actor.probe_is_due = false;
            // A flush finds out as well.
            if actor.outage && !actor.flushing && !actor.stopping {
                actor.probe(ctx);
            }
        });
    }

    fn probe(&mut self, ctx: &mut Context<Self>) {
        self.flushing = true;
        let (storage, connection) = (self.storage.clone(), self.connection.take());
        let probing = async move { probe(&storage, connection).await };
        ctx.spawn(probing.into_actor(self).map(|connection, actor, ctx| {
            actor.note_outage(connection.is_none());
            actor.connection = connection;
            actor.next_flush(ctx);
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
            let Job::Barrier(room, reply) = job else {
                self.queue.push_front(job);
                return true;
            };
            self.adrift.end(room);
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
        ctx.wait(async move { connect(&storage).await }.into_actor(self).map(
            |connection, actor, _| match connection {
                Ok(connection) => actor.connection = Some(connection),
                Err(error) => tracing::warn!(%error, "Postgres is away; the first flush tries again"),
            },
        ));
    }
}

impl Supervised for Persister {
    /// Commits what is queued, then ends.
    fn shut_down(&mut self, ctx: &mut Context<Self>) {
        self.stopping = true;
        self.waiting = false;
        self.flush(ctx);
    }

    fn report(&self) -> serde_json::Value {
        json!({ "queued_rows": self.queued.get(), "flushing": self.flushing, "connected": self.connection.is_some() || self.flushing })
    }
}

parlance_foundation::supervised!(Persister);

impl Handler<Enqueue> for Persister {
    type Result = ();

    fn handle(&mut self, jobs: Enqueue, ctx: &mut Self::Context) {
        let rows = jobs.0.iter().map(|(job, _)| job.rows()).sum();
        self.company.note_rows(rows, Instant::now());
        for (job, places) in jobs.0 {
            self.queue.push_back(job);
            self.places.push_back(places);
        }
        self.flush_what_has_come(ctx);
    }
}
