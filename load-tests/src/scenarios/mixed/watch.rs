//! What all devices of a run report, and every complaint about it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::client::{RoomKey, Watcher};
use crate::measure::Meter;
use crate::report::Report;
use crate::scenarios::chatter::DueReader;

/// Kinds of complaint that are told apart in the report.
const COMPLAINTS_MAX: usize = 20;

const EDITED: &[u8] = b"{\"type\":\"message.edited\"";
const DELETED: &[u8] = b"{\"type\":\"message.deleted\"";

/// See the module.
pub struct Watch {
    meter: Rc<Meter>,
    due: DueReader,
    complaints: RefCell<BTreeMap<String, u64>>,
    /// Complaints beyond those.
    more: Cell<u64>,
    /// Frames that told somebody what became of a space of theirs.
    space_news: Cell<u64>,
    /// Events that told a device of a message that was edited or deleted.
    changes: Cell<u64>,
    /// Connections that the engine ended, by close code.
    ended: RefCell<BTreeMap<Option<u16>, u64>>,
}

impl Watch {
    pub fn of(meter: &Rc<Meter>) -> Self {
        Self {
            meter: Rc::clone(meter),
            due: DueReader::new(),
            complaints: RefCell::default(),
            more: Cell::default(),
            space_news: Cell::default(),
            changes: Cell::default(),
            ended: RefCell::default(),
        }
    }

    pub fn complain(&self, what: String) {
        Meter::count(&self.meter.errors, 1);
        let mut complaints = self.complaints.borrow_mut();
        if complaints.len() < COMPLAINTS_MAX || complaints.contains_key(&what) {
            *complaints.entry(what).or_default() += 1;
        } else {
            Meter::count(&self.more, 1);
        }
    }

    pub fn space_news(&self) -> u64 {
        self.space_news.get()
    }

    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    pub fn ends(&self) -> u64 {
        self.ended.borrow().values().sum()
    }

    /// Puts what went wrong into the report.
    pub fn complain_in(&self, report: &mut Report) {
        for (code, times) in self.ended.borrow().iter() {
            let code = code.map_or_else(|| "without a close code".to_owned(), |code| format!("with code {code}"));
            report.fail(format!("{times} ×: the engine ended a connection {code}"));
        }
        for (what, times) in self.complaints.borrow().iter() {
            report.fail(if *times == 1 { what.clone() } else { format!("{times} ×: {what}") });
        }
        if self.more.get() > 0 {
            report.fail(format!("{} more complaints", self.more.get()));
        }
    }
}

impl Watcher for Watch {
    fn arrived(&self, frame: &[u8], at: Instant) {
        Meter::count(&self.meter.received, 1);
        if frame.starts_with(b"{\"type\":\"space.") {
            Meter::count(&self.space_news, 1);
        }
        if [EDITED, DELETED].iter().any(|kind| frame.starts_with(kind)) {
            Meter::count(&self.changes, 1);
        }
        if let Some(due) = self.due.due(frame) {
            self.meter.record(0, Duration::from_nanos(self.meter.nanos(at).saturating_sub(due)));
        }
    }

    fn out_of_order(&self, room: RoomKey, seq: u64, expected: u64) {
        self.complain(format!("room {}: seq {seq} came where {expected} was next", Uuid::from_u128(room)));
    }

    fn ended(&self, code: Option<u16>) {
        Meter::count(&self.meter.errors, 1);
        *self.ended.borrow_mut().entry(code).or_default() += 1;
    }

    fn broken(&self, what: String) {
        self.complain(what);
    }
}
