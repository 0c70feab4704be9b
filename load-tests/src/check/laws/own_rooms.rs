//! The law about everybody's own list of rooms: it has the rooms that they are in, and of each what the order gives.

use crate::check::history::{Board, Card, Marks, Pass, STRANGER, Who};
use crate::check::laws::replay::Replayed;
use crate::check::tale::{Carded, Tale};

/// Unread messages are counted up to here.
const UNREAD_MAX: usize = 100;

/// What lists of rooms show otherwise than the replayed order.
pub fn shown_differently(tale: &Tale<'_>) -> Vec<String> {
    if tale.carded.is_empty() {
        return Vec::new();
    }
    let room = Replayed::of(tale);
    let wrong = |carded| wrong(tale, &room, carded).into_iter().map(move |what| format!("{} {what}", place(carded)));
    tale.carded.iter().flat_map(wrong).collect()
}

fn wrong(tale: &Tale<'_>, room: &Replayed<'_>, carded: &Carded<'_>) -> Vec<String> {
    match (room.roles.get(&carded.who), carded.cards) {
        (None, []) => Vec::new(),
        (Some(role), [card]) => differences(tale, room, role, carded, card),
        (None, cards) => vec![format!("has the room {} times, in which they are not", cards.len())],
        (Some(role), cards) => vec![format!("has the room {} times, in which they are {role:?}", cards.len())],
    }
}

fn differences(
    tale: &Tale<'_>,
    room: &Replayed<'_>,
    role: &str,
    Carded { pass, who, .. }: &Carded<'_>,
    card: &Card,
) -> Vec<String> {
    let marks = tale.end(*pass).marks_of(*who).unwrap_or(Marks { delivered: card.delivered, read: card.read });
    let fields = [
        ("the role", format!("{:?}", card.role), format!("{role:?}")),
        ("the name", format!("{:?}", card.name.as_deref()), format!("{:?}", room.name)),
        ("the topic", format!("{:?}", card.topic.as_deref()), format!("{:?}", room.topic)),
        ("last_seq", card.last_seq.to_string(), room.last_seq.to_string()),
        ("member_count", card.member_count.to_string(), room.roles.len().to_string()),
        ("delivered_seq", card.delivered.to_string(), marks.delivered.to_string()),
        ("read_seq", card.read.to_string(), marks.read.to_string()),
        ("unread", card.unread.to_string(), unread(tale, *who, card.read).to_string()),
        ("last_message_at", format!("{:?}", card.last_at), format!("{:?}", room.last_at)),
    ];
    let wrong = fields.into_iter().filter(|(_, shown, right)| shown != right);
    wrong.map(|(field, shown, right)| format!("gives {field} as {shown} instead of {right}")).collect()
}

/// Messages of others after `read`.
fn unread(tale: &Tale<'_>, who: Who, read: u64) -> usize {
    let of_others = tale.messages().filter(|(seq, kept)| *seq > read && kept.by != Some(who));
    of_others.take(UNREAD_MAX).count()
}

fn place(Carded { pass, board, who, .. }: &Carded<'_>) -> String {
    let when = if *pass == Pass::First { "at rest" } else { "after the restart" };
    let board = match board {
        Board::List => "the list of rooms",
        Board::Ready => "the answer to hello",
    };
    if *who == STRANGER {
        format!("{when}, {board} of somebody else")
    } else {
        format!("{when}, {board} of person {who}")
    }
}

#[cfg(test)]
mod tests {
    use crate::check::checker::{Invariant, check_room};
    use crate::check::history::*;

    /// A room of two with `messages` of person 0, and what person 1 is shown of it, having read `read`.
    fn broken(messages: u64, read: u64, unread: u64) -> bool {
        let role = |who| (who, "member".to_owned());
        let founding = Founding { members: vec![role(0), role(1)], ..Founding::default() };
        let cast = Cast { rooms: vec![founding], ..Cast::default() };
        let message = |seq| {
            let kept = Kept { id: uuid::Uuid::from_u128(seq), by: Some(0), send: None, body: Box::default(), says: 0 };
            let seq = u64::try_from(seq).unwrap();
            Record::Row { pass: Pass::First, seq, at: None, frame: seq, says: None, fact: Fact::Message(kept) }
        };
        let card =
            Card { role: "member".to_owned(), last_seq: messages, read, unread, member_count: 2, ..Card::default() };
        let shown = Record::Carded { pass: Pass::First, board: Board::Ready, who: 1, cards: vec![card] };
        let records = (1..=u128::from(messages)).map(message).chain([shown]);
        let entry = |(step, record)| Entry { step, ms: 0, room: 0, record };
        let entries: Vec<Entry> = (0..).zip(records).map(entry).collect();
        !check_room(&cast, 0, &entries, Some(Invariant::OwnRoomsAreTheOrder)).is_empty()
    }

    #[test]
    fn unread_messages_are_counted_up_to_a_hundred() {
        for (messages, read, unread) in [(130, 0, 100), (130, 30, 100), (130, 31, 99), (130, 130, 0), (0, 0, 0)] {
            assert!(!broken(messages, read, unread), "{unread} of {messages}, {read} of them read");
            assert!(broken(messages, read, unread + 1));
        }
    }
}
