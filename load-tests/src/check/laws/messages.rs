//! Laws about messages: what was sent, what was promised, and what is kept.

use std::collections::{HashMap, HashSet};

use crate::check::history::Kept;
use crate::check::tale::{Key, Tale};

/// Acknowledged, and nowhere in the room.
pub fn lost(tale: &Tale<'_>) -> Vec<String> {
    let places = tale.places();
    let lost = tale.acks.iter().filter(|ack| !places.contains_key(&ack.key));
    lost.map(|ack| format!("{} was acknowledged as {} and is not there", name(ack.key), ack.seq)).collect()
}

/// Kept, but not at the place or with the id that the acknowledgement named.
pub fn untrue(tale: &Tale<'_>) -> Vec<String> {
    let places = tale.places();
    let mut broken = Vec::new();
    for ack in &tale.acks {
        let Some(kept) = places.get(&ack.key) else { continue };
        if !kept.iter().any(|(seq, message)| (*seq, message.id) == (ack.seq, ack.id)) {
            let kept: Vec<String> = kept.iter().map(|(seq, message)| format!("{seq} ({})", message.id)).collect();
            let (name, kept) = (name(ack.key), kept.join(", "));
            broken.push(format!("{name} was acknowledged as {} ({}) and is {kept}", ack.seq, ack.id));
        }
    }
    broken
}

/// One send that is several messages, or one id that stands at several places.
pub fn doubled(tale: &Tale<'_>) -> Vec<String> {
    let mut by_key: HashMap<Key, u64> = HashMap::new();
    let mut by_id: HashMap<uuid::Uuid, u64> = HashMap::new();
    let mut broken = Vec::new();
    for (seq, kept) in tale.messages() {
        let Some(key) = key_of(kept) else { continue };
        if let Some(earlier) = by_key.insert(key, seq) {
            broken.push(format!("{} is there as {earlier} and as {seq}", name(key)));
        } else if let Some(earlier) = by_id.insert(kept.id, seq) {
            broken.push(format!("id {} is that of {earlier} and of {seq}", kept.id));
        }
    }
    broken
}

/// Kept, and never sent, or not like that.
pub fn phantoms(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let changed: HashSet<uuid::Uuid> = tale.first.rows.iter().filter_map(|row| row.fact.changes()).collect();
    for (seq, kept) in tale.messages() {
        let shown = &kept.body;
        match key_of(kept).and_then(|key| tale.sends.get(&key)?.body) {
            Some(sent) if sent == shown.as_ref() => {}
            // What it is to say by now is another law.
            Some(sent)
                if changed.contains(&kept.id) && (&sent.kind, sent.reply_to) == (&shown.kind, shown.reply_to) => {}
            Some(sent) => broken.push(format!("{seq} is {} and not as it was sent: {sent:?}", named(kept))),
            None => broken.push(format!("{seq} is {}, which nobody sent", named(kept))),
        }
    }
    broken
}

/// Kept, though every try was answered with "nothing was done".
pub fn refused_and_kept(tale: &Tale<'_>) -> Vec<String> {
    let refused = |key: &Key| tale.sends.get(key).is_some_and(|sends| sends.tries > 0 && sends.undone >= sends.tries);
    let kept = tale.messages().filter_map(|(seq, kept)| Some((seq, key_of(kept)?)));
    let broken = kept.filter(|(_, key)| refused(key));
    broken.map(|(seq, key)| format!("every try of {} was refused, and it is there as {seq}", name(key))).collect()
}

/// Places that are missing, repeated or out of order.
pub fn holes(tale: &Tale<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut before = 0;
    for row in &tale.first.rows {
        if row.seq != before + 1 {
            broken.push(format!("after {before} comes {}", row.seq));
        }
        before = row.seq;
    }
    if let Some(described) = tale.first.described
        && described.last_seq != before
    {
        broken.push(format!("the order ends at {before} and last_seq is {}", described.last_seq));
    }
    broken
}

/// Sent when something with a higher place had been acknowledged already.
pub fn overtaken(tale: &Tale<'_>) -> Vec<String> {
    let mut acks = tale.acks.iter().peekable();
    let mut sends: Vec<(&Key, u64)> = tale.sends.iter().map(|(key, sends)| (key, sends.first_step)).collect();
    sends.sort_unstable_by_key(|(_, step)| *step);
    let places = tale.places();
    let (mut highest, mut broken) = (None, Vec::new());
    for (key, step) in sends {
        while let Some(ack) = acks.next_if(|ack| ack.step < step) {
            if highest.is_none_or(|(seq, _)| ack.seq > seq) {
                highest = Some((ack.seq, ack.key));
            }
        }
        let (Some((seq, earlier)), Some(kept)) = (highest, places.get(key)) else { continue };
        for (place, _) in kept.iter().filter(|(place, _)| *place <= seq && earlier != *key) {
            let (later, earlier) = (name(*key), name(earlier));
            broken.push(format!("{later} was sent after {earlier} was acknowledged as {seq}, and is {place}"));
        }
    }
    broken
}

fn key_of(kept: &Kept) -> Option<Key> {
    Some((kept.by?, kept.send?))
}

fn name((who, send): Key) -> String {
    format!("message {send} of person {who}")
}

fn named(kept: &Kept) -> String {
    key_of(kept).map_or_else(|| format!("message {} of a stranger", kept.id), name)
}
