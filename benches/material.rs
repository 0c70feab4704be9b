//! What the benchmarks work on: people, rooms, and messages of a given size.

use std::sync::Arc;

use parlance::clock::Clock;
use parlance::config::Config;
use parlance::ids::{MessageId, RoomId, UserId};
use parlance::order::{MessageRow, Row, RowBody};
use parlance::persistence::{Claim, Write};
use parlance::rooms::config::ChatConfig;
use parlance::rooms::permissions::{Role, RoomKind};
use parlance::rooms::state::RoomState;
use parlance::rooms::{Member, RoomFacts, Snapshot};

/// A short message, as most are.
pub const SHORT: usize = 100;
/// From a line to the longest message that the default configuration takes.
pub const SIZES: [usize; 3] = [SHORT, 1_024, 32_768];

pub fn config() -> Config {
    Config::defaults().unwrap()
}

/// Exactly `bytes` of prose with a few quotation marks and line ends, which JSON has to escape.
pub fn prose(bytes: usize) -> String {
    let line = "And then she wrote: \"the train is late, start without me, I will find you by the river.\"\n";
    line.chars().cycle().take(bytes).collect()
}

/// A message that nobody has sent before.
pub fn message(clock: &Clock, sender: UserId, content: &str) -> MessageRow {
    MessageRow {
        id: MessageId::new(clock),
        sender: Some(sender.into()),
        client_id: Some(clock.uuid().to_string()),
        kind: "text".to_owned(),
        content: content.to_owned(),
        parts: None,
        reply_to: None,
        edited_at: None,
        deleted_at: None,
    }
}

pub fn row(clock: &Clock, seq: i64, sender: UserId, content: &str) -> Arc<Row> {
    Arc::new(Row { seq, at: clock.now(), body: RowBody::Message(message(clock, sender, content)) })
}

/// One short message for the place after `from_seq`, with nobody waiting for its outcome.
pub fn write(clock: &Clock, room_id: RoomId, from_seq: i64, sender: UserId) -> Write {
    let rows = vec![row(clock, from_seq + 1, sender, &prose(SHORT))];
    Write { room_id, from_seq, rows, claim: Claim::waived() }
}

/// A group of `members` people whose window is full, so that what comes in pushes something out.
pub fn busy_room(clock: &Clock, members: usize) -> (RoomState, Vec<UserId>) {
    let limits: ChatConfig = config().chat;
    let people: Vec<UserId> = (0..members).map(|_| UserId::new(clock)).collect();
    let recent: Vec<Row> = (1..=limits.window_events_max)
        .map(|seq| {
            let sender = people[seq % people.len()];
            let message = message(clock, sender, &prose(SHORT));
            Row { seq: i64::try_from(seq).unwrap(), at: clock.now(), body: RowBody::Message(message) }
        })
        .collect();
    let facts = RoomFacts {
        id: RoomId::new(clock),
        kind: RoomKind::Group,
        name: Some("Busy".to_owned()),
        topic: None,
        space_id: None,
        created_at: clock.now(),
        pair: None,
        members: people.iter().map(|person| ((*person).into(), Member::from(Role::Member, 0))).collect(),
    };
    let last_seq = i64::try_from(recent.len()).unwrap();
    let snapshot = Snapshot { facts, last_event_at: None, last_seq, departures: Vec::new(), recent };
    (RoomState::new(snapshot, 0, Arc::new(limits)), people)
}
