//! Which read is next, and what came of those that were.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::HistoryArgs;
use super::venue::Venue;
use crate::client::Accounts;
use crate::measure::{Due, Meter, Pace};

/// What is read, in turn.
const KINDS: [&str; 4] = ["newest page", "page before", "page after", "catch-up"];
/// The last of them, the only one over the WebSocket.
pub const CATCH_UP: usize = 3;
/// What went wrong is told so many times.
const COMPLAINTS_MAX: usize = 5;

/// What all readers share.
pub struct Flow {
    pub meter: Rc<Meter>,
    pub accounts: Accounts,
    pub page: u64,
    pub messages_only: bool,
    /// When the next read is due; `None`: at once.
    pace: Option<tokio::sync::Mutex<Pace>>,
    pub done: Cell<bool>,
    /// Reads that were begun, and those that were answered, by kind.
    begun: Cell<usize>,
    answered: [Cell<u64>; KINDS.len()],
    /// Reads that were due, in all, and those that nobody had got round to at the end.
    pub due: Cell<u64>,
    pub unread: Cell<u64>,
    pub compared: Cell<u64>,
    pub complaints: RefCell<Vec<String>>,
}

impl Flow {
    pub fn new(args: &HistoryArgs, venue: &Venue) -> Self {
        let length = Duration::from_secs(args.warm_up + args.seconds);
        Self {
            meter: Meter::new(&KINDS),
            accounts: venue.accounts.clone(),
            page: args.page,
            messages_only: venue.messages_only,
            pace: args.rate.map(|rate| tokio::sync::Mutex::new(Pace::start(rate, length))),
            done: Cell::new(false),
            begun: Cell::default(),
            answered: Default::default(),
            due: Cell::default(),
            unread: Cell::default(),
            compared: Cell::new(0),
            complaints: RefCell::default(),
        }
    }

    /// What was read so far was the warm-up.
    pub fn forget(&self) {
        self.meter.forget();
        self.answered.iter().for_each(|answered| answered.set(0));
    }

    /// Since when the next read counts; `None` when there is none.
    pub async fn next(&self) -> Option<Instant> {
        if self.done.get() {
            return None;
        }
        match &self.pace {
            Some(pace) => pace.lock().await.next().await.map(|Due { at, .. }| at),
            None => Some(Instant::now()),
        }
    }

    /// What is still due at the end waited until then at least, and counts with its age.
    pub async fn record_unread(&self) {
        let Some(pace) = &self.pace else { return };
        let pace = pace.lock().await;
        self.due.set(pace.planned());
        self.unread.set(pace.left_out().len() as u64);
        for (place, (age, count)) in pace.overdue().enumerate() {
            self.meter.record_many(place % KINDS.len(), age, count);
        }
    }

    /// What the next read is: whoever reads, another kind each time, and another room whenever every kind had its turn.
    pub fn turn(&self) -> (usize, usize) {
        let turn = self.begun.replace(self.begun.get() + 1);
        (turn % KINDS.len(), turn / KINDS.len())
    }

    pub fn took(&self, kind: usize, since: Instant) {
        if let Some(answered) = self.answered.get(kind) {
            Meter::count(answered, 1);
        }
        self.meter.record(kind, since.elapsed());
        Meter::count(&self.meter.received, 1);
    }

    /// Kinds of which no read was answered.
    pub fn unread_kinds(&self) -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().zip(&self.answered).filter(|(_, answered)| answered.get() == 0).map(|(kind, _)| kind)
    }

    pub fn complain(&self, what: String) {
        Meter::count(&self.meter.errors, 1);
        let mut complaints = self.complaints.borrow_mut();
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(what);
        }
    }
}
