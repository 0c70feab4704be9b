//! What is changed in Postgres by other hands than this engine's, an operator's or another engine's, is known here at
//! once; and what happens while the engine does not hear is made up for.

use reqwest::Method;
use serde_json::json;

use crate::accounts::Auth;
use crate::clock::Clock;
use crate::config::Config;
use crate::testing::process::until;
use crate::testing::{OutsideIssuer, Person, Proxy, TestApp, TestDatabase, WsClient};

/// Accounts as `parlance users` holds them, in a process of its own.
async fn elsewhere(app: &TestApp) -> Auth {
    let config = Config::defaults().unwrap().auth;
    Auth::new(&config, app.database.storage.clone(), Clock::system(), app.folder.path()).await.unwrap()
}

#[actix_rt::test]
async fn a_user_who_is_disabled_elsewhere_is_out_at_once() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let (mut hers, mut his) = (app.connect(&ada).await, app.connect(&ben).await);
    elsewhere(&app).await.set_disabled("ada", true).await.unwrap();
    assert_eq!(hers.closed().await, 4501);
    let mut again = WsClient::open(&app.base).await;
    assert_eq!(again.hello(&ada.token, json!({})).await["code"], "auth.token_invalid");
    // By hand, without ending sign-ins.
    app.sql(&format!("UPDATE users SET disabled_at = now() WHERE id = '{}'", ben.id)).await;
    assert_eq!(his.closed().await, 4501);
    let mut again = WsClient::open(&app.base).await;
    assert_eq!(again.hello(&ben.token, json!({})).await["code"], "auth.account_disabled");
    app.sql(&format!("UPDATE users SET disabled_at = NULL WHERE id = '{}'", ben.id)).await;
    app.heard_everything().await;
    app.connect(&ben).await;
}

/// An engine behind a network that can fail it.
async fn behind_a_proxy() -> (TestApp, Proxy) {
    let database = TestDatabase::create().await;
    let proxy = Proxy::before(&database.url()).await;
    let through = proxy.url().to_owned();
    let change = |config: &mut Config| config.storage.database_url = Some(through);
    let app = TestApp::on(database, tempfile::tempdir().unwrap(), change).await;
    app.until_listening(true).await;
    (app, proxy)
}

#[actix_rt::test]
async fn an_engine_to_which_nothing_is_told_any_more_notices_and_reads() {
    let (app, proxy) = behind_a_proxy().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "m1", "warm").await;
    // A backend that stood still instead would hold up every test that drops a database.
    proxy.forget_those_that_listen();
    app.sql(&format!("UPDATE users SET disabled_at = now() WHERE id = '{}'", ada.id)).await;
    let body = || Some(json!({ "client_id": "m2", "content": "still here" }));
    until("she is out", async || {
        app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ada), body()).await.0 == 403
    })
    .await;
}

/// Whether every door is shut to this person's tokens, with the code that each says.
async fn is_out(app: &TestApp, person: &Person, code: &str) {
    let room = uuid::Uuid::now_v7();
    let post = json!({ "client_id": "c", "content": "still here" });
    for (method, path, body) in [
        (Method::GET, "/users/me".to_owned(), None),
        (Method::GET, "/users?query=a".to_owned(), None),
        (Method::PATCH, "/users/me".to_owned(), Some(json!({ "full_name": "Still Here" }))),
        (Method::GET, "/rooms".to_owned(), None),
        (Method::POST, format!("/rooms/{room}/messages"), Some(post)),
        (Method::POST, "/spaces".to_owned(), Some(json!({ "name": "Still here" }))),
    ] {
        let (_, problem) = app.call(method, &path, Some(person), body).await;
        assert_eq!(problem["code"], code, "{path}: {problem}");
    }
    let mut socket = WsClient::open(&app.base).await;
    assert_eq!(socket.hello(&person.token, json!({})).await["code"], code);
    assert_eq!(socket.closed().await, 4500);
    let body = json!({ "refresh_token": person.refresh_token });
    let (status, problem) = app.call(Method::POST, "/auth/refresh", None, Some(body)).await;
    assert!([401, 403].contains(&status), "{problem}");
}

