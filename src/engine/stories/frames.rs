//! What is said on a socket is what the AsyncAPI document says: every command, good and refused, and every frame that comes
//! by itself, each held to its own schema, and nothing in it that the schema does not name.

use std::collections::BTreeSet;
use std::rc::Rc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::rooms::config::Strangers;
use crate::testing::{Document, TestApp, WsClient};

/// The document, and what of it was met.
struct Contract {
    document: Document,
}

impl Contract {
    /// The schema of an operation's message, and the `type` of it.
    fn message<'a>(&'a self, reference: &'a Value) -> (String, &'a Value) {
        let message = self.document.followed(reference);
        (message["name"].as_str().unwrap().to_owned(), &message["payload"])
    }

    /// Holds an answer to the command that it is for.
    fn check_answer(&self, kind: &str, answer: &Value) {
        let operation = &self.document.whole["operations"][kind];
        let replies: Vec<_> = operation["reply"]["messages"].as_array().unwrap().iter().collect();
        let (_, schema) = replies
            .iter()
            .map(|reference| self.message(reference))
            .find(|(name, _)| answer["type"] == name.as_str())
            .unwrap_or_else(|| panic!("{kind} is not answered so: {answer}"));
        let faults = self.document.faults(schema, answer);
        assert!(faults.is_empty(), "{kind}: {faults:?} in {answer}");
        let faults = self.document.faults_by_name("ServerFrame", answer);
        assert!(faults.is_empty(), "{kind}: {faults:?} in {answer}");
        if answer["type"] == "error" {
            let codes = operation["x-error-codes"].as_array().unwrap();
            assert!(codes.contains(&answer["code"]), "{kind} is refused with {answer}, undocumented");
        }
        for event in answer["events"].as_array().into_iter().flatten() {
            self.check_event(event);
        }
    }

    /// Holds a frame that came by itself to its own schema; its `type`.
    fn check_event(&self, frame: &Value) -> String {
        let kinds = self.document.whole["operations"]["hear"]["messages"].as_array().unwrap();
        let found = kinds.iter().map(|kind| self.message(kind)).find(|(name, _)| frame["type"] == name.as_str());
        let (name, schema) = found.unwrap_or_else(|| panic!("undocumented: {frame}"));
        let faults = self.document.faults(schema, frame);
        assert!(faults.is_empty(), "{name}: {faults:?} in {frame}");
        let faults = self.document.faults_by_name("ServerFrame", frame);
        assert!(faults.is_empty(), "{name}: {faults:?} in {frame}");
        name
    }

    /// What is to be met: each command answered and refused, and each frame.
    fn all(&self) -> BTreeSet<String> {
        let operations = self.document.whole["operations"].as_object().unwrap();
        let commands = operations.iter().filter(|(_, operation)| operation["action"] == "receive");
        let mut all: BTreeSet<String> =
            commands.flat_map(|(kind, _)| [kind.clone(), format!("{kind} refused")]).collect();
        // There is nothing that a ping could be refused for, but a wrong id, which no command is.
        all.remove("ping refused");
        let frames = operations["hear"]["messages"].as_array().unwrap();
        all.extend(frames.iter().map(|frame| self.message(frame).0));
        all
    }
}

/// A socket of which every frame is held to the document.
struct Ear {
    socket: WsClient,
    contract: Rc<Contract>,
    met: BTreeSet<String>,
}

impl Ear {
    async fn open(app: &TestApp, contract: &Rc<Contract>) -> Self {
        let socket = WsClient::open(&app.base).await;
        Self { socket, contract: Rc::clone(contract), met: BTreeSet::new() }
    }

