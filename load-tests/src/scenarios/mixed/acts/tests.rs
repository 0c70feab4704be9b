use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Call, question};
use super::{ACTS, shape};

/// Every call and every command that acts make, and each of their fields behind it.
fn made() -> BTreeSet<String> {
    let calls = ACTS.iter().flat_map(|act| act.calls);
    let with_fields = calls.flat_map(|call| {
        let fields = call.fields.split_whitespace().map(|field| format!("{} {field}", call.name));
        fields.chain([call.name.to_owned()])
    });
    with_fields.collect()
}

/// The same of the HTTP reference and the WebSocket's.
fn offered() -> BTreeSet<String> {
    let mut offered = BTreeSet::new();
    let mut offer = |name: &str, fields: Vec<String>| {
        offered.insert(name.to_owned());
        offered.extend(fields.into_iter().map(|field| format!("{name} {field}")));
    };
    let http = parlance::docs::openapi(&parlance::config::Config::defaults().unwrap());
    for (path, methods) in http["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            let asked = call["parameters"].as_array().into_iter().flatten().filter(|asked| asked["in"] == "query");
            let mut fields: Vec<String> = asked.map(|asked| asked["name"].as_str().unwrap().to_owned()).collect();
            fields.extend(fields_of(&http, &call["requestBody"]["content"]["application/json"]["schema"], ""));
            offer(&format!("{} {path}", method.to_uppercase()), fields);
        }
    }
    let frames = parlance::protocol::document();
    for command in parlance::protocol::protocol().commands() {
        let mut fields = fields_of(&frames, &frames["components"]["schemas"][command.name()], "");
        // These every frame has.
        fields.retain(|field| field != "type" && field != "id");
        offer(command.kind, fields);
    }
    offered
}

/// The fields of a schema: of an enumeration each value, of an object each field, as [`Call::fields`] has them.
fn fields_of(document: &Value, schema: &Value, name: &str) -> Vec<String> {
    if let Some(pointer) = schema["$ref"].as_str() {
        let schema = document.pointer(pointer.trim_start_matches('#'));
        return fields_of(document, schema.unwrap_or_else(|| panic!("{pointer} is not there")), name);
    }
    let mut found = Vec::new();
    for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|of| schema[*of].as_array()).flatten() {
        found.extend(fields_of(document, part, name));
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        found.push(format!("{name}={}", value.as_str().unwrap()));
    }
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        let inside = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
        found.extend(fields_of(document, schema, &inside));
    }
    if found.is_empty() && !name.is_empty() && schema["type"] != "null" {
        found.push(name.to_owned());
    }
    found
}

#[test]
fn everything_that_the_engine_offers_is_done() {
    let (made, offered) = (made(), offered());
    assert!(offered.len() > 90, "the reference is found: {offered:?}");
    let forgotten: Vec<_> = offered.difference(&made).collect();
    assert!(forgotten.is_empty(), "no act makes or sends these: {forgotten:?}");
    let invented: Vec<_> = made.difference(&offered).collect();
    assert!(invented.is_empty(), "the engine has none of these: {invented:?}");
}

#[test]
fn an_act_sends_what_it_says_and_nothing_else() {
    let call = Call { name: "POST /rooms", fields: "name kind=group device.id" };
    let filled = |body: Value| call.filled(&body).map(|fields| fields.into_iter().collect::<BTreeSet<_>>());
    let all = json!({ "name": null, "kind": "group", "device": { "id": "1" } });
    assert_eq!(filled(all).unwrap(), BTreeSet::from(["device.id", "kind=group", "name"]));
    assert!(filled(Value::Null).unwrap().is_empty());
    for wrong in [json!({ "topic": "" }), json!({ "kind": "direct" }), json!({ "device": { "name": "1" } })] {
        assert!(filled(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!(question("/api/v1/users?query=-17&limit=50"), json!({ "query": null, "limit": null }));
    assert_eq!(question("/api/v1/users"), json!({}));
}

#[test]
fn paths_take_the_shape_of_the_reference() {
    let (room, user) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    assert_eq!(shape(&format!("/api/v1/rooms/{room}/members/{user}?x=1")), "/rooms/{id}/members/{party}");
    assert_eq!(shape(&format!("/api/v1/rooms/{room}/members/team:{user}")), "/rooms/{id}/members/{party}");
    assert_eq!(shape(&format!("/api/v1/spaces/{room}/members/{user}")), "/spaces/{id}/members/{user_id}");
    assert_eq!(shape(&format!("/api/v1/rooms/{room}/messages/{user}")), "/rooms/{id}/messages/{message_id}");
    assert_eq!(shape("/api/v1/users/me"), "/users/me");
    assert_eq!(shape("/api/v1/rooms?limit=50"), "/rooms");
}
