//! People to load an engine with, and rooms for them, through the public API.
//!
//! Accounts come from an outside issuer that the engine trusts: a token each that we sign ourselves, so that a run does
//! not spend its first minutes on password hashes.

use std::time::Duration;

use anyhow::{Context, bail};
use jsonwebtoken::{EncodingKey, Header};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::visitors::Visitors;
use crate::engine::Target;
use crate::measure::Progress;

/// Calls under way at once while a run prepares.
const PARALLEL: usize = 32;
/// A soak of a week, the longest run that there is, and a day for what comes before and after it.
const TOKEN_HOURS: i64 = 8 * 24;
/// What a token of ours may have been refused for.
const UNTRUSTED: &str = " (are --issuer-secret, --issuer and --audience those of the engine's auth.external?)";
/// A call that is answered "later" is tried this often.
const TRIES_MAX: u32 = 20;
/// Ids of members in one request: well below `server.request_bytes_max` as it is by default.
const MEMBERS_AT_ONCE: usize = 5_000;
/// The owner of a room goes last: those who must wait for others try again.
const ROUNDS_OF_LEAVING: usize = 4;
/// Rooms or spaces on a page; no engine gives more by default.
const PAGE_ITEMS: usize = 200;
/// Channels of a space.
const CHANNELS: usize = 10;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub token: String,
}

/// What a call was answered.
#[derive(Debug)]
pub struct Reached {
    pub status: StatusCode,
    pub text: String,
}

impl Reached {
    /// The answer as JSON; null when it is none.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// When to come again, if that is what it says.
    pub fn later(&self) -> Option<Duration> {
        let later = self.body().get("retry_after_ms").and_then(Value::as_u64)?;
        let told = matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        told.then(|| Duration::from_millis(later))
    }
}

/// Makes accounts and rooms on one engine.
#[derive(Clone, Debug)]
pub struct Accounts {
    base: String,
    issuer: crate::engine::Issuer,
    client: Client,
    /// In the subjects of this run's accounts, so that runs on one engine do not meet.
    run: String,
    visitors: Visitors,
}

impl Accounts {
    pub fn on(target: &Target) -> anyhow::Result<Self> {
        let client = Client::builder().pool_max_idle_per_host(PARALLEL).timeout(Duration::from_secs(60)).build()?;
        let run = Uuid::new_v4().simple().to_string().chars().take(8).collect();
        let (base, issuer, visitors) = (target.base.clone(), target.issuer.clone(), target.visitors.clone());
        Ok(Self { base, issuer, client, run, visitors })
    }

    /// The accounts of an earlier run, or of an installation, by its name.
    pub fn of_run(target: &Target, run: &str) -> anyhow::Result<Self> {
        Ok(Self { run: run.to_owned(), ..Self::on(target)? })
    }

    /// The username of the `index`th account of this run.
    pub fn name(&self, index: usize) -> String {
        format!("load-{}-{index}", self.run)
    }

    /// An access token for the `index`th account of this run.
    pub fn token(&self, index: usize) -> anyhow::Result<String> {
        let name = self.name(index);
        let claims = json!({
            "iss": self.issuer.name,
            "aud": self.issuer.audience,
            "sub": name,
            "preferred_username": name,
            "exp": chrono::Utc::now().timestamp() + TOKEN_HOURS * 3600,
        });
        let key = EncodingKey::from_secret(self.issuer.secret.as_bytes());
        jsonwebtoken::encode(&Header::default(), &claims, &key).context("signing a token")
    }

    /// Makes `count` accounts.
    pub async fn people(&self, count: usize) -> anyhow::Result<Vec<Person>> {
        let progress = Progress::of("accounts", count as u64);
        let make = async |index: usize| {
            let person = self.somebody(index).await?;
            progress.add(1);
            Ok(person)
        };
        self.all((0..count).collect(), make).await
    }

