//! The web client: its build, compiled into the binary and served with the right caching.

mod compressed;

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

/// `web/dist`; empty in a build made before the client was built, such as a first `cargo check`.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Only our own scripts and styles, and connections to where the page came from. Images may come from anywhere, since
/// avatars do.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob: https:; style-src 'self' 'unsafe-inline'; \
                      connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const NOT_BUILT: &str = "<!doctype html><title>Parlance</title><p>The engine runs, but this binary was built without \
                         the web client. Run <code>make build</code> and start it again.";

/// First parts of paths that are never the client's: the engine's own, and those that it keeps for later. Under them, what
/// is not there is not there: a probe or a webhook with a slip in its path must not be answered with a page.
const RESERVED: [&str; 12] =
    ["api", "assets", "docs", "healthz", "hooks", "internal", "mcp", "metrics", "readyz", "webhooks", "whep", "whip"];

/// Routes of the client, as `web/src/app/route.ts` has them; `*` is one part.
const ROUTES: [&[&str]; 3] = [&[], &["reset"], &["room", "*"]];

/// The file at the request's path, or the page itself: for the client's own routes, and, with 404, for what is nobody's,
/// where a person finds their way and a probe finds an error.
pub fn serve(request: &HttpRequest) -> Option<HttpResponse> {
    let path = request.path().trim_start_matches('/');
    let found = Dist::get(path).map(|file| (path, file));
    let status = if found.is_some() || is_route(path) { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let (path, file) = match found {
        Some(found) => found,
        None if !may_be_clients(path) => return None,
        None => match Dist::get("index.html") {
            Some(page) => ("index.html", page),
            None => return Some(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(NOT_BUILT)),
        },
    };
    // Not copied: every slow reader of a file would hold a copy of its own.
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(answer(request, status, path, file.metadata.sha256_hash(), bytes))
}

/// The file, or that the client has it; compressed when that is shorter and the client takes it.
fn answer(request: &HttpRequest, status: StatusCode, path: &str, hash: [u8; 32], bytes: Bytes) -> HttpResponse {
    // Assets carry their hash in their name; the page must be asked for anew, or nobody sees an upgrade.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let content_type = content_type(path);
    let varies = compressed::may_be_compressed(content_type, &bytes);
    let gzipped =
        if varies && compressed::takes_gzip(request) { compressed::gzipped(path, hash, &bytes) } else { None };
    // Each form of a file has a tag of its own.
    let etag = format!("\"{}{}\"", hex(&hash), if gzipped.is_some() { "-gzip" } else { "" });
    let is_known = status == StatusCode::OK && knows(request, &etag);
    let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { status });
    response.insert_header((CACHE_CONTROL, caching)).insert_header((ETAG, etag));
    if varies {
        response.insert_header((VARY, ACCEPT_ENCODING.as_str()));
    }
    if is_known {
        return response.finish();
    }
    if gzipped.is_some() {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response
        .content_type(content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .body(gzipped.unwrap_or(bytes))
}

/// Whether the client has the file of this tag.
fn knows(request: &HttpRequest, etag: &str) -> bool {
    let tags = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

fn is_route(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let fits = |route: &&[&str]| {
        route.len() == parts.len() && route.iter().zip(&parts).all(|(wanted, part)| *wanted == "*" || wanted == part)
    };
    ROUTES.iter().any(fits)
}

/// Whether a path without a file may be the client's business: not under a reserved name, and nothing that looks like a
/// file (`robots.txt`, `.well-known/…`), whose absence a browser or a robot must be told.
fn may_be_clients(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let looks_like_a_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let hidden = parts.clone().any(|part| part.starts_with('.'));
    let first = parts.next().unwrap_or_default();
    let plain = first.find(|c: char| !c.is_ascii_alphanumeric()).map_or(first, |end| &first[..end]);
    !looks_like_a_file && !hidden && !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(plain))
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn each_form_of_a_file_is_cached_for_itself_and_an_asset_for_good() {
        let script = Bytes::from("let parlance = 1;\n".repeat(500));
        let ask = |path: &str, accepted: &str, known: &str| {
            let request = TestRequest::default()
                .insert_header((ACCEPT_ENCODING, accepted))
                .insert_header((IF_NONE_MATCH, known))
                .to_http_request();
            answer(&request, StatusCode::OK, path, [7; 32], script.clone())
        };
        let header = |response: &HttpResponse, name: HeaderName| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let mut tags = Vec::new();
        for (accepted, encoding) in [("gzip, br", Some("gzip".to_owned())), ("br", None)] {
            let whole = ask("assets/index-7.js", accepted, "\"other\"");
            assert_eq!((whole.status(), header(&whole, CONTENT_ENCODING)), (StatusCode::OK, encoding), "{accepted}");
            assert_eq!(header(&whole, VARY).unwrap(), "accept-encoding");
            assert_eq!(header(&whole, CACHE_CONTROL).unwrap(), "public, max-age=31536000, immutable");
            let tag = header(&whole, ETAG).unwrap();
            for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
                let same = ask("assets/index-7.js", accepted, &known);
                assert_eq!(
                    (same.status(), header(&same, ETAG)),
                    (StatusCode::NOT_MODIFIED, Some(tag.clone())),
                    "{known}"
                );
                assert_eq!((header(&same, VARY), header(&same, CONTENT_ENCODING)), (header(&whole, VARY), None));
            }
            tags.push(tag);
        }
        assert_ne!(tags[0], tags[1]);
        // The page is asked for anew, and a picture is what it is.
        assert_eq!(header(&ask("index.html", "gzip", ""), CACHE_CONTROL).unwrap(), "no-cache");
        let picture = ask("assets/photo-7.png", "gzip", "");
        assert_eq!((header(&picture, VARY), header(&picture, CONTENT_ENCODING)), (None, None));
    }

    #[test]
    fn a_probe_with_a_slip_in_its_path_is_no_route() {
        for path in ["", "reset", "reset/", "room/0190a000-0000-7000-8000-000000000000", "room/x/"] {
            assert!(is_route(path), "{path:?}");
        }
        for path in ["%72eadyz/", "readyzz", "health", "livez", "-/ready", "room", "room/x/y", "resets", "settings"] {
            assert!(!is_route(path), "{path:?}");
        }
    }

    #[test]
    fn the_clients_own_routes_are_told_from_files_and_from_the_engines_names() {
        for path in ["", "room/0190a000-0000-7000-8000-000000000000", "room/", "settings/devices", "apiary", "x/api"] {
            assert!(may_be_clients(path), "{path:?}");
        }
        for path in [
            "healthz/",
            "readyz/",
            "READYZ",
            "readyz;x",
            "metrics/x",
            "api",
            "webhooks/whatsapp/7",
            "hooks/",
            "docs/x/y",
            "mcp",
            "/readyz",
            "robots.txt",
            "room/photo.png",
            "assets/",
            "assets/x",
            ".well-known/x",
            ".git/config",
        ] {
            assert!(!may_be_clients(path), "{path:?}");
        }
    }
}
