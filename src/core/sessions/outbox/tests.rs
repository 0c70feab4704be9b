use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use parlance_foundation::ids::RoomId;

fn room(n: u128) -> OrderId {
    OrderId::Room(RoomId(Uuid::from_u128(n)))
}

fn frames(first: i64, count: i64) -> Vec<ByteString> {
    (first..first + count).map(|seq| ByteString::from(format!("{{\"seq\":{seq}}}"))).collect()
}

fn page(first: i64, count: i64, last_seq: i64) -> Page {
    let next_after = first + count - 1;
    Page { frames: frames(first, count), next_after, last_seq, more: next_after < last_seq }
}

/// The seqs in frames as `frames` makes them; `room.lagged` shows as minus its `last_seq`.
fn seqs(sent: &[ByteString]) -> Vec<i64> {
    let seq = |frame: &ByteString| {
        let value: serde_json::Value = serde_json::from_str(frame).unwrap();
        value["seq"].as_i64().unwrap_or_else(|| -value["last_seq"].as_i64().unwrap())
    };
    sent.iter().map(seq).collect()
}

/// Live events, as a hub offers them.
fn offer(outbox: &mut Outbox, room: OrderId, first_seq: i64, frames: &[ByteString]) {
    for parcel in Parcel::pack(first_seq, &frames.into()) {
        outbox.offer(room, &parcel);
    }
}

fn take(outbox: &mut Outbox, bytes_max: usize) -> Vec<ByteString> {
    let mut taken = Vec::new();
    outbox.take(bytes_max, |outgoing| match outgoing {
        Outgoing::Frame(frame) => taken.push(frame),
        Outgoing::Parcel(parcel, skip) => {
            taken.extend(parcel.events_after(skip).map(|event| ByteString::from(std::str::from_utf8(event).unwrap())));
        }
    });
    taken
}

fn outbox() -> Outbox {
    let mut outbox = Outbox::new(4_096, 8_192);
    outbox.greeted();
    outbox
}

#[test]
fn live_events_pass_once_and_in_order() {
    let mut outbox = outbox();
    outbox.follow(room(1), 6);
    offer(&mut outbox, room(1), 4, &frames(4, 4));
    offer(&mut outbox, room(1), 7, &frames(7, 2));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [6, 7, 8]);
}

#[test]
fn a_gap_becomes_a_catch_up() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    offer(&mut outbox, room(1), 3, &frames(3, 1));
    assert_eq!(outbox.next_behind(), Some((room(1), 0)));
    offer(&mut outbox, room(1), 4, &frames(4, 1));
    outbox.page(room(1), 0, &page(1, 3, 3));
    // Seq 4 was seen meanwhile: one more page.
    assert_eq!(outbox.next_behind(), Some((room(1), 3)));
    outbox.page(room(1), 3, &page(4, 1, 4));
    offer(&mut outbox, room(1), 5, &frames(5, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [1, 2, 3, 4, 5]);
}

#[test]
fn what_a_room_has_not_shown_yet_comes_live_and_no_lagged_reaches_it() {
    let mut outbox = outbox();
    outbox.follow_behind(room(1), 1);
    outbox.announce(room(1), 2);
    assert_eq!(outbox.next_behind(), Some((room(1), 0)));
    // Postgres has a third, which the room will show next.
    outbox.page(room(1), 0, &page(1, 3, 3));
    outbox.shed_events();
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [-2]);
    offer(&mut outbox, room(1), 3, &frames(3, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [3]);
    assert!(!outbox.is_behind());
}

#[test]
fn what_was_heard_before_its_pages_comes_with_them_alone() {
    let mut outbox = outbox();
    outbox.follow(room(1), 3);
    offer(&mut outbox, room(1), 3, &frames(3, 2));
    outbox.push_ready(ByteString::from_static("{\"seq\":0}"));
    outbox.follow_behind(room(1), 2);
    assert_eq!(outbox.next_behind(), Some((room(1), 1)));
    outbox.page(room(1), 1, &page(2, 2, 3));
    // Seq 4 had been heard: one more page.
    assert_eq!(outbox.next_behind(), Some((room(1), 3)));
    outbox.page(room(1), 3, &page(4, 1, 4));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [0, 2, 3, 4]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn news_that_came_before_a_greeting_is_not_forgotten_by_it() {
    let mut outbox = outbox();
    outbox.follow(room(1), 3);
    outbox.announce(room(1), 4);
    outbox.follow_behind(room(1), 2);
    outbox.page(room(1), 1, &page(2, 3, 4));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [2, 3, 4]);
    assert_eq!(outbox.next_behind(), None);
}

