//! What does a room's decision on one post cost?
//!
//! As the actor does it, without the mailboxes on either side: decide, take the next seq, make the write, and after the
//! commit encode the frame, keep it in the window, forget the oldest, and make the delivery.

use std::sync::Arc;

use divan::Bencher;
use parlance::clock::Clock;
use parlance::ids::UserId;
use parlance::order::{MessageRow, Row};
use parlance::persistence::{Claim, Write};
use parlance::publish::Delivery;
use parlance::rooms::state::{Decision, RoomState};
use tokio::sync::mpsc;

use crate::material::{SHORT, busy_room, message, prose};

const MEMBERS: [usize; 3] = [10, 500, 10_000];

/// All of it, from the command to the delivery.
#[divan::bench(args = MEMBERS)]
fn a_post_until_its_delivery(bencher: Bencher, members: usize) {
    let clock = Clock::system();
    let (mut room, people) = busy_room(&clock, members);
    let (lane, _outcomes) = mpsc::unbounded_channel();
    bencher.with_inputs(new_posts(&clock, people)).bench_local_values(|(by, message)| {
        let Ok(Decision::Write(body)) = room.decide_post(Some(by.into()), message) else { panic!("a member may post") };
        let from_seq = room.taken_seq();
        let row = Arc::new(Row { seq: from_seq + 1, at: clock.now(), body });
        let claim = Claim::new(room.next_ticket(), lane.clone());
        let write = Write { room_id: room.id, from_seq, rows: vec![Arc::clone(&row)], claim };
        let ticket = room.take(row);
        write.claim.waive();
        commit(&mut room, ticket)
    });
}

/// The decision alone: may they, and was it sent before?
#[divan::bench(args = MEMBERS)]
fn the_decision_alone(bencher: Bencher, members: usize) {
    let clock = Clock::system();
    let (room, people) = busy_room(&clock, members);
    bencher
        .with_inputs(new_posts(&clock, people))
        .bench_local_values(|(by, message)| room.decide_post(Some(by.into()), message).unwrap());
}

/// The same message once more, which is answered with the first result.
#[divan::bench(args = MEMBERS)]
fn a_repeated_post(bencher: Bencher, members: usize) {
    let clock = Clock::system();
    let (mut room, people) = busy_room(&clock, members);
    let (by, first) = new_posts(&clock, people)();
    let Ok(Decision::Write(body)) = room.decide_post(Some(by.into()), first.clone()) else {
        panic!("a member may post")
    };
    let ticket = room.take(Arc::new(Row { seq: room.taken_seq() + 1, at: clock.now(), body }));
    commit(&mut room, ticket);
    bencher.with_inputs(|| first.clone()).bench_local_values(|again| {
        let decision = room.decide_post(Some(by.into()), again).unwrap();
        assert!(matches!(decision, Decision::Already(_)));
        decision
    });
}

fn commit(room: &mut RoomState, ticket: u64) -> Delivery {
    let entry = room.commit(ticket).expect("it is the oldest that waits");
    let (first_seq, frames) = (entry.row.seq, Arc::from([entry.frame]));
    Delivery { order: room.id.into(), first_seq, frames, joined: Vec::new(), left: Vec::new() }
}

/// A new short message of one member after the other.
fn new_posts(clock: &Clock, people: Vec<UserId>) -> impl FnMut() -> (UserId, MessageRow) {
    let content = prose(SHORT);
    let mut turn = 0;
    move || {
        turn += 1;
        let by = people[turn % people.len()];
        (by, message(clock, by, &content))
    }
}
