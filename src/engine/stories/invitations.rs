//! With `chat.strangers = "invite"`, nobody is drawn into a room or a space by somebody whom they do not know.

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::Config;
use crate::rooms::config::Strangers;
use crate::testing::{Person, TestApp, seqs};

fn shy(config: &mut Config) {
    config.chat.strangers = Strangers::Invite;
}

async fn people(app: &TestApp) -> [Person; 3] {
    [app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await]
}

/// What somebody has not answered yet.
async fn open(app: &TestApp, person: &Person) -> Vec<Value> {
    app.ok(Method::GET, "/invitations", person, None).await["items"].as_array().unwrap().clone()
}

async fn answer(app: &TestApp, by: &Person, invitation: &Value, answer: &str) -> (u16, Value) {
    let id = invitation["id"].as_str().unwrap();
    app.call(Method::POST, &format!("/invitations/{id}/{answer}"), Some(by), None).await
}

async fn make(app: &TestApp, by: &Person, kind: &str, others: &[&Person]) -> (u16, Value) {
    let others: Vec<&str> = others.iter().map(|person| person.id.as_str()).collect();
    app.call(Method::POST, "/rooms", Some(by), Some(json!({ "kind": kind, "member_ids": others }))).await
}

async fn rooms_of(app: &TestApp, person: &Person) -> usize {
    let listed = app.ok(Method::GET, "/rooms", person, None).await["items"].as_array().unwrap().len();
    let greeted = app.resume(person, json!({})).await.1["rooms"].as_array().unwrap().len();
    assert_eq!(listed, greeted);
    listed
}

fn outcome((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["code"].as_str().unwrap_or_default())
}

#[actix_rt::test]
async fn strangers_are_asked_before_they_are_in_a_group() {
    let app = TestApp::with(shy).await;
    app.until_listening(true).await;
    let [ada, ben, cleo] = people(&app).await;
    let mut devices = [app.connect(&ben).await, app.connect(&ben).await];
    let body = json!({ "client_id": "g", "kind": "group", "name": "Boats", "member_ids": [ben.id, cleo.id] });
    let all = [&ada, &ben, &cleo];
    let (status, room) = app.verify(&all, app.call(Method::POST, "/rooms", Some(&ada), Some(body.clone()))).await;
    let mut both = [ben.id.clone(), cleo.id.clone()];
    both.sort_unstable();
    assert_eq!((status, &room["invited"], &room["member_count"]), (201, &json!(both), &json!(1)));
    assert_eq!(app.call(Method::POST, "/rooms", Some(&ada), Some(body)).await.1["invited"], json!(both));
    let id = room["id"].as_str().unwrap();
    app.post(&ada, id, "m1", "nobody is here yet").await;
    for device in &mut devices {
        assert_eq!(device.event_of("invitation.updated").await["state"], "pending");
    }
    assert_eq!(rooms_of(&app, &ben).await, 0);
    assert_eq!(app.call(Method::GET, &format!("/rooms/{id}/messages"), Some(&ben), None).await.0, 404);
    let [invitation] = &open(&app, &ben).await[..] else { panic!("not one invitation") };
    for (field, wanted) in
        [("kind", json!("group")), ("room_id", json!(id)), ("name", json!("Boats")), ("role", json!("member"))]
    {
        assert_eq!(invitation[field], wanted, "{invitation}");
    }
    assert_eq!(invitation["inviter"]["username"], "ada");
    // Another's invitation is nobody's.
    assert_eq!(outcome(&answer(&app, &cleo, invitation, "accept").await), (404, "chat.invitation_not_found"));
    assert_eq!(outcome(&answer(&app, &ada, invitation, "decline").await), (404, "chat.invitation_not_found"));
    // Accepting once more is harmless; both devices hear of the answer and of the room.
    for _ in 0..2 {
        let (status, accepted) = app.verify(&all, answer(&app, &ben, invitation, "accept")).await;
        assert_eq!((status, &accepted["state"]), (200, &json!("accepted")));
    }
    assert_eq!(outcome(&answer(&app, &ben, invitation, "decline").await), (404, "chat.invitation_not_found"));
    for device in &mut devices {
        // The coming itself is before where they follow from.
        let mut heard = [device.event().await, device.event().await];
        heard.sort_by_key(|event| event["type"].to_string());
        let kinds: Vec<&str> = heard.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["invitation.updated", "room.joined"]);
        assert_eq!(heard[0]["state"], "accepted");
    }
    assert_eq!(app.post(&ben, id, "m2", "here I am").await, 3);
    assert_eq!((rooms_of(&app, &ben).await, open(&app, &ben).await.len()), (1, 0));
    // They know each other now.
    assert_eq!(make(&app, &ben, "group", &[&ada]).await.1.get("invited"), None);
    assert_eq!(rooms_of(&app, &ada).await, 2);
}

