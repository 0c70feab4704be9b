//! Laws about edits and deletions: what was asked for, what was promised, and what is in the order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::check::history::{Fact, Who};
use crate::check::laws::forms::{Forms, Told};
use crate::check::laws::surely::Surely;
use crate::check::tale::{Key, Refusal, Revised, Revision, Tale};

/// Acknowledged, and not there.
pub fn lost(tale: &Tale<'_>) -> Vec<String> {
    let forms = Forms::of(tale);
    let mut broken = Vec::new();
    for Revised { key, seq, settled, .. } in &tale.revised {
        let Some(revision) = tale.revisions.get(key) else { continue };
        // Where its message is not there, that is what is lost.
        let Some(told) = forms.messages.get(&revision.message) else { continue };
        let there = match (seq, revision.text) {
            (Some(seq), _) => told.forms.get(seq).is_some_and(|made| is_by(made.row.fact, *key, revision)),
            // Each says something new: none is needless.
            (None, Some(_)) => !settled && edits_of(told, key.0) > 0,
            (None, None) => told.forms.values().any(|made| matches!(made.row.fact, Fact::Deleted { .. })),
        };
        if !there {
            let at = seq.map_or("done".to_owned(), |seq| seq.to_string());
            broken.push(format!("{} was acknowledged as {at} and is not there", name(*key, revision)));
        }
    }
    broken.extend(too_few(tale, &forms));
    broken
}

/// Fewer edits of one message by one person than were acknowledged.
fn too_few(tale: &Tale<'_>, forms: &Forms<'_>) -> Vec<String> {
    let mut acked: BTreeMap<(Who, Uuid), BTreeSet<Key>> = BTreeMap::new();
    for revised in &tale.revised {
        if let Some(revision) = tale.revisions.get(&revised.key).filter(|revision| revision.text.is_some()) {
            acked.entry((revised.key.0, revision.message)).or_default().insert(revised.key);
        }
    }
    let there = |who: Who, message: &Uuid| forms.messages.get(message).map(|told| edits_of(told, who));
    let few = acked.iter().filter_map(|((who, message), keys)| {
        let there = there(*who, message)?;
        (there < keys.len()).then(|| {
            format!("{} edits of {message} by person {who} were acknowledged, and {there} are there", keys.len())
        })
    });
    few.collect()
}

/// One command that is several events, or two events of which one undoes nothing.
pub fn doubled(tale: &Tale<'_>) -> Vec<String> {
    let forms = Forms::of(tale);
    let mut broken = Vec::new();
    let mut acked: HashMap<Key, u64> = HashMap::new();
    for Revised { key, seq, .. } in &tale.revised {
        let (Some(seq), Some(revision)) = (seq, tale.revisions.get(key)) else { continue };
        let first = *acked.entry(*key).or_insert(*seq);
        if first != *seq {
            broken.push(format!("{} was acknowledged as {first} and as {seq}", name(*key, revision)));
        }
    }
    for told in forms.messages.values() {
        let deletions = told.forms.values().filter(|made| matches!(made.row.fact, Fact::Deleted { .. })).count();
        if deletions > 1 {
            broken.push(format!("message {} was deleted {deletions} times", told.place));
        }
    }
    let mut asked: BTreeMap<(Who, Uuid), usize> = BTreeMap::new();
    for ((who, _), revision) in tale.revisions.iter().filter(|(_, revision)| revision.text.is_some()) {
        *asked.entry((*who, revision.message)).or_default() += 1;
    }
    for ((who, message), asked) in asked {
        let Some(told) = forms.messages.get(&message) else { continue };
        let there = edits_of(told, who);
        if there > asked {
            let place = told.place;
            broken.push(format!("person {who} asked for {asked} edits of {place}, and {there} are there"));
        }
    }
    broken.sort();
    broken
}

/// In the order, and nobody asked for it, or nobody may.
pub fn phantoms(tale: &Tale<'_>) -> Vec<String> {
    let mut authors: HashMap<Uuid, Option<Who>> = HashMap::new();
    let mut gone: BTreeSet<Uuid> = BTreeSet::new();
    let mut broken = Vec::new();
    for row in &tale.first.rows {
        let (by, message, edits) = match row.fact {
            Fact::Message(kept) => {
                authors.insert(kept.id, kept.by);
                continue;
            }
            Fact::Edited { by, message } => (*by, *message, true),
            Fact::Deleted { by, message } => (*by, *message, false),
            _ => continue,
        };
        let is_asked = tale.revisions.iter().any(|((who, _), revision)| {
            Some(*who) == by && revision.message == message && revision.text.is_some() == edits
        });
        if !is_asked {
            broken.push(format!("{} is a change of a message that nobody asked for", row.seq));
        } else if edits && authors.get(&message).is_some_and(|author| *author != by) {
            broken.push(format!("{} is an edit by somebody else than the author", row.seq));
        }
        if edits && gone.contains(&message) {
            broken.push(format!("{} is an edit of a message that had been deleted", row.seq));
        }
        if !edits {
            gone.insert(message);
        }
    }
    broken
}

