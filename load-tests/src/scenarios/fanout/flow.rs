//! What is under way, and what each listener has seen.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::FanoutArgs;
use crate::client::Heard;
use crate::measure::Meter;

/// Nothing reached everybody for this long: something is lost.
pub const STALL: Duration = Duration::from_secs(20);
const SHED: &str = "a backlog was shed: more waited for a listener than sessions.outbox_bytes_max; lower --in-flight or \
                    --bytes, or raise it";

/// The messages under way, and what each listener has seen.
pub struct Flow {
    pub meter: Rc<Meter>,
    listeners: u32,
    in_flight_max: u64,
    /// By listener: the seq that comes next.
    next: Vec<Cell<u64>>,
    under_way: RefCell<UnderWay>,
    /// Sent and acknowledged, those of the warm-up included.
    pub posted: Cell<u64>,
    pub acked: Cell<u64>,
    pub wake: Notify,
    /// Nothing more is to be sent.
    pub done: Cell<bool>,
    /// Nothing more has to arrive.
    pub closing: Cell<bool>,
    /// What is under way cannot reach everybody any more.
    is_lost: Cell<bool>,
    lost: Notify,
    progressed: Cell<Instant>,
}

/// Messages that have not reached everybody, oldest first.
#[derive(Default)]
struct UnderWay {
    /// The seq of the oldest; the others follow it, since nobody else posts.
    base: u64,
    /// When it was sent, and how many have it.
    messages: VecDeque<(Instant, u32)>,
    complete: u64,
}

impl Flow {
    /// `bases`: by listener, where `ready` said that the room is.
    pub fn new(args: &FanoutArgs, bases: &[u64]) -> Self {
        let base = bases.first().copied().unwrap_or_default();
        let flow = Self {
            meter: Meter::new(&["delivery"]),
            listeners: args.listeners,
            in_flight_max: u64::from(args.in_flight),
            next: bases.iter().map(|base| Cell::new(base + 1)).collect(),
            under_way: RefCell::new(UnderWay { base: base + 1, ..UnderWay::default() }),
            posted: Cell::default(),
            acked: Cell::default(),
            wake: Notify::new(),
            done: Cell::new(false),
            closing: Cell::new(false),
            is_lost: Cell::new(false),
            lost: Notify::new(),
            progressed: Cell::new(Instant::now()),
        };
        if bases.iter().any(|other| *other != base) {
            flow.meter.fault("`ready` says different things of one room");
        }
        flow
    }

    /// A message is about to be sent.
    pub fn send(&self) {
        self.under_way.borrow_mut().messages.push_back((Instant::now(), 0));
        Meter::count(&self.meter.sent, 1);
        Meter::count(&self.posted, 1);
    }

    /// Messages that reached everybody.
    pub fn complete(&self) -> u64 {
        self.under_way.borrow().complete
    }

    pub fn hear(&self, index: usize, heard: &Heard<'_>) {
        match heard {
            Heard::Event { kind: b"message.posted", seq, .. } => self.deliver(index, *seq),
            Heard::Ok { .. } => {
                Meter::count(&self.acked, 1);
                if self.done.get() {
                    self.wake.notify_one();
                }
            }
            Heard::Error { code, retry, .. } => {
                let remedy = if retry == "never" { "" } else { ": lower --in-flight" };
                self.lose(&format!("a message was answered with {code}{remedy}"));
            }
            Heard::Lagged { .. } => self.lose(SHED),
            _ => {}
        }
    }

