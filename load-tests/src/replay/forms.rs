//! What messages say and said: the forms that a flush writes, and what each place was told as from which seq on.
//!
//! Mirrors `rooms/store/forms.rs` and `messaging/edits/store.rs`.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytestring::ByteString;
use parlance::ids::{MessageId, RoomId};
use parlance::messaging::edits::store::KeepVersion;
use parlance::order::{EventRow, Row, RowBody};
use parlance::rooms::wire;
use uuid::Uuid;

use super::check::{Failure, Invariant};
use super::plan::Broken;
use super::postgres::Table;

/// The truth of what every place is told as, and what every message has said.
#[derive(Default)]
pub struct Told {
    /// For each place, from which seq on it is told so.
    frames: Vec<Vec<(i64, ByteString)>>,
    /// All that a message has said, the oldest first.
    said: HashMap<MessageId, Vec<String>>,
}

impl Told {
    /// Whether the place was ever told so.
    pub fn is_one(&self, seq: i64, frame: &str) -> bool {
        self.of(seq).iter().any(|(_, told)| &**told == frame)
    }

    /// What the place is told as by whoever knows the order up to `as_of`.
    pub fn as_of(&self, seq: i64, as_of: i64) -> Option<&ByteString> {
        self.of(seq).iter().rev().find(|(since, _)| *since <= as_of).map(|(_, frame)| frame)
    }

    /// Whether the message has ever said this.
    pub fn has_said(&self, message: MessageId, content: &str) -> bool {
        self.said.get(&message).is_some_and(|said| said.iter().any(|text| text == content))
    }

    fn of(&self, seq: i64) -> &[(i64, ByteString)] {
        let place = usize::try_from(seq - 1).ok().and_then(|place| self.frames.get(place));
        place.map(Vec::as_slice).unwrap_or_default()
    }

    fn tell(&mut self, seq: i64, since: i64, frame: ByteString) {
        let Some(place) = usize::try_from(seq - 1).ok() else { return };
        if place == self.frames.len() {
            self.frames.push(Vec::new());
        }
        self.frames.get_mut(place).into_iter().for_each(|told| told.push((since, frame.clone())));
    }
}

/// The fence compares places. A write passes whose forerunner was fenced, when another owner, or a statement that had been
/// given up, wrote just as many rows: then its decision rests on what is not there. What messages say that this meets is
/// not promised.
#[derive(Default)]
pub struct Adrift {
    rows: HashSet<Uuid>,
    pub messages: HashSet<MessageId>,
}

impl Table {
    /// Takes note of a row whose decision rests on one that does not stand before it.
    pub fn look_for_drift(&mut self, row: &Row, believed: Option<Uuid>) {
        let Some(believed) = believed else { return };
        let is_there = self.rows.last().is_some_and(|before| before.id() == believed);
        if !is_there || self.adrift.rows.contains(&believed) {
            self.adrift.rows.insert(row.id());
            self.adrift.messages.extend(row.touches());
        }
    }

    /// Writes a row at the next place, and what its effects say of a message.
    pub fn write(&mut self, room: RoomId, row: &Arc<Row>, broken: Option<Broken>) -> Vec<Failure> {
        let stored = match &row.body {
            RowBody::Message(message) => {
                self.told.said.insert(message.id, vec![message.content.clone()]);
                Arc::clone(row)
            }
            RowBody::Event(event) => Arc::new(Row { body: RowBody::Event(event.written()), ..**row }),
        };
        let frame = wire::frame(room, &stored);
        self.told.tell(stored.seq, stored.seq, frame.clone());
        self.frames.push(frame);
        self.rows.push(stored);
        match row.event().and_then(|event| Some((event, event.becomes.as_ref()?))) {
            Some((event, form)) => self.rewrite(room, row.seq, event, form, broken),
            None => Vec::new(),
        }
    }

    /// The message is what `form` says from `since` on, and earlier changes of it say nothing any more.
    fn rewrite(
        &mut self,
        room: RoomId,
        since: i64,
        event: &EventRow,
        form: &Arc<Row>,
        broken: Option<Broken>,
    ) -> Vec<Failure> {
        let mut failures: Vec<Failure> = self.check_version(since, event, form).into_iter().collect();
        let message = MessageId(form.id());
        let earlier = self.rows.iter().filter(|row| row.seq < since && row.touches() == Some(message));
        let hushed = earlier.filter_map(|row| Some(Row { body: RowBody::Event(row.event()?.superseded()?), ..**row }));
        let hushed: Vec<Arc<Row>> = hushed.map(Arc::new).collect();
        let is_written = event.effects.iter().any(|effect| effect.writer().name() == "messages");
        let forms = Some(form).filter(|_| is_written).map(|row| (Arc::clone(row), Broken::LoseAForm));
        for (row, lost_by) in forms.into_iter().chain(hushed.into_iter().map(|row| (row, Broken::KeepWhatWasEdited))) {
            let frame = wire::frame(room, &row);
            self.told.tell(row.seq, since, frame.clone());
            failures.extend(self.still_said(message, form, &frame));
            let place = usize::try_from(row.seq - 1).unwrap_or(usize::MAX);
            if broken != Some(lost_by)
                && let (Some(stored), Some(told)) = (self.rows.get_mut(place), self.frames.get_mut(place))
            {
                (*stored, *told) = (row, frame);
            }
        }
        if let Some(form) = form.message().filter(|form| form.deleted_at.is_none()) {
            self.told.said.entry(message).or_default().push(form.content.clone());
        }
        failures
    }

    /// One version is kept with each change: what the message said until then.
    fn check_version(&self, since: i64, event: &EventRow, form: &Row) -> Option<Failure> {
        let kept = event.effects.iter().filter_map(|effect| (&**effect as &dyn Any).downcast_ref::<KeepVersion>());
        let kept: Vec<&str> = kept.map(|version| version.content.as_str()).collect();
        let before = self.row(form.seq).and_then(|row| row.message()).map(|message| message.content.as_str());
        let is_adrift = event.touches.is_some_and(|message| self.adrift.messages.contains(&message));
        if is_adrift || before.is_some_and(|before| kept == [before]) {
            return None;
        }
        let detail = format!("{} at {since} keeps {kept:?} of a message that said {before:?}", event.kind);
        Some(Failure::new(Invariant::VersionsAreTrue, detail))
    }

    /// What the message said before, and says no more, stands in no frame of it.
    fn still_said(&self, message: MessageId, form: &Row, frame: &str) -> Option<Failure> {
        let now = form.message().map(|form| form.content.as_str());
        let mut said = self.told.said.get(&message)?.iter().filter(|text| now != Some(text.as_str()));
        let still = said.find(|text| frame.contains(text.as_str()))?;
        Some(Failure::new(Invariant::SaidNoMore, format!("{still} stands in {frame}")))
    }
}