#[actix_rt::test]
async fn a_direct_room_with_a_stranger_is_its_makers_until_it_is_accepted() {
    let app = TestApp::with(shy).await;
    app.until_listening(true).await;
    let [ada, ben, cleo] = people(&app).await;
    let (status, room) = app.verify(&[&ada, &ben], make(&app, &ada, "direct", &[&ben])).await;
    assert_eq!((status, &room["invited"], &room["peer"]["username"]), (201, &json!([ben.id]), &json!("ben")));
    let id = room["id"].as_str().unwrap().to_owned();
    assert_eq!(make(&app, &ada, "direct", &[&ben]).await.1["invited"], json!([ben.id]));
    app.post(&ada, &id, "m1", "are you there?").await;
    // Its maker sees who is meant, and the other one nothing.
    let (_, ready) = app.resume(&ada, json!({})).await;
    assert_eq!(ready["rooms"][0]["peer"]["username"], "ben");
    assert_eq!((rooms_of(&app, &ben).await, open(&app, &ben).await.len()), (0, 1));
    let mut bens = app.connect(&ben).await;
    let mut adas = app.connect(&ada).await;
    let invitation = open(&app, &ben).await.remove(0);
    assert_eq!(app.verify(&[&ada, &ben], answer(&app, &ben, &invitation, "accept")).await.0, 200);
    assert_eq!(bens.event_of("room.joined").await["room"]["id"], json!(id));
    assert_eq!(adas.event_of("member.added").await["member"]["user_id"], json!(ben.id));
    assert_eq!(seqs(&bens.catch_up(&id, 0, 10).await), [1, 2]);
    app.post(&ben, &id, "m2", "yes").await;
    assert_eq!(adas.event_of("message.posted").await["message"]["content"], "yes");

    // Whoever asks for the same room has accepted it by that.
    let pending = make(&app, &cleo, "direct", &[&ada]).await.1["id"].clone();
    let mine = make(&app, &ada, "direct", &[&cleo]).await;
    assert_eq!((mine.0, &mine.1["id"], mine.1.get("invited")), (200, &pending, None));
    assert_eq!(open(&app, &ada).await.len(), 0);
    assert_eq!(app.post(&ada, pending.as_str().unwrap(), "m1", "hello").await, 2);
}

#[actix_rt::test]
async fn whoever_was_declined_cannot_ask_again_for_a_while() {
    let app = TestApp::with(shy).await;
    let [ada, ben, cleo] = people(&app).await;
    assert_eq!(make(&app, &ada, "direct", &[&ben]).await.0, 201);
    let invitation = open(&app, &ben).await[0].clone();
    for _ in 0..2 {
        assert_eq!(answer(&app, &ben, &invitation, "decline").await.0, 204);
    }
    assert_eq!(outcome(&answer(&app, &ben, &invitation, "accept").await), (404, "chat.invitation_not_found"));
    let group = app.group(&[&ada]).await;
    let add = Some(json!({ "user_id": ben.id }));
    let members = format!("/rooms/{group}/members");
    let refused = app.call(Method::POST, &members, Some(&ada), add.clone()).await;
    assert_eq!(outcome(&refused), (403, "chat.not_invited"));
    // The room is there, and they are not asked.
    assert_eq!(make(&app, &ada, "group", &[&ben]).await.1.get("invited"), None);
    assert_eq!(make(&app, &ada, "direct", &[&ben]).await.1.get("invited"), None);
    assert_eq!(open(&app, &ben).await.len(), 0);
    // Nor is a direct room made that nobody could ever come to.
    let dan = app.sign_up("dan").await;
    app.group(&[&dan, &ben]).await;
    assert_eq!(answer(&app, &ben, &open(&app, &ben).await[0], "decline").await.0, 204);
    assert_eq!(outcome(&make(&app, &dan, "direct", &[&ben]).await), (403, "chat.not_invited"));
    assert_eq!(rooms_of(&app, &dan).await, 1);
    // Somebody else may ask, and so may the same person later.
    assert_eq!(make(&app, &cleo, "group", &[&ben]).await.1["invited"], json!([ben.id]));
    app.sql("UPDATE invitations SET answered_at = answered_at - interval '31 days' WHERE state = 'declined'").await;
    let (status, invited) = app.call(Method::POST, &members, Some(&ada), add).await;
    assert_eq!((status, &invited["user_id"], &invited["role"]), (202, &json!(ben.id), &json!("member")));
}

