//! What rooms say, kept in order until the simulation passes it on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytestring::ByteString;
use parlance::ids::{RoomId, UserId};
use parlance::order::Page;
use parlance::order::Watermark;
use parlance::publish::{Audience, Delivery, Publication, Publish};
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{Acted, Changed, Posted, Reply};

/// What a room answered to a command.
#[derive(Debug)]
pub enum Answered {
    Posted(Result<Posted, ChatError>),
    Changed(Result<Changed, ChatError>),
    Acted(Result<Acted, ChatError>),
    Page(Result<Option<Page>, ChatError>),
    Marked(Result<Option<Watermark>, ChatError>),
}

/// What rooms said, in order.
pub enum Said {
    Deliver(Delivery),
    Publish(Publication),
    Answer(u64, Answered),
    /// It has been read, with these marks, and says only now what comes of that.
    Loaded(usize, Vec<Watermark>),
}

/// See the module.
#[derive(Clone, Default)]
pub struct Voice(Arc<Mutex<VecDeque<Said>>>);

impl Voice {
    pub fn all(&self) -> MutexGuard<'_, VecDeque<Said>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, said: Said) {
        self.all().push_back(said);
    }

    pub fn take(&self) -> VecDeque<Said> {
        std::mem::take(&mut *self.all())
    }

    /// A reply that is said under the number `ask`.
    pub fn reply<T: Send + 'static>(
        &self,
        ask: u64,
        wrap: impl FnOnce(Result<T, ChatError>) -> Answered + Send + 'static,
    ) -> Reply<T> {
        let voice = self.clone();
        Reply::new(move |result| voice.say(Said::Answer(ask, wrap(result))))
    }
}

impl Audience for Voice {
    fn deliver(&self, delivery: Delivery) {
        self.say(Said::Deliver(delivery));
    }

    /// Rooms are made over HTTP only, which is not simulated.
    fn join(&self, _: RoomId, _: i64, _: Vec<(UserId, ByteString)>) {}
}

impl Publish for Voice {
    fn publish_all(&self, publication: Publication) {
        self.say(Said::Publish(publication));
    }
}
