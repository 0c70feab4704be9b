//! The HTTP API of accounts: one endpoint a file, with what it takes, answers and refuses.

mod change_password;
mod devices;
mod find_users;
mod get_me;
mod get_user;
mod login;
mod logout;
mod make_reset_link;
mod options;
mod refresh;
mod register;
mod reset;
mod update_me;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::wire::{AuthOptions, Device, DevicePage, OwnDevice, OwnUser, PublicUser, ResetLink, SignedIn};
use parlance_foundation::problem::ProblemBody;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(options::options)
        .service(register::register)
        .service(login::login)
        .service(refresh::refresh)
        .service(logout::logout)
        .service(reset::reset)
        .service(make_reset_link::make_reset_link)
        // Before `/users/{id}`, which would take "me" for an id.
        .service(get_me::get_me)
        .service(update_me::update_me)
        .service(change_password::change_password)
        .service(devices::list_devices)
        .service(devices::sign_device_out)
        .service(get_user::get_user)
        .service(find_users::find_users);
}

/// The part of the OpenAPI document that is about accounts; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        options::options,
        register::register,
        login::login,
        refresh::refresh,
        logout::logout,
        reset::reset,
        make_reset_link::make_reset_link,
        get_me::get_me,
        update_me::update_me,
        change_password::change_password,
        devices::list_devices,
        devices::sign_device_out,
        get_user::get_user,
        find_users::find_users,
    ),
    components(schemas(
        AuthOptions, OwnUser, PublicUser, SignedIn, Device, OwnDevice, DevicePage, ResetLink, ProblemBody
    )),
    tags(
        (name = "accounts", description = "Signing up, signing in, and who people are"),
        (name = "administration", description = "For admins"),
    ),
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
