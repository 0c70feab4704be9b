//! `POST /admin/users/{id}/reset-link`

use actix_web::{HttpResponse, post, web};

use crate::accounts::wire::ResetLink;
use crate::accounts::{Admin, Auth, AuthError};
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::{Problem, ProblemBody};

/// Make a link that sets a new password, for somebody who forgot theirs.
///
/// For admins. An earlier link of the account is good no longer.
#[utoipa::path(
    tag = "administration",
    params(("id" = uuid::Uuid, Path, description = "The user's id")),
    responses(
        (status = 201, description = "Made", body = ResetLink),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.not_an_admin`; `auth.account_disabled`: enable it first", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`auth.user_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[post("/admin/users/{id}/reset-link")]
pub(super) async fn make_reset_link(
    auth: web::Data<Auth>,
    admin: Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    // What is no id at all is nobody's id.
    let user: UserId = id.parse().map_err(|_| AuthError::UserNotFound)?;
    Ok(HttpResponse::Created().json(auth.make_reset_link(user, Some(admin.0.user_id)).await?))
}
