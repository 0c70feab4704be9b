//! `POST /auth/logout`

use actix_web::{HttpResponse, post, web};

use crate::auth::Auth;
use crate::auth::caller::Leaver;
use crate::error::{Problem, ProblemBody};

/// Sign this device out.
///
/// Its access and refresh tokens are refused from now on and its sockets are closed with 4501. Signing out twice is
/// no error. A token of an outside issuer is not ours to end.
#[utoipa::path(
    tag = "accounts",
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/auth/logout")]
pub(super) async fn logout(auth: web::Data<Auth>, caller: Leaver) -> Result<HttpResponse, Problem> {
    auth.logout(&caller.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
