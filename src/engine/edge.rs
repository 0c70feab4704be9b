//! Every route of the engine, and what is done for each request.

mod admission;
mod connection;
pub mod health;
mod limits;
mod methods;
mod scopes;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, guard};
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::accounts::{Admin, Auth, TrustForwardedFor};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::JobsHandle;
use crate::parties::PartiesParts;
use crate::problem::Problem;
use crate::rooms::Lobby;
use crate::rooms::http::ChatParts;
use crate::sessions::{Hubs, LocalParts, SessionParts};
use crate::storage::Storage;
use crate::supervision::Supervisor;
use crate::vault::Vault;
use crate::{docs, telemetry, web as client};
pub use admission::{Admission, describe_metrics};
use health::Health;
use limits::RefusedByLimit;
use methods::{method_not_allowed, no_such_endpoint};
pub use server::{Bound, Edge, bind, listen};

/// How many actors `/internal/actors` lists at most.
const ACTORS_SHOWN_MAX: usize = 1_000;

/// Where a request becomes a WebSocket.
const SOCKET_PATH: &str = "/api/v1/ws";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the edge needs from the rest of the engine.
#[derive(Clone)]
pub struct EdgeParts {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub storage: Storage,
    pub auth: Auth,
    pub vault: Vault,
    pub chat: ChatParts,
    pub parties: PartiesParts,
    pub lobby: Lobby,
    pub hubs: Hubs,
    pub jobs: JobsHandle,
    pub supervisor: Supervisor,
    pub health: Health,
    pub admission: Arc<Admission>,
    pub metrics: PrometheusHandle,
}

fn routes(cfg: &mut ServiceConfig, parts: &EdgeParts, local: Rc<SessionParts>) {
    let bytes_max = parts.config.server.request_bytes_max;
    cfg.app_data(Data::new(parts.auth.clone()))
        .app_data(TrustForwardedFor(parts.config.server.trust_forwarded_for))
        .app_data(Data::new(parts.vault.clone()))
        .app_data(Data::new(parts.chat.clone()))
        .app_data(Data::new(parts.parties.clone()))
        .app_data(Data::new(parts.jobs.clone()))
        .app_data(Data::new(parts.clone()))
        .app_data(Data::new(LocalParts(local)))
        .app_data(parts.config.chat.page_sizes())
        .app_data(web::PayloadConfig::new(bytes_max))
        .app_data(web::JsonConfig::default().limit(bytes_max).error_handler(|error, _| json_problem(&error).into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            Problem::malformed("request.invalid_query", format!("The query cannot be read: {error}.")).into()
        }))
        .app_data(web::PathConfig::default().error_handler(|error, _| {
            Problem::not_found("request.invalid_path", format!("There is nothing under this path: {error}.")).into()
        }))
        .service(healthz)
        .service(readyz)
        .service(render_metrics)
        .service(web::resource("/internal/actors").guard(guard::Get()).to(list_actors))
        .configure(|cfg| docs::routes(cfg, &parts.config))
        .service(scopes::api())
        .route("/api/{rest:.*}", web::to(no_such_endpoint))
        .default_service(web::to(page));
}

/// The web client, for whoever reads; a default service does not look at the method itself.
async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match client::serve(&request) {
        Some(page) if request.method() == Method::GET => Ok(page),
        Some(page) if page.status().is_success() => Ok(method_not_allowed(&request, BTreeSet::from(["GET"]))),
        _ => no_such_endpoint(request).await,
    }
}

