use std::cell::Cell;

use bytestring::ByteString;
use uuid::Uuid;

use super::*;
use crate::publish::{Class, Key};
use crate::sessions::outbox::{Outbox, Outgoing};
use parlance_foundation::ids::{ListId, RoomId, UserId};
use parlance_foundation::party::Party;

/// A listener with a real outbox.
struct Probe {
    key: u64,
    subscriptions: RefCell<Vec<Topic>>,
    outbox: RefCell<Outbox>,
    heard: Cell<usize>,
}

impl Probe {
    fn new(key: u64) -> Rc<Self> {
        let outbox = RefCell::new(Outbox::new(4_096, 8_192));
        Rc::new(Self { key, subscriptions: RefCell::default(), outbox, heard: Cell::new(0) })
    }

    /// What has come for it.
    fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        self.outbox.borrow_mut().take(1 << 20, |outgoing| {
            if let Outgoing::Frame(frame) = outgoing {
                told.push(frame.to_string());
            }
        });
        told
    }
}

impl Listener for Probe {
    fn key(&self) -> u64 {
        self.key
    }

    fn session(&self) -> SessionId {
        SessionId(Uuid::from_u128(self.key.into()))
    }

    fn subscriptions(&self) -> &RefCell<Vec<Topic>> {
        &self.subscriptions
    }

    fn hear(self: &Rc<Self>, frame: &Rc<Frame>) {
        self.heard.set(self.heard.get() + 1);
        self.outbox.borrow_mut().publish(frame);
    }
}

const MAX: usize = 2;

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn list(n: u128) -> Topic {
    Topic::List(ListId(Uuid::from_u128(n)))
}

fn say(topics: &Topics<Probe>, topic: Topic, text: &'static str, class: Class) {
    topics.publish(&Publication::of(topic, ByteString::from_static(text), class));
}

#[test]
fn watchers_and_lookers_hear_what_they_asked_for_until_they_do_not() {
    let (mut topics, a, b) = (Topics::default(), Probe::new(1), Probe::new(2));
    let watched = Topic::Watchers(user(7));
    for topic in [watched, list(7)] {
        topics.subscribe(&a, topic, MAX).unwrap();
        // Once more is no second time.
        topics.subscribe(&a, topic, MAX).unwrap();
    }
    topics.subscribe(&b, watched, MAX).unwrap();
    say(&topics, watched, "seven is here", Class::Presence(Key::about(Party::User(user(7)))));
    say(&topics, list(7), "the list has changed", Class::Must);
    say(&topics, Topic::Watchers(user(8)), "for nobody", Class::Must);
    // Seven themselves, and the room of that number, are other topics.
    say(&topics, Topic::User(user(7)), "for nobody", Class::Must);
    assert_eq!(
        (a.told(), b.told()),
        (vec!["seven is here".into(), "the list has changed".into()], vec!["seven is here".into()])
    );
    topics.unsubscribe(&a, watched);
    topics.unsubscribe(&a, watched);
    say(&topics, watched, "seven has left", Class::Must);
    assert_eq!((a.told(), b.told()), (vec![], vec!["seven has left".to_owned()]));
}

#[test]
fn a_session_asks_for_no_more_than_it_may_and_leaves_nothing_behind() {
    let (mut topics, a) = (Topics::default(), Probe::new(1));
    topics.listen(&a, Topic::Room(RoomId(user(1).0)));
    topics.subscribe(&a, list(1), MAX).unwrap();
    topics.subscribe(&a, list(2), MAX).unwrap();
    assert_eq!(topics.subscribe(&a, list(3), MAX), Err(TooManyTopics { max: MAX }));
    topics.unsubscribe(&a, list(1));
    topics.subscribe(&a, list(3), MAX).unwrap();
    // What was not asked for is not ended by asking for its end.
    topics.unsubscribe(&a, Topic::Room(RoomId(user(1).0)));
    assert_eq!(topics.count(|topic| matches!(topic, Topic::Room(_))), 1);
    topics.unsubscribe_all(&a);
    topics.unlisten(a.key, Topic::Room(RoomId(user(1).0)));
    assert_eq!(topics.count(|_| true), 0);
    assert!(a.subscriptions.borrow().is_empty());
}

#[test]
fn a_connection_does_not_hear_what_it_says_itself() {
    let (mut topics, a, b) = (Topics::default(), Probe::new(1), Probe::new(2));
    for listener in [&a, &b] {
        topics.listen(listener, Topic::User(user(1)));
    }
    let said = Publication::of(Topic::User(user(1)), ByteString::from_static("draft"), Class::Must);
    topics.publish(&said.except(a.session()));
    assert_eq!((a.told(), b.told()), (vec![], vec!["draft".to_owned()]));
}
