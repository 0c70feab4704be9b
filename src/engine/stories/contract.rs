//! What is answered is what the OpenAPI document says: a story that meets every operation, each answer held to its schema,
//! and nothing in it that the schema does not name.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::rooms::config::Strangers;
use crate::testing::{Document, PASSWORD, Person, TestApp};
use crate::vault::{By, Secret, SecretName};

/// An engine, its document, and the operations that were answered with success.
struct Contract {
    app: TestApp,
    document: Document,
    met: BTreeSet<String>,
}

impl Contract {
    async fn start() -> Self {
        let app = TestApp::with(|config| config.chat.strangers = Strangers::Invite).await;
        let (status, text) = app.page("/docs/openapi.json").await;
        assert_eq!(status, 200);
        Self { app, document: Document::of(&text), met: BTreeSet::new() }
    }

    /// Calls the operation (`GET /rooms/{id}`) with these ids in its path, in order, and what may follow a `?`; the answer
    /// must have this status, and be as the document says.
    async fn call(
        &mut self,
        by: Option<&Person>,
        operation: &str,
        ids: &[&str],
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let (operation, query) = operation
            .split_once('?')
            .map_or((operation, String::new()), |(operation, query)| (operation, format!("?{query}")));
        let (method, template) = operation.split_once(' ').unwrap();
        let path = ids.iter().fold(template.to_owned(), |path, id| {
            let (begin, end) = (path.find('{').unwrap(), path.find('}').unwrap());
            format!("{}{id}{}", &path[..begin], &path[end + 1..])
        });
        let method: Method = method.parse().unwrap();
        let url = format!("{}/api/v1{path}{query}", self.app.base);
        let mut request = self.app.http.request(method.clone(), url);
        if let Some(person) = by {
            request = request.bearer_auth(&person.token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let answered = response.status().as_u16();
        let media_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        assert_eq!(answered, status, "{operation}: {answer}");
        self.check(operation, &method, template, answered, media_type.as_deref(), &answer);
        if answered < 300 {
            self.met.insert(operation.to_owned());
        }
        answer
    }

    fn check(
        &self,
        operation: &str,
        method: &Method,
        template: &str,
        status: u16,
        media_type: Option<&str>,
        answer: &Value,
    ) {
        let pointer = format!(
            "/paths/{}/{}/responses/{status}",
            template.replace('/', "~1"),
            method.as_str().to_ascii_lowercase()
        );
        let documented = self.document.whole.pointer(&pointer);
        let documented =
            self.document.followed(documented.unwrap_or_else(|| panic!("{operation} answers {status}, undocumented")));
        let Some(content) = documented["content"].as_object() else {
            assert_eq!((answer, media_type), (&Value::Null, None), "{operation} {status}");
            return;
        };
        let schema = content.get(media_type.unwrap_or_default());
        let schema = schema.unwrap_or_else(|| panic!("{operation} answers {status} with {media_type:?}"));
        let faults = self.document.faults(&schema["schema"], answer);
        assert!(faults.is_empty(), "{operation} {status}: {faults:?} in {answer}");
    }
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

#[actix_rt::test]
async fn every_operation_answers_as_the_document_says() {
    let mut api = Contract::start().await;
    let absent = "0190a000-0000-7000-8000-000000000000";
    accounts(&mut api, absent).await;
    let (ada, ben, cleo) = (api.app.sign_in("ada").await, api.app.sign_up("ben").await, api.app.sign_up("cleo").await);
    invitations(&mut api, &ada, &ben, &cleo).await;
    spaces(&mut api, &ada, &ben, &cleo, absent).await;
    rooms(&mut api, &ada, &ben, &cleo, absent).await;
    parties(&mut api, &ada, &ben, absent).await;
    administration(&mut api, &ada, absent).await;
    let all: BTreeSet<String> = crate::docs::methods()
        .into_iter()
        .flat_map(|(path, methods)| methods.into_iter().map(move |method| format!("{} {path}", method.to_uppercase())))
        .collect();
    let never: Vec<&String> = all.difference(&api.met).collect();
    assert!(never.is_empty(), "the story does not meet {never:?}");
}

async fn accounts(api: &mut Contract, absent: &str) {
    api.call(None, "GET /auth/options", &[], None, 200).await;
    let email = "ada@example.com";
    let body =
        json!({ "username": "ada", "email": email, "password": PASSWORD, "device": { "id": "d1", "name": "Laptop" } });
    let answer = api.call(None, "POST /auth/register", &[], Some(body.clone()), 201).await;
    let ada = Person::of(&answer);
    api.call(None, "POST /auth/register", &[], Some(body), 409).await;
    api.call(None, "POST /auth/login", &[], Some(json!({ "login": "ada" })), 422).await;
    api.call(None, "POST /auth/login", &[], Some(json!({ "login": "ada", "password": "wrong one" })), 401).await;
    let login = json!({ "login": "ada", "password": PASSWORD });
    let desk = Person::of(&api.call(None, "POST /auth/login", &[], Some(login.clone()), 200).await);
    let refresh = json!({ "refresh_token": desk.refresh_token });
    let desk = Person::of(&api.call(None, "POST /auth/refresh", &[], Some(refresh), 200).await);
    api.call(None, "GET /users/me", &[], None, 401).await;
    api.call(Some(&ada), "GET /users/me", &[], None, 200).await;
    let profile =
        json!({ "full_name": "Ada", "phone": "+4930123456", "status_message": "here", "preferences": { "a": [1] } });
    api.call(Some(&ada), "PATCH /users/me", &[], Some(profile), 200).await;
    api.call(Some(&ada), "GET /users/{id}", &[&ada.id], None, 200).await;
    api.call(Some(&ada), "GET /users/{id}", &[absent], None, 404).await;
    api.call(Some(&ada), "GET /users?query=ad&limit=1", &[], None, 200).await;
    api.call(Some(&ada), "GET /users?limit=0", &[], None, 422).await;
    let devices = api.call(Some(&ada), "GET /users/me/devices?limit=1", &[], None, 200).await;
    let next = devices["next"].as_str().unwrap().to_owned();
    api.call(Some(&ada), &format!("GET /users/me/devices?after={next}"), &[], None, 200).await;
    api.call(Some(&ada), "DELETE /users/me/devices/{id}", &[&id(&devices["items"][0])], None, 204).await;
    api.call(Some(&desk), "GET /users/me", &[], None, 401).await;
    api.call(Some(&ada), "DELETE /users/me/devices/{id}", &[absent], None, 404).await;
    let passwords = json!({ "current_password": PASSWORD, "new_password": "another one" });
    api.call(Some(&ada), "PUT /users/me/password", &[], Some(passwords), 204).await;
    api.call(Some(&ada), "POST /admin/users/{id}/reset-link", &[&ada.id], None, 403).await;
    api.app.engine().auth.set_role("ada", crate::accounts::UserRole::Admin).await.unwrap();
    let link = api.call(Some(&ada), "POST /admin/users/{id}/reset-link", &[&ada.id], None, 201).await;
    let reset = json!({ "token": link["token"], "new_password": PASSWORD });
    api.call(None, "POST /auth/reset", &[], Some(reset.clone()), 204).await;
    api.call(None, "POST /auth/reset", &[], Some(reset), 403).await;
    let again = Person::of(&api.call(None, "POST /auth/login", &[], Some(login), 200).await);
    api.call(Some(&again), "POST /auth/logout", &[], None, 204).await;
    api.call(None, "POST /auth/logout", &[], None, 401).await;
}

async fn administration(api: &mut Contract, ada: &Person, absent: &str) {
    let dead = uuid::Uuid::now_v7();
    api.app
        .sql(&format!(
            "INSERT INTO jobs (id, kind, payload, run_at, created_at, dead_at, last_error)
             VALUES ('{dead}', 'test.nobody_runs_it', 'null', now(), now(), now(), 'no')"
        ))
        .await;
    api.call(Some(ada), "GET /admin/jobs?state=dead&limit=1", &[], None, 200).await;
    api.call(Some(ada), "GET /admin/jobs?state=alive", &[], None, 422).await;
    api.call(Some(ada), "POST /admin/jobs/{id}/retry", &[&dead.to_string()], None, 204).await;
    api.call(Some(ada), "DELETE /admin/jobs/{id}", &[&dead.to_string()], None, 409).await;
    api.app.sql("UPDATE jobs SET dead_at = now() WHERE kind = 'test.nobody_runs_it'").await;
    api.call(Some(ada), "DELETE /admin/jobs/{id}", &[&dead.to_string()], None, 204).await;
    api.call(Some(ada), "DELETE /admin/jobs/{id}", &[absent], None, 404).await;
    let (name, by) = (SecretName::new("ai.provider", "one").unwrap(), By::Engine("ai.providers"));
    let made = api.app.engine().vault.put(&name, "One", &Secret::from("hunter2".to_owned()), &by).await.unwrap();
    let secret = made.id.to_string();
    api.call(Some(ada), "GET /admin/secrets?scope=ai.provider", &[], None, 200).await;
    let replace = "PUT /admin/secrets/{id}";
    api.call(Some(ada), replace, &[&secret], Some(json!({ "value": "hunter3" })), 200).await;
    api.call(Some(ada), replace, &[&secret], Some(json!({ "value": "" })), 422).await;
    api.call(Some(ada), "DELETE /admin/secrets/{id}", &[&secret], None, 204).await;
    api.call(Some(ada), replace, &[&secret], Some(json!({ "value": "hunter3" })), 404).await;
}

async fn invitations(api: &mut Contract, ada: &Person, ben: &Person, cleo: &Person) {
    let direct = json!({ "kind": "direct", "member_ids": [ben.id] });
    let made = api.call(Some(ada), "POST /rooms", &[], Some(direct.clone()), 201).await;
    assert_eq!(made["invited"], json!([ben.id]));
    api.call(Some(ada), "POST /rooms", &[], Some(direct), 200).await;
    let group = json!({ "kind": "group", "name": "strangers", "topic": "t", "member_ids": [ben.id, cleo.id] });
    api.call(Some(ada), "POST /rooms", &[], Some(group), 201).await;
    let asked = api.call(Some(ben), "GET /invitations?limit=1", &[], None, 200).await;
    let next = asked["next"].as_str().unwrap().to_owned();
    let rest = api.call(Some(ben), &format!("GET /invitations?before={next}"), &[], None, 200).await;
    api.call(Some(ben), "POST /invitations/{id}/decline", &[&id(&asked["items"][0])], None, 204).await;
    api.call(Some(ben), "POST /invitations/{id}/accept", &[&id(&asked["items"][0])], None, 404).await;
    api.call(Some(ben), "POST /invitations/{id}/accept", &[&id(&rest["items"][0])], None, 200).await;
    let asked = api.call(Some(cleo), "GET /invitations", &[], None, 200).await;
    api.call(Some(cleo), "POST /invitations/{id}/accept", &[&id(&asked["items"][0])], None, 200).await;
}

async fn spaces(api: &mut Contract, ada: &Person, ben: &Person, cleo: &Person, absent: &str) {
    let space = json!({ "client_id": "s1", "name": "Harbour", "topic": "t" });
    let space = id(&api.call(Some(ada), "POST /spaces", &[], Some(space), 201).await);
    api.call(Some(ada), "POST /spaces", &[], Some(json!({ "name": "" })), 422).await;
    api.call(Some(ada), "GET /spaces", &[], None, 200).await;
    api.call(Some(ada), "GET /spaces/{id}", &[&space], None, 200).await;
    api.call(Some(ben), "GET /spaces/{id}", &[&space], None, 404).await;
    api.call(Some(ada), "PATCH /spaces/{id}", &[&space], Some(json!({ "name": "Port" })), 200).await;
    let add = "POST /spaces/{id}/members";
    api.call(Some(ada), add, &[&space], Some(json!({ "user_id": cleo.id })), 201).await;
    api.call(Some(ada), add, &[&space], Some(json!({ "user_id": ben.id })), 201).await;
    api.call(Some(ada), add, &[&space], Some(json!({ "user_id": absent })), 422).await;
    let role = Some(json!({ "role": "admin" }));
    api.call(Some(ada), "PATCH /spaces/{id}/members/{user_id}", &[&space, &ben.id], role, 200).await;
    let channel = json!({ "kind": "channel", "name": "quay", "space_id": space, "member_ids": [] });
    api.call(Some(ada), "POST /rooms", &[], Some(channel), 201).await;
    api.call(Some(ben), "GET /spaces/{id}/rooms", &[&space], None, 200).await;
    api.call(Some(ada), "GET /spaces/{id}/members?limit=1", &[&space], None, 200).await;
    api.call(Some(ada), "DELETE /spaces/{id}/members/{user_id}", &[&space, &cleo.id], None, 204).await;
}

async fn parties(api: &mut Contract, ada: &Person, ben: &Person, absent: &str) {
    let wanted = || Some(json!({ "client_id": "t1", "name": "Support", "description": "helps" }));
    let team = id(&api.call(Some(ada), "POST /teams", &[], wanted(), 201).await);
    api.call(Some(ada), "POST /teams", &[], wanted(), 200).await;
    api.call(Some(ada), "POST /teams", &[], Some(json!({ "name": "" })), 422).await;
    api.call(Some(ada), "GET /teams?limit=1", &[], None, 200).await;
    api.call(Some(ada), "GET /teams/{id}", &[&team], None, 200).await;
    api.call(Some(ben), "GET /teams/{id}", &[&team], None, 404).await;
    let (members, member) = ("/teams/{id}/members", "/teams/{id}/members/{user_id}");
    let add = format!("POST {members}");
    api.call(Some(ada), &add, &[&team], Some(json!({ "user_id": ben.id })), 201).await;
    api.call(Some(ada), &add, &[&team], Some(json!({ "user_id": ben.id })), 200).await;
    let stranger = api.app.sign_up("eve").await;
    api.call(Some(ada), &add, &[&team], Some(json!({ "user_id": stranger.id })), 403).await;
    api.call(Some(ada), &add, &[absent], Some(json!({ "user_id": ben.id })), 404).await;
    api.call(Some(ada), &format!("GET {members}?limit=1"), &[&team], None, 200).await;
    api.call(Some(ben), "PATCH /teams/{id}", &[&team], Some(json!({ "name": "mine" })), 403).await;
    api.call(Some(ada), "PATCH /teams/{id}", &[&team], Some(json!({ "name": "Help" })), 200).await;
    api.call(Some(ada), &format!("PATCH {member}"), &[&team, &ada.id], Some(json!({ "role": "member" })), 409).await;
    api.call(Some(ada), &format!("PATCH {member}"), &[&team, &ben.id], Some(json!({ "role": "owner" })), 200).await;

    let group = json!({ "kind": "group", "name": "helpers", "member_ids": [] });
    let room = id(&api.call(Some(ada), "POST /rooms", &[], Some(group), 201).await);
    let (party, path) = (format!("team:{team}"), "/rooms/{id}/members/{party}");
    let body = || Some(json!({ "party": { "type": "team", "id": team }, "role": "guest" }));
    api.call(Some(ada), "POST /rooms/{id}/members", &[&room], body(), 201).await;
    api.call(Some(ada), "GET /rooms/{id}/members", &[&room], None, 200).await;
    api.call(Some(ada), &format!("PATCH {path}"), &[&room, &party], Some(json!({ "role": "member" })), 200).await;
    api.call(Some(ada), &format!("DELETE {path}"), &[&room, &ben.id], None, 409).await;
    api.call(Some(ada), &format!("DELETE {path}"), &[&room, "team:x"], None, 404).await;
    api.call(Some(ada), &format!("DELETE {path}"), &[&room, &party], None, 204).await;
    api.call(Some(ada), &format!("GET /parties?ids={},{party}", ben.id), &[], None, 200).await;
    api.call(Some(ada), "GET /parties?ids=robot:7", &[], None, 422).await;

    api.call(Some(ben), &format!("DELETE {member}"), &[&team, &ben.id], None, 204).await;
    api.call(Some(ben), "DELETE /teams/{id}", &[&team], None, 404).await;
    api.call(Some(ada), "DELETE /teams/{id}", &[&team], None, 204).await;
    let notice = || Some(json!({ "client_id": "n1", "content": "noon" }));
    api.call(Some(ada), "POST /admin/rooms/{id}/notices", &[&room], notice(), 201).await;
    api.call(Some(ada), "POST /admin/rooms/{id}/notices", &[&room], notice(), 200).await;
    api.call(Some(ada), "POST /admin/rooms/{id}/notices", &[absent], notice(), 404).await;
    api.call(Some(ben), "POST /admin/rooms/{id}/notices", &[&room], notice(), 403).await;
}

async fn edits(api: &mut Contract, ada: &Person, ben: &Person, room: &str, message: &str, absent: &str) {
    let (one, versions) = ("/rooms/{id}/messages/{message_id}", "GET /rooms/{id}/messages/{message_id}/versions");
    let (edit, delete) = (format!("PATCH {one}"), format!("DELETE {one}"));
    let content = || Some(json!({ "client_id": "e1", "content": "hello again", "parts": [{ "type": "y" }] }));
    api.call(Some(ada), &edit, &[room, message], content(), 200).await;
    api.call(Some(ben), &edit, &[room, message], content(), 403).await;
    api.call(Some(ada), &edit, &[room, absent], Some(json!({ "content": "nobody's" })), 404).await;
    api.call(Some(ada), &edit, &[room, message], Some(json!({ "content": "" })), 422).await;
    api.call(Some(ada), &edit, &[room, message], Some(json!({ "content": "x".repeat(40_000) })), 413).await;
    api.call(Some(ben), &delete, &[room, message], None, 403).await;
    api.call(Some(ada), &delete, &[room, message], None, 204).await;
    api.call(Some(ada), &delete, &[room, absent], None, 404).await;
    api.call(Some(ada), &edit, &[room, message], content(), 200).await;
    let other = Some(json!({ "content": "too late" }));
    api.call(Some(ada), &edit, &[room, message], other, 409).await;
    api.call(Some(ada), &format!("{versions}?limit=1"), &[room, message], None, 200).await;
    api.call(Some(ada), versions, &[room, absent], None, 404).await;
    api.call(Some(ben), versions, &[room, message], None, 403).await;
}

async fn rooms(api: &mut Contract, ada: &Person, ben: &Person, cleo: &Person, absent: &str) {
    let group = json!({ "client_id": "r1", "kind": "group", "name": "all", "member_ids": [ben.id] });
    let room = id(&api.call(Some(ada), "POST /rooms", &[], Some(group), 201).await);
    let list = api.call(Some(ada), "GET /rooms?limit=1", &[], None, 200).await;
    let next = list["next"].as_str().unwrap().to_owned();
    api.call(Some(ada), &format!("GET /rooms?before={next}"), &[], None, 200).await;
    api.call(Some(ada), "GET /rooms?before=x", &[], None, 422).await;
    api.call(Some(ada), "GET /rooms/{id}", &[&room], None, 200).await;
    api.call(Some(ada), "GET /rooms/{id}", &[absent], None, 404).await;
    api.call(Some(ada), "PATCH /rooms/{id}", &[&room], Some(json!({ "topic": "news" })), 200).await;
    api.call(Some(ben), "PATCH /rooms/{id}", &[&room], Some(json!({ "topic": "mine" })), 403).await;
    let add = "POST /rooms/{id}/members";
    let (member, user) = (json!({ "user_id": cleo.id, "role": "guest" }), "/rooms/{id}/members/{party}");
    api.call(Some(ada), add, &[&room], Some(member.clone()), 201).await;
    api.call(Some(ada), add, &[&room], Some(member), 200).await;
    let stranger = api.app.sign_up("dan").await;
    api.call(Some(ada), add, &[&room], Some(json!({ "user_id": stranger.id })), 202).await;
    api.call(Some(ada), &format!("PATCH {user}"), &[&room, &cleo.id], Some(json!({ "role": "member" })), 200).await;
    api.call(Some(ada), "GET /rooms/{id}/members?limit=2", &[&room], None, 200).await;
    let post = "POST /rooms/{id}/messages";
    let message = json!({ "client_id": "m1", "content": "hello", "parts": [{ "type": "x", "deep": [{}] }] });
    let first = api.call(Some(ada), post, &[&room], Some(message.clone()), 201).await;
    api.call(Some(ada), post, &[&room], Some(message), 200).await;
    let reply = json!({ "client_id": "m2", "content": "yes", "kind": "text", "reply_to": first["id"] });
    api.call(Some(ben), post, &[&room], Some(reply), 201).await;
    let long = json!({ "client_id": "m3", "content": "x".repeat(40_000) });
    api.call(Some(ben), post, &[&room], Some(long), 413).await;
    api.call(Some(ben), post, &[&room], Some(json!({ "client_id": "m3", "kind": "system" })), 422).await;
    edits(api, ada, ben, &room, &id(&first), absent).await;
    api.call(Some(ada), "GET /rooms/{id}/messages?limit=1", &[&room], None, 200).await;
    api.call(Some(ada), "GET /rooms/{id}/messages?after=0", &[&room], None, 200).await;
    api.call(Some(ada), "GET /rooms/{id}/messages?after=x", &[&room], None, 400).await;
    api.call(Some(ada), "GET /rooms/{id}/events?after=0", &[&room], None, 200).await;
    api.call(Some(ada), "GET /rooms/{id}/events?after=1000", &[&room], None, 409).await;
    api.call(Some(ada), &format!("DELETE {user}"), &[&room, &cleo.id], None, 204).await;
    api.call(Some(ada), &format!("DELETE {user}"), &[&room, &ada.id], None, 409).await;
}
