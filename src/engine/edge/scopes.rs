//! The two scopes of `/api/v1`: JSON, and raw.
//!
//! | | JSON | raw |
//! |---|---|---|
//! | bodies | JSON objects of at most `server.request_bytes_max` | bytes as they were sent, with a limit of the route's own |
//! | answers | compressed when the client takes that | as they are: streamed, or compressed already |
//! | for | everything that is a call | WebSockets, server-sent events, uploads and downloads, bodies that are signed |
//!
//! # How a feature mounts into them
//!
//! Into JSON: `cfg.service(list_things)` with `#[get("/things")]`, called in [`json`]; bodies are taken as
//! [`JsonBody`](crate::requests::JsonBody). Into raw, called in [`raw`]:
//!
//! ```text
//! cfg.service(
//!     web::resource("/things/{id}/content")
//!         .guard(guard::Put())                            // else the path would hide from 405 and from JSON routes
//!         .app_data(web::PayloadConfig::new(bytes_max))   // else server.request_bytes_max
//!         .to(put_content),                               // takes web::Bytes, or web::Payload to read as it comes
//! );
//! ```
//!
//! What holds in both, because it stands around the whole app: request ids, metrics, CORS, and what an address may have of
//! unfinished requests and their bodies (`server.unfinished_per_address_max`, `server.bodies_bytes_max`: all bytes of a
//! body count until it is answered), their pace and their time. Who asks is the handler's to say in both: a handler that
//! takes a [`Caller`](crate::accounts::Caller) is for people who are signed in, one that takes an
//! [`Admin`](crate::accounts::Admin) for admins. A webhook takes neither, and checks the signature of its bytes; at the root
//! (`/webhooks`, `/hooks`) it is mounted as a resource of the app in the same manner, where nothing is compressed.
//!
//! Invariant: raw routes come first and are of one method each, so that the JSON scope, which takes every path, is asked for
//! all others.

use actix_web::middleware::Compress;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Scope, guard};

use super::SOCKET_PATH;
use super::methods::no_such_endpoint;
use crate::messaging::edits;
use crate::{accounts, administration, parties, rooms, sessions, vault};

/// Where both scopes are.
pub(super) const BASE: &str = "/api/v1";

/// Everything under [`BASE`].
pub(super) fn api() -> Scope {
    under_base(raw, json)
}

/// Routes whose bytes nobody touches.
fn raw(cfg: &mut ServiceConfig) {
    let socket = SOCKET_PATH.strip_prefix(BASE).unwrap_or(SOCKET_PATH);
    // Compression would hold back its frames.
    cfg.service(web::resource(socket).guard(guard::Get()).to(sessions::upgrade));
}

/// Routes of JSON.
fn json(cfg: &mut ServiceConfig) {
    cfg.configure(accounts::routes)
        .configure(rooms::http::routes)
        .configure(parties::routes)
        .configure(edits::http::routes)
        .configure(administration::routes)
        .configure(vault::routes);
}

fn under_base(raw: fn(&mut ServiceConfig), json: fn(&mut ServiceConfig)) -> Scope {
    let json = web::scope("").wrap(Compress::default()).configure(json).default_service(web::to(no_such_endpoint));
    web::scope(BASE).configure(raw).service(json)
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
    use actix_web::web::Bytes;
    use actix_web::{App, HttpResponse, test};

    use super::*;
    use crate::requests::JsonBody;

    const LONG: usize = 4_096;

    async fn echo(body: Bytes) -> HttpResponse {
        HttpResponse::Ok().content_type("application/json").body(body)
    }

    async fn length(body: JsonBody<std::collections::BTreeMap<String, String>>) -> HttpResponse {
        HttpResponse::Ok().content_type("application/json").body("7".repeat(body.len() * LONG))
    }

    fn some_raw(cfg: &mut ServiceConfig) {
        let upload = web::resource("/things/{id}").guard(guard::Put()).app_data(web::PayloadConfig::new(2 * LONG));
        cfg.service(upload.to(echo));
    }

    fn some_json(cfg: &mut ServiceConfig) {
        cfg.route("/things", web::post().to(length)).route("/things/{id}", web::get().to(|| async { "one" }));
    }

    #[actix_rt::test]
    async fn raw_bytes_come_and_go_untouched_under_a_limit_of_their_own_and_json_is_compressed() {
        let app = App::new()
            .app_data(web::PayloadConfig::new(LONG))
            .app_data(web::JsonConfig::default().limit(LONG))
            .service(under_base(some_raw, some_json));
        let app = test::init_service(app).await;
        // No JSON, and longer than other bodies may be.
        let body = Bytes::from(vec![b'{'; 2 * LONG]);
        let put = |body: Bytes| {
            test::TestRequest::put().uri("/api/v1/things/7").insert_header((ACCEPT_ENCODING, "gzip")).set_payload(body)
        };
        let answer = test::call_service(&app, put(body.clone()).to_request()).await;
        assert_eq!((answer.status(), answer.headers().get(CONTENT_ENCODING)), (StatusCode::OK, None));
        assert_eq!(test::read_body(answer).await, body);
        let too_long = put(Bytes::from(vec![b'{'; 2 * LONG + 1])).to_request();
        assert_eq!(test::call_service(&app, too_long).await.status(), StatusCode::PAYLOAD_TOO_LARGE);

        let post = |body: String| {
            let request = test::TestRequest::post().uri("/api/v1/things").insert_header((ACCEPT_ENCODING, "gzip"));
            request.insert_header((CONTENT_TYPE, "application/json")).set_payload(body).to_request()
        };
        let answer = test::call_service(&app, post(r#"{"a":"b"}"#.into())).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers().get(CONTENT_ENCODING).unwrap(), "gzip");
        let long = format!(r#"{{"a":"{}"}}"#, "b".repeat(LONG));
        assert_eq!(test::call_service(&app, post(long)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
        // The same path with another method is the other scope's.
        let get = test::TestRequest::get().uri("/api/v1/things/7").to_request();
        assert_eq!(test::call_and_read_body(&app, get).await, "one");
        let none = test::TestRequest::get().uri("/api/v1/nothing").to_request();
        assert_eq!(test::call_service(&app, none).await.status(), StatusCode::NOT_FOUND);
    }
}
