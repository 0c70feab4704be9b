//! The engine as a whole: started in order, stopped the other way round.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_rt::Arbiter;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::mpsc;

use crate::accounts::{self, Auth, DemoLogin};
use crate::changes::{ChangeListener, Hears};
use crate::clock::Clock;
use crate::config::Config;
use crate::demo;
use crate::edge::health::Health;
use crate::edge::{self, Admission, Bound, EdgeParts};
use crate::jobs::{self, Jobs, JobsHandle};
use crate::limits::Limits;
use crate::parties::{PartiesParts, Profiles, Teams};
use crate::persistence::{Persister, Persisters, QueuedRows};
use crate::rooms::error::ChatError;
use crate::rooms::http::ChatParts;
use crate::rooms::{self, Acquainted, InvitationNews, Lobby, RoomMemory, RoomParts, Rooms, SpaceNews};
use crate::schema::MIGRATIONS;
use crate::sessions::{Endings, Hubs};
use crate::storage::embedded::{DataDir, EmbeddedPostgres, EmbeddedSettings, Holds, open_data_dir};
use crate::storage::{self, Storage};
use crate::supervision::{Escalation, StartOrder, Supervisor};
use crate::vault::{self, FirstKey, Vault};
use crate::{metrics_list, telemetry, tree};

/// How often readiness is looked at, whether or not somebody asks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often histograms are drained: between two drains, each value that was recorded takes its place in memory.
const DRAIN_METRICS_EVERY: Duration = Duration::from_secs(5);

/// The kinds of jobs that this version runs, in the order of their names; also for commands, which have no handlers.
pub const JOB_KINDS: &[&str] = &[
    "auth.delete_expired",
    "invitations.delete_forgotten",
    "jobs.delete_dead",
    "rooms.pass_ownership",
    "team.follow",
    "vault.delete_old_audit",
];

/// A running engine.
pub struct App {
    pub port: u16,
    pub data_dir: PathBuf,
    pub demo_logins: Option<Vec<DemoLogin>>,
    pub auth: Auth,
    pub vault: Vault,
    pub storage: Storage,
    pub supervisor: Supervisor,
    pub rooms: Rooms,
    pub hubs: Hubs,
    pub memory: RoomMemory,
    pub jobs: JobsHandle,
    order: StartOrder,
    escalations: mpsc::UnboundedReceiver<Escalation>,
    stop_patience: Duration,
}

/// The database and what holds it.
pub struct Database {
    pub storage: Storage,
    data_dir: DataDir,
    embedded: Option<Arc<EmbeddedPostgres>>,
}

impl Database {
    /// Locks the data folder, starts the embedded Postgres unless the operator has one, connects, and migrates.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let holds = if config.storage.database_url.is_some() { Holds::KeysOnly } else { Holds::Postgres };
        let data_dir = open_data_dir(&config.storage.data_dir, holds)?;
        let mut embedded = None;
        let options = match &config.storage.database_url {
            Some(url) => storage::parse_url(url)?,
            None => {
                let postgres = EmbeddedPostgres::start(embedded_settings(config, data_dir.path())).await?;
                embedded.insert(Arc::new(postgres)).connect_options()
            }
        };
        let opened = async {
            let storage = Storage::connect(options, &config.storage, &MIGRATIONS).await?;
            storage.warn_of_limits(connections_max(config));
            storage.epoch().remember_in(data_dir.path());
            storage.migrate().await?;
            anyhow::Ok(storage)
        };
        match opened.await {
            Ok(storage) => Ok(Self { storage, data_dir, embedded }),
            Err(error) => {
                if let Some(postgres) = embedded {
                    postgres.stop().await;
                }
                Err(error)
            }
        }
    }

    /// Closes the pool and stops the embedded Postgres.
    pub async fn close(self) {
        self.storage.close().await;
        if let Some(postgres) = self.embedded {
            postgres.stop().await;
        }
    }
}

/// The pool, the persisters, the listener, and one for a start beside this engine.
fn connections_max(config: &Config) -> u32 {
    let shards = u32::try_from(config.persistence.shards).unwrap_or(u32::MAX);
    config.storage.pool_connections_max.saturating_add(shards).saturating_add(2)
}

