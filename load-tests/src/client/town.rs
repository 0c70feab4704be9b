//! People in rooms: each in as many rooms as an organisation's members are.

use std::collections::HashMap;

use uuid::Uuid;

use super::accounts::{Accounts, Person};
use crate::engine::Needs;

/// An organisation: its people, its rooms, and who is in which.
#[derive(Clone, Debug)]
pub struct Town {
    pub people: Vec<Person>,
    pub rooms: Vec<Uuid>,
    /// By room: indexes of its people; the first one made it.
    pub members: Vec<Vec<usize>>,
}

impl Town {
    /// `users` people, each in `rooms_each` rooms of about `room_size`.
    pub async fn build(accounts: &Accounts, users: usize, rooms_each: usize, room_size: usize) -> anyhow::Result<Self> {
        let people = accounts.people(users).await?;
        let members = layout(users, rooms_each, room_size);
        let of = |room: &Vec<usize>| room.iter().filter_map(|index| people.get(*index).cloned()).collect();
        let rooms = accounts.groups(members.iter().map(of).collect()).await?;
        Ok(Self { people, rooms, members })
    }
}

/// Of an engine in which such a town is built: somebody makes several of its rooms.
pub fn needs_of_town(users: u32, rooms_each: u32, room_size: u32) -> Needs {
    let (rooms, people) = made_by_one_in_town(users, rooms_each, room_size);
    Needs::default().made_by_one(rooms, people)
}

/// How many of its rooms somebody makes at most, and how many people they add.
pub fn made_by_one_in_town(users: u32, rooms_each: u32, room_size: u32) -> (usize, usize) {
    made_by_one(&layout(users as usize, rooms_each as usize, room_size as usize))
}

fn made_by_one(rooms: &[Vec<usize>]) -> (usize, usize) {
    let mut made: HashMap<usize, (usize, usize)> = HashMap::new();
    for (maker, others) in rooms.iter().filter_map(|room| room.split_first()) {
        let of_maker = made.entry(*maker).or_default();
        *of_maker = (of_maker.0 + 1, of_maker.1 + others.len());
    }
    made.values().fold((0, 0), |most, of_one| (most.0.max(of_one.0), most.1.max(of_one.1)))
}

/// Rounds of dealing people into rooms: in each round everybody gets one room, with others than in the round before.
fn layout(users: usize, rooms_each: usize, room_size: usize) -> Vec<Vec<usize>> {
    let mut rooms = Vec::new();
    for round in 0..rooms_each {
        let mut stride = 2 * round + 1;
        while gcd(stride, users) != 1 {
            stride += 2;
            // Only an even number of users has no even stride; one more is coprime sooner or later.
            if stride > 2 * (users + round) {
                stride = 1;
            }
        }
        let dealt: Vec<usize> = (0..users).map(|place| (place * stride + round) % users.max(1)).collect();
        rooms.extend(dealt.chunks(room_size.max(1)).map(<[_]>::to_vec));
    }
    rooms
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_as_many_rooms_and_in_each_once() {
        for (users, each, size) in [(100, 20, 10), (37, 5, 10), (1, 3, 4), (1000, 20, 100)] {
            let rooms = layout(users, each, size);
            let mut places = vec![0; users];
            for room in &rooms {
                let mut once = room.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), room.len());
                room.iter().for_each(|person| places[*person] += 1);
            }
            let (made, added) = made_by_one(&rooms);
            assert!((1..=each).contains(&made) && added <= made * (size - 1), "{users}: {made}, {added}");
            assert!(places.iter().all(|count| *count == each), "{users} {each} {size}: {places:?}");
        }
    }
}
