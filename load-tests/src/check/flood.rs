//! Someone who floods: thousands of commands at once over several connections, and not one answer read before the last
//! is sent. Each connection may have some hundred commands under way; only several fill a mailbox.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::drafts::Draft;
use super::faults::Flooder;
use super::history::{RoomNo, SendNo};
use super::line::{Heard, Line};
use super::posting::ANSWERED_WITHIN;
use super::world::World;
use crate::client::Kept;

/// Connections of a flood.
const SESSIONS: u64 = 6;
/// A silence on the way to the answers is no end.
const PATIENCE: Duration = Duration::from_secs(4);
/// A connection is tried for so long: the engine may be down, or paused.
const OPEN_PATIENCE: Duration = Duration::from_secs(15);
const OPEN_PAUSE: Duration = Duration::from_millis(100);
/// With fewer commands under way it is no flood.
const COMMANDS_MIN: u64 = 100;

/// Sends `commands` commands to one room, a third of them messages, the others questions with long answers. Whether so
/// many got on their way that it was a flood; what is cut off at its beginning begins again.
pub async fn flood(world: &Rc<World>, flooder: Flooder, commands: u64) -> bool {
    let (begun, mut said) = (Instant::now(), 0);
    while said < COMMANDS_MIN && begun.elapsed() < OPEN_PATIENCE {
        let Some(lines) = open(world, flooder, begun).await else { return false };
        said += pour_all(world, flooder, lines, commands).await;
    }
    said >= COMMANDS_MIN
}

async fn pour_all(world: &Rc<World>, flooder: Flooder, lines: Vec<Line>, commands: u64) -> u64 {
    let room = RoomNo::try_from(commands % world.rooms.len().max(1) as u64).unwrap_or(0);
    let mut sessions = JoinSet::new();
    for line in lines {
        let flooding = Flooding { world: Rc::clone(world), by: flooder, room, waiting: HashMap::new() };
        sessions.spawn_local(flooding.pour(line, commands / SESSIONS));
    }
    let mut said = 0;
    while let Some(poured) = sessions.join_next().await {
        match poured {
            Ok(poured) => said += poured,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    said
}

/// All connections before the first command, so that they pour at once.
async fn open(world: &Rc<World>, Flooder { who, lane }: Flooder, begun: Instant) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    for _ in 0..SESSIONS {
        loop {
            match Line::open(world, lane, who, &Kept::default()).await {
                Some(line) => break lines.push(line),
                None if begun.elapsed() > OPEN_PATIENCE => return None,
                None => tokio::time::sleep(OPEN_PAUSE).await,
            }
        }
    }
    Some(lines)
}

/// One connection of a flood.
struct Flooding {
    world: Rc<World>,
    by: Flooder,
    room: RoomNo,
    /// What has no answer yet: messages, and questions.
    waiting: HashMap<u64, Option<SendNo>>,
}

impl Flooding {
    /// How many commands got on their way.
    async fn pour(mut self, mut line: Line, commands: u64) -> u64 {
        let mut said = 0;
        for number in 2..commands + 2 {
            let Some(frame) = self.command(number) else { break };
            if !line.say(&frame).await {
                break;
            }
            said += 1;
        }
        if self.hear(&mut line).await {
            line.close().await;
        }
        said
    }

    fn command(&mut self, number: u64) -> Option<String> {
        let (world, room) = (&self.world, self.world.room(self.room)?);
        if !number.is_multiple_of(3) {
            self.waiting.insert(number, None);
            return Some(json!({ "type": "room.catch_up", "id": number, "room_id": room, "after": 0 }).to_string());
        }
        let send = world.next_send();
        let draft = Draft::plain(self.room, format!("{send} of a flood"));
        world.note_try(self.by.who, send, &draft);
        self.waiting.insert(number, Some(send));
        Some(draft.command(number, room, send))
    }

    /// Reads answers until there are no more to come; `false` when the connection has ended.
    async fn hear(&mut self, line: &mut Line) -> bool {
        let mut answered_at = Instant::now();
        while !self.waiting.is_empty() {
            match line.hear_within(PATIENCE).await {
                Heard::Frames(frames) => {
                    let before = self.waiting.len();
                    frames.iter().for_each(|frame| self.take_answer(frame));
                    if self.waiting.len() < before {
                        answered_at = Instant::now();
                    }
                }
                Heard::Nothing => {}
                Heard::End => return false,
            }
            if answered_at.elapsed() > ANSWERED_WITHIN {
                self.world.note_unanswered(self.by.who, self.waiting.len());
                return true;
            }
        }
        true
    }

    fn take_answer(&mut self, frame: &Value) {
        let Some(re) = frame.get("re").and_then(Value::as_u64) else { return };
        match self.waiting.remove(&re) {
            Some(Some(send)) => _ = self.world.note_answer(self.by.who, send, self.room, frame),
            Some(None) => {}
            None => self.world.note_answered_again(self.by.who, frame),
        }
    }
}
