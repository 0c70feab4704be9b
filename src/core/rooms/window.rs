//! The recent past of a room, in memory: what catching up is answered from. Pure.
//!
//! Invariant: entries are contiguous by `seq` and end at the room's committed seq.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;
use uuid::Uuid;

use crate::order::{Page, Row};

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

    pub fn row(&self, id: Uuid) -> Option<&Arc<Row>> {
        self.entries.iter().map(|entry| &entry.row).find(|row| row.id() == id)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
