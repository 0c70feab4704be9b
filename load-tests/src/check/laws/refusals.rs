//! The law about writing: a member's message is acknowledged, sooner or later, and only those outside are refused.

use crate::check::laws::surely::Surely;
use crate::check::tale::{Refusal, Tale};

/// What those are told who are not in a room.
const NOT_THEIRS: &str = "chat.room_not_found";

/// Refused for good though they were members all the while, or for another reason than not to be.
pub fn of_members(tale: &Tale<'_>) -> Vec<String> {
    if tale.refusals.is_empty() {
        return Vec::new();
    }
    let surely = Surely::of(tale);
    let mut broken = Vec::new();
    for Refusal { step, key: (by, send), code } in &tale.refusals {
        if *code != NOT_THEIRS {
            broken.push(format!("message {send} of person {by} was refused for good: {code:?}"));
            continue;
        }
        let Some(first_try) = tale.sends.get(&(*by, *send)).filter(|sends| sends.tries > 0) else { continue };
        if let Some(stay) = surely.a_member(*by, first_try.first_step, *step) {
            broken.push(format!("message {send} of person {by}, a member since {}, was refused for good", stay.from));
        }
    }
    broken
}
