//! Who and what there is in an installation: people, spaces, rooms and how much was said in each. Pure.
//!
//! As in an organisation: three channels of everybody hold more than a third of all messages; departments of 200 have
//! channels of five to two hundred people; groups are small; most rooms are direct ones, and most of those are quiet.
//! Everybody is in about twenty rooms.

use std::collections::HashSet;

use super::dice::Dice;
use super::room::{Kind, Room};

/// What the engine lets into a room (`chat.members_max`).
const MEMBERS_MAX: u64 = 10_000;
const DEPARTMENT: u64 = 200;
/// Shares of all messages: the three channels of everybody, then each kind of the others.
const ASSEMBLY_SHARES: [f64; 3] = [0.15, 0.12, 0.10];
const CHANNELS_SHARE: f64 = 0.33;
const GROUPS_SHARE: f64 = 0.20;
const GROUP_MEMBERS_MIN: u64 = 3;
const GROUP_MEMBERS_MAX: u64 = 30;
const DAY: i64 = 86_400_000_000;
/// How far back the first message is.
const YEARS: i64 = 2 * 365 * DAY;

mod places {
    pub const ROOM: u64 = 1;
    pub const SIZE: u64 = 2;
    pub const MEMBER: u64 = 3;
    pub const BEGUN: u64 = 4;
    pub const ENDED: u64 = 5;
    pub const WEIGHT: u64 = 6;
}

/// How much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub users: u64,
    pub messages: u64,
    pub rooms: u64,
}

/// The whole installation, but for its texts.
#[derive(Debug)]
pub struct Shape {
    pub users: u64,
    /// Everybody's, then one a department.
    pub spaces: usize,
    pub rooms: Vec<Room>,
    /// When the first person came, and the last message was written, in microseconds since 1970.
    pub begun: i64,
    pub ended: i64,
}

impl Shape {
    pub fn of(sizes: Sizes, dice: Dice, now: i64) -> Self {
        let begun = now - YEARS;
        let departments = (sizes.users / DEPARTMENT).max(1);
        let mut maker = Maker { sizes, departments, dice, begun, now, pairs: HashSet::new() };
        let mut rooms: Vec<Room> = (0..sizes.rooms).filter_map(|index| maker.room(index)).collect();
        share_messages(&mut rooms, sizes.messages);
        Self { users: sizes.users, spaces: usize::try_from(departments).unwrap_or(0) + 1, rooms, begun, ended: now }
    }

    /// The spaces of a person.
    pub fn spaces_of(&self, user: u64) -> [usize; 2] {
        let departments = (self.spaces - 1).max(1);
        [0, 1 + usize::try_from(user).unwrap_or(0) % departments]
    }

    pub fn memberships(&self) -> u64 {
        self.rooms.iter().map(|room| room.members.len() as u64).sum()
    }
}

struct Maker {
    sizes: Sizes,
    departments: u64,
    dice: Dice,
    begun: i64,
    now: i64,
    /// Who has a direct room with whom.
    pairs: HashSet<(u32, u32)>,
}

impl Maker {
    /// The `index`th room; `None` for a direct room of two people who have one.
    fn room(&mut self, index: u64) -> Option<Room> {
        let dice = self.dice.at(places::ROOM).at(index);
        let kind = match (index, index % 20) {
            (0..3, _) => Kind::Assembly,
            (_, 0) => Kind::Channel,
            (_, 1..=4) => Kind::Group,
            _ => Kind::Direct,
        };
        let (members, space) = match kind {
            Kind::Assembly => ((0..self.sizes.users.min(MEMBERS_MAX)).collect(), Some(0)),
            Kind::Channel => {
                let department = (index / 20) % self.departments;
                (self.some_of_department(dice, department), usize::try_from(department + 1).ok())
            }
            Kind::Group => {
                let most = GROUP_MEMBERS_MAX.min(self.sizes.users);
                let size = GROUP_MEMBERS_MIN + dice.at(places::SIZE).skewed_below(most - GROUP_MEMBERS_MIN + 1, 6);
                (some(dice, size, |number| number.below(self.sizes.users)), None)
            }
            Kind::Direct => (self.pair(dice)?, None),
        };
        let members: Vec<u32> = members.into_iter().filter_map(|user| u32::try_from(user).ok()).collect();
        let founders = if kind == Kind::Direct { 2 } else { members.len().div_ceil(3) };
        let (begun, ended) = self.life(kind, dice);
        Some(Room { kind, space, members, founders, messages: 0, begun, ended, dice })
    }

    fn some_of_department(&self, dice: Dice, department: u64) -> Vec<u64> {
        // Person `n` is in department `n % departments`.
        let people = (self.sizes.users - department).div_ceil(self.departments);
        let size = GROUP_MEMBERS_MIN + dice.at(places::SIZE).skewed_below(people - GROUP_MEMBERS_MIN + 1, 6);
        some(dice, size, |number| department + number.below(people) * self.departments)
    }

    fn pair(&mut self, dice: Dice) -> Option<Vec<u64>> {
        let members = some(dice, 2, |number| number.below(self.sizes.users));
        let [a, b] = members.as_slice() else { return None };
        let pair = (u32::try_from(*a.min(b)).ok()?, u32::try_from(*a.max(b)).ok()?);
        self.pairs.insert(pair).then_some(members)
    }

