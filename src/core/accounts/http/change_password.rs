//! `PUT /users/me/password`

use actix_web::{HttpResponse, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::{Auth, Caller};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// The password that is, and the one that shall be.
#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordChange {
    #[schema(example = "correct horse battery")]
    current_password: String,
    /// At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
    #[schema(example = "staple correct horse")]
    new_password: String,
}

/// Change your password.
///
/// Your other devices are signed out, and their sockets closed with 4501; this one stays signed in.
#[utoipa::path(
    tag = "accounts",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.password_refused`: the current password is wrong; `auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_password`: the new one is not acceptable, and the detail says what would be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.busy`, `engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[put("/users/me/password")]
pub(super) async fn change_password(
    auth: web::Data<Auth>,
    caller: Caller,
    body: JsonBody<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    auth.change_password(&caller, &body.current_password, &body.new_password).await?;
    Ok(HttpResponse::NoContent().finish())
}