#[actix_rt::test]
async fn whoever_is_shut_out_by_hand_is_refused_by_every_door() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let ways = [
        ("UPDATE users SET disabled_at = now() WHERE id = $", "auth.account_disabled"),
        ("UPDATE users SET disabled_at = '2020-01-01' WHERE id = $", "auth.account_disabled"),
        ("DELETE FROM accounts WHERE user_id = $", "auth.token_invalid"),
        ("DELETE FROM users WHERE id = $", "auth.token_invalid"),
        ("DELETE FROM token_families WHERE user_id = $", "auth.token_invalid"),
        (
            "UPDATE token_families SET revoked_at = now(), revoked_reason = 'logout' WHERE user_id = $",
            "auth.token_invalid",
        ),
        ("TRUNCATE token_families CASCADE", "auth.token_invalid"),
    ];
    for (n, (statement, code)) in ways.into_iter().enumerate() {
        let person = app.sign_up(&format!("person{n}")).await;
        let mut socket = app.connect(&person).await;
        app.ok(Method::GET, "/rooms", &person, None).await;
        app.sql(&statement.replace('$', &format!("'{}'", person.id))).await;
        assert_eq!(socket.closed().await, 4501, "{statement}");
        is_out(&app, &person, code).await;
    }
}

#[actix_rt::test]
async fn while_changes_are_not_heard_every_door_asks_postgres() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let untold = "BEGIN; SET LOCAL session_replication_role = replica";
    for (n, (statement, code)) in [
        ("UPDATE users SET disabled_at = now() WHERE id = $", "auth.account_disabled"),
        ("DELETE FROM users WHERE id = $", "auth.token_invalid"),
        ("DELETE FROM token_families WHERE user_id = $", "auth.token_invalid"),
    ]
    .into_iter()
    .enumerate()
    {
        let person = app.sign_up(&format!("person{n}")).await;
        let mut socket = app.connect(&person).await;
        app.ok(Method::GET, "/rooms", &person, None).await;
        app.engine().auth.trust_memory(false);
        app.sql(&format!("{untold}; {}; COMMIT", statement.replace('$', &format!("'{}'", person.id)))).await;
        is_out(&app, &person, code).await;
        let renewed = socket.ask(json!({ "type": "auth.renew", "token": person.token })).await;
        assert_eq!(renewed["code"], code);
        // What nobody told of in particular.
        app.sql("SELECT pg_notify('parlance_changes', 'accounts')").await;
        assert_eq!(socket.closed().await, 4501, "{statement}");
    }
}

#[actix_rt::test]
async fn whoever_came_by_an_outside_issuer_is_who_its_subject_is_now() {
    let issuer = OutsideIssuer::new();
    let app = TestApp::with(|config| config.auth.external = vec![issuer.config()]).await;
    app.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let token = issuer.token("cleo", Clock::system().now() + chrono::TimeDelta::hours(1), 0);
    let cleo = app.by_token(&token).await;
    let mut outside = app.connect(&cleo).await;
    let mut own = app.connect(&ada).await;
    app.sql(&format!("UPDATE external_identities SET user_id = '{}' WHERE user_id = '{}'", ada.id, cleo.id)).await;
    assert_eq!(outside.closed().await, 4500);
    assert_eq!(app.ok(Method::GET, "/users/me", &cleo, None).await["id"], ada.id);
    let mut outside = app.connect(&app.by_token(&token).await).await;
    app.sql("DELETE FROM external_identities").await;
    assert_eq!(outside.closed().await, 4500);
    // Her own sign-in has nothing to do with it.
    assert_eq!(own.ask(json!({ "type": "ping" })).await["type"], "pong");

    // The same when nobody was told.
    let dan = app.by_token(&issuer.token("dan", Clock::system().now() + chrono::TimeDelta::hours(1), 0)).await;
    let mut outside = app.connect(&dan).await;
    app.sql("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM external_identities; COMMIT").await;
    app.sql("SELECT pg_notify('parlance_changes', 'accounts')").await;
    assert_eq!(outside.closed().await, 4500);
    assert_ne!(app.ok(Method::GET, "/users/me", &dan, None).await["id"], dan.id);
}

