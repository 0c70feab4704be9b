//! What does understanding a client's message.post cost?

use divan::Bencher;
use divan::counter::BytesCount;
use parlance::clock::Clock;
use parlance::ids::{RoomId, UserId};
use parlance::rooms::commands::PostMessage;
use parlance::rooms::compose;
use parlance::wire::{BadFrame, decode as read};

use crate::material::{SIZES, config, prose};

/// From the text of the socket to the command.
#[divan::bench(args = SIZES)]
fn decode(bencher: Bencher, content_bytes: usize) {
    let text = post(content_bytes);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| command(divan::black_box(&text)).unwrap());
}

/// The command's own checks as well: what a session does before it asks the room.
#[divan::bench(args = SIZES)]
fn decode_and_check(bencher: Bencher, content_bytes: usize) {
    let (text, limits, clock) = (post(content_bytes), config().chat, Clock::system());
    let sender = UserId::new(&clock);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let post = command(divan::black_box(&text)).unwrap();
        compose(&limits, &clock, Some(sender.into()), post.apart().1).unwrap()
    });
}

/// The head, and the command's own fields.
fn command(text: &str) -> Result<PostMessage, BadFrame> {
    read(text)?.body()
}

/// The frame as a client writes it.
fn post(content_bytes: usize) -> String {
    let clock = Clock::system();
    serde_json::json!({
        "type": "message.post",
        "id": 7,
        "room_id": RoomId::new(&clock),
        "client_id": clock.uuid(),
        "content": prose(content_bytes),
    })
    .to_string()
}