pub fn embedded_settings(config: &Config, data_dir: &Path) -> EmbeddedSettings {
    EmbeddedSettings {
        data_dir: data_dir.to_owned(),
        bin_dir: config.storage.postgres_bin_dir.as_ref().map(PathBuf::from),
        port: 5432,
        shared_buffers_mb: config.storage.postgres_shared_buffers_mb,
        // And some for an operator's psql and backups.
        max_connections: connections_max(config).saturating_add(14),
        start_timeout: Duration::from_secs(30),
        stop_timeout: Duration::from_millis(config.server.stop_timeout_ms),
    }
}

impl App {
    /// Starts everything. On error, what had been started is stopped.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        // A port that is taken is found before a database is made.
        let bound = edge::bind(&config.server)?;
        let metrics = telemetry::init_metrics(metrics_list::describe)?;
        let database = Database::open(&config).await?;
        let mut order = StartOrder::default();
        let stop_patience = Duration::from_millis(config.server.stop_timeout_ms);
        let storage = database.storage.clone();
        let data_dir = database.data_dir.path().to_owned();
        order.started("database", |_| database.close());
        let mut built = match Self::build(config, clock, metrics, bound, storage, data_dir, order).await {
            Ok(built) => built,
            Err((error, order)) => {
                order.stop(stop_patience).await;
                return Err(error);
            }
        };
        built.stop_patience = stop_patience;
        Ok(built)
    }

    async fn build(
        config: Config,
        clock: Clock,
        metrics: PrometheusHandle,
        bound: Bound,
        storage: Storage,
        data_dir: PathBuf,
        mut order: StartOrder,
    ) -> Result<Self, (anyhow::Error, StartOrder)> {
        let config = Arc::new(config);
        let (supervisor, escalations) = Supervisor::new();
        let accounts = async {
            let auth = Auth::new(&config.auth, storage.clone(), clock.clone(), &data_dir).await?;
            let (storage, clock) = (storage.clone(), clock.clone());
            let vault = Vault::open(&config.vault, storage, clock, &data_dir, FirstKey::Make).await?;
            anyhow::Ok((auth, vault))
        };
        let (auth, vault) = match accounts.await {
            Ok(accounts) => accounts,
            Err(error) => return Err((error, order)),
        };
        let hubs = Hubs::default();
        let ending = hubs.clone();
        auth.on_signed_out(move |signed_out| ending.end_family(signed_out.family_id));
        drain_metrics_regularly(&metrics, &mut order);
        let watching = supervisor.watch(&config.supervision);
        order.started("heartbeat", move |_| async move { watching.abort() });
        let persisters = start_persisters(&config, &storage, &supervisor, &mut order);
        let health = Health::new(storage.clone(), supervisor.clone(), persisters.clone());
        look_regularly(&health, &mut order);
        let memory = RoomMemory::new(&config.chat);
        let parts = RoomParts {
            config: Arc::new(config.chat.clone()),
            clock: clock.clone(),
            storage: storage.clone(),
            persisters,
            audience: Arc::new(hubs.clone()),
            memory: memory.clone(),
        };
        let demo_logins = match make_demo(&config, &auth, &parts, &supervisor, &data_dir).await {
            Ok(logins) => logins,
            Err(error) => return Err((error, order)),
        };
        let rooms = start_rooms(&parts, &supervisor, &mut order);
        let jobs = JobsHandle::new(storage.clone(), clock.clone()).knowing(JOB_KINDS);
        start_listening(&storage, hearers(&storage, &auth, &rooms, &jobs, &hubs), &supervisor, &mut order);
        let parties = parties_of(&config, &clock, &storage, &auth, &jobs);
        let chat = ChatParts {
            config: Arc::new(config.chat.clone()),
            clock: clock.clone(),
            storage: storage.clone(),
            rooms: rooms.clone(),
            limits: parties.limits.clone(),
            teams: parties.teams.clone(),
            profiles: parties.profiles.clone(),
        };
        match job_kinds(&config, &auth, &chat, &vault) {
            Ok(kinds) => start_jobs(&config, &jobs, kinds, &supervisor, &mut order),
            Err(error) => return Err((error, order)),
        }
        let parts = EdgeParts {
            config: Arc::clone(&config),
            clock,
            storage: storage.clone(),
            auth: auth.clone(),
            vault: vault.clone(),
            chat,
            parties,
            lobby: Lobby::new(
                storage.clone(),
                auth.clone(),
                rooms.clone(),
                memory.clone(),
                config.chat.rooms_per_user_max,
            ),
            hubs: hubs.clone(),
            jobs: jobs.clone(),
            supervisor: supervisor.clone(),
            health,
            admission: Admission::new(&config.server),
            metrics,
        };
        // So that metrics tell of it from the start.
        parts.health.check().await;
        let edge = match edge::listen(&parts, bound) {
            Ok(edge) => edge,
            Err(error) => return Err((error, order)),
        };
        let closing = hubs.clone();
        order.started("edge", move |patience| async move {
            edge.handle.pause().await;
            closing.stop(patience).await;
            edge.handle.stop(true).await;
            // It ended when the workers did; how is of no more use.
            let _ = edge.task.await;
        });
        Ok(Self {
            port: edge.port,
            data_dir,
            demo_logins,
            auth,
            vault,
            storage,
            supervisor,
            rooms,
            hubs,
            memory,
            jobs,
            order,
            escalations,
            stop_patience: Duration::ZERO,
        })
    }

    /// Returns the actor without which the engine cannot go on, should there ever be one.
    pub async fn escalated(&mut self) -> String {
        match self.escalations.recv().await {
            Some(escalation) => escalation.actor,
            // Never: we hold a supervisor, and with it a sender.
            None => std::future::pending().await,
        }
    }

    /// Stops accepting, closes sockets with 4001, commits what is in flight, stops Postgres.
    pub async fn stop(self) {
        self.order.stop(self.stop_patience).await;
    }
}

