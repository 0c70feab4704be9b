//! The law about coming back: each room goes on from where the reader was, or is refused for a reason that is true.
//!
//! Whether it goes on without a gap is another law, that of readers. Nobody puts back a log in a run, so that no epoch ends.

use crate::check::history::ComingBack;
use crate::check::laws::surely::Surely;
use crate::check::tale::{CameBack, Tale};

/// Rooms that were neither resumed nor rightly refused.
pub fn wrongly(tale: &Tale<'_>) -> Vec<String> {
    if tale.came_back.is_empty() {
        return Vec::new();
    }
    let surely = Surely::of(tale);
    let end = tale.first.rows.last().map(|row| row.seq);
    let mut broken = Vec::new();
    for came @ CameBack { reader, from, answer, .. } in &tale.came_back {
        let wrong = match answer {
            // Of what never was there is nothing that comes after it.
            ComingBack::GoesOn => end.filter(|end| from > end).map(|_| "was resumed".to_owned()),
            ComingBack::Forgotten => Some("was told nothing".to_owned()),
            ComingBack::Refused { reason, resumed } => {
                let why = untrue(tale, &surely, came, reason, *resumed);
                why.map(|why| format!("was refused as {reason}, {why}"))
            }
        };
        broken.extend(wrong.map(|wrong| format!("reader {reader} came back from {from} and {wrong}")));
    }
    broken
}

/// Why this is no reason.
fn untrue(
    tale: &Tale<'_>,
    surely: &Surely<'_>,
    CameBack { step, said, reader, from, .. }: &CameBack<'_>,
    reason: &str,
    resumed: u64,
) -> Option<String> {
    match reason {
        "not_a_member" => {
            let stay = surely.a_member(*reader, *said, *step)?;
            Some(format!("a member since {}", stay.from))
        }
        "ahead" => (*from <= surely.reached(*said)).then(|| "where the room had been".to_owned()),
        "too_many" => {
            let max = tale.cast.resumed_max.filter(|max| resumed < *max)?;
            Some(format!("and {resumed} rooms were resumed, which may be {max}"))
        }
        _ => Some("which cannot be".to_owned()),
    }
}
