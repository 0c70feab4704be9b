//! `POST /auth/login`

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::wire::{Device, SignedIn};
use crate::accounts::{Auth, ClientAddress};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, optional_object};

/// Who signs in, and how they prove it.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// Username or email.
    #[schema(example = "ada")]
    login: String,
    #[schema(example = "correct horse battery")]
    password: String,
    #[serde(default, deserialize_with = "optional_object")]
    device: Option<Device>,
}

/// Sign in with a password.
#[utoipa::path(
    tag = "accounts",
    request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = SignedIn),
        (status = 401, description = "`auth.login_refused`: the login or the password is wrong", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_…`: a field is not acceptable", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.busy`, `engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/login")]
pub(super) async fn login(
    auth: web::Data<Auth>,
    address: ClientAddress,
    body: JsonBody<Login>,
) -> Result<web::Json<SignedIn>, Problem> {
    let signed_in = auth.login(&body.login, &body.password, body.device.as_ref(), address).await?;
    Ok(web::Json(signed_in))
}
