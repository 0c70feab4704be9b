//! `POST /auth/logout`

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::caller::bearer_token;
use crate::accounts::input::TOKEN_CHARS_MAX;
use crate::accounts::{Auth, ClientAddress};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::OptionalJsonBody;

/// What signs out a device whose access token is none any more.
#[derive(Deserialize, ToSchema)]
pub(super) struct Logout {
    /// Any refresh token of the device, also one that was used. Looked at only when no good access token comes with it.
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Sign this device out.
///
/// Its access and refresh tokens are refused from now on and its sockets are closed with 4501. Send the access token, or
/// the refresh token in the body when that has expired. Signing out twice is no error. A token of an outside issuer is
/// not ours to end.
#[utoipa::path(
    tag = "accounts",
    request_body(content = Logout, description = "Not needed with an access token"),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`; `auth.refresh_refused`: nobody is signed in with that refresh token", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security((), ("bearer" = [])),
)]
#[post("/auth/logout")]
pub(super) async fn logout(
    auth: web::Data<Auth>,
    request: HttpRequest,
    address: ClientAddress,
    body: OptionalJsonBody<Logout>,
) -> Result<HttpResponse, Problem> {
    let refresh_token = body.0.and_then(|body| body.refresh_token);
    if refresh_token.as_ref().is_some_and(|token| !(1..=TOKEN_CHARS_MAX).contains(&token.len())) {
        let detail = format!("A refresh token has 1 to {TOKEN_CHARS_MAX} characters. Leave it out when there is none.");
        return Err(Problem::invalid("request.invalid_body", detail));
    }
    auth.leave(bearer_token(&request), refresh_token.as_deref(), address).await?;
    Ok(HttpResponse::NoContent().finish())
}
