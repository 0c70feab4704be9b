//! Parts of the engine crash under their users, and a second owner meddles with a room.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ids::{RoomId, UserId};
use crate::publish::{Audience, Delivery};
use crate::rooms::mailbox::{CatchUp, Command, Reply};
use crate::testing::{Person, TestApp, WsClient, contents, seqs};

/// Makes the room's actor panic: the reply runs inside of it.
fn crash_room(app: &TestApp, room: &str, by: &Person) {
    let by = UserId(by.id.parse().unwrap());
    // An error is a room that is down already, perhaps unwinding.
    let reply = Reply::new(|answer| assert!(answer.is_err(), "told to crash"));
    let command = Command::CatchUp(CatchUp { by: by.into(), after: 0, items_max: 1, reply });
    app.engine().rooms.send(room.parse().unwrap(), command);
}

/// Posts until taken, as a client does that knows that a repeated send is the same send.
async fn post_until_taken(socket: &mut WsClient, room: &str, client_id: &str) -> Value {
    loop {
        let answer = socket.post(room, client_id, client_id).await;
        if answer["type"] == "ok" {
            return answer;
        }
        assert_ne!(answer["retry"], "never", "{answer}");
    }
}

#[actix_rt::test]
async fn a_room_that_crashes_mid_flight_loses_and_repeats_nothing() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (mut speaker, mut listener) = (app.connect(&ada).await, app.connect(&ben).await);
    speaker.post(&room, "m0", "m0").await;
    let mut ids = Vec::new();
    for n in 1..=60 {
        // Twice, in the middle of what the socket has sent.
        if n % 25 == 0 {
            crash_room(&app, &room, &ada);
        }
        let text = format!("m{n}");
        ids.push(
            speaker.send(json!({ "type": "message.post", "room_id": room, "client_id": text, "content": text })).await,
        );
    }
    for (n, id) in ids.into_iter().enumerate() {
        // Nobody is stuck: each send is answered, and one that failed is worth sending again.
        let answer = speaker.answer(id).await;
        if answer["type"] != "ok" {
            assert_ne!(answer["retry"], "never", "{answer}");
            post_until_taken(&mut speaker, &room, &format!("m{}", n + 1)).await;
        }
    }
    let heard = listener.events_of_room(&room, 61).await;
    assert_eq!(seqs(&heard), (1..=61).collect::<Vec<_>>());
    let mut texts = contents(&heard);
    texts.sort_by_key(|text| text[1..].parse::<usize>().unwrap());
    assert!(texts.into_iter().eq((0..=60).map(|n| format!("m{n}"))));
    assert_eq!(app.page("/readyz").await.0, 200);
}

#[actix_rt::test]
async fn a_room_that_crashes_again_and_again_is_opened_anew_and_its_neighbour_notices_nothing() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let (room, neighbour) = (app.group(&[&ada]).await, app.group(&[&ada]).await);
    let mut socket = app.connect(&ada).await;
    for n in 1..=6 {
        assert_eq!(post_until_taken(&mut socket, &room, &format!("m{n}")).await["seq"], json!(n));
        crash_room(&app, &room, &ada);
        assert_eq!(socket.post(&neighbour, &format!("m{n}"), "calm").await["seq"], json!(n));
    }
    assert_eq!(post_until_taken(&mut socket, &room, "m3").await["seq"], 3);
    assert_eq!(seqs(&socket.catch_up(&room, 0, 50).await), (1..=6).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn a_hub_that_crashes_closes_its_sockets_with_4001_and_the_engine_lives_on() {
    let app = TestApp::with(|config| config.server.workers = 1).await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let mut sockets = [app.connect(&ada).await, app.connect(&ben).await, WsClient::open(&app.base).await];
    // Being asked something shows that the socket has reached its hub.
    for socket in &mut sockets {
        socket.ask(json!({ "type": "ping" })).await;
    }
    // A place that cannot be: adding to it overflows, which panics in the hub.
    let frames: Arc<[_]> = Arc::new(["{}".into()]);
    let room_id: RoomId = room.parse().unwrap();
    app.engine().hubs.deliver(Delivery {
        order: room_id.into(),
        first_seq: i64::MAX,
        frames,
        joined: vec![],
        left: vec![],
    });
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4001);
    }
    let (mut speaker, mut listener) = (app.connect(&ada).await, app.connect(&ben).await);
    assert_eq!(post_until_taken(&mut speaker, &room, "m1").await["seq"], 1);
    assert_eq!(seqs(&listener.events_of_room(&room, 1).await), [1]);
    assert_eq!(app.page("/readyz").await.0, 200);
}

/// Another engine posts into the same room behind this one's back.
async fn meddle(app: &TestApp, room: &str, by: &Person, content: &str) {
    let room: Uuid = room.parse().unwrap();
    let by: Uuid = by.id.parse().unwrap();
    sqlx::query(
        "WITH fence AS (UPDATE rooms SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq)
         INSERT INTO messages (room_id, seq, id, sender_user_id, client_id, kind, content, created_at)
         SELECT $1, last_seq, $2, $3, $4, 'text', $4, now() FROM fence",
    )
    .bind(room)
    .bind(Uuid::now_v7())
    .bind(by)
    .bind(content)
    .execute(app.database.storage.engine())
    .await
    .unwrap();
}

#[actix_rt::test]
async fn a_second_owner_of_a_room_does_no_harm() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.sign_up("ada").await, app.sign_up("ben").await);
    let room = app.group(&[&ada, &ben]).await;
    let (mut speaker, mut listener) = (app.connect(&ada).await, app.connect(&ben).await);
    assert_eq!(speaker.post(&room, "m1", "m1").await["seq"], 1);
    meddle(&app, &room, &ben, "other").await;
    // Fenced, loaded anew, decided again: its sender notices nothing, and listeners get what they missed.
    assert_eq!(speaker.post(&room, "m3", "m3").await["seq"], 3);
    meddle(&app, &room, &ada, "m5").await;
    // What the other owner wrote under the same client id is the first result.
    let answers = speaker.post_all(&room, ["m4", "m5", "m6"].map(str::to_owned)).await;
    assert_eq!(seqs(&answers), [5, 4, 6]);
    let heard = listener.events_of_room(&room, 6).await;
    assert_eq!((seqs(&heard), contents(&heard).join(" ")), ((1..=6).collect(), "m1 other m3 m5 m4 m6".to_owned()));
}
