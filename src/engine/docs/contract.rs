//! What every operation has in common, written into the OpenAPI document once: errors that come before and around the
//! handler, the media type of errors, and the bounds of what clients send.
//!
//! Handlers document what is theirs. What the edge, the extractors ([`crate::requests`], `accounts::Caller`) and the
//! configuration add is known here, so that no handler can forget it. Bounds that are configured come from the
//! configuration in force: the document at `/docs` is that of this engine.

use serde_json::{Map, Value, json};

use super::bounds;
use crate::config::Config;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];
const PROBLEM: &str = "application/problem+json";

/// An answer that operations have in common: its status, its name among the components, when it comes, and the headers
/// that come with it.
struct Common {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    headers: &'static [(&'static str, &'static str)],
    applies: fn(&Operation) -> bool,
}

/// What decides which answers an operation has.
struct Operation {
    is_secured: bool,
    has_body: bool,
    has_query: bool,
    has_path: bool,
    has_key: bool,
}

const RETRY_AFTER: (&str, &str) = ("Retry-After", "Seconds to wait before sending it again");

const COMMON: [Common; 11] = [
    Common {
        status: "400",
        name: "Malformed",
        description: "`request.invalid_json`: the body is not JSON; `request.invalid_query`: the query cannot be read; \
                      `request.invalid_idempotency_key`",
        headers: &[],
        applies: |operation| operation.has_body || operation.has_query || operation.has_key,
    },
    Common {
        status: "401",
        name: "Unauthorized",
        description: "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`",
        headers: &[("WWW-Authenticate", "`Bearer`")],
        applies: |operation| operation.is_secured,
    },
    Common {
        status: "403",
        name: "Forbidden",
        description: "`auth.account_disabled`",
        headers: &[],
        applies: |operation| operation.is_secured,
    },
    Common {
        status: "404",
        name: "NotFound",
        description: "`request.invalid_path`: there is nothing under such an id",
        headers: &[],
        applies: |operation| operation.has_path,
    },
    Common {
        status: "405",
        name: "MethodNotAllowed",
        description: "`request.method_not_allowed`: of another method at this path",
        headers: &[("Allow", "The methods that there are at this path")],
        applies: |_| true,
    },
    Common {
        status: "408",
        name: "TimedOut",
        description: "`request.timeout`, `request.too_slow`: it, or its body, came too slowly, and nothing was done",
        headers: &[RETRY_AFTER],
        applies: |_| true,
    },
    Common {
        status: "413",
        name: "TooLarge",
        description: "`request.too_large`: the body is longer than `server.request_bytes_max`",
        headers: &[],
        applies: |operation| operation.has_body,
    },
    Common {
        status: "415",
        name: "NotJson",
        description: "`request.not_json`: send the body with `Content-Type: application/json`",
        headers: &[],
        applies: |operation| operation.has_body,
    },
    Common {
        status: "422",
        name: "Invalid",
        description: "`request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; \
                      the detail says what would be",
        headers: &[],
        applies: |operation| operation.has_body || operation.has_query || operation.has_key,
    },
    Common {
        status: "429",
        name: "TooMany",
        description: "`request.too_many_unfinished`: of this address; again after `retry_after_ms`",
        headers: &[RETRY_AFTER],
        applies: |_| true,
    },
    Common {
        status: "503",
        name: "Unavailable",
        description: "`engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms`",
        headers: &[RETRY_AFTER],
        applies: |_| true,
    },
];

/// The document with everything that its operations have in common.
pub fn complete(mut document: Value, config: &Config) -> Value {
    let mut components = Map::new();
    for common in &COMMON {
        let headers: Map<String, Value> = common.headers.iter().map(documented).collect();
        let mut answer = json!({ "description": common.description, "content": problem() });
        if !headers.is_empty() {
            answer["headers"] = Value::Object(headers);
        }
        components.insert(common.name.to_owned(), answer);
    }
    document["components"]["responses"] = Value::Object(components);
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                    complete_operation(path, operation, config);
                }
            }
        }
    }
    // A body is not needed where the access token says it all.
    document["paths"]["/auth/logout"]["post"]["requestBody"]["required"] = json!(false);
    bounds::of_bodies(&mut document["components"]["schemas"], config);
    document
}

fn complete_operation(path: &str, operation: &mut Map<String, Value>, config: &Config) {
    let (mut has_query, mut has_key) = (false, false);
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        has_query |= parameter["in"] == "query";
        has_key |= parameter["in"] == "header";
        bounds::of_parameter(parameter, config);
    }
    let is_secured = operation.get("security").and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty());
    let has_body = operation.contains_key("requestBody");
    let what = Operation { is_secured, has_body, has_query, has_path: path.contains('{'), has_key };
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, answer) in responses.iter_mut() {
        if status.starts_with(['4', '5']) {
            answer["content"] = problem();
        } else if answer["description"].as_str().is_none_or(str::is_empty) {
            // A description there must be; the schema has its own.
            answer["description"] = json!("As asked");
        }
    }
    for common in COMMON.iter().filter(|common| (common.applies)(&what)) {
        let reference = json!({ "$ref": format!("#/components/responses/{}", common.name) });
        let Some(own) = responses.get_mut(common.status) else {
            responses.insert(common.status.to_owned(), reference);
            continue;
        };
        let said = own["description"].as_str().unwrap_or_default().to_owned();
        if said != common.description {
            own["description"] = json!(format!("{said}. Also: {}", common.description));
        }
        for header in common.headers {
            let (name, header) = documented(header);
            own["headers"][name] = header;
        }
    }
}

fn problem() -> Value {
    json!({ PROBLEM: { "schema": { "$ref": "#/components/schemas/ProblemBody" } } })
}

fn documented((name, description): &(&str, &str)) -> (String, Value) {
    ((*name).to_owned(), json!({ "description": description, "schema": { "type": "string" } }))
}
