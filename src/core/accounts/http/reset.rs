//! `POST /auth/reset`

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::{Auth, ClientAddress};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// The token of a link, and the password that shall be.
#[derive(Deserialize, ToSchema)]
pub(super) struct Reset {
    token: String,
    /// At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
    #[schema(example = "staple correct horse")]
    new_password: String,
}

/// Set a new password by a link that an admin made.
///
/// Works once. All devices of the account are signed out; sign in with the new password afterwards.
#[utoipa::path(
    tag = "accounts",
    request_body = Reset,
    responses(
        (status = 204, description = "Set"),
        (status = 403, description = "`auth.reset_refused`: used, too old, or a newer link was made; `auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_password`: not acceptable, and the detail says what would be; the link stays good", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.busy`, `engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/reset")]
pub(super) async fn reset(
    auth: web::Data<Auth>,
    address: ClientAddress,
    body: JsonBody<Reset>,
) -> Result<HttpResponse, Problem> {
    auth.reset_password(&body.token, &body.new_password, address).await?;
    Ok(HttpResponse::NoContent().finish())
}