    fn deliver(&self, index: usize, seq: u64) {
        let Some(next) = self.next.get(index) else { return };
        if next.get() != seq {
            if seq < next.get() {
                // Counted once already: counting it again would pass for somebody who lacks it.
                return self.meter.fault("a repetition");
            }
            self.meter.fault("a gap");
        }
        next.set(seq + 1);
        Meter::count(&self.meter.received, 1);
        let mut under_way = self.under_way.borrow_mut();
        let place = usize::try_from(seq.wrapping_sub(under_way.base)).unwrap_or(usize::MAX);
        let Some((sent_at, have)) = under_way.messages.get_mut(place) else {
            return self.meter.fault("a message that nobody sent");
        };
        *have += 1;
        self.meter.record(0, sent_at.elapsed());
        let mut any = false;
        while under_way.messages.front().is_some_and(|(_, have)| *have >= self.listeners) {
            under_way.messages.pop_front();
            under_way.base += 1;
            under_way.complete += 1;
            any = true;
        }
        if any {
            self.progressed.set(Instant::now());
            self.wake.notify_one();
        }
    }

    /// A connection ended.
    pub fn end(&self, code: Option<u16>) {
        match code {
            _ if self.closing.get() => {}
            Some(code) => self.lose(&format!("a connection was closed with {code}")),
            None => self.lose("a connection was lost"),
        }
    }

    /// A message will not reach somebody: no other takes its place, and the run is over.
    fn lose(&self, why: &str) {
        self.meter.fault(why);
        self.is_lost.set(true);
        self.lost.notify_one();
    }

    pub fn is_lost(&self) -> bool {
        self.is_lost.get()
    }

    /// Lets messages flow for so long, or until the run is over.
    pub async fn go_on(&self, length: Duration) {
        if !self.is_lost() {
            // Running to its end is what it is there for.
            let _ = tokio::time::timeout(length, self.lost.notified()).await;
        }
    }

    pub fn has_room(&self) -> bool {
        (self.under_way.borrow().messages.len() as u64) < self.in_flight_max
    }

    /// Everything that was sent was acknowledged and has reached everybody.
    pub fn is_whole(&self) -> bool {
        self.acked.get() == self.posted.get() && self.under_way.borrow().complete == self.posted.get()
    }

    /// Waits until everything under way has arrived, or nothing arrives any more.
    pub async fn settle(&self) {
        let begun = Instant::now();
        while !self.is_whole() && !self.is_lost() && self.progressed.get().max(begun).elapsed() < STALL {
            // Woken by the next arrival, or by the clock to see that there is none.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.wake.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two listeners of a room that is at 7, and one message on its way.
    fn flow() -> Flow {
        let args = FanoutArgs { listeners: 2, in_flight: 1, bytes: 1, seconds: 1, warm_up: 0 };
        let flow = Flow::new(&args, &[7, 7]);
        flow.send();
        flow
    }

    #[test]
    fn a_message_is_whole_when_it_is_acknowledged_and_everybody_has_it() {
        let flow = flow();
        flow.deliver(0, 8);
        flow.hear(0, &Heard::Ok { re: 2 });
        assert!(!flow.is_whole());
        flow.deliver(1, 8);
        assert!(flow.is_whole() && flow.meter.faults().is_none());
    }

    #[test]
    fn a_repetition_is_no_delivery_to_somebody_else() {
        let flow = flow();
        flow.deliver(0, 8);
        // Whatever still comes after the last post counts as well.
        flow.done.set(true);
        flow.deliver(0, 8);
        flow.hear(0, &Heard::Ok { re: 2 });
        flow.end(None);
        assert!(!flow.is_whole());
        assert_eq!(flow.meter.faults().as_deref(), Some("1 × a repetition; 1 × a connection was lost"));
    }

    #[tokio::test]
    async fn what_cannot_reach_everybody_ends_the_run_at_once() {
        let flow = flow();
        flow.hear(1, &Heard::Lagged { room: 0, last_seq: 8 });
        flow.go_on(Duration::MAX).await;
        flow.settle().await;
        let said = flow.meter.faults().unwrap();
        assert!(said.contains("sessions.outbox_bytes_max") && said.contains("--in-flight"), "{said}");
    }

    #[test]
    fn the_first_message_has_its_place() {
        let flow = flow();
        flow.deliver(0, 9);
        assert_eq!(flow.meter.faults().as_deref(), Some("1 × a gap; 1 × a message that nobody sent"));
    }
}
