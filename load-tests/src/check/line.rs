//! A device's connection over its lane: every step may fail, and failing says nothing more.

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::history::Who;
use super::world::{Tally, World};
use crate::client::{Kept, Message, Ready, Session, Socket};

/// A greeting, a send or a silence takes no longer on a line that works.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
pub struct Line {
    who: Who,
    socket: Rc<Socket>,
    /// Frames that came with the answer to hello.
    early: Vec<Value>,
    /// The answer to hello.
    pub ready: Ready,
    heard_at: Instant,
    world: Rc<World>,
}

/// What came.
pub enum Heard {
    Frames(Vec<Value>),
    Nothing,
    /// The connection has ended, or is dead.
    End,
}

impl Line {
    /// Connects and says hello; `None` when that does not work now.
    pub async fn open(world: &Rc<World>, lane: usize, who: Who, kept: &Kept) -> Option<Self> {
        let (lane, person) = (world.lanes.get(lane)?, world.person(who)?);
        let mut early = Vec::new();
        let greeting = Session::come_back(lane.address, &person.token, kept, |_, frame| early.extend(parse(frame)));
        let (session, ready) = tokio::time::timeout(PATIENCE, greeting).await.ok()?.ok()?;
        Tally::count(&world.tally.connections);
        for room in &ready.rooms {
            world.note_leak(who, &json!(room.id), &json!({ "type": "ready" }));
        }
        early.iter().for_each(|frame| look_for_leaks(world, who, frame));
        Some(Self { who, socket: session.socket, early, ready, heard_at: Instant::now(), world: Rc::clone(world) })
    }

    /// Sends a frame; `false` when the connection has ended.
    pub async fn say(&mut self, frame: &str) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.socket.send(frame.as_bytes())).await, Ok(Ok(())))
    }

    /// Waits for frames, at most so long.
    pub async fn hear_within(&mut self, patience: Duration) -> Heard {
        if !self.early.is_empty() {
            return Heard::Frames(std::mem::take(&mut self.early));
        }
        let (mut frames, mut closed) = (Vec::new(), false);
        let reading = self.socket.read(|message| match message {
            Message::Text(frame) => frames.extend(parse(frame)),
            Message::Close(_) => closed = true,
            Message::Other => {}
        });
        let read = tokio::time::timeout(patience, reading).await;
        frames.iter().for_each(|frame| look_for_leaks(&self.world, self.who, frame));
        if closed {
            Tally::count(&self.world.tally.closed_by_engine);
        }
        match read {
            // What came before the end is heard first; the end shows itself at the next call.
            Ok(Ok(true)) if !frames.is_empty() || !closed => {
                self.heard_at = Instant::now();
                Heard::Frames(frames)
            }
            Ok(_) => Heard::End,
            Err(_) if self.heard_at.elapsed() > PATIENCE => Heard::End,
            Err(_) => Heard::Nothing,
        }
    }

    pub async fn close(self) {
        // A good-bye that does not get through is as good.
        let _ = tokio::time::timeout(PATIENCE, self.socket.close()).await;
    }
}

/// Whatever the frame is: it, the room it announces and the events of the page it is must be of rooms that are theirs.
fn look_for_leaks(world: &World, who: Who, frame: &Value) {
    let events = frame.get("events").and_then(Value::as_array).into_iter().flatten();
    for frame in std::iter::once(frame).chain(events) {
        for room in ["/room_id", "/room/id", "/message/room_id"].into_iter().filter_map(|path| frame.pointer(path)) {
            world.note_leak(who, room, frame);
        }
    }
}

fn parse(frame: &[u8]) -> Option<Value> {
    serde_json::from_slice(frame).ok()
}
