//! Laws about the forms of messages: what a place says, wherever and whenever it is read, is what the order made of it.
//!
//! A form is known by what it says and when it was made to ([`Form`]). An edit's event has the time, and whoever asked for
//! the edit recorded what it was to say: so also a form is known of which nobody is told any more.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::check::history::{Fact, Form, Kept, Text, digest};
use crate::check::tale::{Key, Row, Sight, Tale};

/// The forms that the messages of a room had, by the order and by what was asked for.
#[derive(Debug, Default)]
pub struct Forms<'a> {
    pub messages: HashMap<Uuid, Told<'a>>,
    /// The message that stands at a place, or is changed there.
    at: HashMap<u64, Uuid>,
}

/// One message, and what became of it.
#[derive(Debug)]
pub struct Told<'a> {
    pub place: u64,
    pub kept: &'a Kept,
    /// Its forms, the oldest first, by the place that made each.
    pub forms: BTreeMap<u64, Made<'a>>,
}

/// What made a form.
#[derive(Debug)]
pub struct Made<'a> {
    pub row: &'a Row<'a>,
    /// What it may be, and by which command.
    pub forms: Vec<(u64, Key)>,
}

impl<'a> Forms<'a> {
    pub fn of(tale: &'a Tale<'a>) -> Self {
        let mut all = Self::default();
        let mut texts: HashMap<Uuid, Vec<(Key, &Text)>> = HashMap::new();
        for (key, revision) in &tale.revisions {
            texts.entry(revision.message).or_default().extend(revision.text.map(|text| (*key, text)));
        }
        for row in &tale.first.rows {
            match row.fact {
                Fact::Message(kept) => {
                    let forms = BTreeMap::from([(row.seq, Made { row, forms: posted(tale, kept) })]);
                    all.messages.insert(kept.id, Told { place: row.seq, kept, forms });
                    all.at.insert(row.seq, kept.id);
                }
                Fact::Edited { message, .. } | Fact::Deleted { message, .. } => {
                    let Some(told) = all.messages.get_mut(message) else { continue };
                    let forms = if matches!(row.fact, Fact::Edited { .. }) {
                        edited(texts.get(message).map_or(&[], Vec::as_slice), row)
                    } else {
                        vec![(deleted(told, row), Key::default())]
                    };
                    told.forms.insert(row.seq, Made { row, forms });
                    all.at.insert(row.seq, *message);
                }
                _ => {}
            }
        }
        all
    }

    fn of_place(&self, seq: u64) -> Option<(Uuid, &Told<'a>)> {
        let message = *self.at.get(&seq)?;
        Some((message, self.messages.get(&message)?))
    }
}

impl Told<'_> {
    /// The place that made this form.
    pub fn made_at(&self, says: u64) -> Option<u64> {
        // The newest: of two edits in one microsecond it is the later.
        self.forms.iter().rev().find(|(_, made)| made.forms.iter().any(|(form, _)| *form == says)).map(|(seq, _)| *seq)
    }

    /// The place of the newest change.
    pub fn newest(&self) -> u64 {
        self.forms.keys().next_back().copied().unwrap_or(self.place)
    }
}

fn posted(tale: &Tale<'_>, kept: &Kept) -> Vec<(u64, Key)> {
    let Some(key) = kept.by.zip(kept.send) else { return Vec::new() };
    let body = tale.sends.get(&key).and_then(|sends| sends.body);
    let form = |content, parts| Form { content, parts, edited_at: None, deleted_at: None };
    body.map(|body| (form(body.content, body.parts).digest(), key)).into_iter().collect()
}

/// Each edit of this message that its event may be.
fn edited(texts: &[(Key, &Text)], row: &Row<'_>) -> Vec<(u64, Key)> {
    let form = texts.iter().map(|(key, text)| {
        let form = Form { content: text.content, parts: text.parts, edited_at: row.at, deleted_at: None };
        (form.digest(), *key)
    });
    form.collect()
}

fn deleted(told: &Told<'_>, row: &Row<'_>) -> u64 {
    let mut edits = told.forms.values().filter(|made| matches!(made.row.fact, Fact::Edited { .. }));
    let edited_at = edits.next_back().and_then(|made| made.row.at);
    Form { content: digest(""), parts: None, edited_at, deleted_at: row.at }.digest()
}

/// Sent a form that the order does not give, or an older one than was acknowledged before it was asked for.
pub fn unmade(tale: &Tale<'_>) -> Vec<String> {
    let forms = Forms::of(tale);
    let known = Known::of(tale, &forms);
    let mut broken = Vec::new();
    for (reader, sight) in tale.sights() {
        let Some((message, told)) = forms.of_place(sight.seq) else { continue };
        let wrong = is_wrong(told, sight).or_else(|| is_stale(told, sight, known.before(message, sight)));
        broken.extend(wrong.map(|wrong| format!("reader {reader} was sent {} {wrong}", sight.seq)));
    }
    broken
}

