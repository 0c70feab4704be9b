//! Making and finding rooms: direct rooms are one a pair, channels are for the people of their space.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::testing::{Person, TestApp, seqs};

fn direct(with: &Person) -> Option<Value> {
    Some(json!({ "kind": "direct", "member_ids": [with.id] }))
}

#[actix_rt::test]
async fn a_direct_room_is_made_once_however_often_and_by_whom() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let making = (0..10).map(|n| {
        let (by, with) = if n % 2 == 0 { (&ada, &ben) } else { (&ben, &ada) };
        app.call(Method::POST, "/rooms", Some(by), direct(with))
    });
    let answers = join_all(making).await;
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 9], vec![201]].concat());
    let ids: HashSet<&str> = answers.iter().map(|(_, room)| room["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    let (status, again) = app.call(Method::POST, "/rooms", Some(&ben), direct(&ada)).await;
    assert_eq!((status, again["peer"]["username"].as_str()), (200, Some("ada")));
    for person in [&ada, &ben] {
        let rooms = app.ok(Method::GET, "/rooms", person, None).await;
        assert_eq!(rooms["items"].as_array().unwrap().len(), 1);
    }
}

#[actix_rt::test]
async fn a_direct_room_is_two_people_for_good() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let made = app.verify(&[&ada, &ben, &cleo], app.ok(Method::POST, "/rooms", &ada, direct(&ben))).await;
    let room = made["id"].as_str().unwrap().to_owned();
    app.verify(&[&ada, &ben], app.post(&ben, &room, "c1", "hello")).await;
    let path = format!("/rooms/{room}");
    let own = format!("{path}/members/{}", ada.id);
    for (method, path, body) in [
        (Method::POST, format!("{path}/members"), Some(json!({ "user_id": cleo.id }))),
        (Method::DELETE, own, None),
        (Method::PATCH, path, Some(json!({ "name": "us" }))),
    ] {
        let (status, answer) = app.call(method, &path, Some(&ada), body).await;
        assert_eq!((status, &answer["code"]), (422, &json!("chat.direct_room")), "{answer}");
    }
    for wrong in [
        json!({ "kind": "direct", "member_ids": [] }),
        json!({ "kind": "direct", "member_ids": [ada.id] }),
        json!({ "kind": "direct", "member_ids": [ben.id, cleo.id] }),
        json!({ "kind": "direct", "member_ids": [ben.id], "name": "us" }),
    ] {
        let (status, answer) = app.call(Method::POST, "/rooms", Some(&ada), Some(wrong)).await;
        assert_eq!((status, &answer["code"]), (422, &json!("chat.direct_room")), "{answer}");
    }
}

#[actix_rt::test]
async fn a_new_room_reaches_the_devices_of_all_its_members() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let mut sockets = [app.connect(&ada).await, app.connect(&ben).await, app.connect(&cleo).await];
    let all = [&ada, &ben, &cleo];
    let room = app.verify(&all, app.group(&all)).await;
    app.verify(&all, app.post(&ben, &room, "c1", "hello")).await;
    for socket in &mut sockets {
        let joined = socket.event_of("room.joined").await["room"].clone();
        assert_eq!((&joined["id"], &joined["last_seq"], &joined["member_count"]), (&json!(room), &json!(0), &json!(3)));
        assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [1]);
    }
}

#[actix_rt::test]
async fn rooms_and_members_are_listed_in_pages() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(app.group(&[&ada, &ben]).await);
    }
    let (mut listed, mut cursor): (Vec<String>, String) = (Vec::new(), String::new());
    loop {
        let page = app.ok(Method::GET, &format!("/rooms?limit=2{cursor}"), &ben, None).await;
        for room in page["items"].as_array().unwrap() {
            // One may come again at the end, when anything else was being written as the list began.
            let id = room["id"].as_str().unwrap().to_owned();
            if !listed.contains(&id) {
                listed.push(id);
            }
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&after={next}");
    }
    // The newest first.
    assert!(listed.iter().eq(made.iter().rev()), "{listed:?} {made:?}");
    let page = app.ok(Method::GET, &format!("/rooms/{}/members?limit=1", made[0]), &ben, None).await;
    let next = page["next"].as_str().unwrap();
    let rest = app.ok(Method::GET, &format!("/rooms/{}/members?limit=1&after={next}", made[0]), &ben, None).await;
    let name = |page: &Value| page["items"][0]["user"]["username"].as_str().unwrap().to_owned();
    assert_eq!(HashSet::from([name(&page), name(&rest)]), HashSet::from(["ada".to_owned(), "ben".to_owned()]));
    assert_eq!(rest["next"], Value::Null);
}

