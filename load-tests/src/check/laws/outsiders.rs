//! Laws about those outside: other rooms stay in other rooms, and a room that is not theirs does not exist for anybody.

use crate::check::history::{Pass, STRANGER, Who};
use crate::check::tale::Tale;

/// The answer about a room that is not ours: ids reveal nothing.
const NOT_FOUND: u16 = 404;

/// Things of rooms outside this run that somebody was sent.
pub fn leaks(tale: &Tale<'_>) -> Vec<String> {
    tale.leaked.iter().map(|(to, what)| format!("person {to} was sent {what}")).collect()
}

/// What those outside could read over HTTP.
pub fn open_doors(tale: &Tale<'_>) -> Vec<String> {
    let open = tale.knocked.iter().filter(|(_, _, _, status)| *status != NOT_FOUND);
    open.map(|(pass, who, at, status)| {
        let when = if *pass == Pass::First { "at rest" } else { "after the restart" };
        format!("{when}, {}, who is not in the room, asks for its {at} and is answered {status}", name(*who))
    })
    .collect()
}

fn name(who: Who) -> String {
    if who == STRANGER { "somebody else".to_owned() } else { format!("person {who}") }
}