/// Teams and profiles. Every kind of party has its source of profiles here.
fn parties_of(config: &Config, clock: &Clock, storage: &Storage, auth: &Auth, jobs: &JobsHandle) -> PartiesParts {
    let acquainted = Acquainted { config: Arc::new(config.chat.clone()), storage: storage.clone() };
    let settings = Arc::new(config.parties.clone());
    PartiesParts {
        teams: Teams::new(settings, clock.clone(), storage.clone(), jobs.clone(), Arc::new(acquainted)),
        profiles: Profiles::new(auth.clone(), storage.clone(), Vec::new()),
        limits: Limits::new(&config.limits),
    }
}

/// Everything that this engine does after a commit or at a time.
fn job_kinds(config: &Config, auth: &Auth, chat: &ChatParts, vault: &Vault) -> anyhow::Result<jobs::Registry> {
    let kinds = [
        accounts::jobs::kinds(auth),
        rooms::jobs::kinds(chat),
        vault::jobs::kinds(vault),
        jobs::upkeep::kinds(&config.jobs, &chat.storage, &chat.clock),
    ];
    let kinds = jobs::Registry::new(kinds.concat())?;
    anyhow::ensure!(kinds.names() == JOB_KINDS, "JOB_KINDS must list {:?}", kinds.names());
    Ok(kinds)
}

/// After what handlers need, so that it ends before that. On a thread of its own: no handler holds up anybody else.
fn start_jobs(
    config: &Config,
    handle: &JobsHandle,
    kinds: jobs::Registry,
    supervisor: &Supervisor,
    order: &mut StartOrder,
) {
    let thread = Arbiter::new();
    let mut settings = config.jobs.clone();
    settings.stop_timeout_ms = settings.stop_timeout_ms.min(config.server.stop_timeout_ms / 2);
    let spec = tree::JOBS.spec("app/jobs".into(), 16);
    let handle = handle.clone();
    let make = move |_: &_| Jobs::new(settings.clone(), handle.clone(), kinds.clone());
    let actor = supervisor.start(spec, &thread.handle(), make);
    order.started("jobs", move |patience| async move {
        actor.stop(patience).await;
        thread.stop();
    });
}

/// Metrics and log tell of what is wrong also where nobody asks `/readyz`.
fn look_regularly(health: &Health, order: &mut StartOrder) {
    let health = health.clone();
    let task = actix_rt::spawn(async move {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            health.check().await;
        }
    });
    order.started("health", move |_| async move { task.abort() });
}

