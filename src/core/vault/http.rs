//! The vault for admins: what is in it is listed, replaced and deleted, and never read. A secret is made by the feature
//! whose it is, in words of its own.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, delete, get, put};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};
use uuid::Uuid;

use super::audit::By;
use super::handle::Vault;
use super::wire::{SecretMeta, SecretValue};
use super::{VaultError, name};
use crate::accounts::Admin;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, ListPage, PageQuery};

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(list_secrets).service(replace_secret).service(delete_secret);
}

/// The part of the OpenAPI document that is about the vault.
#[derive(OpenApi)]
#[openapi(
    paths(list_secrets, replace_secret, delete_secret),
    components(schemas(SecretMeta, SecretValue, ProblemBody))
)]
pub struct ApiDoc;

/// Which secrets.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of one feature and kind only, such as `ai.provider`.
    scope: Option<String>,
}

/// List the secrets that features keep: everything but the secrets themselves.
///
/// For admins.
#[utoipa::path(
    tag = "administration",
    params(Wanted, PageQuery),
    responses(
        (status = 200, description = "A page of secrets", body = ListPage<SecretMeta>),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`vault.invalid_name`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/admin/secrets")]
async fn list_secrets(
    vault: Data<Vault>,
    _: Admin,
    wanted: web::Query<Wanted>,
    page: PageQuery,
) -> Result<web::Json<ListPage<SecretMeta>>, Problem> {
    wanted.scope.as_deref().map(name::require_scope).transpose()?;
    let found = vault.list_meta(wanted.scope.as_deref(), page.cursor()?, page.one_more()).await?;
    Ok(web::Json(ListPage::of(found, &page, |secret| secret.id.to_string())))
}

/// Replace a secret, such as a provider's key that has leaked. Its name and label stay.
///
/// For admins. What uses it has the new value from its next use on. Sent again, it is replaced again by the same.
#[utoipa::path(
    tag = "administration",
    params(("id" = Uuid, Path, description = "The secret's id")),
    request_body = SecretValue,
    responses(
        (status = 200, description = "Replaced", body = SecretMeta),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`vault.not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`vault.locked`: a master key is not here, and the engine's log says what to do", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`vault.too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`vault.empty`, `request.invalid_body`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[put("/admin/secrets/{id}")]
async fn replace_secret(
    vault: Data<Vault>,
    admin: Admin,
    id: web::Path<String>,
    body: JsonBody<SecretValue>,
) -> Result<web::Json<SecretMeta>, Problem> {
    let name = vault.name_of(parsed(&id)?).await?;
    Ok(web::Json(vault.replace(&name, &body.value, &By::User(admin.0.user_id)).await?))
}

/// Delete a secret. What uses it stops working until it is given another.
///
/// For admins.
#[utoipa::path(
    tag = "administration",
    params(("id" = Uuid, Path, description = "The secret's id")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`vault.not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[delete("/admin/secrets/{id}")]
async fn delete_secret(vault: Data<Vault>, admin: Admin, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = vault.name_of(parsed(&id)?).await?;
    vault.delete(&name, &By::User(admin.0.user_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is no id at all is no secret's id.
fn parsed(id: &str) -> Result<Uuid, VaultError> {
    id.parse().map_err(|_| VaultError::NotFound)
}
