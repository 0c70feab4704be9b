//! `GET /users?query=&limit=&after=`

use actix_web::{get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::store::users;
use crate::accounts::wire::UserPage;
use crate::accounts::{Auth, AuthError, Caller, input};
use parlance_foundation::problem::{Problem, ProblemBody};

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;

/// Whom to look for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindUsers {
    /// A part of a username or full name; without it, everybody.
    query: Option<String>,
    /// People on a page: 1 to 200, otherwise 50.
    limit: Option<i64>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Find people by name, in the order of their usernames.
#[utoipa::path(
    tag = "accounts",
    params(FindUsers),
    responses(
        (status = 200, description = "A page of people", body = UserPage),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_query`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[get("/users")]
pub(super) async fn find_users(
    auth: web::Data<Auth>,
    caller: Caller,
    wanted: web::Query<FindUsers>,
) -> Result<web::Json<UserPage>, Problem> {
    let query = input::query(wanted.query.as_deref().unwrap_or_default()).map_err(AuthError::Invalid)?;
    let after = wanted.after.as_deref().map(input::query).transpose().map_err(AuthError::Invalid)?;
    let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let mut conn = auth.storage().read_as(caller.user_id).await?;
    // One more than asked for tells whether there is a next page.
    let mut items = users::search_users(&mut conn, &query, after.as_deref(), limit + 1).await?;
    let more = items.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        items.pop();
    }
    let next = items.last().filter(|_| more).map(|user| user.username.clone());
    Ok(web::Json(UserPage { items, next }))
}
