//! The broadcaster's rooms: a counter each, and the frame that everybody gets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;

/// A frame for all listeners of a room.
#[derive(Clone)]
pub struct Frame {
    pub room: u128,
    pub bytes: Arc<[u8]>,
}

/// All rooms. One lock, which nobody holds for long.
pub struct Rooms {
    last_seqs: Mutex<HashMap<u128, u64>>,
    lanes: Vec<mpsc::UnboundedSender<Frame>>,
}

/// Where a message stands.
pub struct Posted {
    room: Uuid,
    seq: u64,
    id: Uuid,
    at: String,
}

impl Rooms {
    pub fn new(lanes: Vec<mpsc::UnboundedSender<Frame>>) -> Self {
        Self { last_seqs: Mutex::default(), lanes }
    }

    /// Where a room is: 0 before its first message.
    pub fn last_seq(&self, room: Uuid) -> u64 {
        let last_seqs = self.last_seqs.lock().unwrap_or_else(PoisonError::into_inner);
        last_seqs.get(&room.as_u128()).copied().unwrap_or_default()
    }

    /// Gives the message its place and sends it to every thread.
    pub fn post(&self, room: Uuid, client_id: &str, content: &str) -> Posted {
        let id = Uuid::now_v7();
        let at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let mut last_seqs = self.last_seqs.lock().unwrap_or_else(PoisonError::into_inner);
        let last_seq = last_seqs.entry(room.as_u128()).or_default();
        *last_seq += 1;
        let seq = *last_seq;
        let text = format!(
            "{{\"type\":\"message.posted\",\"room_id\":\"{room}\",\"seq\":{seq},\"message\":{{\"id\":\"{id}\",\
             \"room_id\":\"{room}\",\"seq\":{seq},\"sender\":{{\"type\":\"user\",\"id\":\"{id}\"}},\"kind\":\"text\",\
             \"content\":\"{content}\",\"client_id\":\"{client_id}\",\"created_at\":\"{at}\"}}}}"
        );
        let mut bytes = Vec::with_capacity(text.len() + 10);
        frame_into(&mut bytes, &text);
        let bytes: Arc<[u8]> = bytes.into();
        // Under the lock, so that every thread gets the room's frames in their order.
        for lane in &self.lanes {
            // A thread that ended has nobody to tell.
            let _ = lane.send(Frame { room: room.as_u128(), bytes: Arc::clone(&bytes) });
        }
        drop(last_seqs);
        Posted { room, seq, id, at }
    }
}

impl Posted {
    /// The sender's answer.
    pub fn ok(&self, re: &str) -> String {
        let Self { room, seq, id, at } = self;
        format!(
            "{{\"type\":\"ok\",\"re\":{re},\"room_id\":\"{room}\",\"seq\":{seq},\"message_id\":\"{id}\",\"created_at\":\"{at}\"}}"
        )
    }
}

/// Appends a text frame as servers send it.
pub fn frame_into(out: &mut Vec<u8>, text: &str) {
    out.push(0x81);
    #[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
    match text.len() {
        short @ 0..126 => out.push(short as u8),
        medium @ 126..65_536 => {
            out.push(126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}