    /// Sends a command and returns its answer.
    async fn ask(&mut self, command: Value) -> Value {
        let kind = command["type"].as_str().unwrap().to_owned();
        let faults = self.contract.document.faults_by_name("ClientFrame", &command);
        let id = self.socket.send(command).await;
        loop {
            let frame = self.socket.frame().await.unwrap();
            if frame["re"] == json!(id) {
                self.contract.check_answer(&kind, &frame);
                let is_refused = frame["type"] == "error";
                assert!(is_refused || faults.is_empty(), "{kind} was done and is not as documented: {faults:?}");
                self.met.insert(if is_refused { format!("{kind} refused") } else { kind });
                return frame;
            }
            self.hear(&frame);
        }
    }

    fn hear(&mut self, frame: &Value) {
        self.met.insert(self.contract.check_event(frame));
    }

    /// Listens until it has heard each of these.
    async fn until(&mut self, kinds: &[&str]) {
        while !kinds.iter().all(|kind| self.met.contains(*kind)) {
            let frame = self.socket.frame().await.unwrap();
            self.hear(&frame);
        }
    }
}

#[actix_rt::test]
async fn every_frame_is_as_the_document_says() {
    let app = TestApp::with(|config| {
        config.chat.strangers = Strangers::Invite;
        // A page of the past is more than may wait for a socket.
        config.sessions.outbox_bytes_max = 65_536;
        config.sessions.outbox_bytes_limit = 67_108_864;
        // However long a busy machine takes is not what ends a socket here.
        config.sessions.stalled_socket_ms = 600_000;
        config.sessions.heartbeat_ms = 600_000;
    })
    .await;
    let (status, text) = app.page("/docs/asyncapi.json").await;
    assert_eq!(status, 200);
    let contract = Rc::new(Contract { document: Document::of(&text) });
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (mut one, mut other) = (Ear::open(&app, &contract).await, Ear::open(&app, &contract).await);

    for kind in ["message.post", "message.edit", "message.delete", "room.catch_up", "receipt.mark", "auth.renew"] {
        let early = one.ask(json!({ "type": kind })).await;
        assert_eq!(early["code"], "protocol.invalid_frame");
    }
    assert_eq!(one.ask(json!({ "type": "auth.renew", "token": "x" })).await["code"], "protocol.hello_first");
    one.ask(json!({ "type": "hello", "token": ada.token, "device": { "id": "d", "name": "Laptop" } })).await;
    let resume = json!({ "0190a000-0000-7000-8000-000000000000": 3, "nonsense": 1 });
    let ready = other.ask(json!({ "type": "hello", "token": ben.token, "resume": resume })).await;
    assert_eq!(ready["resume_refused"].as_array().unwrap().len(), 2);
    let again = other.ask(json!({ "type": "hello", "token": ben.token })).await;
    assert_eq!(again["code"], "protocol.already_greeted");
    other.ask(json!({ "type": "ping", "later": true })).await;

    let group = json!({ "kind": "group", "name": "test", "topic": "t", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(group)).await["id"].as_str().unwrap().to_owned();
    other.until(&["invitation.updated"]).await;
    let asked = app.ok(Method::GET, "/invitations", &ben, None).await;
    let accept = format!("/invitations/{}/accept", asked["items"][0]["id"].as_str().unwrap());
    app.ok(Method::POST, &accept, &ben, None).await;
    other.until(&["room.joined"]).await;
    one.until(&["member.added"]).await;

    let post = |content: &str, reply_to: Value| {
        json!({ "type": "message.post", "room_id": room, "client_id": content, "content": content, "kind": "text",
                "parts": [{ "type": "x", "deep": [{}] }], "reply_to": reply_to })
    };
    let first = one.ask(post("hello", Value::Null)).await;
    one.ask(post("hello", Value::Null)).await;
    other.ask(post("yes", first["message_id"].clone())).await;
    let nowhere = one.ask(post("no", json!("0190a000-0000-7000-8000-000000000000"))).await;
    assert_eq!(nowhere["code"], "chat.reply_not_found");
    let about = |kind: &str, client_id: &str, message: &Value| {
        json!({ "type": kind, "room_id": room, "client_id": client_id, "message_id": message, "content": "other words",
                "parts": [{ "type": "y" }] })
    };
    for (kind, told) in [("message.edit", "message.edited"), ("message.delete", "message.deleted")] {
        let done = one.ask(about(kind, kind, &first["message_id"])).await;
        assert_eq!(one.ask(about(kind, kind, &first["message_id"])).await["seq"], done["seq"]);
        let refused = other.ask(about(kind, kind, &first["message_id"])).await;
        assert_eq!(refused["code"], "message.not_yours");
        other.until(&[told]).await;
        let nothing = one.ask(about(kind, "nothing", &json!("0190a000-0000-7000-8000-000000000000"))).await;
        assert_eq!(nothing["code"], "chat.message_not_found");
    }
    let mark = |seq: i64| json!({ "type": "receipt.mark", "room_id": room, "delivered_seq": seq, "read_seq": seq });
    other.ask(mark(2)).await;
    one.until(&["receipt.updated", "message.posted"]).await;
    one.ask(json!({ "type": "room.catch_up", "room_id": room, "after": 0, "limit": 2 })).await;
    let ahead = one.ask(json!({ "type": "room.catch_up", "room_id": room, "after": 1_000 })).await;
    assert_eq!(ahead["code"], "chat.ahead");
    one.ask(json!({ "type": "auth.renew", "token": app.refreshed(&ada).await.token })).await;
    assert_eq!(one.ask(json!({ "type": "auth.renew", "token": ben.token })).await["code"], "auth.another_user");

    let path = format!("/rooms/{room}");
    app.ok(Method::PATCH, &path, &ada, Some(json!({ "name": "another", "topic": "" }))).await;
    let member = format!("{path}/members/{}", ben.id);
    app.ok(Method::PATCH, &member, &ada, Some(json!({ "role": "admin" }))).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let space = format!("/spaces/{}", space["id"].as_str().unwrap());
    app.ok(Method::POST, &format!("{space}/members"), &ada, Some(json!({ "user_id": ben.id }))).await;
    other.until(&["space.joined"]).await;
    app.ok(Method::PATCH, &space, &ada, Some(json!({ "name": "Port" }))).await;
    other.until(&["space.updated"]).await;
    app.ok(Method::DELETE, &format!("{space}/members/{}", ben.id), &ada, None).await;
    other.until(&["space.left"]).await;
    // Who reads nothing for a while has their backlog shed.
    flood(&mut one, &room).await;
    other.until(&["room.lagged", "room.updated", "member.role_changed"]).await;
    one.ask(json!({ "type": "room.catch_up", "room_id": room, "after": 0 })).await;
    app.ok(Method::DELETE, &member, &ben, None).await;
    one.until(&["member.removed"]).await;
    assert_eq!(other.ask(mark(3)).await["code"], "chat.room_not_found");

    let mut met: BTreeSet<String> = one.met.union(&other.met).cloned().collect();
    met.extend(heartbeat(&contract).await);
    let never: Vec<String> = contract.all().difference(&met).cloned().collect();
    assert!(never.is_empty(), "the story does not meet {never:?}");
}

/// What is heard on a socket where nobody says anything.
async fn heartbeat(contract: &Rc<Contract>) -> BTreeSet<String> {
    let app = TestApp::with(|config| config.sessions.heartbeat_ms = 1_000).await;
    let ada = app.sign_up("ada").await;
    let mut ear = Ear::open(&app, contract).await;
    ear.ask(json!({ "type": "hello", "token": ada.token })).await;
    ear.until(&["heartbeat"]).await;
    ear.met
}

/// More than the buffers on the way to a socket take up.
async fn flood(ear: &mut Ear, room: &str) {
    let content = "x".repeat(30_000);
    for n in 0..400 {
        let client_id = format!("flood {n}");
        ear.ask(json!({ "type": "message.post", "room_id": room, "client_id": client_id, "content": content })).await;
    }
}
