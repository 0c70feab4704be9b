//! What a device says of how far it has received and read. Pure.

use rand::RngExt;
use rand::rngs::StdRng;
use serde::Serialize;
use uuid::Uuid;

use super::history::{Marks, RoomNo};

/// A `receipt.mark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub room: RoomNo,
    pub marks: Marks,
    /// Up to here it says all that there is to say; 0 when it leaves one of the two out.
    pub whole: u64,
}

#[derive(Serialize)]
struct Command {
    #[serde(rename = "type")]
    name: &'static str,
    id: u64,
    room_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_seq: Option<u64>,
}

impl Mark {
    /// Of somebody who was `shown` so much, and leaves the newest `unread` of it unread.
    pub fn of(rng: &mut StdRng, room: RoomNo, shown: u64, unread: u64) -> Self {
        // At times less than before, as another device of the same person may that is behind.
        let less = if rng.random_ratio(1, 4) { rng.random_range(1..30) } else { 0 };
        let delivered = shown.saturating_sub(less).max(1);
        let read = delivered.saturating_sub(unread);
        let (marks, whole) = match rng.random_range(0..6) {
            0 => (Marks { delivered, read: 0 }, 0),
            1 if read > 0 => (Marks { delivered: 0, read }, 0),
            _ => (Marks { delivered, read }, delivered),
        };
        Self { room, marks, whole }
    }

    /// The command that says it.
    pub fn command(&self, number: u64, room: Uuid) -> String {
        let said = |seq: u64| (seq > 0).then_some(seq);
        let Marks { delivered, read } = self.marks;
        let (delivered_seq, read_seq) = (said(delivered), said(read));
        let command = Command { name: "receipt.mark", id: number, room_id: room, delivered_seq, read_seq };
        serde_json::json!(command).to_string()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_way_to_mark_comes_and_none_says_more_than_there_is() {
        let mut rng = StdRng::seed_from_u64(1);
        let marks: Vec<Mark> = (0..300).map(|_| Mark::of(&mut rng, 0, 50, 20)).collect();
        let whole = Mark { room: 0, marks: Marks { delivered: 50, read: 30 }, whole: 50 };
        assert!(marks.contains(&whole));
        assert!(marks.iter().any(|mark| mark.marks.delivered == 0) && marks.iter().any(|mark| mark.marks.read == 0));
        assert!(marks.iter().all(|mark| mark.marks.delivered <= 50 && mark.marks.read <= 30 && mark.whole <= 50));
        let command: Value = serde_json::from_str(&whole.command(7, Uuid::nil())).unwrap();
        assert_eq!((&command["delivered_seq"], &command["read_seq"]), (&Value::from(50), &Value::from(30)));
    }

    #[test]
    fn whoever_leaves_everything_unread_still_says_what_has_come() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..100 {
            let mark = Mark::of(&mut rng, 0, 5, 200);
            assert!(mark.marks.read == 0 && mark.marks.delivered > 0, "{mark:?}");
            assert!(!mark.command(1, Uuid::nil()).contains("read_seq"));
        }
    }
}
