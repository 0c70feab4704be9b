//! What does encoding a message.posted once cost? However many listen, it happens once.

use divan::Bencher;
use divan::counter::BytesCount;
use parlance::clock::Clock;
use parlance::ids::{RoomId, UserId};
use parlance::rooms::wire::frame;

use crate::material::{SIZES, prose, row};

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher, content_bytes: usize) {
    let clock = Clock::system();
    let (room, row) = (RoomId::new(&clock), row(&clock, 1, UserId::new(&clock), &prose(content_bytes)));
    let bytes = frame(room, &row).len();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| frame(room, divan::black_box(&row)));
}
