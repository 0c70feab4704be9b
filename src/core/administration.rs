//! `/admin/jobs`: what waits, runs and failed, for admins. Apart from jobs, which accounts build on.

use actix_web::web::{Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use crate::accounts::Admin;
use crate::jobs::{JobPage, JobState, JobsError, JobsHandle, ListedJob};
use parlance_foundation::ids::JobId;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::PageQuery;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list_jobs).service(retry_job).service(delete_job);
}

/// The part of the OpenAPI document that is about jobs; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(paths(list_jobs, retry_job, delete_job), components(schemas(JobPage, ListedJob, JobState)))]
pub struct ApiDoc;

/// Which jobs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListJobs {
    /// pending, running or dead; without it, all.
    state: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
}

/// What follows commits or is due at a time and has not been done, the newest first. Without payloads.
#[utoipa::path(
    tag = "administration",
    params(ListJobs, PageQuery),
    responses(
        (status = 200, description = "A page of jobs", body = JobPage),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`jobs.invalid_query`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/admin/jobs")]
async fn list_jobs(
    jobs: Data<JobsHandle>,
    _: Admin,
    wanted: Query<ListJobs>,
    page: PageQuery,
) -> Result<Json<JobPage>, Problem> {
    let invalid = |field, wanted: String| JobsError::Invalid { field, wanted };
    let state = wanted.state.as_deref().map(str::parse::<JobState>).transpose();
    let state = state.map_err(|_| invalid("state", "one of pending, running and dead".to_owned()))?;
    let kind = wanted.kind.as_deref();
    if kind.is_some_and(|kind| kind.contains('\0')) {
        return Err(invalid("kind", "the name of a kind, such as auth.delete_expired".to_owned()).into());
    }
    Ok(Json(jobs.page(state, kind, page.cursor()?, page.limit).await?))
}

/// Try a dead job again, as if it were enqueued now: behind those of its key that wait, with all of its attempts.
#[utoipa::path(
    tag = "administration",
    params(("id" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 204, description = "It waits to be run"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`jobs.not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`jobs.not_dead`; `jobs.duplicate`: another one that does the same waits already", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/admin/jobs/{id}/retry")]
async fn retry_job(jobs: Data<JobsHandle>, admin: Admin, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: JobId = id.parse().map_err(|_| JobsError::NotFound)?;
    jobs.retry_dead(id).await?;
    tracing::info!(job_id = %id, user_id = %admin.0.user_id, "a dead job is tried again");
    Ok(HttpResponse::NoContent().finish())
}

/// Drop a dead job: nobody does it any more.
#[utoipa::path(
    tag = "administration",
    params(("id" = uuid::Uuid, Path, description = "The job's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`jobs.not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`jobs.not_dead`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[delete("/admin/jobs/{id}")]
async fn delete_job(jobs: Data<JobsHandle>, admin: Admin, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: JobId = id.parse().map_err(|_| JobsError::NotFound)?;
    jobs.delete_dead(id).await?;
    tracing::info!(job_id = %id, user_id = %admin.0.user_id, "a dead job was deleted");
    Ok(HttpResponse::NoContent().finish())
}
