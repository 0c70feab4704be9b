//! `POST /auth/refresh`

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::wire::SignedIn;
use crate::accounts::{Auth, ClientAddress};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// The refresh token that was given out last.
#[derive(Deserialize, ToSchema)]
pub(super) struct Refresh {
    refresh_token: String,
}

/// Trade a refresh token for a new pair of tokens.
///
/// A refresh token works once. Sent again within a minute (`auth.refresh_grace_s`), while the one that it was traded for
/// is unused, it is answered with that one again: for an answer that was lost, or a second tab. After that, using it a
/// second time signs the device out, because one of the two who hold it must be a thief.
#[utoipa::path(
    tag = "accounts",
    request_body = Refresh,
    responses(
        (status = 200, description = "Still signed in", body = SignedIn),
        (status = 401, description = "`auth.refresh_refused`: sign in again", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/refresh")]
pub(super) async fn refresh(
    auth: web::Data<Auth>,
    address: ClientAddress,
    body: JsonBody<Refresh>,
) -> Result<web::Json<SignedIn>, Problem> {
    Ok(web::Json(auth.refresh(&body.refresh_token, address).await?))
}