#[test]
fn a_page_that_was_denied_before_a_new_coming_ends_nothing() {
    let mut outbox = outbox();
    outbox.follow_behind(room(1), 3);
    let (_, after) = outbox.next_behind().unwrap();
    outbox.unfollow(room(1));
    outbox.follow(room(1), 9);
    assert!(!outbox.page_denied(room(1), after));
    offer(&mut outbox, room(1), 9, &frames(9, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [-3, 9]);
    offer(&mut outbox, room(1), 11, &frames(11, 1));
    let (_, after) = outbox.next_behind().unwrap();
    assert!(outbox.page_denied(room(1), after));
    assert_eq!(outbox.orders().count(), 0);
}

#[test]
fn whoever_hears_how_they_leave_is_told_nothing_else() {
    let mut outbox = outbox();
    outbox.follow(room(1), 4);
    offer(&mut outbox, room(1), 4, &frames(4, 2));
    outbox.unfollow(room(1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [4, 5]);
}

#[test]
fn whoever_leaves_while_behind_is_told_to_ask() {
    let mut outbox = outbox();
    outbox.follow(room(1), 4);
    offer(&mut outbox, room(1), 6, &frames(6, 1));
    outbox.unfollow(room(1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [-6]);
    // The same when the page is denied before the hub says why.
    outbox.follow(room(2), 4);
    outbox.announce(room(2), 8);
    let (_, after) = outbox.next_behind().unwrap();
    assert!(outbox.page_denied(room(2), after));
    outbox.unfollow(room(2));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [-9]);
}

#[test]
fn whoever_leaves_before_a_shed_backlog_has_left_is_told_once() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    offer(&mut outbox, room(1), 1, &frames(1, 1_000));
    outbox.unfollow(room(1));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [-1_000]);
    // The same when the backlog is shed after they left.
    outbox.follow(room(2), 1);
    offer(&mut outbox, room(2), 1, &frames(1, 2));
    outbox.unfollow(room(2));
    outbox.follow(room(3), 1);
    offer(&mut outbox, room(3), 1, &frames(1, 1_000));
    let mut told = seqs(&take(&mut outbox, 1 << 20));
    told.sort_unstable();
    assert_eq!(told, [-1_000, -2]);
}

#[test]
fn whoever_leaves_while_their_greeting_reads_follows_nothing() {
    let mut outbox = Outbox::new(4_096, 16_384);
    outbox.unfollow(room(1));
    outbox.unfollow(room(2));
    outbox.join(room(2), 8, frames(7, 1).remove(0));
    assert!(!outbox.follow(room(1), 4));
    assert!(outbox.follow(room(2), 4));
    outbox.greeted();
    offer(&mut outbox, room(1), 5, &frames(5, 1));
    offer(&mut outbox, room(2), 8, &frames(8, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [7, 8]);
    // What was read later counts from then on.
    outbox.unfollow(room(2));
    assert!(outbox.follow(room(2), 10));
}

#[test]
fn whoever_left_is_told_how_far_the_room_is_once_and_not_of_less_after_it() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    offer(&mut outbox, room(1), 1, &frames(1, 1));
    outbox.announce(room(1), 3);
    outbox.unfollow(room(1));
    outbox.follow(room(2), 1);
    offer(&mut outbox, room(2), 1, &frames(1, 1_000));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [-3, -1_000]);
}

#[test]
fn whoever_comes_back_before_how_they_left_was_sent_is_behind_up_to_where_they_came() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    offer(&mut outbox, room(1), 1, &frames(1, 1));
    outbox.unfollow(room(1));
    // What tells of their coming sheds what told of their leaving.
    let told = ByteString::from(format!("{{\"seq\":2,\"of\":\"{}\"}}", "x".repeat(5_000)));
    outbox.join(room(1), 3, told);
    offer(&mut outbox, room(1), 3, &frames(3, 1));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [2, -3]);
    offer(&mut outbox, room(1), 4, &frames(4, 1));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [4]);
}

#[test]
fn a_page_of_an_earlier_stay_that_is_denied_does_not_end_a_later_one() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    outbox.announce(room(1), 1);
    let (_, after) = outbox.next_behind().unwrap();
    outbox.join(room(1), 3, frames(2, 1).remove(0));
    assert!(!outbox.page_denied(room(1), after));
    assert_eq!(outbox.next_behind(), None);
    offer(&mut outbox, room(1), 3, &frames(3, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [2, -2, 3]);
    // What was told of the later one already is read.
    outbox.announce(room(1), 9);
    outbox.join(room(1), 6, frames(5, 1).remove(0));
    assert_eq!(outbox.next_behind(), Some((room(1), 5)));
    outbox.page(room(1), 5, &page(6, 4, 9));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [5, -5, 6, 7, 8, 9]);
}

