//! Whether a page is what was asked for. Pure.

use crate::client::{CaughtUp, History, Page};

/// What a page must be.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub history: History,
    pub limit: u64,
    /// The room's last seq, as it was known before.
    pub last_seq: u64,
    /// Everything in the room is a message, so that a page has no gaps of its own.
    pub messages_only: bool,
}

/// What is wrong with a page, if anything.
pub fn page(asked: &Asked, page: &Page) -> Result<(), String> {
    let seqs: Vec<u64> = page.items.iter().map(|item| item.seq).collect();
    let wrong = |what: &str| Err(format!("{:?} of {}: {what}: {seqs:?}", asked.history, asked.last_seq));
    if seqs.len() as u64 > asked.limit {
        return wrong("more than asked for");
    }
    let in_order = match asked.history {
        History::After(_) => seqs.windows(2).all(|pair| pair[0] < pair[1]),
        History::Newest | History::Before(_) => seqs.windows(2).all(|pair| pair[0] > pair[1]),
    };
    if !in_order {
        return wrong("out of order");
    }
    let in_range = seqs.iter().all(|seq| match asked.history {
        History::Newest => *seq > 0,
        History::Before(before) => *seq < before,
        History::After(after) => *seq > after,
    });
    if !in_range {
        return wrong("out of range");
    }
    if seqs.len() as u64 == asked.limit && page.next.is_some_and(|next| Some(&next) != seqs.last()) {
        return wrong("the next page would begin elsewhere");
    }
    if (seqs.len() as u64) < asked.limit && page.next.is_some() {
        return wrong("a short page that is not the last");
    }
    if asked.messages_only && !is_whole(asked, &seqs) {
        return wrong("not the messages that are there");
    }
    Ok(())
}

/// Every place from one end of the page to the other.
fn is_whole(asked: &Asked, seqs: &[u64]) -> bool {
    let (limit, last) = (asked.limit, asked.last_seq);
    match asked.history {
        // Nobody else posts: the newest is the one that we know.
        History::Newest => seqs.iter().copied().eq((1..=last).rev().take(usize::try_from(limit).unwrap_or(0))),
        History::Before(before) => {
            seqs.iter().copied().eq((1..before.min(last + 1)).rev().take(usize::try_from(limit).unwrap_or(0)))
        }
        History::After(after) => seqs.iter().copied().eq((after + 1..=last).take(usize::try_from(limit).unwrap_or(0))),
    }
}

/// What is wrong with a page of events, if anything: they have no gaps in any room.
pub fn caught_up(after: u64, limit: u64, page: &CaughtUp) -> Result<(), String> {
    let count = page.events.len() as u64;
    if !page.events.iter().map(|event| event.seq).eq(after + 1..=after + count) {
        let seqs: Vec<u64> = page.events.iter().map(|event| event.seq).collect();
        return Err(format!("catching up after {after} has gaps: {seqs:?}"));
    }
    let reached = after + count;
    if count > limit || page.more != (reached < page.last_seq) || (count == 0 && reached < page.last_seq) {
        return Err(format!("catching up after {after}: {count} events, last {}, more {}", page.last_seq, page.more));
    }
    Ok(())
}

/// Whether a page of messages holds all that the events of its stretch say. `events` begin below the page's lowest.
pub fn agrees(asked: &Asked, page: &Page, events: &[crate::client::Placed]) -> Result<(), String> {
    let mut seqs: Vec<u64> = page.items.iter().map(|item| item.seq).collect();
    seqs.sort_unstable();
    let (Some(lowest), Some(highest)) = (seqs.first(), seqs.last()) else { return Ok(()) };
    let stretch = match asked.history {
        History::After(after) => after + 1..=*highest,
        History::Before(before) => *lowest..=before - 1,
        History::Newest => *lowest..=*highest,
    };
    let said: Vec<u64> = (events.iter())
        .filter(|event| event.kind == "message.posted" && stretch.contains(&event.seq))
        .map(|event| event.seq)
        .collect();
    if said == seqs { Ok(()) } else { Err(format!("a page has {seqs:?} where the order has {said:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Placed;

    fn of(seqs: impl IntoIterator<Item = u64>, next: Option<u64>) -> Page {
        Page { items: placed(seqs), next }
    }

    fn placed(seqs: impl IntoIterator<Item = u64>) -> Vec<Placed> {
        seqs.into_iter().map(|seq| Placed { kind: "message.posted".into(), seq }).collect()
    }

    fn asked(history: History) -> Asked {
        Asked { history, limit: 3, last_seq: 10, messages_only: true }
    }

    #[test]
    fn whole_pages_pass_and_others_do_not() {
        for (history, seqs, next, right) in [
            (History::Newest, vec![10, 9, 8], Some(8), true),
            (History::Newest, vec![9, 8, 7], Some(7), false),
            (History::Before(3), vec![2, 1], None, true),
            (History::Before(5), vec![4, 2, 1], None, false),
            (History::Before(5), vec![2, 3, 4], Some(4), false),
            (History::Before(5), vec![5, 4, 3], Some(3), false),
            (History::After(8), vec![9, 10], None, true),
            (History::After(4), vec![5, 6, 7], Some(6), false),
            (History::After(4), vec![5, 6, 7], None, true),
            (History::After(4), vec![5, 6], Some(6), false),
        ] {
            assert_eq!(page(&asked(history), &of(seqs.clone(), next)).is_ok(), right, "{history:?} {seqs:?}");
        }
        let with_gaps = Asked { messages_only: false, ..asked(History::Before(5)) };
        assert!(page(&with_gaps, &of([4, 2, 1], None)).is_ok());
    }

    #[test]
    fn events_have_no_gaps() {
        let caught = |seqs: Vec<u64>, more| CaughtUp { events: placed(seqs), last_seq: 10, more };
        assert!(caught_up(4, 3, &caught(vec![5, 6, 7], true)).is_ok());
        assert!(caught_up(8, 3, &caught(vec![9, 10], false)).is_ok());
        for (seqs, more) in [(vec![5, 7, 8], true), (vec![5, 6, 7], false), (vec![], true), (vec![5, 6, 7, 8], true)] {
            assert!(caught_up(4, 3, &caught(seqs.clone(), more)).is_err(), "{seqs:?}");
        }
    }

    #[test]
    fn a_page_is_compared_with_the_order() {
        let asked = Asked { messages_only: false, ..asked(History::Before(8)) };
        let mut events = placed(4..=8);
        events[2].kind = "member.added".into();
        assert!(agrees(&asked, &of([7, 5, 4], Some(4)), &events).is_ok());
        assert!(agrees(&asked, &of([7, 4, 3], Some(3)), &events).is_err());
        assert!(agrees(&asked, &of([5, 4, 3], Some(3)), &events).is_err(), "7 is missing");
    }
}
