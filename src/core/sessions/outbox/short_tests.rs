//! What is short-lived: replaced by key, shed in order; and what must arrive does.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::publish::{Class, Key};
use parlance_foundation::ids::UserId;
use parlance_foundation::party::Party;

const BYTES_MAX: usize = 4_096;
const LIMIT: usize = 8_192;

fn key(n: u128) -> Key {
    Key::about(Party::User(UserId(Uuid::from_u128(n))))
}

fn class(grade: Option<Grade>, n: u128) -> Class {
    match grade {
        None => Class::Must,
        Some(Grade::Receipt) => Class::Receipt(key(n)),
        Some(Grade::Presence) => Class::Presence(key(n)),
        Some(Grade::Typing) => Class::Typing(key(n)),
    }
}

fn say(outbox: &mut Outbox, class: Class, text: impl Into<String>) {
    outbox.publish(&Rc::new(Frame { class, text: ByteString::from(text.into()) }));
}

fn take(outbox: &mut Outbox, bytes_max: usize) -> Vec<String> {
    let mut taken = Vec::new();
    outbox.take(bytes_max, |outgoing| match outgoing {
        Outgoing::Frame(frame) => taken.push(frame.to_string()),
        Outgoing::Parcel(..) => {}
    });
    taken
}

/// A text of `len` bytes that begins with `text`.
fn long(text: &str, len: usize) -> String {
    format!("{text:-<len$}")
}

#[test]
fn a_newer_frame_of_a_key_takes_the_place_of_the_older_one() {
    let mut outbox = Outbox::new(BYTES_MAX, LIMIT);
    say(&mut outbox, Class::Receipt(key(1)), "one");
    say(&mut outbox, Class::Must, "between");
    say(&mut outbox, Class::Receipt(key(2)), "two");
    // Of another class, the same key is another one.
    say(&mut outbox, Class::Presence(key(1)), "here");
    say(&mut outbox, Class::Receipt(key(1)), "one again");
    assert_eq!(take(&mut outbox, LIMIT), ["one again", "between", "two", "here"]);
    assert_eq!((outbox.bytes(), outbox.take_shed()), (0, Shed::default()));
    // What has left is replaced by nothing.
    say(&mut outbox, Class::Receipt(key(1)), "once more");
    assert_eq!(take(&mut outbox, LIMIT), ["once more"]);
}

#[test]
fn the_newest_is_found_in_a_long_queue_whatever_has_left_it() {
    let mut outbox = Outbox::new(1 << 20, 1 << 21);
    for n in 0..1_000 {
        say(&mut outbox, Class::Receipt(key(n)), long(&format!("old {n}"), 10));
    }
    let taken = take(&mut outbox, 10 * 300);
    assert_eq!(taken.len(), 300);
    outbox.push_ready(ByteString::from_static("ready"));
    for n in (0..1_000).rev() {
        say(&mut outbox, Class::Receipt(key(n)), long(&format!("new {n}"), 10));
    }
    let told = take(&mut outbox, 1 << 20);
    let kept = (300..1_000).chain((0..300).rev());
    let expected = std::iter::once("ready".to_owned()).chain(kept.map(|n| long(&format!("new {n}"), 10)));
    assert_eq!(told, expected.collect::<Vec<_>>());
    assert_eq!((outbox.bytes(), outbox.take_shed()), (0, Shed::default()));
}

#[test]
fn under_load_typing_goes_first_then_presence_then_receipts() {
    let mut outbox = Outbox::new(BYTES_MAX, LIMIT);
    for n in 0..7 {
        say(&mut outbox, Class::Receipt(key(n)), long("receipt", 100));
        say(&mut outbox, Class::Presence(key(n)), long("presence", 100));
        say(&mut outbox, Class::Typing(key(n)), long("typing", 100));
    }
    // Half of the bound is taken: one more of the least importance is not kept, one that matters more takes its place.
    say(&mut outbox, Class::Typing(key(8)), long("typing", 100));
    assert_eq!(outbox.take_shed().short, [1, 0, 0]);
    say(&mut outbox, Class::Receipt(key(8)), long("receipt", 100));
    assert_eq!(outbox.take_shed().short, [7, 0, 0]);
    // What must arrive pushes out the rest, the least important first.
    outbox.push(ByteString::from(long("must", 2_600)));
    assert_eq!((outbox.bytes(), outbox.take_shed().short), (2_600 + 800, [0, 7, 0]));
    outbox.push(ByteString::from(long("must", 1_000)));
    assert_eq!((outbox.bytes(), outbox.take_shed().short), (3_600, [0, 0, 8]));
    assert!(take(&mut outbox, LIMIT).iter().all(|frame| frame.starts_with("must")));
}

#[test]
fn events_are_spared_as_long_as_what_is_short_lived_can_go() {
    let mut outbox = Outbox::new(BYTES_MAX, LIMIT);
    outbox.greeted();
    let order = OrderId::Room(parlance_foundation::ids::RoomId(Uuid::nil()));
    outbox.follow(order, 1);
    let event = |seq: i64| Parcel::pack(seq, &vec![ByteString::from(long("event", 1_000))].into()).remove(0);
    outbox.offer(order, &event(1));
    for n in 0..10 {
        say(&mut outbox, Class::Receipt(key(n)), long("receipt", 100));
    }
    outbox.offer(order, &event(2));
    outbox.offer(order, &event(3));
    assert_eq!(outbox.take_shed(), Shed::default());
    outbox.offer(order, &event(4));
    assert_eq!(outbox.take_shed(), Shed { lagged: 0, short: [0, 0, 10] });
    outbox.offer(order, &event(5));
    assert_eq!(outbox.take_shed(), Shed { lagged: 1, short: [0, 0, 0] });
}

