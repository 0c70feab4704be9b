//! Laws about those outside: other rooms stay in other rooms, and a room that is not theirs does not exist for anybody.

use crate::check::history::{Pass, STRANGER, Who};
use crate::check::tale::Tale;

/// The answer about a room that is not ours: ids reveal nothing.
const NOT_FOUND: u16 = 404;
/// The answer about a channel that is for us to find.
const FOUND: u16 = 200;

/// Things of rooms outside this run that somebody was sent.
pub fn leaks(tale: &Tale<'_>) -> Vec<String> {
    tale.leaked.iter().map(|(to, what)| format!("person {to} was sent {what}")).collect()
}

/// What those outside could read over HTTP. The people of a channel's space find it, and nothing in it.
pub fn open_doors(tale: &Tale<'_>) -> Vec<String> {
    let right = |who: &Who, at: &str| {
        if at.is_empty() && tale.founding.finders.contains(who) { FOUND } else { NOT_FOUND }
    };
    let wrong = tale.knocked.iter().filter(|(_, who, at, status)| *status != right(who, at));
    wrong
        .map(|(pass, who, at, status)| {
            let when = if *pass == Pass::First { "at rest" } else { "after the restart" };
            let at = if at.is_empty() { "itself" } else { at };
            format!("{when}, {}, who is not in the room, asks for {at} and is answered {status}", name(*who))
        })
        .collect()
}

fn name(who: Who) -> String {
    if who == STRANGER { "somebody else".to_owned() } else { format!("person {who}") }
}

#[cfg(test)]
mod tests {
    use crate::check::checker::{Invariant, check_room};
    use crate::check::history::{Cast, Entry, Founding, Pass, Record, STRANGER, Who};

    /// Whether an answer about a channel, in whose space person 1 is, breaks the law.
    fn broken(who: Who, at: &str, status: u16) -> bool {
        let cast = Cast { rooms: vec![Founding { finders: vec![1], ..Founding::default() }], ..Cast::default() };
        let record = Record::Knocked { pass: Pass::First, who, at: at.to_owned(), status };
        let entries = [Entry { step: 0, ms: 0, room: 0, record }];
        !check_room(&cast, 0, &entries, Some(Invariant::MembersOnly)).is_empty()
    }

    #[test]
    fn a_channel_is_found_by_its_space_alone_and_read_by_neither() {
        assert!(!broken(1, "", 200) && broken(1, "", 404));
        assert!(!broken(STRANGER, "", 404) && broken(STRANGER, "", 200) && broken(2, "", 200));
        assert!(!broken(1, "/messages", 404) && broken(1, "/messages", 200));
    }
}
