//! The engine and then its Postgres are killed, again and again, while people talk.
//!
//! Writers note what was acknowledged, readers what they were shown. Whatever was killed when: all of it is in the
//! history, once, in one order without a hole, and the history is what the readers saw.

mod readers;
mod socket;
mod writers;

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::testing::process::{Engine, PATIENCE, engine_on, free_port, until};
use crate::testing::{Api, DataFolder, Person};
use readers::Seen;
use writers::{Acknowledged, Writer};

/// Runs the test with the choices of an earlier run; only the timing of the machine differs then.
const SEED: &str = "PARLANCE_TEST_SEED";
const ENGINE_KILLS: usize = 10;
/// Of these, the engine had not even started again.
const KILLS_WHILE_STARTING: usize = 2;
const POSTGRES_KILLS: usize = 2;
const ROOMS: usize = 3;
const SOCKET_WRITERS: usize = 3;
const HTTP_WRITERS: usize = 2;
const READERS: usize = 2;

/// What writers and readers share.
#[derive(Clone)]
struct World {
    api: Api,
    rooms: Rc<[String]>,
    acknowledged: Rc<Cell<usize>>,
    /// Writers send no more once it is set, but see to it that what they have begun is acknowledged.
    enough: Rc<Cell<bool>>,
    /// The last seq of each room, once it is known: readers go home when they have seen it.
    ends: Rc<std::cell::OnceCell<HashMap<String, i64>>>,
}

impl World {
    /// Waits for so many acknowledgements more.
    async fn goes_on(&self, more: usize) {
        let wanted = self.acknowledged.get() + more;
        until("more is acknowledged", async || self.acknowledged.get() >= wanted).await;
    }
}

#[actix_rt::test]
async fn nothing_acknowledged_is_lost_when_the_engine_and_its_postgres_are_killed() {
    let begun = Instant::now();
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("{SEED}={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = DataFolder::new();
    let port = free_port().to_string();
    let launch = || {
        let mut command = engine_on(&folder);
        command.args(["--port", &port]).env("PARLANCE__DEMO__ENABLED", "false");
        command
    };
    let mut engine = Engine::start(launch()).await;
    let (world, people) = settle_in(&engine).await;
    let readers: Vec<_> =
        people[..READERS].iter().map(|person| actix_rt::spawn(readers::read(world.clone(), person.clone()))).collect();
    let writers: Vec<_> = people[READERS..]
        .iter()
        .enumerate()
        .map(|(index, person)| {
            let writer = Writer::new(world.clone(), person.clone(), StdRng::seed_from_u64(rng.random()));
            let over_socket = index < SOCKET_WRITERS;
            actix_rt::spawn(
                async move { if over_socket { writer.over_socket().await } else { writer.over_http().await } },
            )
        })
        .collect();

    for round in 0..ENGINE_KILLS {
        world.goes_on(rng.random_range(1..200)).await;
        at_any_moment(&mut rng, 20).await;
        engine.kill().await;
        if round % (ENGINE_KILLS / KILLS_WHILE_STARTING) == 1 {
            let half = Engine::spawn(launch());
            at_any_moment(&mut rng, 1_500).await;
            half.kill().await;
        }
        engine = Engine::start(launch()).await;
    }
    for _ in 0..POSTGRES_KILLS {
        world.goes_on(rng.random_range(1..200)).await;
        let postmaster = folder.postmaster().expect("it runs");
        kill(Pid::from_raw(postmaster), Signal::SIGKILL).unwrap();
        until("Postgres is back", async || folder.postmaster().is_some_and(|pid| pid != postmaster)).await;
    }
    world.goes_on(200).await;
    world.enough.set(true);
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let ends = acknowledged.iter().fold(HashMap::new(), |mut ends: HashMap<String, i64>, one| {
        let end = ends.entry(one.room.clone()).or_default();
        *end = one.seq.max(*end);
        ends
    });
    world.ends.set(ends).unwrap();
    let mut seen: Vec<Seen> = Vec::new();
    for reader in readers {
        seen.push(tokio::time::timeout(PATIENCE, reader).await.expect("readers see the end").unwrap());
    }
    engine.stop().await;

    // Asked of an engine that has nothing in memory.
    let engine = Engine::start(launch()).await;
    let mut told = 0;
    for room in world.rooms.iter() {
        let history = world.api.history(room, &people[0].token).await;
        told += history.len();
        holds_what_was_acknowledged(room, &history, &acknowledged);
        for seen in &seen {
            assert_eq!(seen.rooms[room], history, "what a reader saw of {room}");
        }
    }
    assert_eq!(told, acknowledged.len(), "nothing beside what was acknowledged in the end");
    let resumed: usize = seen.iter().map(|seen| seen.connections).sum();
    assert!(resumed > ENGINE_KILLS, "readers came back after each kill, not {resumed} times");
    engine.stop().await;
    println!("{told} messages, {resumed} connections of readers, {:?}", begun.elapsed());
}

/// Accounts and rooms; the first [`READERS`] people read, the others write.
async fn settle_in(engine: &Engine) -> (World, Vec<Person>) {
    let api = Api::new(engine.base());
    let mut people = Vec::new();
    for number in 0..READERS + SOCKET_WRITERS + HTTP_WRITERS {
        people.push(api.sign_up(&format!("person{number}")).await);
    }
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(api.group(&people).await);
    }
    let world =
        World { api, rooms: rooms.into(), acknowledged: Rc::default(), enough: Rc::default(), ends: Rc::default() };
    (world, people)
}

/// Not a wait for something: the moment of a kill is meant to be any.
async fn at_any_moment(rng: &mut StdRng, milliseconds_max: u64) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..milliseconds_max))).await;
}

fn holds_what_was_acknowledged(room: &str, history: &[Value], acknowledged: &[Acknowledged]) {
    let seqs: Vec<i64> = history.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    let without_holes: Vec<i64> = (1..).take(history.len()).collect();
    assert_eq!(seqs, without_holes, "the order of {room}");
    let mut sends = HashSet::new();
    for event in history {
        assert_eq!((&event["type"], &event["room_id"]), (&json!("message.posted"), &json!(room)));
        let message = &event["message"];
        let send = (message["sender"]["id"].to_string(), message["client_id"].to_string());
        assert!(sends.insert(send), "posted twice: {message}");
    }
    for one in acknowledged.iter().filter(|one| one.room == room) {
        let message = usize::try_from(one.seq).ok().and_then(|seq| history.get(seq - 1)).map(|event| &event["message"]);
        let message = message.unwrap_or_else(|| panic!("acknowledged and lost: {one:?}"));
        let kept = Acknowledged {
            room: room.to_owned(),
            seq: message["seq"].as_i64().unwrap(),
            id: message["id"].as_str().unwrap().to_owned(),
            sender: message["sender"]["id"].as_str().unwrap().to_owned(),
            client_id: message["client_id"].as_str().unwrap().to_owned(),
            content: message["content"].as_str().unwrap().to_owned(),
        };
        assert_eq!(kept, *one, "kept and acknowledged");
    }
}
