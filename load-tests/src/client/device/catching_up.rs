//! Reading what the engine shed: until nothing is missing, or the connection ends and resuming takes over.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::place::Missing;
use super::{Answer, Device};
use crate::client::frame::RoomKey;

const PAGE_ITEMS: usize = 200;
/// Tries for one page. An engine that says "later" may be busy for a while.
const TRIES_MAX: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// How a page went.
enum Page {
    /// Up to this seq; `None` when it brought nothing.
    Read(Option<u64>),
    Later,
    /// Resuming, or nobody, reads it now.
    Over,
}

impl Device {
    /// What waited for us was shed.
    pub(super) fn fall_behind(self: &Rc<Self>, room: RoomKey, last_seq: u64) {
        let is_first = self.rooms.borrow_mut().get_mut(&room).map(|place| place.shed(last_seq));
        match is_first {
            Some(true) => {
                let device = Rc::clone(self);
                tokio::task::spawn_local(async move { device.catch_up(room).await });
            }
            Some(false) => {}
            None => self.watcher.broken(format!("room.lagged of {}, unknown to the device", Uuid::from_u128(room))),
        }
    }

    /// Reads what is missing of a room. Live events go on meanwhile.
    async fn catch_up(self: Rc<Self>, room: RoomKey) {
        let connection = self.connections.get();
        let mut tries = 0;
        while let Some(Missing { after, until }) = self.missing(room) {
            let page = if after >= until { Page::Read(Some(until)) } else { self.read_page(room, after).await };
            if connection != self.connections.get() {
                return;
            }
            match page {
                Page::Read(Some(seq)) => {
                    tries = 0;
                    if let Some(place) = self.rooms.borrow_mut().get_mut(&room) {
                        place.read(seq);
                    }
                }
                Page::Over => return,
                Page::Read(None) | Page::Later => tries += 1,
            }
            if tries >= TRIES_MAX {
                let (room, who) = (Uuid::from_u128(room), self.person.id);
                return self.watcher.broken(format!("room {room}: {who} could not read {after} to {until} again"));
            }
            if tries > 0 {
                tokio::time::sleep(PAUSE.mul_f64(rand::random_range(0.5..1.5))).await;
            }
        }
    }

    fn missing(&self, room: RoomKey) -> Option<Missing> {
        self.rooms.borrow().get(&room).and_then(|place| place.missing)
    }

    async fn read_page(&self, room: RoomKey, after: u64) -> Page {
        let id = Uuid::from_u128(room);
        let body = format!("\"room_id\":\"{id}\",\"after\":{after},\"limit\":{PAGE_ITEMS}");
        match self.command("room.catch_up", &body).await {
            Ok(Answer::Ok(page)) => Page::Read(self.check_page(room, after, &page)),
            Ok(Answer::Later) => Page::Later,
            Ok(Answer::Gone) => Page::Over,
            // Removed from it meanwhile; if not, the room is missing in the end, which is a failure.
            Ok(Answer::Never(code)) if code == "chat.room_not_found" => {
                if let Some(place) = self.rooms.borrow_mut().get_mut(&room) {
                    place.deny(after);
                }
                Page::Over
            }
            Ok(Answer::Never(code)) => {
                self.watcher.broken(format!("room.catch_up: {code}"));
                Page::Over
            }
            Err(error) => {
                self.watcher.broken(format!("{error:#}"));
                Page::Later
            }
        }
    }

    /// The last seq of a page, each of whose events must be the one after the one before.
    fn check_page(&self, room: RoomKey, after: u64, page: &Value) -> Option<u64> {
        let mut last = after;
        for event in page.get("events").and_then(Value::as_array)? {
            let seq = event.get("seq").and_then(Value::as_u64).unwrap_or(0);
            if seq != last + 1 {
                self.watcher.out_of_order(room, seq, last + 1);
            }
            last = last.max(seq);
        }
        (last > after).then_some(last)
    }
}
