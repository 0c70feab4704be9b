//! What became of a hello that resumes: each room is resumed, or named with a reason.

use uuid::Uuid;

use super::Device;
use crate::client::session::{Kept, Ready};

impl Device {
    /// Forgets what is not resumed: `ready` says where such a room is read anew. An engine whose log nobody puts back has
    /// two reasons only: too many rooms at once, and that the owner is not in the room any more.
    pub(super) fn judge(&self, kept: &Kept, ready: &Ready) {
        for (room, seq) in &kept.resume {
            let is_listed = ready.rooms.iter().any(|listed| listed.id == *room);
            match ready.refused(*room) {
                Some("not_a_member") if !is_listed => {}
                Some("too_many") => {}
                Some(reason) => self.misjudged(*room, *seq, &format!("refused as {reason}")),
                None if is_listed || ready.rooms_truncated || ready.epoch.is_none() => continue,
                None => self.misjudged(*room, *seq, "neither resumed nor refused"),
            }
            self.rooms.borrow_mut().remove(&room.as_u128());
        }
    }

    fn misjudged(&self, room: Uuid, seq: u64, how: &str) {
        self.watcher.broken(format!("room {room}: {} was {how} when it came back from {seq}", self.person.id));
    }
}