#[test]
fn short_lived_frames_alone_never_close_a_socket() {
    let mut outbox = Outbox::new(BYTES_MAX, LIMIT);
    for n in 0..1_000 {
        say(&mut outbox, Class::Receipt(key(n)), long("receipt", 100));
    }
    assert!(outbox.bytes() <= BYTES_MAX && outbox.closing().is_none());
    assert_eq!(outbox.take_shed().short, [0, 0, 1_000 - 21]);
    // Nor do those that grow as they are replaced.
    for _ in 0..3 {
        for n in 0..21 {
            say(&mut outbox, Class::Receipt(key(n)), long("receipt", 2_000));
        }
    }
    assert!(outbox.bytes() <= BYTES_MAX && outbox.closing().is_none());
}

#[derive(Clone, Debug)]
enum Step {
    /// Of this grade, with this key, so long.
    Say(Option<Grade>, u128, usize),
    Event,
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let grade = prop_oneof![
        1 => Just(None),
        4 => prop::sample::select(&Grade::ALL[..]).prop_map(Some),
    ];
    prop_oneof![
        8 => (grade, 0..6_u128, 10..60_usize).prop_map(|(grade, n, len)| Step::Say(grade, n, len)),
        2 => Just(Step::Event),
        2 => (1..200_usize).prop_map(Step::Take),
    ]
}

proptest! {
    /// Whatever is said, replaced, shed and taken: what must arrive does, in order and once; of a key nothing old follows
    /// what is newer, and at most one frame waits; what is told or counted as shed is all that was said, but for what was
    /// replaced; and nothing more important is shed than what is still there.
    #[test]
    fn what_must_arrive_does_and_the_rest_is_the_newest(steps in prop::collection::vec(step(), 1..250), max in 200_usize..3_000) {
        let mut outbox = Outbox::new(max, 1 << 20);
        outbox.greeted();
        let order = OrderId::Room(parlance_foundation::ids::RoomId(Uuid::nil()));
        outbox.follow(order, 1);
        let (mut next_seq, mut number) = (1, 0);
        let mut must: VecDeque<usize> = VecDeque::new();
        let mut newest: HashMap<(usize, u128), usize> = HashMap::new();
        let drain = |outbox: &mut Outbox, bytes, must: &mut VecDeque<usize>, newest: &mut HashMap<(usize, u128), usize>| {
            for frame in take(outbox, bytes) {
                let words: Vec<usize> = frame.split(' ').take(3).filter_map(|word| word.parse().ok()).collect();
                match words[..] {
                    [number] => prop_assert_eq!(Some(number), must.pop_front()),
                    [number, grade, n] => {
                        let last = newest.entry((grade, n as u128)).or_default();
                        prop_assert!(number > *last, "{} after {}", number, last);
                        *last = number;
                    }
                    // A lagged of the events.
                    _ => {}
                }
            }
            Ok(())
        };
        for step in steps {
            number += 1;
            outbox.take_shed();
            match step {
                Step::Say(None, _, len) => {
                    say(&mut outbox, Class::Must, format!("{number} {:-<len$}", ""));
                    must.push_back(number);
                }
                Step::Say(Some(grade), n, len) => {
                    let before = outbox.bytes();
                    say(&mut outbox, class(Some(grade), n), format!("{number} {} {n} {:-<len$}", grade as usize, ""));
                    let shed = outbox.take_shed();
                    // A newcomer pushes out what matters less, and nothing that matters more.
                    for other in Grade::ALL.into_iter().filter(|other| *other > grade) {
                        prop_assert!(shed.short[other as usize] == 0 || before > max / 2);
                    }
                }
                Step::Event => {
                    let frame = ByteString::from("{\"seq\":1,\"of\":\"a room with a name\"}");
                    outbox.offer(order, &Parcel::pack(next_seq, &vec![frame].into()).remove(0));
                    next_seq += 1;
                }
                Step::Take(bytes) => drain(&mut outbox, bytes, &mut must, &mut newest)?,
            }
            let waiting = |grade: Grade| outbox.queue.iter().filter_map(|item| match item {
                Item::Short(frame) if frame.class.grade() == Some(grade) => Some(frame.class),
                _ => None,
            }).collect::<Vec<_>>();
            for grade in Grade::ALL {
                let classes = waiting(grade);
                let distinct: std::collections::HashSet<_> = classes.iter().collect();
                prop_assert_eq!(distinct.len(), classes.len());
            }
            let bytes: usize = outbox.queue.iter().map(Item::bytes).sum();
            prop_assert_eq!(bytes, outbox.bytes());
        }
        drain(&mut outbox, 1 << 20, &mut must, &mut newest)?;
        prop_assert!(must.is_empty() && outbox.closing().is_none());
    }
}