/// In the order, though every try was answered with "nothing was done".
pub fn refused_and_kept(tale: &Tale<'_>) -> Vec<String> {
    let refused = |revision: &&Revision<'_>| revision.tries > 0 && revision.undone >= revision.tries;
    let refused: Vec<(Key, &Revision<'_>)> = tale
        .revisions
        .iter()
        .filter(|(_, revision)| refused(revision))
        .map(|(key, revision)| (*key, revision))
        .collect();
    if refused.is_empty() {
        return Vec::new();
    }
    // What an edit said stands in its event, or came to a reader while it did.
    let forms = Forms::of(tale);
    let mut said: BTreeSet<(u64, u64)> =
        tale.sights().filter_map(|(_, sight)| Some((sight.seq, sight.says?))).collect();
    said.extend(tale.first.rows.iter().filter_map(|row| Some((row.seq, row.says?))));
    let is_kept = |(key, revision): &(Key, &Revision<'_>)| {
        let told = forms.messages.get(&revision.message)?;
        let is_it = |seq: u64, form: u64, by: Key| by == *key && said.contains(&(seq, form));
        let mut made = told.forms.iter().flat_map(|(seq, made)| made.forms.iter().map(move |form| (*seq, *form)));
        made.find(|(seq, (form, by))| is_it(*seq, *form, *by)).map(|(seq, _)| seq)
    };
    let kept = refused.iter().filter_map(|refused| Some((refused, is_kept(refused)?)));
    kept.map(|((key, revision), seq)| {
        format!("every try of {} was refused, and it is there as {seq}", name(*key, revision))
    })
    .collect()
}

/// Refused for good, and for no good reason.
pub fn wrongly_refused(tale: &Tale<'_>) -> Vec<String> {
    if tale.unrevised.is_empty() {
        return Vec::new();
    }
    let (surely, forms) = (Surely::of(tale), Forms::of(tale));
    let wrong = tale.unrevised.iter().filter_map(|refusal| {
        let revision = tale.revisions.get(&refusal.key)?;
        let why = is_wrong(tale, &surely, &forms, refusal, revision)?;
        Some(format!("{} was refused for good as {}, {why}", name(refusal.key, revision), refusal.code))
    });
    wrong.collect()
}

fn is_wrong(
    tale: &Tale<'_>,
    surely: &Surely<'_>,
    forms: &Forms<'_>,
    Refusal { step, key: (by, _), code }: &Refusal<'_>,
    revision: &Revision<'_>,
) -> Option<&'static str> {
    let told = forms.messages.get(&revision.message)?;
    let owner = tale.founding.members.iter().find(|(_, role)| role == "owner").map(|(who, _)| *who);
    match *code {
        "chat.room_not_found" => surely.a_member(*by, revision.first_step, *step).map(|_| "by a member"),
        // Of their own they may, and whoever owns the room may delete those of all others.
        "message.not_yours" if told.kept.by == Some(*by) => Some("of their own message"),
        "message.not_yours" if revision.text.is_none() && owner == Some(*by) => Some("by the owner"),
        "message.not_yours" => None,
        "message.deleted" => {
            // By a deletion that is on its way as well, whether or not it arrives.
            let mut deletions =
                tale.revisions.values().filter(|other| other.text.is_none() && other.first_step < *step);
            let is_deleted = deletions.any(|other| other.message == revision.message);
            (revision.text.is_none() || !is_deleted).then_some("which it is not")
        }
        _ => Some("which is no reason"),
    }
}

fn is_by(fact: &Fact, (who, _): Key, revision: &Revision<'_>) -> bool {
    match fact {
        Fact::Edited { by, .. } => *by == Some(who) && revision.text.is_some(),
        // Somebody else's deletion, that was on its way, is as good.
        Fact::Deleted { .. } => revision.text.is_none(),
        _ => false,
    }
}

fn edits_of(told: &Told<'_>, who: Who) -> usize {
    let is_one = |fact: &Fact| matches!(fact, Fact::Edited { by, .. } if *by == Some(who));
    told.forms.values().filter(|made| is_one(made.row.fact)).count()
}

fn name((who, send): Key, revision: &Revision<'_>) -> String {
    let what = if revision.text.is_some() { "edit" } else { "deletion" };
    format!("{what} {send} of person {who}")
}
