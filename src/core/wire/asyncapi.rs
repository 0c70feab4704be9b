//! The AsyncAPI 3 document of the WebSocket, generated from the types that are really sent and read.
//!
//! Each feature brings the commands that it takes ([`CommandDoc`]) and the frames that it sends by itself ([`FrameDoc`]).
//! A command is an operation whose `reply` is its own answer, or the error. The schemas are plain JSON Schema, as OpenAPI
//! 3.1 uses it, so the client generates its types from both documents with one tool.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::close::CLOSE_CODES;
use super::{Answer, ErrorAnswer};

/// Codes that any command may answer, whichever it is.
pub const COMMON_ERRORS: &[&str] =
    &["protocol.invalid_frame", "protocol.hello_first", "engine.busy", "engine.unavailable", "engine.internal"];

/// Schemas of a document, by name.
pub type Schemas = Map<String, Value>;

/// A command as the document tells it.
pub struct CommandDoc {
    /// Its `type`.
    pub kind: &'static str,
    pub summary: &'static str,
    /// The codes that it may answer beside [`COMMON_ERRORS`].
    pub errors: &'static [&'static str],
    /// The `type` of its answer.
    answer_type: &'static str,
    body: fn(&mut Schemas) -> Value,
    answer: fn(&mut Schemas) -> Value,
}

impl CommandDoc {
    /// Of a command that carries a `B` and is answered by an `A`.
    pub const fn of<B: ToSchema, A: Answer>(
        kind: &'static str,
        summary: &'static str,
        errors: &'static [&'static str],
    ) -> Self {
        Self { kind, summary, errors, answer_type: A::TYPE, body: reference::<B>, answer: reference::<A::Schema> }
    }

    /// The name of its frame among the schemas.
    pub fn name(&self) -> String {
        named(self.kind, "Frame")
    }

    /// The name of its answer's frame among the schemas.
    pub fn answer_name(&self) -> String {
        if self.answer_type == "ok" { named(self.kind, "Ok") } else { named(self.answer_type, "Frame") }
    }
}

/// A frame that the engine sends by itself.
pub struct FrameDoc {
    /// Its `type`.
    pub kind: &'static str,
    pub summary: &'static str,
    /// All of these together are what it carries beside its type.
    pub body: fn(&mut Schemas) -> Vec<Value>,
}

impl FrameDoc {
    /// Of a frame that carries a `B`.
    pub const fn of<B: ToSchema>(kind: &'static str, summary: &'static str) -> Self {
        Self { kind, summary, body: |schemas| vec![reference::<B>(schemas)] }
    }

    /// Its name among the schemas.
    pub fn name(&self) -> String {
        named(self.kind, "Frame")
    }
}

/// `message.post` → `MessagePostFrame`.
fn named(kind: &str, what: &str) -> String {
    let words = kind.split(['.', '_']).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.chain([what.to_owned()]).collect()
}

/// A reference to the schema of `T`, which is added with everything that it refers to.
pub fn reference<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let mut used: Vec<(String, RefOr<Schema>)> = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut used);
    for (name, schema) in used {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    schema_named(&T::name())
}

/// The messages and schemas of a document while it is written.
#[derive(Default)]
struct Parts {
    schemas: Schemas,
    messages: Map<String, Value>,
}

impl Parts {
    /// Adds a frame as a message, under the schema of its whole.
    fn add(&mut self, name: &str, kind: &str, summary: &str, number: Option<&str>, bodies: Vec<Value>) {
        let mut properties = json!({ "type": { "type": "string", "const": kind } });
        let mut message = json!({
            "name": kind, "summary": summary, "contentType": "application/json", "payload": schema_named(name),
        });
        if let Some(number) = number {
            properties[number] = json!({ "type": "integer", "minimum": 1 });
            message["correlationId"] = json!({ "location": format!("$message.payload#/{number}") });
        }
        let envelope = json!({ "type": "object", "required": ["type"], "properties": properties });
        let all: Vec<Value> = std::iter::once(envelope).chain(bodies).collect();
        self.schemas.insert(name.to_owned(), json!({ "description": summary, "allOf": all }));
        self.messages.insert(name.to_owned(), message);
    }
}

