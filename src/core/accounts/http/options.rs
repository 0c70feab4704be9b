//! `GET /auth/options`

use actix_web::{get, web};

use crate::accounts::Auth;
use crate::accounts::wire::AuthOptions;

/// What a page for signing in offers.
///
/// Needs no token.
#[utoipa::path(
    tag = "accounts",
    responses((status = 200, description = "How to get in here", body = AuthOptions)),
)]
#[get("/auth/options")]
pub(super) async fn options(auth: web::Data<Auth>) -> web::Json<AuthOptions> {
    web::Json(auth.options())
}
