//! Someone who only reads: connects again after each kill and asks for what came since.

use std::collections::HashMap;

use serde_json::Value;

use super::World;
use super::socket::Socket;
use crate::testing::Person;

/// What one reader was shown, in the order in which it was.
pub(super) struct Seen {
    pub rooms: HashMap<String, Vec<Value>>,
    pub connections: usize,
}

/// Reads until the end of every room is seen.
pub(super) async fn read(world: World, person: Person) -> Seen {
    let rooms = world.rooms.iter().map(|room| (room.clone(), Vec::new())).collect();
    let mut seen = Seen { rooms, connections: 0 };
    while !seen.all_of(&world) {
        let mut socket = Socket::greet(&world.api.base, &person.token, &seen.resume()).await;
        seen.connections += 1;
        while !seen.all_of(&world) {
            let Some(frame) = next(&mut socket, &world).await else { break };
            if frame["type"] == "room.lagged" {
                break;
            }
            seen.note(frame);
        }
    }
    seen
}

/// The next frame; also `None` when the end becomes known meanwhile, for then there may be none.
async fn next(socket: &mut Socket, world: &World) -> Option<Value> {
    tokio::select! {
        frame = socket.next() => frame,
        () = end_known(world), if world.ends.get().is_none() => None,
    }
}

async fn end_known(world: &World) {
    while world.ends.get().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

impl Seen {
    fn last_seq(&self, room: &str) -> i64 {
        self.rooms[room].last().map_or(0, |event| event["seq"].as_i64().unwrap())
    }

    fn resume(&self) -> Value {
        self.rooms
            .keys()
            .map(|room| (room.clone(), Value::from(self.last_seq(room))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn note(&mut self, frame: Value) {
        let (Some(room), Some(seq)) = (frame["room_id"].as_str(), frame["seq"].as_i64()) else { return };
        let last = self.last_seq(room);
        assert_eq!(seq, last + 1, "after {last} came {frame}");
        self.rooms.get_mut(room).unwrap().push(frame);
    }

    fn all_of(&self, world: &World) -> bool {
        let ends = world.ends.get();
        ends.is_some_and(|ends| ends.iter().all(|(room, end)| self.last_seq(room) == *end))
    }
}
