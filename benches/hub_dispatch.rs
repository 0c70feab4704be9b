//! What does one delivery cost in the outboxes of its local listeners, from offered to taken?
//!
//! Of a hub's dispatch the part that grows with frames and listeners. Other rooms are followed in each outbox as well.
//! Left out is what needs whole sessions, with sockets and the rest of the engine: the hub's maps, the mark that has a
//! session flushed, and the write to the socket.

use std::sync::Arc;

use bytestring::ByteString;
use divan::Bencher;
use divan::counter::ItemsCount;
use parlance::clock::Clock;
use parlance::ids::{RoomId, UserId};
use parlance::rooms::wire::frame;
use parlance::sessions::outbox::{Outbox, Outgoing};
use parlance::sessions::parcel::Parcel;

use crate::material::{SHORT, config, prose, row};

/// More than 64 short frames: one drain takes all.
const DRAIN_BYTES: usize = 65_536;
/// How many rooms a listener follows.
const FOLLOWED: usize = 50;

/// With the number of frames in the delivery; items are frames handed to one listener.
#[divan::bench(consts = [10, 500], args = [1, 8, 64])]
fn offer_and_take<const LISTENERS: usize>(bencher: Bencher, frames: usize) {
    let clock = Clock::system();
    let rooms: Vec<RoomId> = (0..FOLLOWED).map(|_| RoomId::new(&clock)).collect();
    let (room, mut first_seq) = (rooms[0], 1);
    let delivery = frames_of(&clock, room, frames);
    let mut outboxes: Vec<Outbox> = (0..LISTENERS).map(|_| outbox_following(&rooms)).collect();
    bencher.counter(ItemsCount::new(frames * LISTENERS)).bench_local(|| {
        let parcels = Parcel::pack(first_seq, &delivery);
        for outbox in &mut outboxes {
            parcels.iter().for_each(|parcel| outbox.offer(room.into(), parcel));
        }
        first_seq += i64::try_from(frames).unwrap();
        for outbox in &mut outboxes {
            let mut taken = 0;
            outbox.take(DRAIN_BYTES, |outgoing| {
                if let Outgoing::Parcel(parcel, skip) = divan::black_box(outgoing) {
                    taken += parcel.len() - skip;
                }
            });
            assert_eq!(taken, frames);
        }
    });
}

fn outbox_following(rooms: &[RoomId]) -> Outbox {
    let limits = config().sessions;
    let mut outbox = Outbox::new(limits.outbox_bytes_max, limits.outbox_bytes_limit);
    for room in rooms {
        outbox.follow((*room).into(), 1);
    }
    outbox
}

fn frames_of(clock: &Clock, room: RoomId, count: usize) -> Arc<[ByteString]> {
    let (sender, content) = (UserId::new(clock), prose(SHORT));
    (1..=count).map(|seq| frame(room, &row(clock, i64::try_from(seq).unwrap(), sender, &content))).collect()
}
