//! The demo of chat: a space with three channels, two groups and three direct chats, with what was said in them.

use std::collections::HashMap;

use chrono::TimeDelta;
use futures_util::FutureExt;

use super::DemoPart;
use super::world::World;
use crate::ids::{RoomId, SpaceId};

pub(super) const PART: DemoPart = DemoPart { name: "chat", make: |world| make(world).boxed_local() };

const EVERYBODY: &[&str] = &["ada", "ben", "chen", "dana", "emil"];
/// Its own short name, its name, its topic, and who is in it: the first one owns it.
type Place = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CHANNELS: &[Place] = &[
    ("general", "general", "What everybody should know", EVERYBODY),
    ("design", "design", "Sketches, screens and second thoughts", &["chen", "ada", "dana"]),
    ("launch", "launch", "Everything until the 1.0", &["ben", "ada", "dana", "emil"]),
];
const GROUPS: &[Place] = &[
    ("lunch", "Lunch", "Noon, at the stairs", &["dana", "ada", "ben", "emil"]),
    ("hike", "Saturday hike", "Bring water", &["emil", "ada", "chen"]),
];
const DIRECT: &[(&str, &[&str])] =
    &[("ada-ben", &["ada", "ben"]), ("ada-chen", &["ada", "chen"]), ("dana-emil", &["dana", "emil"])];

