//! The HTTP API of accounts: one endpoint a file, with what it takes, answers and refuses.

mod find_users;
mod get_me;
mod get_user;
mod login;
mod logout;
mod refresh;
mod register;
mod update_me;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::wire::{Device, OwnUser, PublicUser, SignedIn, UserPage};
use crate::error::ProblemBody;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(register::register)
        .service(login::login)
        .service(refresh::refresh)
        .service(logout::logout)
        // Before `/users/{id}`, which would take "me" for an id.
        .service(get_me::get_me)
        .service(update_me::update_me)
        .service(get_user::get_user)
        .service(find_users::find_users);
}

/// The part of the OpenAPI document that is about accounts; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        register::register,
        login::login,
        refresh::refresh,
        logout::logout,
        get_me::get_me,
        update_me::update_me,
        get_user::get_user,
        find_users::find_users,
    ),
    components(schemas(OwnUser, PublicUser, SignedIn, UserPage, Device, ProblemBody)),
    tags((name = "accounts", description = "Signing up, signing in, and who people are")),
    modifiers(&BearerToken),
)]
pub struct ApiDoc;

/// The security scheme `bearer`, to which endpoints refer.
struct BearerToken;

impl utoipa::Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}