#[actix_rt::test]
async fn people_of_a_space_find_its_channels_and_join_them() {
    let app = TestApp::start().await;
    let (ada, ben, stranger) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("stranger").await);
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Port" }))).await["id"].clone();
    let space = space.as_str().unwrap();
    let body = json!({ "kind": "channel", "name": "general", "space_id": space });
    let both = [&ada, &ben];
    let room = app.verify(&both, app.ok(Method::POST, "/rooms", &ada, Some(body.clone()))).await["id"].clone();
    let room = room.as_str().unwrap().to_owned();
    app.post(&ada, &room, "c1", "before ben").await;
    let members = format!("/spaces/{space}/members");
    app.until_listening(true).await;
    app.verify(&both, app.ok(Method::POST, &members, &ada, Some(json!({ "user_id": ben.id })))).await;

    // Found, but not read, until joined.
    let channels = app.ok(Method::GET, &format!("/spaces/{space}/rooms"), &ben, None).await;
    let found = &channels["items"][0];
    assert_eq!((&found["id"], &found["name"], &found["joined"]), (&json!(room), &json!("general"), &json!(false)));
    let (status, answer) = app.call(Method::GET, &format!("/rooms/{room}/messages"), Some(&ben), None).await;
    assert_eq!((status, &answer["code"]), (404, &json!("chat.room_not_found")));
    let mut socket = app.connect(&ben).await;
    let join = Some(json!({ "user_id": ben.id }));
    app.verify(&both, app.ok(Method::POST, &format!("/rooms/{room}/members"), &ben, join)).await;
    assert_eq!(socket.event_of("room.joined").await["room"]["space_id"], json!(space));
    assert_eq!(socket.post(&room, "c1", "hello").await["seq"], 3);
    assert_eq!(seqs(&socket.catch_up(&room, 0, 50).await), [1, 2, 3]);

    // Strangers see no space, no channel, and cannot join or be added.
    for (method, path, body) in [
        (Method::GET, format!("/spaces/{space}"), None),
        (Method::GET, format!("/spaces/{space}/rooms"), None),
        (Method::GET, members.clone(), None),
        (Method::GET, format!("/rooms/{room}"), None),
        (Method::POST, format!("/rooms/{room}/members"), Some(json!({ "user_id": stranger.id }))),
        (Method::POST, members.clone(), Some(json!({ "user_id": stranger.id }))),
        (Method::POST, "/rooms".into(), Some(body)),
    ] {
        let (status, answer) = app.call(method, &path, Some(&stranger), body).await;
        assert_eq!(status, 404, "{path}: {answer}");
    }
    let add = Some(json!({ "user_id": stranger.id }));
    let (status, answer) = app.call(Method::POST, &format!("/rooms/{room}/members"), Some(&ada), add).await;
    assert_eq!((status, &answer["code"]), (422, &json!("chat.user_not_found")));
}

#[actix_rt::test]
async fn a_space_keeps_an_owner_and_its_roles() {
    let app = TestApp::start().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Port" }))).await["id"].clone();
    let members = format!("/spaces/{}/members", space.as_str().unwrap());
    app.ok(Method::POST, &members, &ada, Some(json!({ "user_id": ben.id, "role": "guest" }))).await;
    let code = |(status, answer): (u16, Value)| (status, answer["code"].as_str().unwrap_or_default().to_owned());
    let refused = (403, "chat.not_allowed".to_owned());
    let add_cleo = Some(json!({ "user_id": cleo.id }));
    assert_eq!(code(app.call(Method::POST, &members, Some(&ben), add_cleo.clone()).await), refused);
    let channel = json!({ "kind": "channel", "name": "mine", "space_id": space });
    assert_eq!(code(app.call(Method::POST, "/rooms", Some(&ben), Some(channel)).await), refused);
    let own = format!("{members}/{}", ada.id);
    assert_eq!(code(app.call(Method::DELETE, &own, Some(&ben), None).await), refused);
    assert_eq!(code(app.call(Method::DELETE, &own, Some(&ada), None).await), (409, "chat.last_owner".to_owned()));
    app.ok(Method::POST, &members, &ada, add_cleo.clone()).await;
    assert_eq!(code(app.call(Method::POST, &members, Some(&ada), add_cleo).await).0, 200);
    app.ok(Method::DELETE, &format!("{members}/{}", cleo.id), &ada, None).await;
    let spaces = app.ok(Method::GET, "/spaces", &cleo, None).await;
    assert_eq!(spaces["items"], json!([]));
}

#[actix_rt::test]
async fn a_guest_of_a_space_is_a_guest_in_its_channels() {
    let app = TestApp::start().await;
    let (ada, guest) = (app.sign_up("ada").await, app.sign_up("guest").await);
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Port" }))).await["id"].clone();
    let space = space.as_str().unwrap();
    let invite = json!({ "user_id": guest.id, "role": "guest" });
    app.ok(Method::POST, &format!("/spaces/{space}/members"), &ada, Some(invite)).await;
    let body = json!({ "kind": "channel", "name": "quay", "space_id": space });
    let channel = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    let members = format!("/rooms/{channel}/members");
    // More than they are, they cannot make themselves.
    let (status, answer) =
        app.call(Method::POST, &members, Some(&guest), Some(json!({ "user_id": guest.id, "role": "member" }))).await;
    assert_eq!((status, &answer["code"]), (404, &json!("chat.room_not_found")), "{answer}");
    let joined = app.ok(Method::POST, &members, &guest, Some(json!({ "user_id": guest.id }))).await;
    assert_eq!(joined["role"], "guest");
}