#[actix_rt::test]
async fn a_role_that_is_taken_by_hand_is_gone_at_once() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let actors = async || {
        let request = app.http.get(format!("{}/internal/actors", app.base)).bearer_auth(&ada.token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(actors().await, 403);
    for (role, status) in [("admin", 200), ("user", 403)] {
        app.sql(&format!("UPDATE accounts SET role = '{role}' WHERE user_id = '{}'", ada.id)).await;
        app.heard_everything().await;
        assert_eq!(actors().await, status);
        assert_eq!(app.ok(Method::GET, "/users/me", &ada, None).await["role"], role);
    }
}

#[actix_rt::test]
async fn a_device_that_is_signed_out_elsewhere_is_out_at_once() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    let elsewhere = elsewhere(&app).await;
    let caller = elsewhere.verify(&ada.token).await.unwrap();
    elsewhere.logout(&caller).await.unwrap();
    assert_eq!(socket.closed().await, 4501);
    // The access token is refused as well, without a hello.
    assert_eq!(app.call(Method::GET, "/users/me", Some(&ada), None).await.0, 401);
}

#[actix_rt::test]
async fn an_account_that_is_deleted_by_hand_is_out_of_its_rooms() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let body = json!({ "kind": "direct", "member_ids": [ben.id] });
    let room = app.ok(Method::POST, "/rooms", &ada, Some(body)).await["id"].as_str().unwrap().to_owned();
    app.post(&ada, &room, "m1", "m1").await;
    let mut hers = app.connect(&ada).await;
    let mut his = app.connect(&ben).await;
    app.sql(&format!("DELETE FROM users WHERE id = '{}'", ben.id)).await;
    assert_eq!(his.closed().await, 4501);
    assert_eq!(hers.event_of("member.removed").await["user_id"], json!(ben.id));
    assert_eq!(app.call(Method::GET, &format!("/users/{}", ben.id), Some(&ada), None).await.0, 404);
}

#[actix_rt::test]
async fn what_an_operator_changes_by_hand_is_in_the_next_greeting() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let (room, closed) = (app.group(&[&ada, &ben]).await, app.group(&[&ada, &ben]).await);
    app.post(&ada, &room, "m1", "m1").await;
    let mut bens = app.connect(&ben).await;
    let mut cleos = app.connect(&cleo).await;
    app.connect(&ada).await;
    app.sql(&format!("UPDATE users SET full_name = 'By hand' WHERE id = '{}'", ada.id)).await;
    app.sql(&format!("UPDATE accounts SET role = 'admin' WHERE user_id = '{}'", ada.id)).await;
    app.sql(&format!("DELETE FROM room_members WHERE user_id = '{}'", ben.id)).await;
    for room in [&room, &closed] {
        let insert = "INSERT INTO room_members (room_id, user_id, role, delivered_seq, read_seq, joined_at)";
        app.sql(&format!("{insert} VALUES ('{room}', '{}', 'member', 0, 0, now())", cleo.id)).await;
    }
    app.heard_everything().await;
    let (_, ready) = app.resume(&ada, json!({})).await;
    assert_eq!((&ready["user"]["full_name"], &ready["user"]["role"]), (&json!("By hand"), &json!("admin")));
    assert_eq!(app.resume(&ben, json!({})).await.1["rooms"], json!([]));
    // The open room loads itself anew; until it has, she is not in it.
    until("cleo is greeted with both rooms", async || {
        app.resume(&cleo, json!({})).await.1["rooms"].as_array().unwrap().len() == 2
    })
    .await;
    // The other one was opened because somebody was taken out of it, and may tell her as well.
    while cleos.event_of("room.joined").await["room"]["id"] != json!(room) {}
    assert_eq!(app.post(&cleo, &room, "m2", "m2").await, 2);
    assert_eq!(cleos.event_of("message.posted").await["seq"], 2);
    // Who is out hears nothing more, of a room that was closed neither.
    app.post(&ada, &closed, "m1", "m1").await;
    let ping = bens.send(json!({ "type": "ping" })).await;
    loop {
        let frame = bens.frame().await.unwrap();
        assert_ne!(frame["type"], "message.posted");
        if frame["re"] == ping {
            break;
        }
    }
    let body = json!({ "client_id": "m3", "content": "m3" });
    assert_eq!(app.call(Method::POST, &format!("/rooms/{room}/messages"), Some(&ben), Some(body)).await.0, 404);
}

