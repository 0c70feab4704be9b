//! The HTTP server: listener, worker threads, and a hub for each.
//!
//! Put together from `actix-server` and `actix-http`, because `actix_web::HttpServer` offers no place for a service that
//! takes connections over. Each worker has the same app twice over the same hub: for ordinary requests, and for those
//! that ask for a WebSocket. A connection that was taken over is no longer the server's: its hub counts it and ends it.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, ServerHandle, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use socket2::{Domain, Socket, Type};

use super::connection::{Guarded, HEAD_WITHIN, KEEP_ALIVE, Pace};
use super::limits::{follow, limit};
use super::{EdgeParts, cors, head_as_get, observe, routes};
use crate::order::OrderSources;
use crate::protocol::{Doors, protocol};
use crate::server_config::ServerConfig;
use crate::sessions::{self, Flusher, Hub, LocalHub, ReadBuffer, SessionParts};
use crate::tree;

/// Connections that the kernel holds until a worker takes them.
const BACKLOG: i32 = 4_096;
const DISCONNECT_WITHIN: Duration = Duration::from_secs(1);

/// The listening server.
pub struct Edge {
    pub port: u16,
    pub handle: ServerHandle,
    /// Ends when the server does.
    pub task: actix_rt::task::JoinHandle<std::io::Result<()>>,
}

/// The configured address, taken and not yet listened on: whoever comes too early is refused, not kept waiting.
pub struct Bound(Socket);

/// Takes the address, or says who has it: before anything else is begun.
pub fn bind(config: &ServerConfig) -> anyhow::Result<Bound> {
    let address = SocketAddr::from((config.host, config.port));
    let bound = Socket::new(Domain::for_address(address), Type::STREAM, None).and_then(|socket| {
        // As std does: connections of an engine that was here before do not keep the port from us.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    });
    bound.map(Bound).map_err(|error| cannot_listen(&error, config))
}

/// Listens on the address and serves until stopped.
pub fn listen(parts: &EdgeParts, bound: Bound) -> anyhow::Result<Edge> {
    let config = &parts.config.server;
    let workers =
        if config.workers == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { config.workers };
    // Only now does another program that took the address at the same time show.
    bound.0.listen(BACKLOG).map_err(|error| cannot_listen(&error, config))?;
    let listener = TcpListener::from(bound.0);
    let address = listener.local_addr()?;
    let builder = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(config.connections_max)
        .shutdown_timeout(config.stop_timeout_ms.div_ceil(1_000))
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let worker = Arc::new(AtomicUsize::new(0));
    let stalled_socket_ms = parts.config.sessions.stalled_socket_ms;
    let parts = parts.clone();
    let serve = move || {
        let local = start_hub(&parts, worker.fetch_add(1, Ordering::Relaxed));
        let stopping = stopping.clone();
        let (admission, pace) = (Arc::clone(&parts.admission), Pace::new(&parts.config.server));
        let http = HttpService::build()
            // Connections that are merely kept alive end with it.
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_WITHIN)
            .client_disconnect_timeout(DISCONNECT_WITHIN)
            .local_addr(address)
            .on_connect_ext(move |guarded: &Guarded, extensions| {
                sessions::prepare_connection(guarded.stream(), stalled_socket_ms);
                extensions.insert(guarded.connection());
            })
            .upgrade(sessions::upgrades(app(&parts, &local)))
            .finish(app(&parts, &local).map_err(|error| error.error_response()));
        fn_service(move |stream: TcpStream| {
            let (peer, guarded) = (stream.peer_addr().ok(), Guarded::new(stream, Arc::clone(&admission), pace));
            async move { Ok::<_, DispatchError>((guarded, Protocol::Http1, peer)) }
        })
        .and_then(http)
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
        .wrap(from_fn(head_as_get))
        .wrap(from_fn(limit))
        .wrap(from_fn(observe))
        .wrap(cors(&parts.config.server.allowed_origins))
        .wrap(from_fn(follow))
        .configure(move |cfg| routes(cfg, &parts, local));
    map_config(app.into_factory(), |()| AppConfig::default())
}

fn cannot_listen(error: &std::io::Error, config: &ServerConfig) -> anyhow::Error {
    let (host, port) = (config.host, config.port);
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
    let spec = tree::HUB.spec(format!("app/edge-{worker}/hub"), config.hub_mailbox_max);
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
        orders: OrderSources { rooms: Box::new(parts.chat.rooms.clone()) },
        lobby: parts.lobby.clone(),
        limits: parts.chat.limits.clone(),
        hub: local,
        answers: Arc::new(hub_handle),
        commands: protocol().open(&Doors { chat: parts.chat.clone() }),
        flusher,
        read_buffer: ReadBuffer::new(),
        hellos: sessions::hellos(&parts.config.sessions, &parts.config.chat),
        frames_in: metrics::counter!("parlance_frames_in_total"),
        connections_max: parts.config.server.connections_max,
    })
}