/// The document of these commands and frames.
pub fn document(commands: &[&CommandDoc], frames: &[&FrameDoc]) -> Value {
    let mut parts = Parts::default();
    let mut operations = Map::new();
    for command in commands {
        let (body, answer) = ((command.body)(&mut parts.schemas), (command.answer)(&mut parts.schemas));
        parts.add(&command.name(), command.kind, command.summary, Some("id"), vec![body]);
        let answers = format!("Answer to {}", command.kind);
        parts.add(&command.answer_name(), command.answer_type, &answers, Some("re"), vec![answer]);
        operations.insert(command.kind.to_owned(), operation(command));
    }
    let error = reference::<ErrorAnswer>(&mut parts.schemas);
    let says = "Answer to a command that failed, and whether to try again";
    parts.add("ErrorFrame", "error", says, Some("re"), vec![error]);
    for frame in frames {
        let bodies = (frame.body)(&mut parts.schemas);
        parts.add(&frame.name(), frame.kind, frame.summary, None, bodies);
    }
    let heard = frames.iter().map(|frame| message_named(&frame.name())).collect::<Vec<_>>();
    operations.insert(
        "hear".to_owned(),
        json!({ "action": "send", "summary": "What the engine tells by itself", "channel": channel(), "messages": heard }),
    );
    add_unions(&mut parts.schemas, commands, frames);
    let Parts { schemas, messages } = parts;
    let in_channel: Map<String, Value> = messages
        .keys()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parlance realtime", "version": env!("CARGO_PKG_VERSION"), "description": description(),
        },
        "defaultContentType": "application/json",
        "channels": { "session": { "address": "/api/v1/ws", "messages": in_channel } },
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// A command, and what it is answered with.
fn operation(command: &CommandDoc) -> Value {
    let answers = [command.answer_name(), "ErrorFrame".to_owned()].map(|name| message_named(&name));
    let errors: Vec<&str> = command.errors.iter().chain(COMMON_ERRORS).copied().collect();
    json!({
        "action": "receive",
        "summary": command.summary,
        "channel": channel(),
        "messages": [message_named(&command.name())],
        "reply": { "channel": channel(), "messages": answers },
        "x-error-codes": errors,
    })
}

/// The schemas of whatever a client says, and of whatever it hears. An `ok` is told by its `re`, so it is any of them.
fn add_unions(schemas: &mut Schemas, commands: &[&CommandDoc], frames: &[&FrameDoc]) {
    let refs = |names: Vec<String>| names.iter().map(|name| schema_named(name)).collect::<Vec<_>>();
    let (oks, others): (Vec<&&CommandDoc>, Vec<&&CommandDoc>) =
        commands.iter().partition(|command| command.answer_type == "ok");
    let said = refs(commands.iter().map(|command| command.name()).collect());
    let oks = refs(oks.iter().map(|command| command.answer_name()).collect());
    let mut heard: Vec<String> = others.iter().map(|command| command.answer_name()).collect();
    heard.extend(["OkFrame".to_owned(), "ErrorFrame".to_owned()]);
    heard.extend(frames.iter().map(|frame| frame.name()));
    let heard = refs(heard);
    schemas.insert("ClientFrame".into(), json!({ "oneOf": said }));
    let ok = "Answer to a command that succeeded: which one, its re says";
    schemas.insert("OkFrame".into(), json!({ "description": ok, "anyOf": oks }));
    schemas.insert("ServerFrame".into(), json!({ "oneOf": heard }));
}

fn description() -> String {
    let codes: Vec<String> = CLOSE_CODES.iter().map(|close| format!("- {}: {}", close.code, close.reason)).collect();
    format!(
        "Text frames, one JSON object each, with a `type`. Unknown fields are ignored; an unknown type is answered with \
         an error. Each operation that receives is a command, with the answer that is its own; `x-error-codes` are the \
         codes that it may be refused with. Durable events carry `room_id` and `seq`; per room, `seq` rises by exactly \
         one.\n\nClose codes 4000 to 4499 mean: reconnect; 4500 to 4999: do not, or (4500) not with the same \
         token.\n\n{}",
        codes.join("\n")
    )
}

fn channel() -> Value {
    json!({ "$ref": "#/channels/session" })
}

fn message_named(name: &str) -> Value {
    json!({ "$ref": format!("#/channels/session/messages/{name}") })
}

fn schema_named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::super::{Empty, Heartbeat};
    use super::*;

    #[test]
    fn frames_are_named_after_their_kind() {
        let command = CommandDoc::of::<Empty, Empty>("room.catch_up", "", &[]);
        assert_eq!((command.name(), command.answer_name()), ("RoomCatchUpFrame".into(), "RoomCatchUpOk".into()));
        assert_eq!(FrameDoc::of::<Heartbeat>("heartbeat", "").name(), "HeartbeatFrame");
    }

    #[test]
    fn each_command_is_an_operation_with_its_own_reply() {
        let (one, other) = (
            CommandDoc::of::<Empty, Empty>("a.one", "One", &["a.wrong"]),
            CommandDoc::of::<Empty, Empty>("b", "", &[]),
        );
        let document = document(&[&one, &other], &[]);
        let operation = &document["operations"]["a.one"];
        assert_eq!(operation["reply"]["messages"][0]["$ref"], "#/channels/session/messages/AOneOk");
        assert_eq!(operation["x-error-codes"][0], "a.wrong");
        assert!(document["components"]["schemas"]["OkFrame"]["anyOf"].as_array().is_some_and(|any| any.len() == 2));
    }
}
