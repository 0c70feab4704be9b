//! How a failure reaches a client: one table from error to HTTP problem and to wire error.
//!
//! Every feature has its own `thiserror` enum; its `From` into [`Problem`] is the one place that picks the
//! stable `code`, the status and whether trying again can help. Invariant: a problem's `detail` is written
//! for the person who reads it and says what to do; it never carries SQL, paths or other people's data.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether the same request can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The request itself is wrong: change it first.
    Never,
    /// Send it again at once, with the same `client_id`.
    Now,
    /// Send it again after `retry_after_ms`.
    Later,
}

/// A failure as clients see it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Problem {
    /// HTTP status code.
    pub status: StatusCode,
    /// Stable, dotted, `feature.reason`: what programs compare.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub detail: String,
    pub retry: Retry,
    /// Milliseconds to wait before trying again, when `retry` is `Later`.
    pub retry_after_ms: Option<u64>,
}

/// The body of an error answer: RFC 9457, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// `about:blank`: the `code` says which problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// The status code's own words.
    pub title: String,
    #[schema(example = 403)]
    pub status: u16,
    /// Stable machine-readable reason.
    #[schema(example = "chat.not_a_member")]
    pub code: String,
    pub detail: String,
    /// The same id as in the `x-request-id` header and in the engine's log.
    pub request_id: String,
    /// Present when trying again can help: milliseconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry: Retry::Never, retry_after_ms: None }
    }

    /// 400: the request cannot be read.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: no valid credentials.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// 403: known, but not allowed.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: absent, or not for the caller to know.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 405: there is something at this path, but not for this method. The answer must have `Allow`.
    pub fn method_not_allowed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code, detail)
    }

    /// 408: it did not come whole in time; nothing was done.
    pub fn timed_out(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, code, detail).retry_now()
    }

    /// 409: at odds with what is there.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 413: larger than the named limit.
    pub fn too_large(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, detail)
    }

    /// 415: a body of another media type than is read here.
    pub fn not_supported(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, detail)
    }

    /// 422: readable, but not acceptable.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 429: too many requests from this caller.
    pub fn too_many(code: &'static str, detail: impl Into<String>, retry_after_ms: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail).later(retry_after_ms)
    }

    /// 503: a queue is full; nothing was done.
    pub fn busy(retry_after_ms: u64) -> Self {
        let detail = "The engine has more work queued than it takes on. Nothing was done; send it again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "engine.busy", detail).later(retry_after_ms)
    }

    /// 503: a part that the request needs is away; it may or may not have been done, and sending it again settles that:
    /// with the same `client_id` where the request has one, and as it was where what it asks for can be so only once.
    pub fn unavailable(retry_after_ms: u64) -> Self {
        let detail = "A part of the engine is away for a moment, and this may have been done or not. Send the same again later, with the same client_id where it has one; it is never done twice.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "engine.unavailable", detail).later(retry_after_ms)
    }

    /// 500: our fault. The cause goes to the log, not to the client.
    pub fn internal() -> Self {
        let detail = "Something went wrong inside the engine. The log has the cause under this request_id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "engine.internal", detail)
    }

    fn later(mut self, retry_after_ms: u64) -> Self {
        self.retry = Retry::Later;
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The same problem in other words.
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same problem, worth sending again at once.
    pub fn retry_now(mut self) -> Self {
        self.retry = Retry::Now;
        self.retry_after_ms = Some(0);
        self
    }
}

impl From<sqlx::Error> for Problem {
    /// A database that is away is worth another try; anything else is our fault and goes to the log.
    fn from(error: sqlx::Error) -> Self {
        if crate::storage::is_outage(&error) {
            tracing::warn!(%error, "Postgres is away");
            Self::unavailable(1_000)
        } else {
            tracing::error!(%error, "unexpected database error");
            Self::internal()
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let request_id = crate::telemetry::current_request_id();
        let mut response = HttpResponse::build(self.status);
        if let Some(ms) = self.retry_after_ms {
            response.insert_header(("retry-after", ms.div_ceil(1_000).to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header(("www-authenticate", "Bearer"));
        }
        response.content_type("application/problem+json").json(ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail.clone(),
            request_id,
            retry_after_ms: self.retry_after_ms,
        })
    }
}
