//! Whether what people hear of an action says all that it did.
//!
//! A client that applies the frames that it hears to what it had before must end with what it would read afresh. Every story
//! of a feature does its actions under [`TestApp::verify`]: whatever a frame forgets to say, or a list to count, shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::screen::{Ask, RoomScreen, Screen, member, put, text_of};
use super::{Person, TestApp, WsClient};

/// No test waits longer for two to agree: a bound for failures, not a pace.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read is read again so often while nothing is heard: some things follow an action a while later.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

impl TestApp {
    /// Does it while each of these people listens with a device, and holds what they hear against what they would read.
    pub async fn verify<T>(&self, people: &[&Person], action: impl Future<Output = T>) -> T {
        let mut watchers = Vec::with_capacity(people.len());
        for person in people {
            watchers.push(Watcher::begin(self, person).await);
        }
        let done = action.await;
        for watcher in &mut watchers {
            watcher.settle().await;
        }
        done
    }
}

/// Somebody who looks at a screen while something happens.
struct Watcher<'a> {
    app: &'a TestApp,
    person: &'a Person,
    socket: WsClient,
    screen: Screen,
}

impl<'a> Watcher<'a> {
    async fn begin(app: &'a TestApp, person: &'a Person) -> Self {
        // First listen, then read: what happens in between is known twice rather than never.
        let socket = app.connect(person).await;
        let mut screen = Screen { me: person.id.clone(), ..Screen::default() };
        for summary in pages(app, person, "/rooms").await {
            screen.rooms.insert(text_of(&summary["id"]), room(app, person, summary).await);
        }
        let by_id = |items: Vec<Value>| items.into_iter().map(|item| (text_of(&item["id"]), item)).collect();
        screen.spaces = by_id(pages(app, person, "/spaces").await);
        screen.invitations = by_id(pages(app, person, "/invitations").await);
        Self { app, person, socket, screen }
    }

    /// Until what is heard and what is read say the same.
    async fn settle(&mut self) {
        let begun = Instant::now();
        loop {
            let apart = self.apart().await;
            if apart.is_empty() {
                return;
            }
            let (username, apart) = (&self.person.username, apart.join("\n"));
            assert!(begun.elapsed() < PATIENCE, "{username} shows something else than is read afresh:\n{apart}");
            if let Some(frame) = self.socket.event_within(AGAIN_AFTER).await {
                self.hear(&frame).await;
            }
        }
    }

    /// Where what was heard up to now and what is read are not the same.
    async fn apart(&mut self) -> Vec<String> {
        self.hear_all().await;
        differences(&self.screen.shown(), &fresh(self.app, self.person).await)
    }

    /// Everything that was told up to now: the answer of a room comes after what it delivered before.
    async fn hear_all(&mut self) {
        for room in self.screen.rooms.keys().cloned().collect::<Vec<_>>() {
            self.socket.ask(json!({ "type": "receipt.mark", "room_id": room })).await;
        }
        self.socket.ask(json!({ "type": "ping" })).await;
        for frame in self.socket.heard() {
            self.hear(&frame).await;
        }
    }

    async fn hear(&mut self, frame: &Value) {
        let Some(ask) = self.screen.hear(frame) else { return };
        let (app, person) = (self.app, self.person);
        match ask {
            Ask::Room(id) => {
                let mut summary = self.screen.rooms[&id].summary.clone();
                if summary["kind"] == "direct" && summary["peer"].is_null() {
                    let (_, read) = app.call(Method::GET, &format!("/rooms/{id}"), Some(person), None).await;
                    put(&mut summary, "peer", read["peer"].clone());
                }
                self.screen.rooms.insert(id, room(app, person, summary).await);
            }
            Ask::Missed(id) => {
                let last = self.screen.rooms.get(&id).map_or(0, |room| room.summary["last_seq"].as_i64().unwrap());
                for event in self.socket.catch_up(&id, last, 200).await {
                    // What it leaves to ask for comes with the next of them, or is not there any more.
                    Box::pin(self.hear(&event)).await;
                }
            }
            Ask::People(id, people) => {
                for one in people {
                    self.name(&id, &one).await;
                }
            }
            Ask::Invitations => {
                let waiting = pages(app, person, "/invitations").await;
                self.screen.invitations = waiting.into_iter().map(|one| (text_of(&one["id"]), one)).collect();
            }
        }
    }

    async fn name(&mut self, room: &str, one: &str) {
        let (field, path) = match one.contains(':') {
            true => ("profile", format!("/parties?ids={one}")),
            false => ("user", format!("/users/{one}")),
        };
        let (status, answer) = self.app.call(Method::GET, &path, Some(self.person), None).await;
        let profile = if field == "user" { answer } else { answer["parties"][0].clone() };
        let member = self.screen.rooms.get_mut(room).and_then(|room| room.members.get_mut(one));
        if let (200, Some(member)) = (status, member) {
            put(member, field, profile);
        }
    }
}

