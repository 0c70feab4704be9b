//! What all clients of a run share.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::history::{NOWHERE, Record, Recorder, RoomNo, SendNo, Who, digest};
use super::nemesis::FaultKind;
use super::proxy::Lane;
use super::revisions::Posted;
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
    /// Somebody with an account who is never in any of the rooms.
    pub outsider: Person,
    pub lanes: Vec<Lane>,
    pub recorder: Recorder,
    pub tally: Tally,
    /// What may be edited and deleted.
    pub posted: Posted,
    /// The faults that happened.
    pub done: RefCell<Vec<FaultKind>>,
    /// How often which of the engine's actors refused a message, by its metrics.
    pub mailboxes_full: RefCell<BTreeMap<&'static str, f64>>,
    /// No new messages and changes from here on; what was begun is brought to an end.
    pub quiet: Cell<bool>,
    /// How each room ended; readers go when they have seen it.
    pub ends: OnceCell<Vec<RoomEnd>>,
    /// Rooms that people of this run are in besides.
    others: HashSet<(Who, Uuid)>,
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
    /// Messages of writers, however often each is sent; those of floods are none.
    pub written: Cell<u64>,
    /// Of them, those whose writer heard that they are kept, and those whose writer heard that it is not a member.
    pub settled: Cell<u64>,
    pub denied: Cell<u64>,
    pub sent: Cell<u64>,
    pub acked: Cell<u64>,
    pub again: Cell<u64>,
    pub busy: Cell<u64>,
    pub refused: Cell<u64>,
    pub changes: Cell<u64>,
    pub shown: Cell<u64>,
    pub connections: Cell<u64>,
    pub closed_by_engine: Cell<u64>,
    pub lagged: Cell<u64>,
    pub not_resumed: Cell<u64>,
    pub pages: Cell<u64>,
    pub marks: Cell<u64>,
    /// Edits and deletions: answers that they are made, and that they will not be.
    pub revised: Cell<u64>,
    pub unrevised: Cell<u64>,
}

/// Who takes part in a run, and where.
#[derive(Debug)]
pub struct Scene {
    pub people: Vec<Person>,
    pub outsider: Person,
    pub rooms: Vec<Uuid>,
    pub others: HashSet<(Who, Uuid)>,
    pub lanes: Vec<Lane>,
}

impl Tally {
    pub fn count(counter: &Cell<u64>) {
        counter.set(counter.get() + 1);
    }

    /// An answer that asks to come again.
    pub fn count_again(&self, undone: bool) {
        Self::count(&self.again);
        if undone {
            Self::count(&self.busy);
        }
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
        code: String,
        undone: bool,
        after: Duration,
    },
    /// No answer, or none that says anything.
    Lost,
}

impl World {
    pub fn new(seed: u64, scene: Scene) -> anyhow::Result<Rc<Self>> {
        let Scene { people, outsider, rooms, others, lanes } = scene;
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
            outsider,
            others,
            lanes,
            recorder: Recorder::default(),
            tally: Tally::default(),
            posted: Posted::default(),
            done: RefCell::default(),
            mailboxes_full: RefCell::default(),
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

    /// How many of the newest events of a room this person leaves unread, all the time: else lists of rooms had nothing
    /// to count in the end. At times more than an engine counts, or remembers.
    pub fn leaves_unread(&self, who: Who, room: RoomNo) -> u64 {
        let mut rng = self.rng(&format!("what {who} leaves unread in {room}"));
        if rng.random_ratio(1, 3) { rng.random_range(1..250) } else { 0 }
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
                let (undone, code) = (says_undone(code), code.to_owned());
                Outcome::Later { code, undone, after: Duration::from_millis(after) }
            }
            // Its head came too late, by a network that held it up: nobody has read what it asks for.
            StatusCode::REQUEST_TIMEOUT => Outcome::Lost,
            // Without a code it says nothing of its own but the status.
            status if status.is_client_error() && code.is_empty() => Outcome::Refused(format!("status {status}")),
            status if status.is_client_error() => Outcome::Refused(code.to_owned()),
            _ => Outcome::Lost,
        }
    }

    /// Notes what somebody is sent of a room that is neither of this run nor theirs. `room`: the room's id, in `frame`.
    pub fn note_leak(&self, to: Who, room: &Value, frame: &Value) {
        let id = room.as_str().and_then(|id| Uuid::parse_str(id).ok());
        if id.is_some_and(|id| self.numbers.rooms.contains_key(&id) || self.others.contains(&(to, id))) {
            return;
        }
        let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
        let what = format!("{kind} of room {room}, which is not theirs");
        self.recorder.note(NOWHERE, Record::Leaked { to, what });
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
    pub(super) fn of(people: &[Person], rooms: &[Uuid]) -> Self {
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