#[test]
fn what_was_shed_while_greeting_does_not_end_the_catch_up_that_follows() {
    let mut outbox = Outbox::new(4_096, 8_192);
    outbox.join(room(1), 5, frames(0, 1).remove(0));
    offer(&mut outbox, room(1), 5, &frames(5, 1_000));
    assert!(outbox.follow(room(1), 5));
    outbox.greeted();
    outbox.follow_behind(room(1), 4);
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [0]);
    assert_eq!(outbox.next_behind(), Some((room(1), 3)));
    outbox.page(room(1), 3, &page(4, 1_001, 1_004));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), (4..=1_004).collect::<Vec<_>>());
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_coming_that_is_told_late_leaves_no_gap() {
    let mut outbox = outbox();
    outbox.follow(room(1), 5);
    outbox.join(room(1), 4, frames(3, 1).remove(0));
    offer(&mut outbox, room(1), 5, &frames(5, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [3, -4, 5]);
    // Told in time, it needs nothing else.
    outbox.follow(room(2), 4);
    outbox.join(room(2), 4, frames(3, 1).remove(0));
    offer(&mut outbox, room(2), 4, &frames(4, 1));
    assert_eq!(seqs(&take(&mut outbox, 4_096)), [3, 4]);
}

#[test]
fn an_announcement_of_nothing_new_changes_nothing() {
    let mut outbox = outbox();
    outbox.follow(room(1), 4);
    outbox.announce(room(1), 3);
    assert!(!outbox.is_behind());
    outbox.announce(room(1), 4);
    assert_eq!(outbox.next_behind(), Some((room(1), 3)));
}

#[test]
fn a_slow_reader_gets_one_lagged_a_room_and_then_lives_on() {
    let mut outbox = outbox();
    outbox.follow(room(1), 1);
    outbox.push(ByteString::from_static("{\"seq\":0}"));
    for seq in 1..=1_000 {
        offer(&mut outbox, room(1), seq, &frames(seq, 1));
        assert!(outbox.bytes() <= 4_096);
    }
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [0, -1_000]);
    offer(&mut outbox, room(1), 1_001, &frames(1_001, 1));
    assert_eq!(seqs(&take(&mut outbox, 1 << 20)), [1_001]);
    assert_eq!(outbox.closing(), None);
}

#[test]
fn answers_past_the_limit_close_the_socket() {
    let mut outbox = outbox();
    for _ in 0..100 {
        outbox.push(ByteString::from("x".repeat(100)));
    }
    assert_eq!(outbox.closing(), Some(close::TOO_SLOW));
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_close_waits_for_what_was_said_before_it() {
    let mut outbox = outbox();
    outbox.push(ByteString::from_static("bye"));
    outbox.close(close::RESTARTING);
    assert_eq!(outbox.closing(), None);
    take(&mut outbox, 1);
    assert_eq!(outbox.closing(), Some(close::RESTARTING));
}

#[derive(Debug, Clone)]
enum Step {
    Commit(i64),
    /// The hub's message is lost, as when a room crashes between commit and delivery.
    CommitUnseen(i64),
    ReadPage(i64),
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_i64..4).prop_map(Step::Commit),
        1 => (1_i64..3).prop_map(Step::CommitUnseen),
        3 => (1_i64..5).prop_map(Step::ReadPage),
        3 => (1_usize..60).prop_map(Step::Take),
    ]
}

proptest! {
    /// Whatever is lost, paged, shed or taken: a client that obeys `room.lagged` sees every seq once and in order.
    #[test]
    fn every_reader_sees_a_gap_free_order(steps in prop::collection::vec(step(), 1..120), max in 40_usize..400) {
        let mut outbox = Outbox::new(max, 1 << 20);
        let mut committed = 0;
        let mut client = 0;
        outbox.follow(room(1), 1);
        let drain = |outbox: &mut Outbox, bytes: usize, client: &mut i64| {
            for seq in seqs(&take(outbox, bytes)) {
                if seq < 0 {
                    // It catches up by itself: everything up to last_seq.
                    prop_assert!(-seq >= *client);
                    *client = -seq;
                } else {
                    prop_assert_eq!(seq, *client + 1);
                    *client = seq;
                }
            }
            Ok(())
        };
        let read = |outbox: &mut Outbox, size: i64, committed: i64| {
            if let Some((room, after)) = outbox.next_behind() {
                let count = size.min(committed - after);
                outbox.page(room, after, &page(after + 1, count, committed));
            }
        };
        for step in steps {
            match step {
                Step::Commit(count) => {
                    offer(&mut outbox, room(1), committed + 1, &frames(committed + 1, count));
                    committed += count;
                }
                Step::CommitUnseen(count) => committed += count,
                Step::ReadPage(size) => read(&mut outbox, size, committed),
                Step::Take(bytes) => drain(&mut outbox, bytes, &mut client)?,
            }
        }
        // In the end everything arrives.
        outbox.announce(room(1), committed);
        while outbox.is_behind() || !outbox.is_empty() {
            read(&mut outbox, 100, committed);
            drain(&mut outbox, 1 << 20, &mut client)?;
        }
        prop_assert_eq!(client, committed);
    }
}
