//! Those who change rooms: names, topics, members, roles, and what may not be read any more; one change after the other.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};

use super::history::{Change, Record, RoomNo, Who};
use super::world::{Outcome, Tally, World};

const PAUSE_MS_MAX: u64 = 700;
/// A change without a clear answer is asked for again this often; then it is left as it is, and another is made.
const TRIES_MAX: usize = 5;
const ROLES: [&str; 3] = ["guest", "member", "admin"];

/// The owner of a room.
pub struct Changer {
    world: Rc<World>,
    room: RoomNo,
    me: Who,
    lane: usize,
    rng: StdRng,
    /// Those who come and go, and whether they are in the room, as far as we know.
    inside: HashMap<Who, bool>,
    made: usize,
}

impl Changer {
    /// `absent`: movable people who are not founders of the room.
    pub fn new(world: &Rc<World>, room: RoomNo, lane: usize, absent: &[Who]) -> Option<Self> {
        let me = *world.owners.get(usize::from(room))?;
        let inside = world.movable.iter().map(|who| (*who, !absent.contains(who))).collect();
        let rng = world.rng(&format!("changer {room}"));
        Some(Self { world: Rc::clone(world), room, me, lane, rng, inside, made: 0 })
    }

    pub async fn change_things(mut self) {
        while !self.world.quiet.get() {
            self.world.pause(&mut self.rng, PAUSE_MS_MAX).await;
            if self.rng.random_ratio(1, 5) {
                self.world.moderate(&mut self.rng, self.lane, self.me, self.room, TRIES_MAX).await;
                continue;
            }
            let change = self.next();
            self.make(&change).await;
        }
    }

    fn next(&mut self) -> Change {
        self.made += 1;
        let (room, made) = (self.room, self.made);
        let who = self.world.movable.choose(&mut self.rng).copied().unwrap_or_default();
        let role = ROLES.choose(&mut self.rng).copied().unwrap_or_default().to_owned();
        match (self.rng.random_range(0..6), self.inside.get(&who)) {
            (0, _) => Change::Name(format!("room {room}, name {made}")),
            (1, _) => Change::Topic(format!("topic {made}")),
            (2, Some(true)) => Change::Role(who, role),
            (_, Some(true)) => Change::Remove(who),
            _ => Change::Add(who, role),
        }
    }

    async fn make(&mut self, change: &Change) {
        for _ in 0..TRIES_MAX {
            let Some((method, path, body)) = self.request(change) else { return };
            self.world.recorder.note(self.room, Record::Asked { by: self.me, change: change.clone() });
            match self.world.call(self.lane, self.me, method, &path, body).await {
                // An earlier try, or an earlier change that was given up, had added them already, perhaps as something else.
                Outcome::Done(answer) if is_otherwise(change, &answer) => return self.learn(change),
                Outcome::Done(_) => {
                    Tally::count(&self.world.tally.changes);
                    self.world.recorder.note(self.room, Record::Granted { by: self.me, change: change.clone() });
                    return self.learn(change);
                }
                // An earlier try may have done it: what is refused now tells what is.
                Outcome::Refused(code) => {
                    if let Change::Role(who, _) = change
                        && code == "chat.not_a_member"
                    {
                        self.inside.insert(*who, false);
                    }
                    return;
                }
                Outcome::Later { after, .. } => tokio::time::sleep(after).await,
                Outcome::Lost => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn request(&self, change: &Change) -> Option<(Method, String, Option<Value>)> {
        let room = format!("/api/v1/rooms/{}", self.world.room(self.room)?);
        let id = |who: &Who| self.world.person(*who).map(|person| person.id);
        Some(match change {
            Change::Name(name) => (Method::PATCH, room, Some(json!({ "name": name }))),
            Change::Topic(topic) => (Method::PATCH, room, Some(json!({ "topic": topic }))),
            Change::Add(who, role) => {
                (Method::POST, format!("{room}/members"), Some(json!({ "user_id": id(who)?, "role": role })))
            }
            Change::Remove(who) => (Method::DELETE, format!("{room}/members/{}", id(who)?), None),
            Change::Role(who, role) => {
                (Method::PATCH, format!("{room}/members/{}", id(who)?), Some(json!({ "role": role })))
            }
        })
    }

    fn learn(&mut self, change: &Change) {
        match change {
            Change::Add(who, _) => drop(self.inside.insert(*who, true)),
            Change::Remove(who) => drop(self.inside.insert(*who, false)),
            Change::Name(_) | Change::Topic(_) | Change::Role(..) => {}
        }
    }
}

/// Whether somebody who was to be added was in the room, and stays what they were.
fn is_otherwise(change: &Change, answer: &Value) -> bool {
    matches!(change, Change::Add(_, role) if answer.get("role").and_then(Value::as_str) != Some(role))
}