#[actix_rt::test]
async fn an_invitation_ends_when_whoever_made_it_leaves_or_the_place_is_gone() {
    let app = TestApp::with(shy).await;
    app.until_listening(true).await;
    let [ada, ben, cleo] = people(&app).await;
    let mut bens = app.connect(&ben).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Port" }))).await["id"].clone();
    let space = space.as_str().unwrap();
    let people = format!("/spaces/{space}/members");
    let add = Some(json!({ "user_id": ben.id, "role": "guest" }));
    for _ in 0..2 {
        assert_eq!(app.call(Method::POST, &people, Some(&ada), add.clone()).await.0, 202);
    }
    let invitation = open(&app, &ben).await[0].clone();
    assert_eq!((&invitation["kind"], &invitation["name"]), (&json!("space"), &json!("Port")));
    assert_eq!(answer(&app, &ben, &invitation, "accept").await.0, 200);
    assert_eq!(app.ok(Method::GET, &format!("/spaces/{space}"), &ben, None).await["role"], "guest");

    let group = app.group(&[&cleo]).await;
    let members = format!("/rooms/{group}/members");
    assert_eq!(app.call(Method::POST, &members, Some(&cleo), Some(json!({ "user_id": ben.id }))).await.0, 202);
    // A stranger to the room invites nobody to it.
    let dan = app.sign_up("dan").await;
    let refused = app.call(Method::POST, &members, Some(&dan), Some(json!({ "user_id": ben.id }))).await;
    assert_eq!(outcome(&refused), (404, "chat.room_not_found"));
    let invitation = open(&app, &ben).await[0].clone();
    app.ok(Method::DELETE, &format!("{members}/{}", cleo.id), &cleo, None).await;
    while bens.event_of("invitation.updated").await["state"] != "revoked" {}
    assert_eq!(open(&app, &ben).await.len(), 0);
    assert_eq!(outcome(&answer(&app, &ben, &invitation, "accept").await), (404, "chat.invitation_not_found"));
}

#[actix_rt::test]
async fn an_invitation_is_taken_back_as_a_member_is_removed() {
    let app = TestApp::with(shy).await;
    app.until_listening(true).await;
    let [ada, ben, cleo] = people(&app).await;
    let space = app.ok(Method::POST, "/spaces", &ada, Some(json!({ "name": "Harbour" }))).await;
    let (_, room) = make(&app, &ada, "group", &[]).await;
    for place in
        [format!("/rooms/{}", room["id"].as_str().unwrap()), format!("/spaces/{}", space["id"].as_str().unwrap())]
    {
        let members = format!("{place}/members");
        let invited = |person: &Person| Some(json!({ "user_id": person.id, "role": "member" }));
        assert_eq!(app.call(Method::POST, &members, Some(&ada), invited(&ben)).await.0, 202, "{place}");
        let mut device = app.connect(&ben).await;
        let waiting = open(&app, &ben).await.remove(0);
        // Nobody's who is not in there, whatever they call it; her own.
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", ben.id), Some(&cleo), None).await.0, 404);
        assert_eq!(open(&app, &ben).await.len(), 1);
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", ben.id), Some(&ada), None).await.0, 204);
        assert_eq!(device.event_of("invitation.updated").await["state"], "revoked");
        assert_eq!(outcome(&answer(&app, &ben, &waiting, "accept").await), (404, "chat.invitation_not_found"));
        // A plain member takes back what they asked, and nobody else's.
        assert_eq!(app.call(Method::POST, &members, Some(&ada), invited(&cleo)).await.0, 202);
        let waiting = open(&app, &cleo).await.remove(0);
        assert_eq!(answer(&app, &cleo, &waiting, "accept").await.0, 200);
        assert_eq!(app.call(Method::POST, &members, Some(&ada), invited(&ben)).await.0, 202);
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", ben.id), Some(&cleo), None).await.0, 403);
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", ben.id), Some(&ada), None).await.0, 204);
        assert_eq!(app.call(Method::POST, &members, Some(&cleo), invited(&ben)).await.0, 202);
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", ben.id), Some(&cleo), None).await.0, 204);
        assert_eq!(open(&app, &ben).await, [Value::Null; 0]);
        // Once they are acquainted by a place, they are strangers again without it.
        assert_eq!(app.call(Method::DELETE, &format!("{members}/{}", cleo.id), Some(&ada), None).await.0, 204);
    }
}

