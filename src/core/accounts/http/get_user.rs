//! `GET /users/{id}`

use actix_web::{get, web};

use crate::accounts::store::users;
use crate::accounts::wire::PublicUser;
use crate::accounts::{Auth, AuthError, Caller};
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::{Problem, ProblemBody};

/// Somebody, as everybody sees them.
#[utoipa::path(
    tag = "accounts",
    params(("id" = uuid::Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The user", body = PublicUser),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`auth.user_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/users/{id}")]
pub(super) async fn get_user(
    auth: web::Data<Auth>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<web::Json<PublicUser>, Problem> {
    // What is no id at all is nobody's id.
    let id: UserId = id.parse().map_err(|_| AuthError::UserNotFound)?;
    let mut conn = auth.storage().read_as(caller.user_id).await?;
    let user = users::public_user(&mut conn, id).await?.ok_or(AuthError::UserNotFound)?;
    Ok(web::Json(user))
}
