//! The OpenAPI document is whole: whoever adds an endpoint and forgets what a client has to know fails here.

use serde_json::Value;

use super::*;

const PROBLEM: &str = "application/problem+json";

/// Every operation as `(name, path, operation)`.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((format!("{} {path}", method.to_uppercase()), path.clone(), operation.clone()));
        }
    }
    assert!(all.len() > 30, "the walk found only {}", all.len());
    all
}

fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    target.map_or(value, |target| followed(document, target))
}

fn document() -> Value {
    openapi(&Config::defaults().unwrap())
}

#[test]
fn every_error_is_a_problem() {
    let document = document();
    for (name, _, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let answer = followed(&document, answer);
            assert!(answer["description"].is_string(), "{name} {status}");
            if status.starts_with(['4', '5']) {
                let content = answer["content"].as_object().unwrap_or_else(|| panic!("{name} {status}: no content"));
                assert_eq!(content.keys().collect::<Vec<_>>(), [PROBLEM], "{name} {status}");
                assert_eq!(content[PROBLEM]["schema"]["$ref"], "#/components/schemas/ProblemBody", "{name} {status}");
            } else if status != "204" {
                assert!(answer["content"]["application/json"]["schema"].is_object(), "{name} {status}");
            }
        }
    }
}

#[test]
fn every_operation_has_the_errors_that_come_around_its_handler() {
    let document = document();
    for (name, path, operation) in operations(&document) {
        let has = |status: &str| operation["responses"].get(status).is_some();
        let mut wanted = vec!["405", "408", "429", "503"];
        let secured = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
        let needs_none = ["/auth/login", "/auth/options", "/auth/refresh", "/auth/register", "/auth/reset"];
        assert_eq!(secured, !needs_none.contains(&path.as_str()), "{name}: security");
        if secured {
            wanted.extend(["401", "403"]);
        }
        if path.contains('{') {
            wanted.push("404");
        }
        if operation["requestBody"].is_object() {
            wanted.extend(["400", "413", "415", "422"]);
        }
        for status in wanted {
            assert!(has(status), "{name} does not say when it answers {status}");
        }
    }
}

#[test]
fn every_parameter_and_every_field_that_is_sent_has_bounds() {
    let document = document();
    for (name, _, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            check_bounds(&document, &parameter["schema"], &format!("{name} {}", parameter["name"]));
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if body.is_object() {
            let body = followed(&document, body);
            assert_eq!(body["type"], "object", "{name}");
            for (property, schema) in body["properties"].as_object().unwrap() {
                check_bounds(&document, schema, &format!("{name} {property}"));
            }
        }
    }
}

fn check_bounds(document: &Value, schema: &Value, place: &str) {
    let schema = followed(document, schema);
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        check_bounds(document, alternative, place);
    }
    for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
        check_bounds(document, schema, &format!("{place}.{property}"));
    }
    let is = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    };
    let has = |keyword: &str| schema.get(keyword).is_some();
    if is("string") {
        assert!(has("maxLength") || has("enum") || schema["format"] == "uuid", "{place}: {schema}");
    }
    if is("integer") {
        assert!(has("minimum") && has("maximum"), "{place}: {schema}");
    }
    if is("array") {
        assert!(has("maxItems"), "{place}: {schema}");
        check_bounds(document, &schema["items"], place);
    }
}

#[test]
fn every_list_has_the_same_limit_and_cursors() {
    let document = document();
    let mut lists = 0;
    for (name, _, operation) in operations(&document) {
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = followed(&document, answer);
        // A page of the order itself says how far it goes instead of a cursor.
        let is_list = answer["properties"].get("items").is_some();
        if !is_list && answer["properties"].get("events").is_none() {
            continue;
        }
        lists += 1;
        let parameters = operation["parameters"].as_array().unwrap();
        let of = |wanted: &str| parameters.iter().find(|parameter| parameter["name"] == wanted);
        let limit = &of("limit").unwrap_or_else(|| panic!("{name} has no limit"))["schema"];
        assert_eq!(
            (&limit["minimum"], &limit["maximum"], &limit["default"]),
            (&1.into(), &200.into(), &50.into()),
            "{name}"
        );
        assert!(of("after").is_some() && (!is_list || of("before").is_some()), "{name}");
        assert!(operation["responses"].get("422").is_some(), "{name}");
        if is_list {
            assert!(answer["properties"].get("next").is_some(), "{name}");
        }
    }
    assert!(lists >= 10, "{lists}");
}

#[test]
fn the_bounds_are_those_of_the_configuration() {
    let mut config = Config::defaults().unwrap();
    (config.chat.page_items_max, config.chat.name_chars_max) = (77, 33);
    let document = openapi(&config);
    let parameters = document["paths"]["/users"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["schema"]["maximum"], 77);
    assert_eq!(document["components"]["schemas"]["CreateRoom"]["properties"]["name"]["maxLength"], 33);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    for part in document.to_string().split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
