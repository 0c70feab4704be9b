//! The bounds of what clients send, as JSON Schema: those of the configuration, and those that the code has.
//!
//! Characters, where the engine counts bytes: a text of fewer characters may have too many bytes, and is refused as well.

use serde_json::{Value, json};

use crate::accounts::input;
use crate::config::Config;

/// What administrators ask for by a word; more characters find nothing.
const NAMES_ASKED_FOR: [(&str, usize); 3] = [("state", 16), ("kind", 100), ("scope", 100)];

/// The longest kind of party, a colon, an id, and a comma in a list of several.
const PARTY_CHARS_MAX: usize = 7 + 1 + 36 + 1;

/// Writes the bounds of a parameter. In a query nothing is null: what is optional is left out.
pub fn of_parameter(parameter: &mut Value, config: &Config) {
    let (name, is_query) = (parameter["name"].as_str().unwrap_or_default().to_owned(), parameter["in"] == "query");
    let schema = &mut parameter["schema"];
    if name == "party" {
        schema["maxLength"] = json!(PARTY_CHARS_MAX);
    }
    if is_query {
        if let Some(kind) =
            schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null")).cloned()
        {
            schema["type"] = kind;
        }
        if name == "ids" {
            schema["maxLength"] = json!(config.parties.profiles_max * PARTY_CHARS_MAX);
        } else if name == "limit" {
            schema["minimum"] = json!(1);
            schema["maximum"] = json!(config.chat.page_items_max);
            schema["default"] = json!(config.chat.page_items_default);
        } else if let Some(max) = NAMES_ASKED_FOR.iter().find(|(asked, _)| *asked == name).map(|(_, max)| max) {
            schema["maxLength"] = json!(max);
        } else if schema["type"] == "integer" {
            // A place in an order: any number is one, though there may be nothing.
            schema["minimum"] = json!(i64::MIN);
            schema["maximum"] = json!(i64::MAX);
        }
    }
}

/// Writes the bounds of the properties of request bodies.
pub fn of_bodies(schemas: &mut Value, config: &Config) {
    let (chat, parties, password_min) = (&config.chat, &config.parties, config.auth.password_chars_min);
    let text = |min: usize, max: usize| json!({ "minLength": min, "maxLength": max });
    let name = || text(0, chat.name_chars_max);
    let topic = || text(0, chat.topic_chars_max);
    let client_id = || text(1, chat.client_id_bytes_max);
    let new_password = || text(password_min, input::PASSWORD_BYTES_MAX);
    let given_password = || text(0, input::PASSWORD_BYTES_MAX);
    let secret = || json!({ "minLength": 43, "maxLength": 43, "pattern": "^[A-Za-z0-9_-]+$" });
    let device = |max| text(1, max);
    let bounded = [
        ("CreateRoom", "client_id", client_id()),
        ("CreateRoom", "name", name()),
        ("CreateRoom", "topic", topic()),
        ("CreateRoom", "member_ids", json!({ "maxItems": chat.members_max })),
        ("UpdateRoom", "name", name()),
        ("UpdateRoom", "topic", topic()),
        ("CreateSpace", "client_id", client_id()),
        ("CreateSpace", "name", text(1, chat.name_chars_max)),
        ("CreateSpace", "topic", topic()),
        ("UpdateSpace", "name", text(1, chat.name_chars_max)),
        ("UpdateSpace", "topic", topic()),
        ("PostMessageBody", "client_id", client_id()),
        ("PostMessageBody", "kind", json!({ "maxLength": 5, "pattern": "^(text|media)$" })),
        ("PostMessageBody", "content", text(0, chat.content_bytes_max)),
        // As JSON they are part of the content: `[{},{}]` has three bytes an item, and one.
        ("PostMessageBody", "parts", json!({ "maxItems": chat.content_bytes_max.saturating_sub(1) / 3 })),
        ("EditMessageBody", "client_id", client_id()),
        ("EditMessageBody", "content", text(0, chat.content_bytes_max)),
        ("EditMessageBody", "parts", json!({ "maxItems": chat.content_bytes_max.saturating_sub(1) / 3 })),
        ("PostNotice", "client_id", client_id()),
        ("PostNotice", "content", text(1, chat.content_bytes_max)),
        ("CreateTeam", "client_id", text(1, parties.client_id_bytes_max)),
        ("CreateTeam", "name", text(1, parties.name_chars_max)),
        ("CreateTeam", "description", text(0, parties.description_chars_max)),
        ("UpdateTeam", "name", text(1, parties.name_chars_max)),
        ("UpdateTeam", "description", text(0, parties.description_chars_max)),
        ("SecretValue", "value", text(1, config.vault.secret_bytes_max)),
        ("Login", "login", text(1, input::EMAIL_BYTES_MAX)),
        ("Login", "password", given_password()),
        (
            "Registration",
            "username",
            json!({ "minLength": input::USERNAME_CHARS_MIN, "maxLength": input::USERNAME_CHARS_MAX, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }),
        ),
        ("Registration", "email", json!({ "minLength": 3, "maxLength": input::EMAIL_BYTES_MAX, "pattern": "@" })),
        ("Registration", "password", new_password()),
        ("Registration", "full_name", text(1, input::FULL_NAME_CHARS_MAX)),
        ("Refresh", "refresh_token", secret()),
        ("Logout", "refresh_token", text(1, input::TOKEN_CHARS_MAX)),
        ("Reset", "token", secret()),
        ("Reset", "new_password", new_password()),
        ("PasswordChange", "current_password", given_password()),
        ("PasswordChange", "new_password", new_password()),
        ("Device", "id", device(input::DEVICE_ID_CHARS_MAX)),
        ("Device", "name", device(input::DEVICE_NAME_CHARS_MAX)),
        ("ProfilePatch", "full_name", text(1, input::FULL_NAME_CHARS_MAX)),
        ("ProfilePatch", "status_message", text(1, input::STATUS_MESSAGE_CHARS_MAX)),
        ("ProfilePatch", "avatar_url", text(1, input::AVATAR_URL_BYTES_MAX)),
        ("ProfilePatch", "phone", json!({ "minLength": 8, "maxLength": 32, "pattern": "^[+()0-9 ./-]+$" })),
    ];
    for (schema, property, bounds) in bounded {
        let property = &mut schemas[schema]["properties"][property];
        if let (Some(property), Value::Object(bounds)) = (property.as_object_mut(), bounds) {
            // What is absent stays as it is: there is no default.
            property.remove("default");
            property.extend(bounds);
        }
    }
}