/// A scrape drains them as well, but an engine that nobody scrapes must not grow.
fn drain_metrics_regularly(metrics: &PrometheusHandle, order: &mut StartOrder) {
    let metrics = metrics.clone();
    let task = actix_rt::spawn(async move {
        let mut tick = tokio::time::interval(DRAIN_METRICS_EVERY);
        loop {
            tick.tick().await;
            metrics.run_upkeep();
        }
    });
    order.started("metrics", move |_| async move { task.abort() });
}

fn start_persisters(config: &Config, storage: &Storage, supervisor: &Supervisor, order: &mut StartOrder) -> Persisters {
    let thread = Arbiter::new();
    let settings = &config.persistence;
    let start = |shard: usize| {
        // Jobs wait inside the actor; the door counts them, so that the mailbox itself never fills first.
        let spec = tree::PERSISTER.spec(format!("app/persister-{shard}"), settings.queue_rows_max.saturating_add(64));
        let queued = QueuedRows::default();
        let (settings, storage, counted) = (settings.clone(), storage.clone(), queued.clone());
        let make = move |_: &_| Persister::new(shard, settings.clone(), storage.clone(), counted.clone());
        (supervisor.start(spec, &thread.handle(), make), queued)
    };
    let shards: Vec<_> = (0..settings.shards).map(start).collect();
    let handles: Vec<_> = shards.iter().map(|(persister, _)| persister.clone()).collect();
    order.started("persisters", move |patience| async move {
        futures_util::future::join_all(handles.iter().map(|persister| persister.stop(patience))).await;
        thread.stop();
    });
    Persisters::new(shards, settings.queue_rows_max)
}

/// Before anybody can look. That it cannot be made now keeps nobody from what is there: the next start finishes it.
async fn make_demo(
    config: &Config,
    auth: &Auth,
    parts: &RoomParts,
    supervisor: &Supervisor,
    data_dir: &Path,
) -> anyhow::Result<Option<Vec<DemoLogin>>> {
    if !config.demo.is_wanted(config.storage.database_url.is_none()) {
        return Ok(None);
    }
    match demo::make(auth, parts, supervisor, data_dir).await {
        Err(error) if error.is::<sqlx::Error>() || error.is::<ChatError>() => {
            tracing::warn!(error = format!("{error:#}"), "the demo is not whole; the next start finishes it");
            Ok(None)
        }
        made => made,
    }
}

fn start_rooms(parts: &RoomParts, supervisor: &Supervisor, order: &mut StartOrder) -> Rooms {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = if parts.config.room_threads == 0 { cores.div_ceil(2) } else { parts.config.room_threads };
    let threads: Vec<Arbiter> = (0..wanted).map(|_| Arbiter::new()).collect();
    let handles: Vec<_> = threads.iter().map(Arbiter::handle).collect();
    let rooms = Rooms::start(parts, supervisor, &handles);
    let stopping = rooms.clone();
    order.started("rooms", move |patience| async move {
        stopping.stop(patience).await;
        for thread in threads {
            thread.stop();
        }
    });
    rooms
}

/// All who hear of changes in Postgres: who is told first stands first. What is kept in memory is forgotten before sockets end.
fn hearers(storage: &Storage, auth: &Auth, rooms: &Rooms, jobs: &JobsHandle, hubs: &Hubs) -> Vec<Arc<dyn Hears>> {
    let to: Arc<Hubs> = Arc::new(hubs.clone());
    vec![
        Arc::new(auth.clone()),
        Arc::new(rooms.clone()),
        Arc::new(InvitationNews(to.clone())),
        Arc::new(SpaceNews::new(storage.clone(), to)),
        Arc::new(jobs.clone()),
        Arc::new(Endings { auth: auth.clone(), hubs: hubs.clone() }),
    ]
}

/// Before the edge, so that the first to come in are remembered.
fn start_listening(storage: &Storage, hearers: Vec<Arc<dyn Hears>>, supervisor: &Supervisor, order: &mut StartOrder) {
    let spec = tree::CHANGE_LISTENER.spec("app/changes".into(), 16);
    let storage = storage.clone();
    let listener = supervisor.start_here(spec, move |_| ChangeListener::new(storage.clone(), hearers.clone()));
    order.started("changes", move |patience| async move { listener.stop(patience).await });
}
