//! What a command sees of its session, and the ways to its answer.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use bytestring::ByteString;
use futures_util::future::LocalBoxFuture;

use crate::wire::{self, Answer};
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;

/// A connected device, as its commands need it.
pub trait Session {
    /// Whose it is, if it may run a command now; if not, it has said why.
    fn admit(&mut self, re: Option<u64>) -> Option<UserId>;
    /// Says something to the client at once.
    fn say(&mut self, frame: ByteString);
    /// One more command awaits its answer, which goes this way.
    fn await_answer(&mut self) -> Way;
    /// Has the batch sent once everything that was heard in one go is in it. A batch of another kind is sent before, so
    /// that what the client asked for arrives in order.
    fn leave_with(&mut self, batch: Rc<dyn Batch>);
    /// The client's next commands wait for this; those before are not held up.
    fn wait(&mut self, future: LocalBoxFuture<'static, Then>);
    /// Answers later, with a frame that may be large: it is only made while there is room for it.
    fn answer_page(&mut self, frame: LocalBoxFuture<'static, ByteString>);
}

/// What is done when a session has waited.
pub type Then = Box<dyn FnOnce(&mut dyn Session)>;

/// Commands that wait to leave together: a room that is woken finds all of them, and commits them together.
pub trait Batch {
    fn send(&self);
}

/// The way to a session from any thread, behind everything that was delivered to it before.
pub trait Answers: Send + Sync {
    fn answer(&self, session: u64, frame: ByteString);
}

/// [`Answers`] to one session.
pub struct Way {
    pub door: Arc<dyn Answers>,
    pub session: u64,
}

/// One command's view of its session. It is used up by answering, or by making somebody else answer.
pub struct Desk<'a, A> {
    re: Option<u64>,
    caller: UserId,
    session: &'a mut dyn Session,
    answer: PhantomData<fn(A)>,
}

impl<'a, A: Answer> Desk<'a, A> {
    pub(super) fn new(re: Option<u64>, caller: UserId, session: &'a mut dyn Session) -> Self {
        Self { re, caller, session, answer: PhantomData }
    }

    /// Who asks.
    pub fn caller(&self) -> UserId {
        self.caller
    }

    /// Answers at once that it cannot be done.
    pub fn refuse(self, error: impl Into<Problem>) {
        self.session.say(wire::error(self.re, &error.into()));
    }

    /// Puts a command for somebody else into `batch`; whoever gets it answers.
    pub fn send_in_order<B: Batch + 'static>(self, batch: &Rc<B>, put: impl FnOnce(&B, Reply<A>)) {
        let reply = Reply { re: self.re, way: Some(self.session.await_answer()), answer: PhantomData };
        put(batch, reply);
        self.session.leave_with(Rc::clone(batch) as Rc<dyn Batch>);
    }

    /// Looks something up before it goes on; the client's next commands wait, so that they keep their order.
    pub fn wait<T: 'static>(
        self,
        future: impl Future<Output = T> + 'static,
        then: impl FnOnce(Desk<'_, A>, T) + 'static,
    ) {
        let (re, caller) = (self.re, self.caller);
        let whole = async move {
            let found = future.await;
            let go_on: Then = Box::new(move |session| then(Desk::new(re, caller, session), found));
            go_on
        };
        self.session.wait(Box::pin(whole));
    }

    /// Answers with what may be large once it is read. One page of a session is read at a time, and only while there is room
    /// for it: an answer is never shed. Its other commands go on meanwhile.
    pub fn answer_page<E: Into<Problem>>(self, page: impl Future<Output = Result<A, E>> + 'static) {
        let re = self.re;
        self.session.answer_page(Box::pin(async move { encoded(re, page.await) }));
    }
}

fn encoded<A: Answer, E: Into<Problem>>(re: Option<u64>, result: Result<A, E>) -> ByteString {
    match result {
        Ok(answer) => answer.encode(re),
        Err(error) => wire::error(re, &error.into()),
    }
}

/// The duty to answer a command, which any thread may take on. Invariant: it is answered exactly once; when it is dropped,
/// the client is told to send the command again.
pub struct Reply<A: Answer> {
    re: Option<u64>,
    way: Option<Way>,
    answer: PhantomData<fn(A)>,
}

impl<A: Answer> Reply<A> {
    pub fn send<E: Into<Problem>>(mut self, result: Result<A, E>) {
        if let Some(way) = self.way.take() {
            way.door.answer(way.session, encoded(self.re, result));
        }
    }
}

// Also runs while a panic unwinds: nothing in here may panic.
impl<A: Answer> Drop for Reply<A> {
    fn drop(&mut self) {
        if let Some(way) = self.way.take() {
            let problem = Problem::unavailable(0).retry_now();
            way.door.answer(way.session, wire::error(self.re, &problem));
        }
    }
}
