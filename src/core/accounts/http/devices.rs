//! `GET /users/me/devices` and `DELETE /users/me/devices/{id}`

use actix_web::{HttpResponse, delete, get, web};

use crate::accounts::wire::DevicePage;
use crate::accounts::{Auth, AuthError, Caller};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::PageQuery;

/// The devices that you are signed in on, the newest sign-in first.
#[utoipa::path(
    tag = "accounts",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of devices", body = DevicePage),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/users/me/devices")]
pub(super) async fn list_devices(
    auth: web::Data<Auth>,
    caller: Caller,
    page: PageQuery,
) -> Result<web::Json<DevicePage>, Problem> {
    Ok(web::Json(auth.own_devices(&caller, page.cursor()?, page.limit).await?))
}

/// Sign a device of yours out.
///
/// Its tokens are refused from now on and its sockets are closed with 4501. Signing it out twice is no error.
#[utoipa::path(
    tag = "accounts",
    params(("id" = uuid::Uuid, Path, description = "The `id` of the device in the list")),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`auth.device_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[delete("/users/me/devices/{id}")]
pub(super) async fn sign_device_out(
    auth: web::Data<Auth>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    // What is no id at all is no device's id.
    let family = id.parse().map_err(|_| AuthError::DeviceNotFound)?;
    auth.sign_out(caller.user_id, family, caller.family_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