    /// Channels of everybody are as old as the installation; of the others most were made early, and most are still
    /// in use.
    fn life(&self, kind: Kind, dice: Dice) -> (i64, i64) {
        if kind == Kind::Assembly {
            return (self.begun + DAY, self.now);
        }
        let (born, died) = (dice.at(places::BEGUN), dice.at(places::ENDED));
        let span = u64::try_from(self.now - self.begun - 4 * DAY).unwrap_or(1);
        let begun = self.begun + 2 * DAY + i64::try_from(born.skewed_below(span, 2)).unwrap_or(0);
        let rest = u64::try_from(self.now - begun - DAY).unwrap_or(1);
        let idle = if died.at(0).below(10) < 7 { died.skewed_below(rest, 8) } else { died.below(rest) };
        (begun, self.now - i64::try_from(idle).unwrap_or(0))
    }
}

/// So many different ones of those that `draw` gives; fewer when there are not enough.
fn some(dice: Dice, size: u64, draw: impl Fn(Dice) -> u64) -> Vec<u64> {
    let mut seen = HashSet::new();
    let drawn = (0..size * 8).map(|place| draw(dice.at(places::MEMBER).at(place)));
    drawn.filter(|user| seen.insert(*user)).take(usize::try_from(size).unwrap_or(0)).collect()
}

/// Gives each room its messages; within a kind, the `n`th most talkative has `1 / n^0.8` of the first.
fn share_messages(rooms: &mut [Room], messages: u64) {
    let rest = 1.0 - ASSEMBLY_SHARES.iter().sum::<f64>() - CHANNELS_SHARE - GROUPS_SHARE;
    let mut given = 0;
    for (kind, share) in [(Kind::Channel, CHANNELS_SHARE), (Kind::Group, GROUPS_SHARE), (Kind::Direct, rest)] {
        let weights: Vec<f64> = rooms.iter().map(|room| if room.kind == kind { weight(room) } else { 0.0 }).collect();
        let whole: f64 = weights.iter().sum();
        for (room, weight) in rooms.iter_mut().zip(&weights).filter(|(_, weight)| **weight > 0.0) {
            room.messages = part(messages, share * weight / whole);
            given += room.messages;
        }
    }
    let assemblies = || ASSEMBLY_SHARES.iter().copied().chain(std::iter::repeat(0.0));
    for (room, share) in rooms.iter_mut().filter(|room| room.kind == Kind::Assembly).zip(assemblies()).skip(1) {
        room.messages = part(messages, share);
        given += room.messages;
    }
    // The largest takes what rounding left over.
    if let Some(first) = rooms.first_mut() {
        first.messages = messages.saturating_sub(given);
    }
}

fn weight(room: &Room) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most ten thousand members")]
    let size = room.members.len() as f64;
    // A rank drawn evenly among a thousand gives the same spread whatever the number of rooms.
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
    let rank = (1 + room.dice.at(places::WEIGHT).below(1_000)) as f64;
    size.sqrt() / rank.powf(0.8)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn part(messages: u64, share: f64) -> u64 {
    (messages as f64 * share) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_760_000_000_000_000;

    #[test]
    fn everything_that_was_asked_for_is_there_at_every_size() {
        for users in [10, 100, 1_000] {
            let sizes = Sizes { users, messages: users * 1_000, rooms: users * 4 };
            let shape = Shape::of(sizes, Dice::of(1, "shape"), NOW);
            assert_eq!(shape.rooms.iter().map(|room| room.messages).sum::<u64>(), sizes.messages);
            for room in &shape.rooms {
                let different: HashSet<u32> = room.members.iter().copied().collect();
                assert_eq!(different.len(), room.members.len());
                assert!(room.members.iter().all(|user| u64::from(*user) < users));
                assert!(room.founders >= 1 && room.founders <= room.members.len() && room.members.len() >= 2);
                assert!(shape.begun < room.begun && room.begun < room.ended && room.ended <= NOW);
                if let Some(space) = room.space {
                    assert!(room.members.iter().all(|user| shape.spaces_of(u64::from(*user)).contains(&space)));
                }
            }
        }
    }

    #[test]
    fn rooms_are_as_in_an_organisation() {
        let sizes = Sizes { users: 1_000, messages: 1_000_000, rooms: 4_000 };
        let shape = Shape::of(sizes, Dice::of(1, "shape"), NOW);
        let each = shape.memberships() / sizes.users;
        assert!((15..=26).contains(&each), "everybody is in about twenty rooms, not {each}");
        assert!(shape.rooms[0].messages >= 150_000 && shape.rooms[0].members.len() == 1_000);
        let mut counts: Vec<u64> = shape.rooms.iter().map(|room| room.messages).collect();
        counts.sort_unstable();
        assert!(counts[counts.len() / 2] < 100, "most are quiet: {}", counts[counts.len() / 2]);
        assert!(shape.rooms.len() as u64 > sizes.rooms * 9 / 10);
    }
}
