//! Laws about the room itself: members, roles, name and topic.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::check::history::{Change, Fact, Who};
use crate::check::laws::replay::Replayed;
use crate::check::tale::Tale;

/// Granted more often than it is in the order. A role that somebody has already is granted once more without an event: it
/// must be theirs by the order at some time.
pub fn forgotten(tale: &Tale<'_>) -> Vec<String> {
    let mut kept: HashMap<(Who, &Change), usize> = HashMap::new();
    for row in &tale.first.rows {
        if let Fact::Changed { by: Some(by), change } = row.fact {
            *kept.entry((*by, change)).or_default() += 1;
        }
    }
    let mut granted: HashMap<(Who, &Change), usize> = HashMap::new();
    let mut broken = Vec::new();
    for (_, by, change) in &tale.granted {
        let times = granted.entry((*by, change)).or_default();
        *times += 1;
        let there = match change {
            // Names and topics are given once only, and repeated by each later event that changes the other.
            Change::Name(name) => usize::from(describes(tale, *by, |now, _| now == Some(name))),
            Change::Topic(topic) => usize::from(describes(tale, *by, |_, now| now == Some(topic))),
            Change::Role(who, role) => usize::from(had(tale, *who, role)),
            Change::Add(..) | Change::Remove(_) => kept.get(&(*by, *change)).copied().unwrap_or(0),
        };
        let once = matches!(change, Change::Name(_) | Change::Topic(_) | Change::Role(..));
        if there < if once { 1 } else { *times } {
            broken.push(format!("person {by} was granted {change:?} {times} times, and it is there {there} times"));
        }
    }
    broken
}

fn had(tale: &Tale<'_>, who: Who, role: &str) -> bool {
    let given = tale.first.rows.iter().filter_map(|row| match row.fact {
        Fact::Changed { change: Change::Add(whose, role) | Change::Role(whose, role), .. } => Some((whose, role)),
        _ => None,
    });
    let founders = tale.founding.members.iter().map(|(whose, role)| (whose, role));
    founders.chain(given).any(|(whose, given)| *whose == who && given == role)
}

fn describes(tale: &Tale<'_>, by: Who, is_it: impl Fn(Option<&String>, Option<&String>) -> bool) -> bool {
    tale.first.rows.iter().any(|row| match row.fact {
        Fact::Described { by: Some(who), name, topic } => *who == by && is_it(name.as_ref(), topic.as_ref()),
        Fact::Described { .. }
        | Fact::Changed { .. }
        | Fact::Team { .. }
        | Fact::Message(_)
        | Fact::Edited { .. }
        | Fact::Deleted { .. }
        | Fact::Other(_) => false,
    })
}

/// In the order more often than anybody asked for it.
pub fn phantoms(tale: &Tale<'_>) -> Vec<String> {
    let mut asked: HashMap<(Who, &Change), usize> = HashMap::new();
    for (_, by, change) in &tale.asked {
        *asked.entry((*by, change)).or_default() += 1;
    }
    let mut broken = Vec::new();
    let mut before = (tale.founding.name.as_ref(), None);
    for row in &tale.first.rows {
        let explained = match row.fact {
            Fact::Changed { by: Some(by), change } => match asked.get_mut(&(*by, change)) {
                Some(times) if *times > 0 => {
                    *times -= 1;
                    true
                }
                _ => false,
            },
            Fact::Described { by, name, topic } => {
                let now = (name.as_ref(), topic.as_ref());
                broken.extend(unasked(&asked, *by, before, now).map(|what| format!("{} {what}", row.seq)));
                before = now;
                true
            }
            // This run makes no teams.
            Fact::Changed { by: None, .. } | Fact::Team { .. } => false,
            Fact::Message(_) | Fact::Edited { .. } | Fact::Deleted { .. } | Fact::Other(_) => true,
        };
        if !explained {
            broken.push(format!("{} is a change that nobody asked for: {:?}", row.seq, row.fact));
        }
    }
    broken
}

type Described<'a> = (Option<&'a String>, Option<&'a String>);

