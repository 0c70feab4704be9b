//! `/docs`: the reference, generated from the types: OpenAPI 3.1 for HTTP, AsyncAPI 3 for the WebSocket.

mod bounds;
mod contract;
#[cfg(test)]
mod tests;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder, guard};
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::{InfoBuilder, OpenApi as Document, ServerBuilder};
use utoipa_swagger_ui::SwaggerUi;

use crate::config::Config;
use crate::messaging::edits;
use crate::protocol::{self, protocol};
use crate::wire::asyncapi::COMMON_ERRORS;
use crate::wire::close::CLOSE_CODES;
use crate::{accounts, administration, parties, rooms, vault};

/// The OpenAPI document of all features, with what this configuration allows.
pub fn openapi(config: &Config) -> Value {
    contract::complete(serde_json::to_value(of_features()).unwrap_or_default(), config)
}

/// Every path below `/api/v1`, with its methods.
pub fn methods() -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(of_features()).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    let keys = |item: &Value| item.as_object().into_iter().flatten().map(|(method, _)| method.clone()).collect();
    paths.map(|(path, item)| (path.clone(), keys(item))).collect()
}

fn of_features() -> Document {
    let mut document = accounts::ApiDoc::openapi();
    document.merge(rooms::http::ApiDoc::openapi());
    document.merge(parties::ApiDoc::openapi());
    document.merge(edits::http::ApiDoc::openapi());
    document.merge(administration::ApiDoc::openapi());
    document.merge(vault::ApiDoc::openapi());
    document.info = InfoBuilder::new()
        .title("Parlance")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Errors are RFC 9457 problems with a stable `code`. Lists page by cursor. What happens live comes over the \
             WebSocket at `/api/v1/ws`, which the AsyncAPI document describes. Any request may be answered with 408 \
             (it, or its body, came too slowly), 429 (its address has too many unfinished ones) or 503 (too much is under \
             way, or a part of the engine is away); then `retry_after_ms` says when to send it again.",
        ))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url("/api/v1").build()]);
    document
}

/// Mounts the pages.
pub fn routes(cfg: &mut ServiceConfig, config: &Config) {
    // Other methods fall through to where 405 is said.
    let page = |path: &str| web::resource(path.to_owned()).guard(guard::Get());
    let openapi = openapi(config);
    cfg.service(page("/docs").to(index))
        .service(page("/docs/").to(index))
        .service(page("/docs/asyncapi.json").to(|| async { HttpResponse::Ok().json(protocol::document()) }))
        .service(page("/docs/websocket").to(websocket))
        .service(SwaggerUi::new("/docs/http/{_:.*}").external_url_unchecked("/docs/openapi.json", openapi));
}

const STYLE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
    <style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
    padding:0 1rem}code,pre{font:14px ui-monospace,monospace}pre{overflow:auto;padding:1rem;border-radius:.5rem;\
    background:#8882}td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>";

async fn index() -> impl Responder {
    html(format!(
        "{STYLE}<title>Parlance: reference</title><h1>Parlance {}</h1><ul>\
         <li><a href=/docs/http/>HTTP API</a> (<a href=/docs/openapi.json>OpenAPI 3.1</a>)\
         <li><a href=/docs/websocket>WebSocket</a> (<a href=/docs/asyncapi.json>AsyncAPI 3</a>)</ul>",
        env!("CARGO_PKG_VERSION")
    ))
}

/// The AsyncAPI document for people: every command with its answer, every frame, each with its schema.
async fn websocket() -> impl Responder {
    let (protocol, document) = (protocol(), protocol::document());
    let mut page = format!(
        "{STYLE}<title>Parlance: WebSocket</title><h1>WebSocket</h1><p><code>GET /api/v1/ws</code>: text frames, one \
         JSON object each, with a <code>type</code>. A command with an <code>id</code> is answered by a frame that \
         carries it as <code>re</code>. Durable events carry <code>room_id</code> and <code>seq</code>, which rises by \
         exactly one a room.<h2>Close codes</h2><p>4000–4499: reconnect; 4500–4999: do not.<table>"
    );
    for close in CLOSE_CODES {
        page.push_str(&format!("<tr><td><code>{}</code><td>{}", close.code, escape(close.reason)));
    }
    page.push_str("</table><h2>Commands</h2><p>Any of them may be refused with ");
    page.push_str(&codes(COMMON_ERRORS));
    for command in protocol.commands() {
        page.push_str(&format!("<h3><code>{}</code></h3><p>{}", command.kind, escape(command.summary)));
        if !command.errors.is_empty() {
            page.push_str(&format!("<p>Refused with {}", codes(command.errors)));
        }
        page.push_str(&schema("The command", &document, &command.name()));
        page.push_str(&schema("Its answer", &document, &command.answer_name()));
    }
    page.push_str(&schema("What a refused command is answered with", &document, "ErrorFrame"));
    page.push_str("<h2>Said by the engine</h2>");
    for frame in protocol.frames() {
        page.push_str(&format!("<h3><code>{}</code></h3><p>{}", frame.kind, escape(frame.summary)));
        page.push_str(&schema("Schema", &document, &frame.name()));
    }
    html(page)
}

fn codes(codes: &[&str]) -> String {
    codes.iter().map(|code| format!("<code>{code}</code>")).collect::<Vec<_>>().join(", ")
}

/// A schema that can be unfolded.
fn schema(title: &str, document: &Value, name: &str) -> String {
    let schema = document.pointer(&format!("/components/schemas/{name}")).cloned().unwrap_or_default();
    let text = serde_json::to_string_pretty(&resolved(document, schema, 0)).unwrap_or_default();
    format!("<details><summary>{title}</summary><pre>{}</pre></details>", escape(&text))
}

/// The schema with its references filled in, so that it reads in one place.
fn resolved(document: &Value, schema: Value, depth: u8) -> Value {
    const DEPTH_MAX: u8 = 8;
    match schema {
        Value::Object(map) => {
            let target = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|pointer| document.pointer(pointer.trim_start_matches('#')));
            match target {
                Some(target) if depth < DEPTH_MAX => resolved(document, target.clone(), depth + 1),
                _ => {
                    Value::Object(map.into_iter().map(|(key, value)| (key, resolved(document, value, depth))).collect())
                }
            }
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| resolved(document, item, depth)).collect()),
        other => other,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn html(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(body)
}
