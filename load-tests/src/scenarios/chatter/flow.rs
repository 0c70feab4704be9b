//! What was sent, what was answered, and what each user has seen.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::DueReader;
use crate::client::Heard;
use crate::measure::Meter;

/// The meter's only latency.
const DELIVERY: usize = 0;
/// After the last post, what is under way gets this long to arrive,
const SETTLE: Duration = Duration::from_secs(60);
/// unless nothing came for so long.
const QUIET: Duration = Duration::from_secs(5);
/// Why the engine closes a socket for which too much waits.
const TOO_SLOW: u16 = 4002;

pub struct Flow {
    pub meter: Rc<Meter>,
    /// Messages that the engine shed because a reader was too slow, as it may.
    pub shed: Cell<u64>,
    pub closing: Cell<bool>,
    /// By user: the seq that comes next in their room.
    next: Vec<Cell<u64>>,
    rooms: Vec<Room>,
    room_size: usize,
    /// Users for whom something was shed: what they have says nothing.
    slow: RefCell<BTreeSet<usize>>,
    due: DueReader,
}

/// What happened to the messages of a room.
#[derive(Default)]
struct Room {
    /// Where it was before the first of them.
    base: u64,
    sent: Cell<u64>,
    acked: Cell<u64>,
    refused: Cell<u64>,
}

impl Room {
    fn unanswered(&self) -> u64 {
        self.sent.get().saturating_sub(self.acked.get() + self.refused.get())
    }
}

/// Messages, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    pub sent: u64,
    pub received: u64,
    /// Each message once, when everybody has it; in parts while some have.
    pub delivered: f64,
}

impl Counts {
    pub fn since(&self, before: &Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(before.sent),
            received: self.received.saturating_sub(before.received),
            delivered: self.delivered - before.delivered,
        }
    }
}

impl Flow {
    /// `bases`: by user, where their `ready` said that their room is.
    pub fn new(room_size: usize, bases: &[u64]) -> Self {
        let room_size = room_size.max(1);
        let meter = Meter::new(&["delivery"]);
        let room_of = |members: &[u64]| {
            if members.iter().any(|base| Some(base) != members.first()) {
                meter.fault("`ready` says different things of one room");
            }
            Room { base: members.first().copied().unwrap_or_default(), ..Room::default() }
        };
        Self {
            rooms: bases.chunks(room_size).map(room_of).collect(),
            next: bases.iter().map(|base| Cell::new(base + 1)).collect(),
            meter,
            shed: Cell::default(),
            closing: Cell::new(false),
            room_size,
            slow: RefCell::default(),
            due: DueReader::new(),
        }
    }

    pub fn send(&self, room: usize) {
        Meter::count(&self.meter.sent, 1);
        if let Some(room) = self.rooms.get(room) {
            Meter::count(&room.sent, 1);
        }
    }

    pub fn hear(&self, index: usize, heard: &Heard<'_>, frame: &[u8]) {
        match heard {
            Heard::Event { kind: b"message.posted", seq, .. } => self.receive(index, *seq, frame),
            Heard::Ok { .. } => {
                Meter::count(&self.meter.acked, 1);
                if let Some(room) = self.rooms.get(index / self.room_size) {
                    Meter::count(&room.acked, 1);
                }
            }
            Heard::Error { code, retry, .. } => {
                if let Some(room) = self.rooms.get(index / self.room_size) {
                    Meter::count(&room.refused, 1);
                }
                match retry.as_str() {
                    "never" => self.meter.fault(&format!("a message was answered with {code}")),
                    _ => Meter::count(&self.meter.refused, 1),
                }
            }
            Heard::Lagged { .. } => self.fall_behind(index),
            _ => {}
        }
    }

    fn receive(&self, index: usize, seq: u64, frame: &[u8]) {
        let Some(next) = self.next.get(index) else { return };
        if next.get() != seq && !self.slow.borrow().contains(&index) {
            self.meter.fault(if seq > next.get() { "a gap" } else { "a repetition" });
        }
        next.set(seq + 1);
        Meter::count(&self.meter.received, 1);
        match self.due.due(frame) {
            Some(due) => {
                let took = self.meter.nanos(Instant::now()).saturating_sub(due);
                self.meter.record(DELIVERY, Duration::from_nanos(took));
            }
            None => self.meter.fault("a message whose text is not the one that was sent"),
        }
    }

    /// Deliveries of messages that were due so long ago and not sent.
    pub fn miss(&self, age: Duration, count: u64) {
        self.meter.record_many(DELIVERY, age, count);
    }

    fn fall_behind(&self, index: usize) {
        Meter::count(&self.shed, 1);
        self.slow.borrow_mut().insert(index);
    }

    /// A connection ended.
    pub fn end(&self, index: usize, code: Option<u16>) {
        match code {
            _ if self.closing.get() => {}
            Some(TOO_SLOW) => self.fall_behind(index),
            Some(code) => self.meter.fault(&format!("a connection was closed with {code}")),
            None => self.meter.fault("a connection was lost"),
        }
    }

