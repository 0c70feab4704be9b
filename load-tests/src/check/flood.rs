//! Someone who floods: thousands of commands at once, and not one answer read before the last is sent.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::history::{SendNo, Who};
use super::line::{Heard, Line};
use super::world::World;
use super::writers::post_frame;

/// The answers that still come are read for so long at most.
const PATIENCE: Duration = Duration::from_secs(4);

/// Sends `commands` commands, a third of them messages to one room, the others questions with long answers.
pub async fn flood(world: Rc<World>, who: Who, lane: usize, commands: u64) {
    let Some(mut line) = Line::open(&world, lane, who, &[]).await else { return };
    let room = u16::try_from(commands % world.rooms.len().max(1) as u64).unwrap_or(0);
    let Some(id) = world.room(room) else { return };
    let mut waiting: HashMap<u64, SendNo> = HashMap::new();
    for number in 2..commands + 2 {
        let frame = if number % 3 == 0 {
            let send = world.next_send();
            let content = format!("{send} of a flood");
            world.note_try(room, who, send, &content);
            waiting.insert(number, send);
            post_frame(number, id, send, &content)
        } else {
            json!({ "type": "room.catch_up", "id": number, "room_id": id, "after": 0 }).to_string()
        };
        if !line.say(&frame).await {
            break;
        }
    }
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && !waiting.is_empty() {
        match line.hear_within(PATIENCE).await {
            Heard::Frames(frames) => {
                for frame in &frames {
                    let re = frame.get("re").and_then(serde_json::Value::as_u64);
                    if let Some(send) = re.and_then(|re| waiting.remove(&re)) {
                        world.note_answer(who, send, Some(room), frame);
                    }
                }
            }
            Heard::Nothing => {}
            Heard::End => return,
        }
    }
    line.close().await;
}
