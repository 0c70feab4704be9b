//! The loop that runs jobs, in rounds: extend leases, write down what ended, let schedules enqueue, take what is due; then
//! wait for something to happen. One statement at a time, so that what it writes down and what it takes never meet.
//!
//! Invariant: what ended stays in `ended` until Postgres has it. While Postgres is away nothing is taken, and what runs
//! goes on until its lease runs out. After a round that failed, whatever Postgres has leased to us and we do not hold is
//! given back: the answer to a take may be what was lost.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::config::JobsConfig;
use super::kind::{NewJob, Registry};
use super::running::{Ended, Running};
use super::state::{JobError, Verdict, back_off, cut, next_run, verdict};
use super::store::{self, Wanted};
use super::{JobsHandle, metrics};
use parlance_foundation::storage::is_outage;

/// A round that takes longer has failed: the network swallows what is said. Shorter than a lease as most are.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// Pauses while Postgres is away, from the first to the longest.
const OUTAGE_PAUSE: Duration = Duration::from_millis(200);
const OUTAGE_PAUSE_MAX: Duration = Duration::from_secs(5);
/// What is due and was not to be had is locked, by another engine or by a transaction that leans on it.
const LOCKED_AGAIN: Duration = Duration::from_millis(50);
/// How long a stop waits for a round that is under way.
const STOPPING_ROUND_MAX: Duration = Duration::from_millis(500);
/// A schedule that another engine has locked is looked at again after this.
const SCHEDULE_AGAIN: Duration = Duration::from_secs(1);
const METRICS_EVERY: Duration = Duration::from_secs(10);
/// How many times as many rows are looked at when none could be taken, up to so many.
const LOOK_FACTOR: usize = 4;
const LOOK_ROWS_MAX: usize = 1_000;
/// Jobs of a kind that are counted for metrics.
const COUNTED_MAX: i64 = 100_000;
const ERROR_BYTES_MAX: usize = 1_000;
/// For giving back what is left at a stop.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(1);

/// What the actor says of itself.
#[derive(Debug, Default, Serialize)]
pub(super) struct Seen {
    pub running: HashMap<&'static str, usize>,
    pub postgres_away: bool,
    /// Something is asked of Postgres.
    pub in_round: bool,
    pub next_look_at: Option<DateTime<Utc>>,
}

/// See the module.
pub(super) struct Runner {
    config: JobsConfig,
    handle: JobsHandle,
    kinds: Registry,
    running: Running,
    ended: Vec<Ended>,
    /// Rows to look at of each kind of which none that was looked at could be taken.
    look_rows_max: HashMap<String, usize>,
    /// Postgres knows the schedules, and that we run nothing of an earlier life.
    begun: bool,
    next_schedule: Option<DateTime<Utc>>,
    next_metrics: Duration,
    /// Rounds that failed one after the other.
    failures: u32,
    /// Postgres may have leased something to us that we do not know of.
    may_have_more: bool,
    seen: Rc<RefCell<Seen>>,
}

impl Runner {
    pub fn new(config: JobsConfig, handle: JobsHandle, kinds: Registry, seen: Rc<RefCell<Seen>>) -> Self {
        Self {
            running: Running::new(handle.clock.clone()),
            config,
            handle,
            kinds,
            ended: Vec::new(),
            look_rows_max: HashMap::new(),
            begun: false,
            next_schedule: None,
            next_metrics: Duration::ZERO,
            failures: 0,
            may_have_more: false,
            seen,
        }
    }

