//! `POST /auth/register`

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::wire::{Device, SignedIn};
use crate::accounts::{Auth, ClientAddress, SignUp};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, optional_object};

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(super) struct Registration {
    /// 3 to 32 letters a to z, digits, dots, underscores and hyphens; capitals make no difference.
    #[schema(example = "ada", min_length = 3, max_length = 32)]
    username: String,
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
    #[schema(example = "correct horse battery")]
    password: String,
    #[serde(default)]
    #[schema(example = "Ada Lovelace", max_length = 100)]
    full_name: Option<String>,
    #[serde(default, deserialize_with = "optional_object")]
    device: Option<Device>,
}

/// Create an account and sign in.
///
/// A username or email that is taken is refused without saying which of the two it is.
#[utoipa::path(
    tag = "accounts",
    request_body = Registration,
    responses(
        (status = 201, description = "Created and signed in", body = SignedIn),
        (status = 403, description = "`auth.registration_closed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`auth.registration_refused`: the username or email cannot be used", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_…`: a field is not acceptable, and the detail says what would be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`auth.too_many_attempts`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`engine.busy`, `engine.unavailable`: later", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/auth/register")]
pub(super) async fn register(
    auth: web::Data<Auth>,
    address: ClientAddress,
    body: JsonBody<Registration>,
) -> Result<HttpResponse, Problem> {
    let sign_up = SignUp {
        username: &body.username,
        email: &body.email,
        password: &body.password,
        full_name: body.full_name.as_deref(),
        device: body.device.as_ref(),
    };
    let signed_in = auth.register(sign_up, address).await?;
    Ok(HttpResponse::Created().json(signed_in))
}