#[actix_rt::test]
async fn invitations_that_wait_for_an_answer_are_bounded() {
    let app = TestApp::with(|config| {
        shy(config);
        config.chat.invitations_sent_max = 3;
        config.chat.invitations_received_max = 3;
        config.chat.invitations_pair_max = 2;
    })
    .await;
    let [ada, ben, cleo] = people(&app).await;
    let dan = app.sign_up("dan").await;
    // One person may not fill another's list, nor ask everybody.
    let others = [&ben];
    let at_once = (0..5).map(|_| make(&app, &ada, "group", &others));
    let asked = futures_util::future::join_all(at_once).await;
    assert!(asked.iter().all(|(status, _)| *status == 201));
    assert_eq!(asked.iter().filter(|(_, room)| room.get("invited").is_some()).count(), 2);
    assert_eq!(open(&app, &ben).await.len(), 2);
    assert_eq!(make(&app, &ada, "group", &[&cleo]).await.0, 201);
    assert_eq!(outcome(&make(&app, &ada, "group", &[&dan]).await), (409, "chat.too_many_invitations"));
    assert_eq!(rooms_of(&app, &ada).await, 6, "nothing is made of what is refused");
    assert_eq!(make(&app, &cleo, "group", &[&ben]).await.1["invited"], json!([ben.id]));
    let group = app.group(&[&dan]).await;
    let members = format!("/rooms/{group}/members");
    let refused = app.call(Method::POST, &members, Some(&dan), Some(json!({ "user_id": ben.id }))).await;
    assert_eq!(outcome(&refused), (403, "chat.not_invited"));
    // A page at a time, newest first.
    let first = app.ok(Method::GET, "/invitations?limit=2", &ben, None).await;
    let next = first["next"].as_str().unwrap();
    let rest = app.ok(Method::GET, &format!("/invitations?limit=2&after={next}"), &ben, None).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    assert_eq!(first["items"][0]["inviter"]["username"], "cleo");
    // One that nobody answers ends.
    app.sql("UPDATE invitations SET created_at = created_at - interval '31 days'").await;
    assert_eq!(open(&app, &ben).await.len(), 0);
    assert_eq!(app.call(Method::POST, &members, Some(&dan), Some(json!({ "user_id": ben.id }))).await.0, 202);
}

#[actix_rt::test]
async fn where_strangers_may_write_nobody_is_asked() {
    let app = TestApp::start().await;
    let [ada, ben, _] = people(&app).await;
    let (status, room) = make(&app, &ada, "direct", &[&ben]).await;
    assert_eq!((status, room.get("invited")), (201, None));
    assert_eq!((rooms_of(&app, &ben).await, open(&app, &ben).await.len()), (1, 0));
    let unknown = json!({ "id": "0190a000-0000-7000-8000-000000000000" });
    for word in ["accept", "decline"] {
        assert_eq!(outcome(&answer(&app, &ben, &unknown, word).await), (404, "chat.invitation_not_found"));
    }
}

#[actix_rt::test]
async fn a_direct_room_that_waits_for_an_answer_is_both_peoples_once_strangers_may_write() {
    let app = TestApp::with(shy).await;
    let [ada, ben, _] = people(&app).await;
    let room = make(&app, &ada, "direct", &[&ben]).await.1["id"].clone();
    let (database, folder) = app.stop().await;
    let app = TestApp::on(database, folder, |_| {}).await;
    let (status, again) = make(&app, &ada, "direct", &[&ben]).await;
    assert_eq!((status, &again["id"], again.get("invited")), (200, &room, None));
    assert_eq!((rooms_of(&app, &ben).await, open(&app, &ben).await.len()), (1, 0));
}
