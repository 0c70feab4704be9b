//! Somebody in more rooms than `ready` lists: the newest activity first, the rest in pages, and every event live.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::testing::{Person, TestApp, contents, seqs};

fn ids(rooms: &Value) -> Vec<String> {
    rooms.as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap().to_owned()).collect()
}

/// An engine whose `ready` lists three rooms.
async fn listing_three(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with(|config| {
        config.sessions.ready_rooms_max = 3;
        change(config);
    })
    .await
}

/// So many groups of these people, oldest first.
async fn groups(app: &TestApp, count: usize, people: &[&Person]) -> Vec<String> {
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(app.group(people).await);
    }
    made
}

/// All of somebody's rooms as `GET /rooms` lists them, each where it came first: one may come again at the end, when
/// anything else was being written as the list began. `between` runs after each page but the last.
async fn listed(app: &TestApp, by: &Person, limit: usize, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let (mut all, mut cursor, mut known) = (Vec::new(), String::new(), HashSet::new());
    for number in 1.. {
        let page = app.ok(Method::GET, &format!("/rooms?limit={limit}{cursor}"), by, None).await;
        all.extend(ids(&page["items"]).into_iter().filter(|id| known.insert(id.clone())));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&after={next}");
        between(number).await;
    }
    all
}

#[actix_rt::test]
async fn a_stranger_who_makes_thousands_of_groups_with_somebody_hides_none_of_their_rooms() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
    let old = app.group(&[&ada]).await;
    let both = [&eve, &ada];
    let make = |_| app.group(&both);
    let unwanted: HashSet<String> = stream::iter(0..2_005).map(make).buffer_unordered(16).collect().await;
    assert_eq!(unwanted.len(), 2_005);
    let own = app.group(&[&ada]).await;
    app.post(&ada, &old, "c1", "still here").await;
    // What is newest is first, whatever there is besides; and what is left out is said to be.
    let (mut socket, ready) = app.resume(&ada, json!({ &old: 0, &own: 0 })).await;
    assert_eq!((ready["rooms"].as_array().unwrap().len(), &ready["rooms_truncated"]), (1_000, &json!(true)));
    assert_eq!(ids(&ready["rooms"])[..2], [old.clone(), own.clone()]);
    assert_eq!(ready.get("resume_refused"), None);
    assert_eq!(seqs(&socket.events_of_room(&old, 1).await), [1]);
    let all = listed(&app, &ada, 200, async |_| ()).await;
    assert_eq!((all.len(), &all[..2]), (2_007, &[old, own][..]));
    assert_eq!(all.into_iter().filter(|room| unwanted.contains(room)).collect::<HashSet<_>>(), unwanted);
}

#[actix_rt::test]
async fn events_of_rooms_that_are_not_listed_arrive_all_the_same() {
    let app = listing_three(|_| {}).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let rooms = groups(&app, 8, &[&ben, &ada]).await;
    let (mut socket, ready) = app.resume(&ada, json!({})).await;
    assert_eq!(ids(&ready["rooms"]), [&rooms[7], &rooms[6], &rooms[5]].map(Clone::clone));
    for (n, room) in rooms.iter().enumerate() {
        app.post(&ben, room, &format!("c{n}"), &format!("m{n}")).await;
        assert_eq!(contents(&socket.events_of_room(room, 1).await), [format!("m{n}")]);
    }
    // One that they are taken out of falls silent, and one that they come back to is heard again.
    let member = format!("/rooms/{}/members/{}", rooms[0], ada.id);
    app.ok(Method::DELETE, &member, &ben, None).await;
    assert_eq!(socket.event_of("member.removed").await["room_id"], json!(rooms[0]));
    app.post(&ben, &rooms[0], "secret", "secret").await;
    app.ok(Method::POST, &format!("/rooms/{}/members", rooms[0]), &ben, Some(json!({ "user_id": ada.id }))).await;
    let joined = socket.event().await;
    assert_eq!((&joined["type"], &joined["room"]["last_seq"]), (&json!("room.joined"), &json!(4)));
    app.post(&ben, &rooms[0], "again", "again").await;
    assert_eq!(contents(&socket.events_of_room(&rooms[0], 1).await), ["again"]);
}

#[actix_rt::test]
async fn rooms_that_are_not_listed_are_resumed_as_well() {
    let app = listing_three(|_| {}).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let rooms = groups(&app, 6, &[&ben, &ada]).await;
    for n in 0..4 {
        app.post(&ben, &rooms[0], &format!("c{n}"), &format!("m{n}")).await;
    }
    for room in &rooms[1..] {
        app.post(&ben, room, "c", "x").await;
    }
    let (mut socket, ready) = app.resume(&ada, json!({ &rooms[0]: 1, &rooms[1]: 1 })).await;
    assert!(!ids(&ready["rooms"]).contains(&rooms[0]));
    assert_eq!(ready.get("resume_refused"), None);
    assert_eq!(seqs(&socket.events_of_room(&rooms[0], 3).await), [2, 3, 4]);
    app.post(&ben, &rooms[0], "live", "live").await;
    app.post(&ben, &rooms[1], "live", "live").await;
    assert_eq!(seqs(&socket.events_of_room(&rooms[0], 1).await), [5]);
    assert_eq!(seqs(&socket.events_of_room(&rooms[1], 1).await), [2]);
}