/// So many minutes ago, in this room, somebody said this. In the order of time.
type Line = (i64, &'static str, &'static str, &'static str);

const SAID: &[Line] = &[
    (5760, "general", "ada", "Good morning! This is our space: one channel a subject, and everybody is in this one."),
    (5757, "general", "ben", "Finally a place where I find things again."),
    (5752, "general", "dana", "Hello from the train, the tunnel had no network and nothing got lost 👏"),
    (5740, "design", "chen", "First sketch of the start page is up. I left the sidebar out on purpose."),
    (5731, "design", "ada", "I like it without. What happens on a phone?"),
    (5728, "design", "chen", "The list is the page, and a conversation slides over it."),
    (
        5600,
        "launch",
        "ben",
        "Let us keep the list for the launch here. I begin: release notes, price page, backup of the old site.",
    ),
    (5590, "launch", "emil", "I take the backup. Restoring one, too, so that we know that it works."),
    (5585, "launch", "dana", "Price page is mine."),
    (
        5400,
        "ada-ben",
        "ben",
        "Do you have ten minutes after lunch? I would like to go through the numbers before Thursday.",
    ),
    (5396, "ada-ben", "ada", "Sure. One o'clock, the small room?"),
    (5395, "ada-ben", "ben", "Perfect."),
    (4330, "lunch", "dana", "Noodles or soup?"),
    (4328, "lunch", "emil", "Soup. It is raining."),
    (4327, "lunch", "ben", "Noodle soup, and everybody is happy."),
    (4325, "lunch", "ada", "12:15 at the stairs then 🍜"),
    (4200, "design", "dana", "Could the unread badge be a bit calmer? It shouts."),
    (4190, "design", "chen", "Two tones lighter, and no number above 99. Look again?"),
    (4180, "design", "dana", "Much better."),
    (4100, "general", "emil", "The wifi on the second floor is back. It was a cable, it is always a cable."),
    (2890, "hike", "emil", "Saturday: the ridge or the lake?"),
    (2885, "hike", "chen", "The lake, if we can swim."),
    (2880, "hike", "ada", "Lake! I bring the bread."),
    (2870, "hike", "emil", "Train at 8:12 from platform 4. I have the tickets."),
    (2790, "ada-chen", "chen", "I put the icons into the folder. The bell is still the old one."),
    (2785, "ada-chen", "ada", "Seen, thank you. Could the bell have a variant for silence?"),
    (2780, "ada-chen", "chen", "On it."),
    (2700, "launch", "emil", "The backup is done, and it restores in four minutes. I tried it twice."),
    (2694, "launch", "ada", "Wonderful. That was the one I was afraid of."),
    (
        2688,
        "launch",
        "ben",
        "Release notes are half written. I need a sentence about receipts from somebody who understands them.",
    ),
    (2680, "launch", "dana", "\"You see when something was delivered, and when it was read.\" Done 🙂"),
    (1500, "dana-emil", "dana", "Are you at the desk tomorrow? I would love to see how the restore works."),
    (1490, "dana-emil", "emil", "From nine. Bring coffee and I show you everything."),
    (
        1450,
        "general",
        "dana",
        "Reminder: Friday at 16:00 we look at what was built this week. Five minutes each, no slides.",
    ),
    (1445, "general", "chen", "I show the new start page."),
    (1440, "general", "ada", "And I the history that goes back further than one remembers."),
    (1300, "lunch", "ben", "I am at the customer today, eat without me."),
    (1290, "lunch", "ada", "We will have your dumplings."),
    (240, "launch", "dana", "Price page is online on the test site. Please look at the small print."),
    (232, "launch", "ben", "Small print is fine. One typo in the second line."),
    (180, "design", "chen", "The bell for silence is in the folder, and I changed the colour of links a little."),
    (95, "ada-chen", "chen", "Bell is done! Tell me if it is too sleepy."),
    (60, "hike", "chen", "Weather says sun from ten on ☀️"),
    (42, "ada-ben", "ben", "The numbers look good. Could you say a word about them on Friday?"),
    (25, "general", "ben", "Cake in the kitchen. The good one."),
    (24, "general", "emil", "On my way."),
    (12, "lunch", "dana", "Sun! Shall we take it outside today?"),
    (8, "launch", "emil", "Two items left on the list. I would say we are on time."),
];

async fn make(world: &World) -> anyhow::Result<()> {
    let rooms = rooms(world).await?;
    let mut newest: HashMap<RoomId, i64> = HashMap::new();
    let mut own: HashMap<(RoomId, &str), i64> = HashMap::new();
    for (place, (minutes, room, by, text)) in SAID.iter().enumerate() {
        world.go_to(TimeDelta::minutes(*minutes));
        let Some((room, _)) = rooms.get(room) else { anyhow::bail!("there is no room {room} in the demo") };
        let seq = world.post(*room, by, &format!("demo-{place}"), text).await?;
        newest.insert(*room, seq);
        own.insert((*room, by), seq);
    }
    // Everybody got everything, and read up to what they said last: something waits for each of them.
    for (room, people) in rooms.values() {
        let newest = newest.get(room).copied().unwrap_or(0);
        for name in *people {
            world.read(*room, name, own.get(&(*room, *name)).copied().unwrap_or(0), newest).await?;
        }
    }
    Ok(())
}

type MadeRooms = HashMap<&'static str, (RoomId, &'static [&'static str])>;

async fn rooms(world: &World) -> anyhow::Result<MadeRooms> {
    let space: SpaceId = world.space("demo-space", "Harbour", "Where the demo lives", EVERYBODY).await?;
    let mut rooms = MadeRooms::new();
    let places = CHANNELS.iter().map(|place| (place, Some(space))).chain(GROUPS.iter().map(|place| (place, None)));
    for ((short, name, topic, people), space) in places {
        let id = world.room(&format!("demo-{short}"), Some(name), Some(topic), space, people).await?;
        rooms.insert(short, (id, people));
    }
    for (short, people) in DIRECT {
        rooms.insert(short, (world.room(&format!("demo-{short}"), None, None, None, people).await?, people));
    }
    Ok(rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_in_order_in_rooms_that_are_there_by_people_who_are_in_them() {
        let named = CHANNELS.iter().chain(GROUPS).map(|(short, _, _, people)| (*short, *people));
        let rooms: HashMap<_, _> = named.chain(DIRECT.iter().copied()).collect();
        assert_eq!((CHANNELS.len(), GROUPS.len(), rooms.len()), (3, 2, 8));
        assert!(SAID.windows(2).all(|pair| pair[0].0 >= pair[1].0), "in the order of time");
        for (_, room, by, text) in SAID {
            assert!(rooms[room].contains(by) && !text.is_empty(), "{by} in {room}");
        }
        let longest = i64::try_from(super::super::HISTORY.as_secs() / 60).unwrap();
        assert!(SAID[0].0 < longest && SAID.last().unwrap().0 > 0);
        for room in rooms.keys() {
            assert!(SAID.iter().any(|line| line.1 == *room), "nobody said anything in {room}");
        }
    }
}
