//! Who is asking: an HTTP handler that takes a [`Caller`] is for people who are signed in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AuthError;
use super::{Auth, store};
use parlance_foundation::ids::{FamilyId, UserId};
use parlance_foundation::problem::Problem;

/// What somebody may do on the whole server; what they may do in a room is a matter of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UserRole {
    User,
    Admin,
}

impl FromStr for UserRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "user" => Ok(Self::User),
            "admin" => Ok(Self::Admin),
            other => Err(format!("{other:?} is not a role; there are user and admin")),
        }
    }
}

impl fmt::Display for UserRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Admin => "admin",
        })
    }
}

/// Somebody who is signed in: an access token proves who it is, and Postgres says that they may still come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    /// As Postgres has it, not the token; what only admins may do takes an [`Admin`] all the same.
    pub role: UserRole,
    /// The sign-in that the token came from; `None` for a token of an outside issuer.
    pub family_id: Option<FamilyId>,
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    /// Fails unless the caller is an admin now: asks the database, not the token.
    pub(super) async fn require_admin(&self, auth: &Auth) -> Result<(), AuthError> {
        let mut conn = auth.storage().engine_read("standing").acquire().await?;
        match store::accounts::standing(&mut conn, self.user_id).await? {
            Some(standing) if standing.disabled_at.is_none() && standing.role == UserRole::Admin => Ok(()),
            _ => Err(AuthError::NotAnAdmin),
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let auth = auth_of(&request)?;
            Ok(auth.verify(bearer_token(&request)?).await?)
        })
    }
}

/// Somebody who is signed in and an admin now, as the database has it and not the token: a handler that takes one is for
/// admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin(pub Caller);

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            let caller = caller.await?;
            caller.require_admin(auth_of(&request)?).await?;
            Ok(Self(caller))
        })
    }
}

fn auth_of(request: &HttpRequest) -> Result<&Auth, Problem> {
    let auth = request.app_data::<web::Data<Auth>>().ok_or_else(|| {
        tracing::error!("the application was built without accounts (web::Data<Auth>)");
        Problem::internal()
    })?;
    Ok(auth.get_ref())
}

/// The token of `Authorization: Bearer …`; the scheme's name may be in any case (RFC 9110, 11.1).
pub(super) fn bearer_token(request: &HttpRequest) -> Result<&str, AuthError> {
    let value = request.headers().get(AUTHORIZATION).ok_or(AuthError::TokenMissing)?;
    let value = value.to_str().map_err(|_| AuthError::TokenInvalid)?;
    let (scheme, token) = value.trim().split_once(' ').ok_or(AuthError::TokenMissing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(AuthError::TokenMissing) }
}
