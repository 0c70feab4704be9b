//! `GET /users/me`

use actix_web::{get, web};

use crate::accounts::wire::OwnUser;
use crate::accounts::{Auth, Caller};
use parlance_foundation::problem::{Problem, ProblemBody};

/// Yourself, with what only you may see.
#[utoipa::path(
    tag = "accounts",
    responses(
        (status = 200, description = "You", body = OwnUser),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/users/me")]
pub(super) async fn get_me(auth: web::Data<Auth>, caller: Caller) -> Result<web::Json<OwnUser>, Problem> {
    Ok(web::Json(auth.own_user(caller.user_id).await?))
}