    pub fn counts(&self) -> Counts {
        #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
        let each = |(room, members): (&Room, &[Cell<u64>])| {
            let had: u64 = members.iter().map(|next| next.get().saturating_sub(room.base + 1)).sum();
            had as f64 / members.len() as f64
        };
        let delivered = self.rooms.iter().zip(self.next.chunks(self.room_size)).map(each).sum();
        Counts { sent: self.meter.sent.get(), received: self.meter.received.get(), delivered }
    }

    pub fn unanswered(&self) -> u64 {
        self.rooms.iter().map(Room::unanswered).sum()
    }

    /// Rooms of which somebody lacks a message that was acknowledged, and rooms in which there is one that was not.
    ///
    /// What was refused or not answered may be there or not: the engine may have lost an answer, and not the message.
    pub fn uneven(&self) -> (usize, usize) {
        let slow = self.slow.borrow();
        let (mut lacking, mut unasked) = (0, 0);
        for (place, (room, members)) in self.rooms.iter().zip(self.next.chunks(self.room_size)).enumerate() {
            let had =
                members.iter().enumerate().filter(|(member, _)| !slow.contains(&(place * self.room_size + member)));
            let had: Vec<u64> = had.map(|(_, next)| next.get().saturating_sub(room.base + 1)).collect();
            let (Some(least), Some(most)) = (had.iter().min(), had.iter().max()) else { continue };
            lacking += usize::from(*least < room.acked.get() || least < most);
            unasked += usize::from(*most > room.acked.get() + room.refused.get() + room.unanswered());
        }
        (lacking, unasked)
    }

    /// Waits until everything that was sent is answered and has arrived, or nothing comes any more.
    pub async fn settle(&self) {
        let begun = Instant::now();
        let came = || self.meter.received.get() + self.meter.acked.get() + self.meter.refused.get();
        let (mut before, mut at) = (came(), begun);
        while begun.elapsed() < SETTLE && at.elapsed() < QUIET {
            if self.unanswered() == 0 && self.uneven().0 == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            if came() != before {
                (before, at) = (came(), Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rooms of two, the last one smaller, of which the first is at 7 already.
    fn flow() -> Flow {
        Flow::new(2, &[7, 7, 0])
    }

    fn receive(flow: &Flow, user: usize, seq: u64) {
        let frame = format!("{{\"content\":\"{:016}x\"}}", 1);
        flow.hear(user, &Heard::Event { kind: b"message.posted", room: 0, seq }, frame.as_bytes());
    }

    #[test]
    fn what_is_acknowledged_and_shown_to_everybody_is_right() {
        let flow = flow();
        flow.send(0);
        receive(&flow, 0, 8);
        assert_eq!(flow.uneven(), (1, 0), "one of the two lacks it");
        receive(&flow, 1, 8);
        flow.hear(0, &Heard::Ok { re: 2 }, b"");
        flow.send(1);
        flow.hear(2, &Heard::Ok { re: 3 }, b"");
        receive(&flow, 2, 1);
        assert_eq!((flow.uneven(), flow.unanswered(), flow.meter.faults()), ((0, 0), 0, None));
        let counts = flow.counts();
        assert_eq!((counts.sent, counts.received, counts.delivered), (2, 3, 2.0));
    }

    #[test]
    fn a_lost_first_message_and_one_shown_to_nobody_are_noticed() {
        let first = flow();
        receive(&first, 0, 9);
        receive(&first, 1, 9);
        assert_eq!(first.meter.faults().as_deref(), Some("2 × a gap"));
        let last = flow();
        last.send(1);
        last.hear(2, &Heard::Ok { re: 2 }, b"");
        assert_eq!((last.uneven(), last.meter.faults()), ((1, 0), None));
    }

    #[test]
    fn a_message_that_nobody_sent_is_noticed() {
        let flow = flow();
        receive(&flow, 2, 1);
        assert_eq!(flow.uneven(), (0, 1));
        receive(&flow, 2, 1);
        assert_eq!(flow.meter.faults().as_deref(), Some("1 × a repetition"));
    }

    #[test]
    fn what_was_refused_may_be_there_or_not_and_what_was_shed_says_nothing() {
        let flow = flow();
        flow.send(1);
        let (code, retry) = ("engine.unavailable".to_owned(), "later".to_owned());
        flow.hear(2, &Heard::Error { re: Some(2), code, retry, retry_after_ms: None }, b"");
        assert_eq!((flow.uneven(), flow.unanswered(), flow.meter.refused.get()), ((0, 0), 0, 1));
        receive(&flow, 2, 1);
        assert_eq!(flow.uneven(), (0, 0));
        flow.hear(2, &Heard::Lagged { room: 0, last_seq: 9 }, b"");
        receive(&flow, 2, 12);
        assert_eq!((flow.uneven(), flow.shed.get(), flow.meter.faults()), ((0, 0), 1, None));
    }
}
