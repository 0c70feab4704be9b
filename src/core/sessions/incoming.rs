//! How much a client may send at once, and what unfinished hellos hold together.
//!
//! A hello that resumes thousands of rooms is larger than any other message, and comes from somebody whom nobody knows
//! yet. Invariant: what clients have sent before they are greeted, beyond what any message may have, is at most
//! [`Hellos::new`]'s bytes on a thread; past it a client is told to come back. It is given back with the greeting or the end of
//! the session.

use std::cell::Cell;
use std::rc::Rc;

/// What all unfinished large hellos of a thread may hold, unless a single one may be larger.
const HELLOS_BYTES: usize = 16 * 1024 * 1024;

/// What is left of it for others.
pub struct Hellos {
    usual_bytes_max: usize,
    hello_bytes_max: usize,
    left: Cell<usize>,
}

impl Hellos {
    /// Messages have at most `usual_bytes_max`, a hello `hello_bytes_max`.
    pub fn new(usual_bytes_max: usize, hello_bytes_max: usize) -> Rc<Self> {
        Rc::new(Self { usual_bytes_max, hello_bytes_max, left: Cell::new(HELLOS_BYTES.max(hello_bytes_max)) })
    }
}

/// One client's part.
pub struct Incoming {
    hellos: Rc<Hellos>,
    is_greeted: Cell<bool>,
    received: Cell<usize>,
    /// Taken from what is left.
    held: Cell<usize>,
    is_refused: Cell<bool>,
}

impl Incoming {
    pub fn new(hellos: &Rc<Hellos>) -> Rc<Self> {
        Rc::new(Self {
            hellos: Rc::clone(hellos),
            is_greeted: Cell::new(false),
            received: Cell::new(0),
            held: Cell::new(0),
            is_refused: Cell::new(false),
        })
    }

    /// The largest message now.
    pub fn bytes_max(&self) -> usize {
        if self.is_greeted.get() { self.hellos.usual_bytes_max } else { self.hellos.hello_bytes_max }
    }

    /// Counts what was received. False: it is too much for others' sake.
    pub fn count(&self, bytes: usize) -> bool {
        if self.is_greeted.get() {
            return true;
        }
        self.received.set(self.received.get().saturating_add(bytes));
        let more = self.received.get().saturating_sub(self.hellos.usual_bytes_max).saturating_sub(self.held.get());
        let Some(left) = self.hellos.left.get().checked_sub(more) else {
            self.is_refused.set(true);
            return false;
        };
        self.hellos.left.set(left);
        self.held.set(self.held.get() + more);
        true
    }

    /// Whether [`Incoming::count`] has said no.
    pub fn is_refused(&self) -> bool {
        self.is_refused.get()
    }

    /// The hello was accepted.
    pub fn greeted(&self) {
        self.is_greeted.set(true);
        self.give_back();
    }

    fn give_back(&self) {
        self.hellos.left.set(self.hellos.left.get() + self.held.take());
    }
}

// Also runs while a panic unwinds: nothing in here may panic.
impl Drop for Incoming {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_share_what_they_hold_beyond_a_usual_message_and_give_it_back() {
        let hellos = Hellos::new(100, HELLOS_BYTES);
        let whole = HELLOS_BYTES + 100;
        let (first, second) = (Incoming::new(&hellos), Incoming::new(&hellos));
        assert!(first.count(whole - 1) && second.count(100), "a usual message costs nobody anything");
        assert!(second.count(1) && !second.count(1) && second.is_refused());
        first.greeted();
        assert_eq!(first.bytes_max(), 100);
        assert!(first.count(whole), "its messages are read one by one");
        let third = Incoming::new(&hellos);
        assert!(third.count(whole - 1) && !third.is_refused());
        drop((second, third));
        assert_eq!(hellos.left.get(), HELLOS_BYTES);
    }
}
