//! The web client: its build, compiled into the binary and served with the right caching.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

/// `web/dist`; empty in a build made before the client was built, such as a first `cargo check`.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// Only our own scripts and styles, and connections to where the page came from. Images may come from anywhere, since
/// avatars do.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob: https:; style-src 'self' 'unsafe-inline'; \
                      connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const NOT_BUILT: &str = "<!doctype html><title>Parlance</title><p>The engine runs, but this binary was built without \
                         the web client. Run <code>make build</code> and start it again.";

/// The file at the request's path, or the page itself for every path that is the client's own business.
pub async fn serve(request: HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    let is_asset = path.starts_with("assets/");
    let found = Dist::get(path).map(|file| (path, file));
    let page = || Dist::get("index.html").map(|file| ("index.html", file));
    let (path, file) = match found.or_else(|| if is_asset { None } else { page() }) {
        Some(found) => found,
        None if is_asset => return HttpResponse::NotFound().finish(),
        None => return HttpResponse::Ok().content_type("text/html; charset=utf-8").body(NOT_BUILT),
    };
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()));
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    if known {
        return HttpResponse::NotModified().insert_header((ETAG, etag)).finish();
    }
    // Assets carry their hash in their name; the page must be asked for anew, or nobody sees an upgrade.
    let caching = if is_asset { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .content_type(content_type(path))
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header((ETAG, etag))
        .body(file.data.into_owned())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