    /// Makes the `index`th account.
    pub async fn somebody(&self, index: usize) -> anyhow::Result<Person> {
        let token = self.token(index)?;
        let user = self.call(Method::GET, "/api/v1/users/me", &token, None).await?;
        let person = Person { id: id_of(&user)?, token };
        self.visitors.note(&person);
        Ok(person)
    }

    /// Makes a group of these people; the first one makes it.
    pub async fn group(&self, members: &[Person]) -> anyhow::Result<Uuid> {
        let [maker, others @ ..] = members else { bail!("a room needs somebody") };
        let (first, later) = others.split_at(others.len().min(MEMBERS_AT_ONCE));
        let ids: Vec<Uuid> = first.iter().map(|person| person.id).collect();
        let body = json!({ "kind": "group", "name": "load", "member_ids": ids });
        let room = id_of(&self.call(Method::POST, "/api/v1/rooms", &maker.token, Some(body)).await?)?;
        if !later.is_empty() {
            self.add_all(&format!("/api/v1/rooms/{room}/members"), maker, later).await?;
        }
        Ok(room)
    }

    /// Adds these people to a room or a space, one by one.
    async fn add_all(&self, path: &str, by: &Person, people: &[Person]) -> anyhow::Result<()> {
        let progress = Progress::of("members", people.len() as u64);
        let add = async |person: Person| {
            let added = self.call(Method::POST, path, &by.token, Some(json!({ "user_id": person.id }))).await;
            progress.add(1);
            added
        };
        self.all(people.to_vec(), add).await.map(|_| ())
    }

    /// Makes one group for each of these sets of people.
    pub async fn groups(&self, sets: Vec<Vec<Person>>) -> anyhow::Result<Vec<Uuid>> {
        let progress = Progress::of("rooms", sets.len() as u64);
        let make = async |members: Vec<Person>| {
            let room = self.group(&members).await?;
            progress.add(1);
            Ok(room)
        };
        self.all(sets, make).await
    }

    /// Takes these people out of all rooms and spaces that they are in, whoever took them there. Direct rooms are for
    /// good.
    pub async fn move_out(&self, people: &[Person]) -> anyhow::Result<()> {
        let mut stayed = Vec::new();
        for _ in 0..ROUNDS_OF_LEAVING {
            let progress = Progress::of("leaving", people.len() as u64);
            let leave = async |person: Person| {
                let stayed = self.leave_all(&person).await;
                progress.add(1);
                stayed
            };
            stayed = self.all(people.to_vec(), leave).await?.concat();
            if stayed.is_empty() {
                break;
            }
        }
        let Some(why) = stayed.first() else { return Ok(()) };
        bail!("{} places in rooms and spaces could not be left, such as: {why}", stayed.len())
    }

    /// Leaves all rooms and spaces that can be left now; why the others could not.
    async fn leave_all(&self, person: &Person) -> anyhow::Result<Vec<String>> {
        let mut stayed = Vec::new();
        for list in ["/api/v1/rooms", "/api/v1/spaces"] {
            for place in self.pages(list, &person.token).await? {
                if place.get("kind").and_then(Value::as_str) == Some("direct") {
                    continue;
                }
                let path = format!("{list}/{}/members/{}", id_of(&place)?, person.id);
                let left = self.call(Method::DELETE, &path, &person.token, None).await;
                stayed.extend(left.err().map(|error| format!("{error:#}")));
            }
        }
        Ok(stayed)
    }

