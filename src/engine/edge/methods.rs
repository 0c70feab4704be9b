//! What is answered where there is no handler: 405 with `Allow` when the path has one for another method, else 404.
//!
//! What there is says the OpenAPI document, so that a route that it lacks shows at once. Pages at the root stand here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::SOCKET_PATH;
use super::scopes::BASE;
use crate::docs;
use crate::problem::Problem;

/// Read only.
const PAGES: [&str; 10] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/internal/actors",
    "/docs",
    "/docs/",
    "/docs/asyncapi.json",
    "/docs/openapi.json",
    "/docs/websocket",
    SOCKET_PATH,
];

/// Each path with its methods.
static PATHS: LazyLock<Vec<(ResourceDef, BTreeSet<String>)>> = LazyLock::new(|| {
    let pages = PAGES.iter().map(|page| (ResourceDef::new(*page), BTreeSet::from(["GET".to_owned()])));
    let documented = docs::methods().into_iter().map(|(path, methods)| {
        let methods = methods.into_iter().map(|method| method.to_ascii_uppercase()).collect();
        (ResourceDef::new(format!("{BASE}{path}")), methods)
    });
    pages.chain(documented).collect()
});

/// The answer where no route fits.
pub(super) async fn no_such_endpoint(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut allowed = BTreeSet::new();
    for (path, methods) in PATHS.iter() {
        if path.is_match(request.path()) {
            allowed.extend(methods.iter().map(String::as_str));
        }
    }
    if allowed.is_empty() {
        let detail = format!("There is no {} {}. The reference is at /docs.", request.method(), request.path());
        return Err(Problem::not_found("request.no_such_endpoint", detail));
    }
    Ok(method_not_allowed(&request, allowed))
}

/// The answer where there is something, but not for this method.
pub(super) fn method_not_allowed(request: &HttpRequest, mut allowed: BTreeSet<&str>) -> HttpResponse {
    if allowed.contains("GET") && request.path() != SOCKET_PATH {
        allowed.insert("HEAD");
    }
    let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
    let detail = format!("{} takes {allowed}, not {}. The reference is at /docs.", request.path(), request.method());
    let mut response = Problem::method_not_allowed("request.method_not_allowed", detail).error_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
