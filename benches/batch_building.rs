//! What does it cost to take queued writes into a batch, and to find the fences of its rooms?

use std::collections::VecDeque;

use divan::Bencher;
use divan::counter::ItemsCount;
use parlance::clock::Clock;
use parlance::ids::{RoomId, UserId};
use parlance::persistence::Job;
use parlance::persistence::batch::{Adrift, Batch};

use crate::material::{config, write};

const WRITES: [usize; 3] = [1, 100, 2_000];

/// One fence covers all.
#[divan::bench(args = WRITES)]
fn of_one_room(bencher: Bencher, writes: usize) {
    take_all(bencher, writes, 1);
}

/// Each write is another room's.
#[divan::bench(args = WRITES)]
fn of_a_room_each(bencher: Bencher, writes: usize) {
    take_all(bencher, writes, writes);
}

fn take_all(bencher: Bencher, writes: usize, rooms: usize) {
    let (clock, limits) = (Clock::system(), config().persistence);
    let (sender, rooms) = (UserId::new(&clock), (0..rooms).map(|_| RoomId::new(&clock)).collect::<Vec<_>>());
    let queue = || -> VecDeque<Job> {
        let place = |index: usize| (rooms[index % rooms.len()], i64::try_from(index / rooms.len()).unwrap());
        (0..writes).map(place).map(|(room, from_seq)| Job::Write(write(&clock, room, from_seq, sender))).collect()
    };
    bencher.counter(ItemsCount::new(writes)).with_inputs(queue).bench_local_values(|mut queue| {
        let batch = Batch::take(&mut queue, &Adrift::default(), limits.flush_rows_max, limits.flush_bytes_max);
        let runs = batch.runs();
        assert_eq!((batch.rows, runs.len()), (writes, rooms.len()));
        (queue, batch, runs)
    });
}
