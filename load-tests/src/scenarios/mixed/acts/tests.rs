use std::collections::BTreeSet;

use super::{ACTS, shape};

fn made() -> BTreeSet<String> {
    ACTS.iter().flat_map(|act| act.calls).map(|call| (*call).to_owned()).collect()
}

/// Every call of the HTTP reference and every command of the WebSocket's.
fn offered() -> BTreeSet<String> {
    let openapi = serde_json::to_value(parlance::docs::openapi()).unwrap();
    let paths = openapi["paths"].as_object().unwrap();
    let http = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    });
    let frames = parlance::wire::asyncapi::FRAMES.iter();
    let commands = frames.filter(|frame| frame.from == parlance::wire::asyncapi::From::Client);
    http.chain(commands.map(|frame| frame.kind.to_owned())).collect()
}

#[test]
fn everything_that_the_engine_offers_is_done() {
    let (made, offered) = (made(), offered());
    assert!(offered.len() > 25, "the reference is found: {offered:?}");
    let forgotten: Vec<_> = offered.difference(&made).collect();
    assert!(forgotten.is_empty(), "no act makes these: {forgotten:?}");
    let invented: Vec<_> = made.difference(&offered).collect();
    assert!(invented.is_empty(), "the engine has none of these: {invented:?}");
}

#[test]
fn paths_take_the_shape_of_the_reference() {
    let (room, user) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    assert_eq!(shape(&format!("/api/v1/rooms/{room}/members/{user}?x=1")), "/rooms/{id}/members/{user_id}");
    assert_eq!(shape("/api/v1/users/me"), "/users/me");
    assert_eq!(shape("/api/v1/rooms?limit=50"), "/rooms");
}
