//! Which listeners of a thread listen to which topic. Knows nothing of sockets.
//!
//! Invariants
//! - A listener that has gone is in no topic; a topic that nobody listens to is not there.
//! - Beside its rooms and its user, a listener has at most so many topics as it may (`sessions.subscriptions_max`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use foldhash::fast::RandomState;

use crate::publish::{Frame, Publication, Topic};
use parlance_foundation::ids::SessionId;

/// One who listens.
pub trait Listener {
    /// Its number on this thread.
    fn key(&self) -> u64;
    fn session(&self) -> SessionId;
    /// Topics that it asked for.
    fn subscriptions(&self) -> &RefCell<Vec<Topic>>;
    fn hear(self: &Rc<Self>, frame: &Rc<Frame>);
}

/// A session listens to as many topics as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this connection is subscribed to {max} topics, which is as many as it may; unsubscribe from some first")]
pub struct TooManyTopics {
    pub max: usize,
}

/// By number.
pub type Listeners<L> = HashMap<u64, Rc<L>, RandomState>;

/// See the module.
pub struct Topics<L> {
    listeners: HashMap<Topic, Listeners<L>, RandomState>,
}

impl<L> Default for Topics<L> {
    fn default() -> Self {
        Self { listeners: HashMap::default() }
    }
}

impl<L: Listener> Topics<L> {
    /// From here on, the listener hears what is said to the topic.
    pub fn listen(&mut self, listener: &Rc<L>, topic: Topic) {
        self.listeners.entry(topic).or_default().insert(listener.key(), Rc::clone(listener));
    }

    pub fn unlisten(&mut self, key: u64, topic: Topic) {
        if let Entry::Occupied(mut listeners) = self.listeners.entry(topic) {
            listeners.get_mut().remove(&key);
            if listeners.get().is_empty() {
                listeners.remove();
            }
        }
    }

    /// Listens because it was asked for, by a command of the session: to those whose presence is watched, or to a list.
    pub fn subscribe(&mut self, listener: &Rc<L>, topic: Topic, max: usize) -> Result<(), TooManyTopics> {
        if self.listeners.get(&topic).is_some_and(|listeners| listeners.contains_key(&listener.key())) {
            return Ok(());
        }
        let mut subscriptions = listener.subscriptions().borrow_mut();
        if subscriptions.len() >= max {
            return Err(TooManyTopics { max });
        }
        subscriptions.push(topic);
        drop(subscriptions);
        self.listen(listener, topic);
        Ok(())
    }

    /// Ends what `subscribe` began; anything else goes on.
    pub fn unsubscribe(&mut self, listener: &Rc<L>, topic: Topic) {
        let mut subscriptions = listener.subscriptions().borrow_mut();
        if let Some(at) = subscriptions.iter().position(|of| *of == topic) {
            subscriptions.swap_remove(at);
            self.unlisten(listener.key(), topic);
        }
    }

    /// The listener has gone: ends all that it asked for.
    pub fn unsubscribe_all(&mut self, listener: &Rc<L>) {
        for topic in listener.subscriptions().take() {
            self.unlisten(listener.key(), topic);
        }
    }

    /// Who listens to a topic; `None` when nobody does.
    pub fn listeners(&self, topic: Topic) -> Option<&Listeners<L>> {
        self.listeners.get(&topic)
    }

    /// Each of those who listen to a topic.
    pub fn of(&self, topic: Topic) -> impl Iterator<Item = &Rc<L>> {
        self.listeners.get(&topic).into_iter().flat_map(Listeners::values)
    }

    /// Says it to all who listen to its topic, but for the connection that it comes from.
    pub fn publish(&self, publication: &Publication) {
        let Some(listeners) = self.listeners.get(&publication.topic) else { return };
        for frame in publication.frames.iter() {
            // Once a thread, for all of its listeners.
            let frame = Rc::new(frame.clone());
            for listener in listeners.values().filter(|of| publication.except != Some(of.session())) {
                listener.hear(&frame);
            }
        }
    }

    /// How many topics of this kind somebody listens to.
    pub fn count(&self, kind: impl Fn(&Topic) -> bool) -> usize {
        self.listeners.keys().filter(|topic| kind(topic)).count()
    }
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
