//! `GET /users?query=`

use std::str::FromStr;

use actix_web::{get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::store::users;
use crate::accounts::wire::PublicUser;
use crate::accounts::{Auth, AuthError, Caller, InvalidInput, input};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{ListPage, PageQuery};

/// Whom to look for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindUsers {
    /// A part of a username or full name; without it, everybody.
    #[param(max_length = 64)]
    query: Option<String>,
}

/// Where the list goes on: behind this username.
struct Behind(String);

impl FromStr for Behind {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        input::query(text).map(Self)
    }
}

/// Find people by name, in the order of their usernames.
#[utoipa::path(
    tag = "accounts",
    params(FindUsers, PageQuery),
    responses(
        (status = 200, description = "A page of people", body = ListPage<PublicUser>),
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
    page: PageQuery,
) -> Result<web::Json<ListPage<PublicUser>>, Problem> {
    let query = input::query(wanted.query.as_deref().unwrap_or_default()).map_err(AuthError::Invalid)?;
    let after = page.cursor::<Behind>()?.map(|behind| behind.0);
    let mut conn = auth.storage().read_as(caller.user_id).await?;
    let found = users::search_users(&mut conn, &query, after.as_deref(), page.one_more()).await?;
    Ok(web::Json(ListPage::of(found, &page, |user| user.username.clone())))
}