    /// Runs jobs until `stopping`, then ends in order.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        while !*stopping.borrow_and_update() {
            let Some(done) = self.round_unless(&mut stopping).await else { break };
            let pause = match done {
                Ok(pause) => self.all_is_well(pause),
                Err(error) => self.failed(&error),
            };
            self.wait(pause, &mut stopping).await;
        }
        self.wind_down().await;
    }

    /// One round, unless it takes too long; `None`: the engine stops, and does not wait for what the network swallowed.
    async fn round_unless(&mut self, stopping: &mut watch::Receiver<bool>) -> Option<sqlx::Result<Duration>> {
        // Also where this is dropped in the middle.
        let had_more = std::mem::replace(&mut self.may_have_more, true);
        self.seen.borrow_mut().in_round = true;
        let stopped = async {
            // An error: the actor is gone, and this with it.
            let _ = stopping.changed().await;
            tokio::time::sleep(STOPPING_ROUND_MAX).await;
        };
        let done = tokio::select! {
            done = timeout(ROUND_MAX, self.round(had_more)) => done.unwrap_or(Err(sqlx::Error::PoolTimedOut)),
            () = stopped => return None,
        };
        self.may_have_more = done.is_err();
        Some(done)
    }

    /// One round; how long to wait for the next unless something happens.
    async fn round(&mut self, may_have_more: bool) -> sqlx::Result<Duration> {
        let storage = self.handle.storage.clone();
        let mut connection = storage.engine().acquire().await?;
        self.begin(&mut connection).await?;
        self.extend(&mut connection).await?;
        self.write_down(&mut connection).await?;
        if may_have_more {
            self.give_back_unheld(&mut connection).await?;
        }
        self.enqueue_scheduled(&mut connection).await?;
        if self.take(&mut connection).await? {
            return Ok(Duration::ZERO);
        }
        self.measure(&mut connection).await?;
        self.pause(&mut connection).await
    }

    async fn begin(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.begun {
            return Ok(());
        }
        let now = self.handle.clock.now();
        // An actor that comes back after a panic: its tasks ended with it.
        store::expire_leases_of(connection, self.handle.node, now).await?;
        let (kinds, latest): (Vec<&str>, Vec<DateTime<Utc>>) =
            self.scheduled().map(|(kind, every)| (kind, next_run(now, every, now))).unzip();
        store::know_schedules(connection, &kinds, &latest, now).await?;
        self.begun = true;
        Ok(())
    }

    fn scheduled(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        self.kinds.all().filter_map(|kind| Some((kind.name, kind.every?)))
    }

    /// What became of the jobs that ended. What somebody else's transaction has locked is left for the next round.
    async fn write_down(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let is_done = |ended: &&Ended| ended.result.is_ok();
        let done: Vec<_> = self.ended.iter().filter(is_done).map(|ended| ended.lease).collect();
        if !done.is_empty()
            && let Some(ours) = unless_locked(store::done(connection, self.handle.node, &done).await)?
        {
            for ended in self.ended.extract_if(.., |ended| ended.result.is_ok()) {
                match ours.contains(&ended.lease.0) {
                    true => metrics::done(ended.kind.name, 1),
                    false => metrics::lease_lost(ended.kind.name),
                }
            }
        }
        let mut place = 0;
        while let Some(ended) = self.ended.get(place) {
            match &ended.result {
                Err(error) if self.write_down_failure(connection, ended, error).await? => {
                    self.ended.swap_remove(place);
                }
                _ => place += 1,
            }
        }
        Ok(())
    }

    /// Whether it was written down: not, while somebody has it locked.
    async fn write_down_failure(
        &self,
        connection: &mut PgConnection,
        Ended { kind, lease, .. }: &Ended,
        error: &JobError,
    ) -> sqlx::Result<bool> {
        let (node, now) = (self.handle.node, self.handle.clock.now());
        let (attempts, text) = (u32::try_from(lease.1).unwrap_or(u32::MAX), cut(&error.to_string(), ERROR_BYTES_MAX));
        let (kind, policy, job_id) = (kind.name, kind.policy, lease.0);
        let verdict = verdict(&policy, attempts, error, rand::random());
        let ours = match verdict {
            Verdict::Again(pause) => {
                tracing::debug!(kind, %job_id, attempts, error = text, pause_ms = pause.as_millis(), "a job failed");
                let run_at = now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
                store::put_back(connection, node, *lease, run_at, Some(&text)).await
            }
            Verdict::Dead => store::bury(connection, node, *lease, &text, now).await,
        };
        let Some(ours) = unless_locked(ours)? else { return Ok(false) };
        if !ours {
            metrics::lease_lost(kind);
            return Ok(true);
        }
        metrics::failed(kind);
        if verdict == Verdict::Dead {
            metrics::dead(kind);
            tracing::error!(kind, %job_id, attempts, error = text, "a job is dead: see `parlance jobs`");
        }
        Ok(true)
    }

    async fn give_back_unheld(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let held: Vec<_> = self.running.ids().chain(self.ended.iter().map(|ended| ended.lease.0)).collect();
        let now = self.handle.clock.now();
        let given_back = store::give_back_unheld(connection, self.handle.node, &held, now).await?;
        if given_back > 0 {
            tracing::info!(given_back, "jobs whose lease was not heard of were given back");
        }
        Ok(())
    }

    async fn extend(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let at = self.handle.clock.monotonic();
        let asked = self.running.to_extend();
        if asked.is_empty() {
            return Ok(());
        }
        let now = self.handle.clock.now();
        let (leases, until): (Vec<_>, Vec<_>) = asked.iter().map(|(lease, length)| (*lease, now + *length)).unzip();
        let extended = store::extend(connection, self.handle.node, &leases, &until).await?;
        self.running.extended(&asked, &extended, at);
        Ok(())
    }

    async fn enqueue_scheduled(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let now = self.handle.clock.now();
        let rhythms: HashMap<&'static str, Duration> = self.scheduled().collect();
        if rhythms.is_empty() || self.next_schedule.is_some_and(|next| next > now) {
            return Ok(());
        }
        let kinds: Vec<&str> = rhythms.keys().copied().collect();
        let mut transaction = connection.begin().await?;
        let mut jobs = Vec::new();
        for due in store::due_schedules(&mut transaction, &kinds, now).await? {
            let Some((kind, every)) = rhythms.get_key_value(due.kind.as_str()) else { continue };
            store::set_schedule(&mut transaction, kind, next_run(due.next_at, *every, now)).await?;
            jobs.push(NewJob::scheduled(kind, &self.handle.clock));
        }
        store::enqueue(&mut transaction, &jobs).await?;
        let next = store::next_schedule(&mut transaction, &kinds).await?;
        transaction.commit().await?;
        self.next_schedule = next.map(|next| next.max(now + SCHEDULE_AGAIN));
        Ok(())
    }

    /// Begins what is due, as many as there is room for; whether there may be more.
    async fn take(&mut self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        let (now, at) = (self.handle.clock.now(), self.handle.clock.monotonic());
        let wanted = self.wanted(now);
        if wanted.is_empty() {
            return Ok(false);
        }
        let haul = store::take(connection, self.handle.node, &wanted, now).await?;
        self.look_further(&wanted, &haul);
        let more = !haul.more_of.is_empty();
        for job in haul.taken {
            // The statement asks for these kinds only.
            let Some(kind) = self.kinds.get(&job.kind).cloned() else { continue };
            if u32::try_from(job.attempts).is_ok_and(|attempts| attempts > kind.policy.attempts_max) {
                let why = "its last attempt never ended: the engine crashed or lost Postgres meanwhile, perhaps of it";
                let result = Err(JobError::Permanent(why.to_owned()));
                self.ended.push(Ended { lease: (job.id, job.attempts), kind, result });
            } else {
                let lease = kind.policy.lease;
                self.running.begin(&kind, job, at + lease);
            }
        }
        Ok(more || !self.ended.is_empty())
    }

    /// Where all that were looked at have others of their key before them, more are looked at next time, so that a long
    /// queue behind one that fails does not hide the others for long.
    fn look_further(&mut self, wanted: &[Wanted<'_>], haul: &store::Haul) {
        let futile = haul.more_of.iter().filter(|kind| haul.taken.iter().all(|job| job.kind != **kind));
        let further = futile.filter_map(|kind| {
            let looked = wanted.iter().find(|wanted| wanted.kind == kind)?.look_rows_max;
            Some((kind.clone(), looked.saturating_mul(LOOK_FACTOR).min(LOOK_ROWS_MAX)))
        });
        self.look_rows_max = further.collect();
    }

    /// Of each kind for which there is room.
    fn wanted(&self, now: DateTime<Utc>) -> Vec<Wanted<'static>> {
        let of_kind = |kind: &super::JobKind| {
            let at_once_max = kind.policy.at_once_max.min(self.config.at_once_max);
            let rows_max = at_once_max.saturating_sub(self.running.of_kind(kind));
            let look_rows_max = self.look_rows_max.get(kind.name).copied().unwrap_or(0).max(rows_max);
            Wanted { kind: kind.name, rows_max, look_rows_max, leased_until: now + kind.policy.lease }
        };
        self.kinds.all().map(of_kind).filter(|wanted| wanted.rows_max > 0).collect()
    }

    async fn measure(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let at = self.handle.clock.monotonic();
        if at < self.next_metrics {
            return Ok(());
        }
        let kinds: Vec<&str> = self.kinds.all().map(|kind| kind.name).collect();
        metrics::queued(&store::queued(connection, &kinds, COUNTED_MAX).await?, self.handle.clock.now());
        metrics::unknown(store::count_others(connection, &kinds, COUNTED_MAX).await?);
        self.next_metrics = at + METRICS_EVERY;
        Ok(())
    }

    /// Until the next time at which there is something to do.
    async fn pause(&mut self, connection: &mut PgConnection) -> sqlx::Result<Duration> {
        let (now, at) = (self.handle.clock.now(), self.handle.clock.monotonic());
        let kinds: Vec<&str> = self.wanted(now).iter().map(|wanted| wanted.kind).collect();
        let due = store::next_due(connection, &kinds).await?;
        let until = |time: DateTime<Utc>| (time - now).to_std().unwrap_or(LOCKED_AGAIN);
        let times = [due, self.next_schedule].into_iter().flatten().map(until);
        let readings = [self.running.next_extension(), Some(self.next_metrics)].into_iter().flatten();
        let waits = times.chain(readings.map(|reading| reading.saturating_sub(at)));
        let poll = Duration::from_millis(self.config.poll_ms);
        // A timer is no finer than this.
        Ok(waits.fold(poll, Duration::min).max(Duration::from_millis(1)))
    }

    fn all_is_well(&mut self, pause: Duration) -> Duration {
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!("jobs run again");
        }
        *self.seen.borrow_mut() = Seen {
            running: self.running.counts().clone(),
            postgres_away: false,
            in_round: false,
            next_look_at: Some(self.handle.clock.now() + pause),
        };
        pause
    }

    /// One line in the log an outage, but each error that is none.
    fn failed(&mut self, error: &sqlx::Error) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if !is_outage(error) {
            tracing::error!(%error, "jobs stand still: Postgres refuses a statement");
        } else if self.failures == 1 {
            tracing::warn!(%error, "Postgres is away; jobs wait");
        }
        let mut seen = self.seen.borrow_mut();
        (seen.postgres_away, seen.in_round) = (true, false);
        back_off(OUTAGE_PAUSE, OUTAGE_PAUSE_MAX, self.failures, rand::random())
    }

    /// Until the pause is over, a job ended, there is something new, or the engine stops. While Postgres is away, what ends
    /// and what is new can wait.
    async fn wait(&mut self, pause: Duration, stopping: &mut watch::Receiver<bool>) {
        // It may have been heard while the round went on.
        if *stopping.borrow() {
            return;
        }
        let is_well = self.failures == 0;
        let mut pause = std::pin::pin!(tokio::time::sleep(pause));
        loop {
            tokio::select! {
                () = &mut pause => return,
                () = self.handle.woken.notified(), if is_well => return,
                ended = self.running.next() => {
                    self.ended.extend(ended);
                    self.ended.extend(self.running.drain());
                    if is_well {
                        return;
                    }
                }
                // An error: the actor is gone, and this with it.
                _ = stopping.changed() => return,
            }
        }
    }

    /// Lets what runs end, for a while; what is left is cancelled and given back, so that another engine, or the next
    /// start, need not wait for its leases.
    async fn wind_down(mut self) {
        let deadline = Instant::now() + Duration::from_millis(self.config.stop_timeout_ms);
        while !self.running.is_empty() {
            let Ok(ended) = timeout_at(deadline, self.running.next()).await else { break };
            self.ended.extend(ended);
        }
        let cancelled = self.running.cancel_all();
        let given_back = cancelled.len();
        let give_back = async {
            // Not before they have ended: another engine begins them at once.
            while !self.running.is_empty() {
                self.running.next().await;
            }
            let storage = self.handle.storage.clone();
            let mut connection = storage.engine().acquire().await?;
            self.write_down(&mut connection).await?;
            for (lease, run_at) in cancelled {
                unless_locked(store::put_back(&mut connection, self.handle.node, lease, run_at, None).await)?;
            }
            if self.may_have_more {
                // Nothing is held any more but what could not be written down.
                self.give_back_unheld(&mut connection).await?;
            }
            Ok::<_, sqlx::Error>(())
        };
        match timeout(GIVE_BACK_WITHIN, give_back).await {
            Ok(Ok(())) if given_back > 0 => tracing::info!(given_back, "jobs that did not end in time were given back"),
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "jobs could not be given back; they are due when their leases end")
            }
            Err(_) => tracing::warn!("jobs could not be given back in time; they are due when their leases end"),
        }
    }
}

/// `None`: somebody else's transaction has it locked.
fn unless_locked<T>(done: sqlx::Result<T>) -> sqlx::Result<Option<T>> {
    match done {
        Err(error) if store::is_locked(&error) => Ok(None),
        done => done.map(Some),
    }
}
