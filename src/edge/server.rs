//! The HTTP server: listener, worker threads, and a hub for each.
//!
//! Put together from `actix-server` and `actix-http`, because `actix_web::HttpServer` offers no place for a service that
//! takes connections over. Each worker has the same app twice over the same hub: for ordinary requests, and for those
//! that ask for a WebSocket. A connection that was taken over is no longer the server's: its hub counts it and ends it.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::{HttpService, Request};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, map_config};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, ServerHandle, ServiceResponse};
use actix_web::middleware::from_fn;

use super::{EdgeParts, cors, observe, routes};
use crate::sessions::{self, Flusher, Hub, LocalHub, ReadBuffer, SessionParts};
use crate::tree;

/// Connections that the kernel holds until a worker takes them.
const BACKLOG: u32 = 4_096;
const REQUEST_HEAD_WITHIN: Duration = Duration::from_secs(10);
const DISCONNECT_WITHIN: Duration = Duration::from_secs(1);
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The listening server.
pub struct Edge {
    pub port: u16,
    pub handle: ServerHandle,
    /// Ends when the server does.
    pub task: actix_rt::task::JoinHandle<std::io::Result<()>>,
}

/// Listens on the configured address and serves until stopped.
pub fn listen(parts: &EdgeParts) -> anyhow::Result<Edge> {
    let config = &parts.config.server;
    let workers =
        if config.workers == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { config.workers };
    let listener =
        std::net::TcpListener::bind((config.host, config.port)).map_err(|error| cannot_listen(&error, parts))?;
    let address = listener.local_addr()?;
    let builder = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(config.connections_max)
        .backlog(BACKLOG)
        .shutdown_timeout(config.stop_timeout_ms.div_ceil(1_000))
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let worker = Arc::new(AtomicUsize::new(0));
    let stalled_socket_ms = parts.config.sessions.stalled_socket_ms;
    let parts = parts.clone();
    let serve = move || {
        let local = start_hub(&parts, worker.fetch_add(1, Ordering::Relaxed));
        let stopping = stopping.clone();
        HttpService::build()
            // Connections that are merely kept alive end with it.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(REQUEST_HEAD_WITHIN)
            .client_disconnect_timeout(DISCONNECT_WITHIN)
            .local_addr(address)
            .on_connect_ext(move |stream, _| sessions::prepare_connection(stream, stalled_socket_ms))
            .upgrade(sessions::upgrades(app(&parts, &local)))
            .finish(app(&parts, &local).map_err(|error| error.error_response()))
            .tcp()
    };
    let server: Server = builder.listen("edge", listener, serve)?.run();
    let handle = server.handle();
    Ok(Edge { port: address.port(), handle, task: actix_rt::spawn(server) })
}

/// Every route, behind what is done for each request.
fn app(
    parts: &EdgeParts,
    local: &Rc<SessionParts>,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = ServiceResponse<impl MessageBody + use<>>,
    Error = actix_web::Error,
    InitError = (),
> + use<> {
    let (parts, local) = (parts.clone(), Rc::clone(local));
    let app = App::new()
        .wrap(from_fn(observe))
        .wrap(cors(&parts.config.server.allowed_origins))
        .configure(move |cfg| routes(cfg, &parts, local));
    map_config(app.into_factory(), |()| AppConfig::default())
}

fn cannot_listen(error: &std::io::Error, parts: &EdgeParts) -> anyhow::Error {
    let (host, port) = (parts.config.server.host, parts.config.server.port);
    let what_to_do = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!(
                "Port {port} is taken on {host}: another Parlance or another program listens there. Stop it, or choose another port with --port or PARLANCE__SERVER__PORT."
            )
        }
        std::io::ErrorKind::PermissionDenied => {
            format!(
                "This user may not listen on port {port}. Choose one above 1023 with --port or PARLANCE__SERVER__PORT."
            )
        }
        std::io::ErrorKind::AddrNotAvailable => {
            format!("This machine has no address {host}. Choose one of its own with --host or PARLANCE__SERVER__HOST.")
        }
        _ => format!("Cannot listen on {host}:{port}: {error}."),
    };
    anyhow::anyhow!(what_to_do)
}

/// The hub of this worker thread, and what the thread's sessions share.
fn start_hub(parts: &EdgeParts, worker: usize) -> Rc<SessionParts> {
    let config = Arc::new(parts.config.sessions.clone());
    let local = LocalHub::default();
    let spec = tree::spec("Hub", format!("app/edge-{worker}/hub"), config.hub_mailbox_max);
    let flusher = Flusher::new();
    let (hub_config, clock) = (Arc::clone(&config), parts.clock.clone());
    let (state, flushing) = (Rc::clone(&local), Rc::clone(&flusher));
    let hub_handle = parts.supervisor.start_here(spec, move |_| {
        Hub::new(Rc::clone(&state), Rc::clone(&flushing), Arc::clone(&hub_config), clock.clone())
    });
    parts.hubs.register(&hub_handle);
    Rc::new(SessionParts {
        config,
        chat: Arc::new(parts.config.chat.clone()),
        clock: parts.clock.clone(),
        auth: parts.auth.clone(),
        storage: parts.storage.clone(),
        rooms: parts.chat.rooms.clone(),
        lobby: parts.lobby.clone(),
        limits: parts.chat.limits.clone(),
        hub: local,
        hub_handle,
        flusher,
        read_buffer: ReadBuffer::new(),
        frames_in: metrics::counter!("parlance_frames_in_total"),
        connections_max: parts.config.server.connections_max,
    })
}