/// All that somebody reads who has nothing.
async fn fresh(app: &TestApp, person: &Person) -> Value {
    let listed = pages(app, person, "/rooms").await;
    let (_, ready) = app.resume(person, json!({})).await;
    let mut screen = Screen { me: person.id.clone(), ..Screen::default() };
    let mut messages = BTreeMap::new();
    for summary in &listed {
        let id = text_of(&summary["id"]);
        let items = pages_after(app, person, &format!("/rooms/{id}/messages"), Some("0".into())).await;
        messages.insert(id.clone(), items);
        screen.rooms.insert(id, room(app, person, summary.clone()).await);
    }
    let by_id = |items: Vec<Value>| items.into_iter().map(|item| (text_of(&item["id"]), item)).collect();
    screen.spaces = by_id(pages(app, person, "/spaces").await);
    screen.invitations = by_id(pages(app, person, "/invitations").await);
    let mut read = screen.shown();
    // Read by ways of their own, so that these agree as well.
    read["order"] = listed.iter().map(|room| room["id"].clone()).collect();
    read["messages"] = json!(messages);
    let greeted = ready["rooms"].as_array().unwrap().iter();
    read["ready"] = json!(greeted.map(|room| (text_of(&room["id"]), room)).collect::<BTreeMap<_, _>>());
    read
}

/// The room with this summary. Whoever has left it meanwhile reads nothing.
async fn room(app: &TestApp, person: &Person, summary: Value) -> RoomScreen {
    let id = text_of(&summary["id"]);
    let members = pages(app, person, &format!("/rooms/{id}/members")).await.iter().map(member).collect();
    let mut room = RoomScreen { summary, members, events: Vec::new() };
    loop {
        let after = room.events.len();
        let path = format!("/rooms/{id}/events?limit=200&after={after}");
        let (_, page) = app.call(Method::GET, &path, Some(person), None).await;
        room.events.extend(page["events"].as_array().into_iter().flatten().cloned());
        if page["more"] != json!(true) {
            return room;
        }
    }
}

/// All items of a list; none of one that is not there.
async fn pages(app: &TestApp, person: &Person, path: &str) -> Vec<Value> {
    pages_after(app, person, path, None).await
}

async fn pages_after(app: &TestApp, person: &Person, path: &str, mut after: Option<String>) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let after_that = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let (_, page) = app.call(Method::GET, &format!("{path}?limit=200{after_that}"), Some(person), None).await;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        after = match &page["next"] {
            Value::String(next) => Some(next.clone()),
            Value::Number(next) => Some(next.to_string()),
            _ => return items,
        };
    }
}

/// Where the two are not the same.
fn differences(shown: &Value, read: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", shown, read, &mut found);
    found
}

fn compare(place: &str, shown: &Value, read: &Value, found: &mut Vec<String>) {
    match (shown, read) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                compare(&format!("{place}/{name}"), &shown[name.as_str()], &read[name.as_str()], found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for at in 0..one.len().max(other.len()) {
                compare(&format!("{place}/{at}"), &shown[at], &read[at], found);
            }
        }
        _ if shown != read => found.push(format!("{place}: {shown} is shown, {read} is read")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_nobody_told_shows() {
        let app = TestApp::start().await;
        let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
        let room = app.group(&[&ada, &ben]).await;
        let mut watcher = Watcher::begin(&app, &ben).await;
        app.post(&ada, &room, "c1", "hello").await;
        watcher.settle().await;
        // As if a feature had forgotten to say so.
        app.sql(
            "UPDATE messages SET content = 'goodbye'; UPDATE room_members SET role = 'guest' WHERE role = 'member'",
        )
        .await;
        let apart = watcher.apart().await.join("\n");
        for place in ["/messages/", "/rooms/", "/members/"] {
            assert!(apart.lines().any(|line| line.starts_with(place)), "{place}: {apart}");
        }
    }

    #[test]
    fn what_is_not_the_same_is_named_by_its_place() {
        let shown = json!({ "rooms": { "a": { "unread": 1, "seqs": [1, 2] } }, "same": true });
        let read = json!({ "rooms": { "a": { "unread": 2, "seqs": [1] } }, "same": true });
        let wanted = ["/rooms/a/seqs/1: 2 is shown, null is read", "/rooms/a/unread: 1 is shown, 2 is read"];
        assert_eq!(differences(&shown, &read), wanted);
    }
}