/// A `HEAD` is answered as the `GET` of the same, wherever there is one; the server leaves the body out by itself.
async fn head_as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    // A handshake of a WebSocket must be a GET.
    if request.method() == Method::HEAD && !request.headers().contains_key(header::UPGRADE) {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

fn json_problem(error: &actix_web::error::JsonPayloadError) -> Problem {
    use actix_web::error::JsonPayloadError as E;
    match error {
        E::OverflowKnownLength { limit, .. } | E::Overflow { limit } => Problem::too_large(
            "request.too_large",
            format!("The body may have {limit} bytes (server.request_bytes_max)."),
        ),
        E::ContentType => Problem::not_supported(
            "request.not_json",
            "The body must be JSON, sent with Content-Type: application/json.",
        ),
        E::Deserialize(error) if error.is_data() => Problem::invalid(
            "request.invalid_body",
            format!("The body does not fit: {}.", without_texts(&error.to_string())),
        ),
        other => Problem::malformed("request.invalid_json", format!("The body is not JSON: {other}.")),
    }
}

/// A complaint of serde without what was sent: it may be a password, in the wrong place.
fn without_texts(complaint: &str) -> String {
    match (complaint.find('"'), complaint.rfind('"')) {
        (Some(begin), Some(end)) if begin < end => format!("{}…{}", &complaint[..begin], &complaint[end + 1..]),
        _ => complaint.to_owned(),
    }
}

fn cors(origins: &[String]) -> Cors {
    let open = origins.iter().any(|origin| origin == "*");
    let cors = if open { Cors::default().allow_any_origin() } else { Cors::default() };
    let cors = origins.iter().filter(|origin| *origin != "*").fold(cors, |cors, origin| cors.allowed_origin(origin));
    cors.allow_any_method().allow_any_header().max_age(3_600)
}

/// Gives each request an id, and counts and times its answer.
async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let begun = Instant::now();
    let id = request_id(&request);
    let method = known_method(request.method());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let text = id.to_str().unwrap_or("-").to_owned();
    let mut answering = Box::pin(next.call(request));
    // Set at each poll: other requests run on this thread in between.
    let answered = std::future::poll_fn(|cx| {
        telemetry::set_request_id(Some(&text));
        let polled = answering.poll_unpin(cx);
        telemetry::set_request_id(None);
        polled
    })
    .await;
    let mut response: ServiceResponse<_> = match answered {
        Ok(response) => response,
        Err(error) => return Err(error),
    };
    let route = response.request().match_pattern().unwrap_or_else(|| "other".into());
    let status = response.status().as_u16();
    let elapsed = begun.elapsed();
    let refused = response.response().extensions().contains::<RefusedByLimit>();
    if status >= 500 && !refused {
        tracing::warn!(request_id = %text, %method, %route, status, elapsed_ms = elapsed.as_millis(), "answered");
    } else {
        tracing::debug!(request_id = %text, %method, %route, status, elapsed_ms = elapsed.as_millis(), "answered");
    }
    metrics::histogram!("parlance_request_seconds", "method" => method, "route" => route, "status" => status.to_string())
        .record(elapsed.as_secs_f64());
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// A label of its own only for the methods that there are: a client may invent others without end.
fn known_method(method: &actix_web::http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// The caller's own id when it is short and plain, so that logs of both sides can be matched; else a new one.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=64).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
    });
    given.cloned().unwrap_or_else(|| {
        let id = uuid::Uuid::now_v7().to_string();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"))
    })
}

/// Alive: the process answers.
#[get("/healthz")]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// Ready: everything that a request may need is as it must be; else which part is not, and what to do.
#[get("/readyz")]
async fn readyz(parts: Data<EdgeParts>) -> HttpResponse {
    let checks = parts.health.check().await;
    let ready = checks.iter().all(|check| check.problem.is_none());
    let said = checks.into_iter().map(|check| (check.name, check.problem.unwrap_or_else(|| "ok".into())));
    let body = serde_json::json!({ "ready": ready, "checks": said.collect::<BTreeMap<_, _>>() });
    if ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// Metrics for Prometheus.
#[get("/metrics")]
async fn render_metrics(parts: Data<EdgeParts>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(telemetry::render_metrics(&parts.metrics))
}

/// The live tree: every supervised actor with its state and restarts. Admins only.
async fn list_actors(parts: Data<EdgeParts>, _: Admin) -> HttpResponse {
    let registry = parts.supervisor.registry();
    let actors = registry.reports(ACTORS_SHOWN_MAX, Duration::from_millis(500)).await;
    HttpResponse::Ok().json(serde_json::json!({ "total": registry.len(), "actors": actors }))
}
