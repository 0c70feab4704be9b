//! The recent past of a room, in memory: what catching up is answered from. Pure.
//!
//! Invariants
//! - Entries are contiguous by `seq` and end at the room's committed seq.
//! - A message is here in its present form, as Postgres has it: what was edited or deleted is not told any more.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;
use uuid::Uuid;

use crate::order::{Page, Row};
use parlance_foundation::ids::MessageId;

/// One committed change.
#[derive(Clone, Debug)]
pub struct Entry {
    pub row: Arc<Row>,
    /// Encoded once; every listener and every catch-up gets these bytes.
    pub frame: ByteString,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.frame.len() + self.row.bytes()
    }
}

/// The last changes, bounded in count and bytes.
#[derive(Debug, Default)]
pub struct Window {
    entries: VecDeque<Entry>,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

impl Window {
    pub fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events_max, bytes_max, ..Self::default() }
    }

    /// Adds the newest change and returns those that no longer fit.
    pub fn push(&mut self, entry: Entry) -> Vec<Entry> {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        let mut evicted = Vec::new();
        while self.entries.len() > self.events_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes();
            evicted.push(oldest);
        }
        evicted
    }

    /// What came after `after`, or `None` when that reaches further back than memory does.
    pub fn after(&self, after: i64, last_seq: i64, items_max: usize, bytes_max: usize) -> Option<Page> {
        if after >= last_seq {
            return Some(Page { frames: Vec::new(), next_after: last_seq, last_seq, more: false });
        }
        let first = self.entries.front()?.row.seq;
        let skip = usize::try_from(after.checked_add(1)?.checked_sub(first)?).ok()?;
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for entry in self.entries.iter().skip(skip).take(items_max) {
            bytes += entry.frame.len();
            if bytes > bytes_max && !frames.is_empty() {
                break;
            }
            frames.push(entry.frame.clone());
        }
        let next_after = after + i64::try_from(frames.len()).unwrap_or(0);
        Some(Page { frames, next_after, last_seq, more: next_after < last_seq })
    }

    /// The oldest place that is here.
    pub fn first_seq(&self) -> Option<i64> {
        self.entries.front().map(|entry| entry.row.seq)
    }

    /// The newest change of a message that is here.
    pub fn newest_touch(&self, message: MessageId) -> Option<&Arc<Row>> {
        self.entries.iter().rev().map(|entry| &entry.row).find(|row| row.touches() == Some(message))
    }

    /// Changes of this message that are here are told otherwise from now on, where `change` says so. Returns those.
    pub fn retell(&mut self, message: MessageId, change: impl Fn(&Row) -> Option<Entry>) -> Vec<Arc<Row>> {
        let mut retold = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.row.touches() == Some(message)) {
            if let Some(told) = change(&entry.row) {
                self.bytes = self.bytes + told.bytes() - entry.bytes();
                retold.push(Arc::clone(&told.row));
                *entry = told;
            }
        }
        retold
    }

    /// A message has another form from now on. Whether it is here.
    pub fn rewrite(&mut self, form: Entry) -> bool {
        let Some(first) = self.first_seq() else { return false };
        let place = usize::try_from(form.row.seq - first).ok();
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else { return false };
        let is_same = entry.row.id() == form.row.id();
        if is_same {
            self.bytes = self.bytes + form.bytes() - entry.bytes();
            *entry = form;
        }
        is_same
    }

    pub fn row(&self, id: Uuid) -> Option<&Arc<Row>> {
        self.entries.iter().map(|entry| &entry.row).find(|row| row.id() == id)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
