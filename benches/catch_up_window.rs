//! What does answering a catch-up from the room's window cost, without a word to Postgres?

use divan::Bencher;
use divan::counter::ItemsCount;
use parlance::clock::Clock;
use parlance::rooms::commands::caught_up;

use crate::material::busy_room;

const MEMBERS: usize = 500;

/// The newest events, from the question to the bytes of the answer; as for a device that was away for a moment.
#[divan::bench(args = [10, 100])]
fn the_newest(bencher: Bencher, events: usize) {
    let (room, people) = busy_room(&Clock::system(), MEMBERS);
    let (by, after) = (people[0], room.committed_seq() - i64::try_from(events).unwrap());
    bencher.counter(ItemsCount::new(events)).bench_local(|| {
        let page = room.catch_up(by.into(), divan::black_box(after), events).unwrap().expect("it is in the window");
        assert_eq!(page.frames.len(), events);
        caught_up(Some(7), &page)
    });
}