    /// All items of a list, page by page.
    pub async fn pages(&self, list: &str, token: &str) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{list}?limit={PAGE_ITEMS}{cursor}");
            let mut page = self.call(Method::GET, &path, token, None).await?;
            if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            let Some(next) = page.get("next").and_then(Value::as_str) else { return Ok(items) };
            cursor = format!("&after={next}");
        }
    }

    /// How many channels a space has, and how many people their maker adds to them.
    pub fn made_with_channels(goers: usize) -> (usize, usize) {
        (CHANNELS, CHANNELS * goers.div_ceil(2))
    }

    /// Makes a space of all these people with some channels, each of every other one of the first `goers` of them:
    /// people who join and leave at random are in half of the channels in the long run, and so the channels stay as
    /// large as they are.
    pub async fn space(&self, people: &[Person], goers: usize) -> anyhow::Result<(Uuid, Vec<Uuid>)> {
        let maker = people.first().context("a space needs somebody")?;
        let body = json!({ "name": "load" });
        let space = id_of(&self.call(Method::POST, "/api/v1/spaces", &maker.token, Some(body)).await?)?;
        let path = format!("/api/v1/spaces/{space}/members");
        self.add_all(&path, maker, people.get(1..).unwrap_or_default()).await?;
        let open = async |number: usize| {
            let members = people.iter().take(goers).skip(1 + number % 2).step_by(2);
            let ids: Vec<Uuid> = members.map(|person| person.id).collect();
            let name = format!("load {number}");
            let body = json!({ "kind": "channel", "name": name, "space_id": space, "member_ids": ids });
            id_of(&self.call(Method::POST, "/api/v1/rooms", &maker.token, Some(body)).await?)
        };
        Ok((space, self.all((0..CHANNELS).collect(), open).await?))
    }

    /// Signs in with a password.
    pub async fn sign_in(&self, login: &str, password: &str) -> anyhow::Result<Value> {
        let body = json!({ "login": login, "password": password, "device": { "id": "parlance-load" } });
        self.call(Method::POST, "/api/v1/auth/login", "", Some(body)).await
    }

    /// One call that must succeed; tried again while the engine says "later".
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let text = self.text(method, path, token, body).await?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// The same, with the answer as it came.
    pub async fn text(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> anyhow::Result<String> {
        for _ in 0..TRIES_MAX {
            let reached = self.reach(method.clone(), path, Some(token), body.clone()).await?;
            match (reached.status, reached.later()) {
                (status, _) if status.is_success() => return Ok(reached.text),
                (_, Some(later)) => tokio::time::sleep(later).await,
                (StatusCode::UNAUTHORIZED, None) if !token.is_empty() => {
                    bail!("{method} {path}: {} {}{UNTRUSTED}", reached.status, reached.text)
                }
                (status, None) => bail!("{method} {path}: {status} {}", reached.text),
            }
        }
        bail!("{method} {path}: still told to come later after {TRIES_MAX} tries")
    }

    /// A `POST` that must succeed in the end; `None` when the engine said "later" for so long.
    pub async fn open_door(
        &self,
        path: &str,
        token: Option<&str>,
        body: Value,
        patience: Duration,
    ) -> anyhow::Result<Option<Value>> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < patience {
            let reached = self.reach(Method::POST, path, token, Some(body.clone())).await?;
            match (reached.status, reached.later()) {
                (status, _) if status.is_success() => return Ok(Some(reached.body())),
                (_, Some(later)) => tokio::time::sleep(later).await,
                (status, None) => bail!("POST {path}: {status} {}", reached.text),
            }
        }
        Ok(None)
    }

    /// One call and its answer, whatever that is.
    pub async fn reach(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Reached> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = response.status();
        Ok(Reached { status, text: response.text().await? })
    }

    /// Runs `make` on all items, a few at a time, and keeps their order.
    pub async fn all<I, T>(&self, items: Vec<I>, make: impl AsyncFn(I) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
        use futures_util::{StreamExt, TryStreamExt};
        let make = &make;
        futures_util::stream::iter(items).map(|item| make(item)).buffered(PARALLEL).try_collect().await
    }
}

fn id_of(body: &Value) -> anyhow::Result<Uuid> {
    let id = body.get("id").and_then(Value::as_str).with_context(|| format!("no id in {body}"))?;
    Ok(Uuid::parse_str(id)?)
}
