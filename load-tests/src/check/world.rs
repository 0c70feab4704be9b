//! What all clients of a run share.

use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::history::{Recorder, RoomNo, SendNo, Who, digest};
use super::proxy::Lane;
use crate::client::Person;

/// An answer over HTTP is waited for so long; stalls are longer, at times.
const CALL_PATIENCE: Duration = Duration::from_secs(4);

/// See the module.
#[derive(Debug)]
pub struct World {
    pub seed: u64,
    pub people: Vec<Person>,
    pub rooms: Vec<Uuid>,
    /// Who makes changes in each room, and is never removed from it.
    pub owners: Vec<Who>,
    /// Those who are added to and removed from rooms.
    pub movable: Vec<Who>,
    pub lanes: Vec<Lane>,
    pub recorder: Recorder,
    pub tally: Tally,
    /// No new messages and changes from here on; what was begun is brought to an end.
    pub quiet: Cell<bool>,
    /// How each room ended; readers go when they have seen it.
    pub ends: OnceCell<Vec<RoomEnd>>,
    numbers: Numbers,
    http: Client,
    last_send: Cell<SendNo>,
    calls: Cell<usize>,
}

/// The last seq of a room and who is in it.
#[derive(Clone, Debug)]
pub struct RoomEnd {
    pub last_seq: u64,
    pub members: HashSet<Who>,
}

/// What people and rooms are called here.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    people: HashMap<Uuid, Who>,
    rooms: HashMap<Uuid, RoomNo>,
}

/// Counts of a run, for its report.
#[derive(Debug, Default)]
pub struct Tally {
    pub sent: Cell<u64>,
    pub acked: Cell<u64>,
    pub again: Cell<u64>,
    pub refused: Cell<u64>,
    pub changes: Cell<u64>,
    pub shown: Cell<u64>,
    pub connections: Cell<u64>,
    pub closed_by_engine: Cell<u64>,
    pub lagged: Cell<u64>,
    pub pages: Cell<u64>,
    pub marks: Cell<u64>,
}

impl Tally {
    pub fn count(counter: &Cell<u64>) {
        counter.set(counter.get() + 1);
    }
}

/// The answer to a call that may be lost.
#[derive(Debug)]
pub enum Outcome {
    Done(Value),
    /// Wrong, and nothing was done.
    Refused(String),
    /// Come later. `undone`: the answer says that nothing was done.
    Later {
        undone: bool,
        after: Duration,
    },
    /// No answer, or none that says anything.
    Lost,
}

impl World {
    pub fn new(seed: u64, people: Vec<Person>, rooms: Vec<Uuid>, lanes: Vec<Lane>) -> anyhow::Result<Rc<Self>> {
        let numbers = Numbers::of(&people, &rooms);
        // A quarter of the people come and go, at least two of them; the last one comes late.
        let settled = people.len() - (people.len() / 4).max(2).min(people.len() - 1);
        let all: Vec<Who> = (0..people.len()).filter_map(|who| Who::try_from(who).ok()).collect();
        let (settled, movable) = all.split_at_checked(settled).unwrap_or_default();
        let owners = settled.iter().copied().cycle().take(rooms.len()).collect();
        Ok(Rc::new(Self {
            seed,
            owners,
            movable: movable.to_vec(),
            lanes,
            recorder: Recorder::default(),
            tally: Tally::default(),
            quiet: Cell::new(false),
            ends: OnceCell::new(),
            numbers,
            http: Client::builder().timeout(CALL_PATIENCE).build()?,
            last_send: Cell::new(0),
            calls: Cell::new(0),
            people,
            rooms,
        }))
    }

    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Choices of one client: the same in each run of a seed.
    pub fn rng(&self, client: &str) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ digest(client))
    }

    pub fn person(&self, who: Who) -> Option<&Person> {
        self.people.get(usize::from(who))
    }

    pub fn room(&self, room: RoomNo) -> Option<Uuid> {
        self.rooms.get(usize::from(room)).copied()
    }

    pub fn room_numbers(&self) -> impl Iterator<Item = RoomNo> + use<> {
        0..RoomNo::try_from(self.rooms.len()).unwrap_or(RoomNo::MAX)
    }

    /// A number for a new message.
    pub fn next_send(&self) -> SendNo {
        self.last_send.set(self.last_send.get() + 1);
        self.last_send.get()
    }

    /// One try of a call by `who`, through one of the lanes.
    pub async fn call(&self, lane: usize, who: Who, method: Method, path: &str, body: Option<Value>) -> Outcome {
        self.calls.set(self.calls.get() + 1);
        let outcome = self.try_call(lane, who, method, path, body).await;
        self.calls.set(self.calls.get() - 1);
        outcome
    }

    /// How many calls are under way.
    pub fn calls(&self) -> usize {
        self.calls.get()
    }

    async fn try_call(&self, lane: usize, who: Who, method: Method, path: &str, body: Option<Value>) -> Outcome {
        let (Some(lane), Some(person)) = (self.lanes.get(lane), self.person(who)) else { return Outcome::Lost };
        let url = format!("http://{}{path}", lane.address);
        let mut request = self.http.request(method, url).bearer_auth(&person.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let Ok(response) = request.send().await else { return Outcome::Lost };
        let status = response.status();
        let Ok(text) = response.text().await else { return Outcome::Lost };
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = answer.get("code").and_then(Value::as_str).unwrap_or_default();
        match status {
            status if status.is_success() => Outcome::Done(answer),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let after = answer.get("retry_after_ms").and_then(Value::as_u64).unwrap_or(50);
                Outcome::Later { undone: says_undone(code), after: Duration::from_millis(after) }
            }
            status if status.is_client_error() => Outcome::Refused(code.to_owned()),
            _ => Outcome::Lost,
        }
    }

    /// Waits for what the machine takes to come round: a client that tries again at once is no client.
    pub async fn pause(&self, rng: &mut StdRng, milliseconds_max: u64) {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..=milliseconds_max.max(1)))).await;
    }
}

/// Of the answers that ask to come again, the one that says that nothing was done.
pub fn says_undone(code: &str) -> bool {
    code == "engine.busy"
}

impl Numbers {
    fn of(people: &[Person], rooms: &[Uuid]) -> Self {
        Self {
            people: people.iter().enumerate().filter_map(|(at, one)| Some((one.id, Who::try_from(at).ok()?))).collect(),
            rooms: rooms.iter().enumerate().filter_map(|(at, id)| Some((*id, RoomNo::try_from(at).ok()?))).collect(),
        }
    }

    pub fn who(&self, id: &Value) -> Option<Who> {
        self.people.get(&Uuid::parse_str(id.as_str()?).ok()?).copied()
    }

    pub fn room(&self, id: &Value) -> Option<RoomNo> {
        self.rooms.get(&Uuid::parse_str(id.as_str()?).ok()?).copied()
    }
}