#[actix_rt::test]
async fn ready_lists_by_newest_activity_as_the_pages_do_from_memory_and_from_postgres() {
    // With room for all of them, and without.
    for rooms_max in [3, 100] {
        let app = TestApp::with(|config| config.sessions.ready_rooms_max = rooms_max).await;
        app.until_listening(true).await;
        let ada = app.sign_up("ada").await;
        let rooms = groups(&app, 6, &[&ada]).await;
        for room in [2, 0, 5, 2, 4, 1, 0] {
            app.post(&ada, &rooms[room], &uuid::Uuid::now_v7().to_string(), "x").await;
            let (_, ready) = app.resume(&ada, json!({})).await;
            let told = ids(&ready["rooms"]);
            assert_eq!(told, listed(&app, &ada, 200, async |_| ()).await[..told.len()]);
            assert_eq!((&told[0], told.len()), (&rooms[room], rooms_max.min(6)));
            assert_eq!(ready.get("rooms_truncated").is_some(), rooms_max < 6);
        }
    }
}

#[actix_rt::test]
async fn long_texts_shorten_ready_and_close_nobody() {
    let app = TestApp::with(|config| {
        config.sessions.ready_bytes_max = 65_536;
        // Less than ready is long, and none of its business.
        config.sessions.outbox_bytes_max = 8_192;
        config.sessions.outbox_bytes_limit = 8_193;
        config.chat.page_bytes_max = 4_096;
        config.chat.content_bytes_max = 1_024;
    })
    .await;
    let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
    for _ in 0..40 {
        let (name, topic) = ("⚓".repeat(100), "⚓".repeat(500));
        let body = json!({ "kind": "group", "name": name, "topic": topic, "member_ids": [ada.id] });
        app.ok(Method::POST, "/rooms", &eve, Some(body)).await;
    }
    let (mut socket, ready) = app.resume(&ada, json!({})).await;
    let told = ids(&ready["rooms"]);
    assert!((5..40).contains(&told.len()) && ready.to_string().len() < 65_536, "{}", told.len());
    assert_eq!(ready["rooms_truncated"], true);
    let all = listed(&app, &ada, 200, async |_| ()).await;
    assert_eq!(all[..told.len()], told);
    app.post(&eve, &all[39], "c", "x").await;
    assert_eq!(seqs(&socket.events_of_room(&all[39], 1).await), [1]);
}

#[actix_rt::test]
async fn nothing_is_left_out_of_the_pages_while_rooms_move_up() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let rooms = groups(&app, 13, &[&ada]).await;
    let newest_first: Vec<String> = rooms.iter().rev().cloned().collect();
    // While nothing moves each comes once, whatever the size of a page.
    for limit in [1, 3, 4, 12, 13, 14] {
        assert_eq!(listed(&app, &ada, limit, async |_| ()).await, newest_first, "{limit}");
    }
    for limit in [1, 2, 3, 5] {
        for step in [1, 4, 6] {
            // After each page, rooms from both ends move to the top, past the pages that were read.
            let order = listed(&app, &ada, 200, async |_| ()).await;
            let all = listed(&app, &ada, limit, async |number| {
                if number <= 4 {
                    for place in [13 - step * number % 13, step * number % 13] {
                        app.post(&ada, &order[place % 13], &uuid::Uuid::now_v7().to_string(), "up").await;
                    }
                }
            })
            .await;
            let found: HashSet<&String> = all.iter().collect();
            assert_eq!(found.len(), 13, "limit {limit}, step {step}: {all:?}");
        }
    }
}

#[actix_rt::test]
async fn a_cursor_that_is_none_is_refused_by_name() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    for after in [room.as_str(), "x", ""] {
        let (status, answer) = app.call(Method::GET, &format!("/rooms?after={after}"), Some(&ada), None).await;
        assert_eq!((status, &answer["code"]), (422, &json!("request.invalid_page")), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains("after"), "{answer}");
    }
}

#[actix_rt::test]
async fn nobody_is_put_into_more_rooms_than_they_may_be_in() {
    let app = listing_three(|config| config.chat.rooms_per_user_max = 5).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let direct = json!({ "kind": "direct", "member_ids": [ada.id] });
    app.ok(Method::POST, "/rooms", &ben, Some(direct.clone())).await;
    let rooms = groups(&app, 4, &[&ben, &ada]).await;
    let group = json!({ "kind": "group", "member_ids": [ada.id] });
    let eve = app.sign_up("eve").await;
    let own = app.group(&[&eve]).await;
    for (by, path, body) in [
        (&eve, "/rooms".to_owned(), group.clone()),
        (&eve, "/rooms".to_owned(), direct.clone()),
        (&ada, "/rooms".to_owned(), json!({ "kind": "group" })),
        (&eve, format!("/rooms/{own}/members"), json!({ "user_id": ada.id })),
    ] {
        let (status, answer) = app.call(Method::POST, &path, Some(by), Some(body)).await;
        assert_eq!((status, &answer["code"]), (409, &json!("chat.too_many_rooms")), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(&ada.id), "{answer}");
    }
    // The direct room that they have is found, and a room that they leave makes room for another.
    app.ok(Method::POST, "/rooms", &ben, Some(direct)).await;
    app.ok(Method::DELETE, &format!("/rooms/{}/members/{}", rooms[0], ada.id), &ada, None).await;
    app.ok(Method::POST, "/rooms", &eve, Some(group)).await;
}
