//! Which rooms of a hello's `resume` are resumed, and what is said of the others. Pure.
//!
//! Invariant: each room that was asked for is resumed, or up to date, or named: nothing is dropped or moved to another place
//! in silence, and nothing closes the connection.

use std::collections::HashMap;

use crate::wire::{RefusedBecause, Resume, ResumeRefused};
use parlance_foundation::ids::RoomId;

/// See the module.
#[derive(Debug, Default, PartialEq)]
pub struct Resumption {
    /// Rooms that have moved on, each with the seq that its reader gets next.
    pub behind: Vec<(RoomId, i64)>,
    pub refused: Vec<ResumeRefused>,
}

impl Resumption {
    /// Of another life of the log nothing is resumed.
    pub fn of_another_epoch(asked: Resume) -> Self {
        Self { behind: Vec::new(), refused: named(asked, RefusedBecause::Epoch) }
    }

    /// `followed` are the user's rooms with their newest seq, the most important first: past `rooms_max` that have moved on,
    /// the others are read anew.
    pub fn plan(mut asked: Resume, followed: impl IntoIterator<Item = (RoomId, i64)>, rooms_max: usize) -> Self {
        let mut plan = Self::default();
        if !asked.rooms.is_empty() {
            for (room, last_seq) in followed {
                if let Some(known) = asked.rooms.remove(&room) {
                    plan.take(room, known, last_seq, rooms_max);
                }
            }
        }
        plan.refused.extend(named(asked, RefusedBecause::NotAMember));
        plan
    }

    fn take(&mut self, room: RoomId, known: i64, last_seq: i64, rooms_max: usize) {
        if known > last_seq {
            self.refused.push(ResumeRefused::room(room, RefusedBecause::Ahead));
        } else if known < last_seq && self.behind.len() >= rooms_max {
            self.refused.push(ResumeRefused::room(room, RefusedBecause::TooMany));
        } else if known < last_seq {
            self.behind.push((room, known + 1));
        }
    }
}

/// Rooms of which the client has more than is known of them: it may have read what the engine has not shown yet.
pub fn ahead<'a>(asked: &'a Resume, followed: &'a [(RoomId, i64)]) -> impl Iterator<Item = RoomId> + 'a {
    // Most who come ask for nothing.
    let followed: &[(RoomId, i64)] = if asked.rooms.is_empty() { &[] } else { followed };
    let is_ahead = |room: &RoomId, last_seq: i64| asked.rooms.get(room).is_some_and(|known| *known > last_seq);
    followed.iter().filter(move |(room, last_seq)| is_ahead(room, *last_seq)).map(|(room, _)| *room)
}

/// All of it, for one reason, in a settled order; what is malformed for that.
fn named(asked: Resume, reason: RefusedBecause) -> Vec<ResumeRefused> {
    let Resume { rooms, malformed } = asked;
    let mut rooms: Vec<RoomId> = HashMap::into_keys(rooms).collect();
    rooms.sort_unstable();
    let rooms = rooms.into_iter().map(|room| ResumeRefused::room(room, reason));
    rooms.chain(malformed.into_iter().map(ResumeRefused::malformed)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn room(n: u8) -> RoomId {
        RoomId(Uuid::from_u128(u128::from(n)))
    }

    fn asked(rooms: &[(u8, i64)], malformed: &[&str]) -> Resume {
        Resume {
            rooms: rooms.iter().map(|(n, seq)| (room(*n), *seq)).collect(),
            malformed: malformed.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn each_room_is_resumed_or_named_with_its_reason() {
        let followed = [(room(1), 10), (room(2), 10), (room(3), 10), (room(4), 10), (room(5), 0)];
        let asked = asked(&[(1, 4), (2, 10), (3, 11), (4, 9), (5, 0), (9, 0)], &["lobby"]);
        assert_eq!(ahead(&asked, &followed).collect::<Vec<_>>(), [room(3)]);
        let plan = Resumption::plan(asked, followed, 1);
        assert_eq!(plan.behind, [(room(1), 5)]);
        assert_eq!(
            plan.refused,
            [
                ResumeRefused::room(room(3), RefusedBecause::Ahead),
                ResumeRefused::room(room(4), RefusedBecause::TooMany),
                ResumeRefused::room(room(9), RefusedBecause::NotAMember),
                ResumeRefused::malformed("lobby".into()),
            ]
        );
    }

    #[test]
    fn of_another_epoch_everything_is_named() {
        let plan = Resumption::of_another_epoch(asked(&[(2, 7), (1, 0)], &["x"]));
        let reasons: Vec<_> = plan.refused.iter().map(|refused| refused.reason).collect();
        assert_eq!(reasons, [RefusedBecause::Epoch, RefusedBecause::Epoch, RefusedBecause::Malformed]);
        assert_eq!((plan.refused[0].room_id.clone(), plan.behind), (room(1).to_string(), vec![]));
    }

    proptest! {
        #[test]
        fn nothing_is_dropped_in_silence(
            known in prop::collection::hash_map(0..20_u8, 0..6_i64, 0..20),
            followed in prop::collection::hash_map(0..20_u8, 0..6_i64, 0..20),
            rooms_max in 0..6_usize,
        ) {
            let rooms: Vec<(u8, i64)> = known.clone().into_iter().collect();
            let followed_rooms = followed.iter().map(|(n, seq)| (room(*n), *seq));
            let plan = Resumption::plan(asked(&rooms, &[]), followed_rooms, rooms_max);
            prop_assert!(plan.behind.len() <= rooms_max);
            for (n, seq) in known {
                let is_refused = plan.refused.iter().any(|refused| refused.room_id == room(n).to_string());
                let resumed = plan.behind.iter().find(|(of, _)| *of == room(n));
                match followed.get(&n) {
                    Some(last) if *last == seq => prop_assert!(!is_refused && resumed.is_none()),
                    Some(last) if *last > seq => {
                        prop_assert!(is_refused != resumed.is_some());
                        prop_assert!(resumed.is_none_or(|(_, next)| *next == seq + 1));
                    }
                    Some(_) | None => prop_assert!(is_refused && resumed.is_none()),
                }
            }
        }
    }
}