/// What somebody did to name and topic beyond what they asked for. An event says both: one that was asked for must
/// leave the other as it was.
fn unasked<'a>(
    asked: &HashMap<(Who, &Change), usize>,
    by: Option<Who>,
    before: Described<'a>,
    now: Described<'a>,
) -> impl Iterator<Item = String> + use<'a> {
    let is_asked =
        |change: Option<Change>| by.zip(change).is_some_and(|(by, change)| asked.contains_key(&(by, &change)));
    let name = is_asked(now.0.cloned().map(Change::Name));
    let topic = is_asked(now.1.cloned().map(Change::Topic));
    let unasked = [("name", name, before.0, now.0), ("topic", topic, before.1, now.1)];
    // Asked for once more after a lost answer, it may be made once more, and change nothing.
    let idle = (!name && !topic && before == now).then(|| "describes the room, which nobody asked for".to_owned());
    let changed = unasked.into_iter().filter(|(_, asked, before, now)| !asked && before != now);
    changed
        .map(|(field, _, before, now)| format!("turns the {field} from {before:?} into {now:?}, unasked"))
        .chain(idle)
}

/// What the replayed order says otherwise than the engine.
pub fn replayed_differently(tale: &Tale<'_>) -> Vec<String> {
    let Replayed { roles, name, topic, .. } = Replayed::of(tale);
    let mut broken = Vec::new();
    if let Some(members) = tale.first.members {
        let shown: BTreeMap<Who, &str> = members.iter().map(|place| (place.who, place.role.as_str())).collect();
        let everybody: BTreeSet<&Who> = roles.keys().chain(shown.keys()).collect();
        for who in everybody {
            let (replayed, shown) = (roles.get(who), shown.get(who));
            if replayed != shown {
                broken.push(format!("person {who} is {replayed:?} by the order and {shown:?} by the list of members"));
            }
        }
    }
    if let Some(shown) = tale.first.described {
        if name != shown.name {
            broken.push(format!("the name is {name:?} by the order and {:?} by the room", shown.name));
        }
        if topic != shown.topic {
            broken.push(format!("the topic is {topic:?} by the order and {:?} by the room", shown.topic));
        }
    }
    broken
}

/// Who was a member, by the room's order.
#[derive(Debug)]
pub struct Membership(HashMap<Who, Vec<Stay>>);

/// One time of being a member.
#[derive(Clone, Copy, Debug)]
pub struct Stay {
    /// How many additions of this person it takes for this stay to have begun.
    pub additions: usize,
    /// The place of the addition; 0 for founders.
    pub from: u64,
    /// The place of the removal, which the member still sees; `u64::MAX` when there is none.
    pub until: u64,
}

impl Membership {
    pub fn of(tale: &Tale<'_>) -> Self {
        let founder = |(who, _): &(Who, String)| (*who, vec![Stay { additions: 0, from: 0, until: u64::MAX }]);
        let mut stays: HashMap<Who, Vec<Stay>> = tale.founding.members.iter().map(founder).collect();
        let begin = |stays: &mut HashMap<Who, Vec<Stay>>, who: Who, from: u64| {
            let stays = stays.entry(who).or_default();
            let additions = stays.last().map_or(0, |stay| stay.additions) + 1;
            stays.push(Stay { additions, from, until: u64::MAX });
        };
        let end = |stays: &mut HashMap<Who, Vec<Stay>>, who: Who, until: u64| {
            if let Some(stay) = stays.get_mut(&who).and_then(|stays| stays.last_mut()) {
                stay.until = until;
            }
        };
        for row in &tale.first.rows {
            match row.fact {
                Fact::Changed { change: Change::Add(who, _), .. } => begin(&mut stays, *who, row.seq),
                Fact::Changed { change: Change::Remove(who), .. } => end(&mut stays, *who, row.seq),
                Fact::Team { people, .. } => {
                    for (who, role) in people {
                        let is_in =
                            stays.get(who).and_then(|stays| stays.last()).is_some_and(|one| one.until == u64::MAX);
                        match role {
                            None => end(&mut stays, *who, row.seq),
                            Some(_) if !is_in => begin(&mut stays, *who, row.seq),
                            Some(_) => {}
                        }
                    }
                }
                Fact::Changed { .. }
                | Fact::Described { .. }
                | Fact::Message(_)
                | Fact::Edited { .. }
                | Fact::Deleted { .. }
                | Fact::Other(_) => {}
            }
        }
        Self(stays)
    }

    pub fn stays(&self, who: Who) -> &[Stay] {
        self.0.get(&who).map_or(&[], Vec::as_slice)
    }

    pub fn is_member_in_the_end(&self, who: Who) -> bool {
        self.stays(who).last().is_some_and(|stay| stay.until == u64::MAX)
    }
}