#[actix_rt::test]
async fn who_was_taken_out_before_a_room_was_opened_does_not_hear_it_on() {
    let app = TestApp::start().await;
    app.until_listening(true).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut bens = app.connect(&ben).await;
    // Told only when somebody has opened the room without him.
    let untold = "BEGIN; SET LOCAL session_replication_role = replica";
    app.sql(&format!("{untold}; DELETE FROM room_members WHERE user_id = '{}'; COMMIT", ben.id)).await;
    app.post(&ada, &room, "m1", "m1").await;
    app.sql(&format!("SELECT pg_notify('parlance_changes', 'left {room} {}')", ben.id)).await;
    let mut posted = 1;
    until("he hears nothing more", async || {
        posted += 1;
        app.post(&ada, &room, &format!("m{posted}"), "hello?").await;
        let ping = bens.send(json!({ "type": "ping" })).await;
        let mut heard = Vec::new();
        loop {
            let frame = bens.frame().await.unwrap();
            if frame["re"] == ping {
                return !heard.iter().any(|frame: &serde_json::Value| frame["seq"] == posted);
            }
            heard.push(frame);
        }
    })
    .await;
}

#[actix_rt::test]
async fn what_happened_while_nobody_heard_is_made_up_for() {
    let (app, proxy) = behind_a_proxy().await;
    let (ada, ben, cleo) = (app.sign_up("ada").await, app.sign_up("ben").await, app.sign_up("cleo").await);
    let (dan, eve) = (app.sign_up("dan").await, app.sign_up("eve").await);
    let room = app.group(&[&ada]).await;
    let (mut bens, mut cleos) = (app.connect(&ben).await, app.connect(&cleo).await);
    let (mut dans, mut eves) = (app.connect(&dan).await, app.connect(&eve).await);
    let mut adas = app.connect(&ada).await;
    proxy.cut();
    app.until_listening(false).await;
    elsewhere(&app).await.set_disabled("ben", true).await.unwrap();
    // As of some other day.
    app.sql(&format!("UPDATE users SET disabled_at = '2020-01-01' WHERE id = '{}'", cleo.id)).await;
    app.sql(&format!("UPDATE users SET full_name = 'Unheard' WHERE id = '{}'", ada.id)).await;
    app.sql(&format!("DELETE FROM room_members WHERE room_id = '{room}'")).await;
    // What is deleted leaves nothing that could be found later.
    app.sql(&format!("DELETE FROM users WHERE id = '{}'", dan.id)).await;
    app.sql(&format!("DELETE FROM token_families WHERE user_id = '{}'", eve.id)).await;
    proxy.mend();
    app.until_listening(true).await;
    for socket in [&mut bens, &mut cleos, &mut dans, &mut eves] {
        assert_eq!(socket.closed().await, 4501);
    }
    assert_eq!(adas.ask(json!({ "type": "ping" })).await["type"], "pong");
    let (_, ready) = app.resume(&ada, json!({})).await;
    assert_eq!((&ready["user"]["full_name"], &ready["rooms"]), (&json!("Unheard"), &json!([])));
}