/// Whether nothing made the message say so, or an edit was told otherwise than it was asked for.
fn is_wrong(told: &Told<'_>, sight: &Sight) -> Option<String> {
    let is_message = sight.seq == told.place;
    match sight.says {
        Some(says) if is_message => told.made_at(says).is_none().then(|| "in a form that nothing gave it".to_owned()),
        Some(says) => {
            let made = told.forms.get(&sight.seq)?;
            (!made.forms.iter().any(|(form, _)| *form == says)).then(|| "saying what nobody asked for".to_owned())
        }
        None => {
            let is_edit = told.forms.get(&sight.seq).is_some_and(|made| matches!(made.row.fact, Fact::Edited { .. }));
            (is_edit && told.newest() == sight.seq).then(|| "without what it says, and nothing follows".to_owned())
        }
    }
}

/// Whether it tells a form that was known to be over when it was asked for.
fn is_stale(told: &Told<'_>, sight: &Sight, known: u64) -> Option<String> {
    let made_at = if sight.seq == told.place { told.made_at(sight.says?)? } else { sight.says.map(|_| sight.seq)? };
    (made_at < known).then(|| format!("as {made_at} made it, though it was {known} that had"))
}

/// Which changes of messages were acknowledged by when.
struct Known(HashMap<Uuid, Vec<(u64, u64)>>);

impl Known {
    fn of(tale: &Tale<'_>, forms: &Forms<'_>) -> Self {
        let mut known: HashMap<Uuid, Vec<(u64, u64)>> = HashMap::new();
        for revised in &tale.revised {
            let (Some(seq), Some(revision)) = (revised.seq, tale.revisions.get(&revised.key)) else { continue };
            let is_there = forms.messages.get(&revision.message).is_some_and(|told| told.forms.contains_key(&seq));
            if is_there {
                known.entry(revision.message).or_default().push((revised.step, seq));
            }
        }
        Self(known)
    }

    /// The newest change that was acknowledged before this was asked for, with a page or with the hello.
    fn before(&self, message: Uuid, sight: &Sight) -> u64 {
        let asked = sight.asked.unwrap_or(sight.said);
        let acked = self.0.get(&message).into_iter().flatten().filter(|(step, _)| *step < asked);
        acked.map(|(_, seq)| *seq).max().unwrap_or(0)
    }
}

/// Readers who were shown everything, and for whom it does not come to the messages that there are.
pub fn folded_differently(tale: &Tale<'_>) -> Vec<String> {
    let Some(end) = tale.first.rows.last().map(|row| row.seq) else { return Vec::new() };
    let forms = Forms::of(tale);
    let mut broken = Vec::new();
    for (reader, saw) in &tale.saw {
        if saw.last().is_none_or(|last| last.seq < end) {
            continue;
        }
        let mut has: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for sight in saw {
            let Some((_, told)) = forms.of_place(sight.seq) else { continue };
            let is_deletion =
                told.forms.get(&sight.seq).is_some_and(|made| matches!(made.row.fact, Fact::Deleted { .. }));
            let made_at = match sight.says {
                Some(says) if sight.seq == told.place => told.made_at(says),
                Some(_) => Some(sight.seq),
                None => is_deletion.then_some(sight.seq),
            };
            let (has, _) = has.entry(told.place).or_insert((0, told.newest()));
            *has = made_at.unwrap_or(0).max(*has);
        }
        let wrong = has.into_iter().filter(|(_, (has, newest))| has != newest);
        broken.extend(wrong.map(|(place, (has, newest))| {
            format!("reader {reader} has {place} as {has} made it, and it is as {newest} made it")
        }));
    }
    broken
}

/// Messages that are not what their last change made them.
pub fn kept_differently(tale: &Tale<'_>) -> Vec<String> {
    let forms = Forms::of(tale);
    let mut broken = Vec::new();
    for told in forms.messages.values() {
        let newest = told.newest();
        let made_at = told.made_at(told.kept.says);
        // Of what nobody sent, another law says so.
        let is_known = told.forms.values().next().is_some_and(|first| !first.forms.is_empty());
        if is_known && made_at != Some(newest) {
            let made_at = made_at.map_or("nothing".to_owned(), |seq| seq.to_string());
            broken.push(format!("{} is as {made_at} made it, and {newest} is its last change", told.place));
        }
    }
    broken.sort();
    broken
}
