//! Hostile sockets: a clear error or close code each, and the engine steady.

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::testing::{TestApp, WsClient, seqs};

const FRAME_BYTES_MAX: usize = 262_144;
/// With 20 000 rooms to resume.
const HELLO_BYTES_MAX: usize = FRAME_BYTES_MAX + 20_000 * 64;

async fn send(socket: &mut WsClient, message: Message) {
    // The engine may hang up before all of it is sent.
    let _ = socket.socket.send(message).await;
}

fn part(data: impl Into<Vec<u8>>, opcode: Data, last: bool) -> Message {
    Message::Frame(Frame::message(data.into(), OpCode::Data(opcode), last))
}

#[actix_rt::test]
async fn what_is_no_text_message_ends_the_socket_with_4502() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    for greeted in [true, false] {
        for (what, messages) in no_text_messages(if greeted { FRAME_BYTES_MAX } else { HELLO_BYTES_MAX }) {
            let mut socket = if greeted { app.connect(&ada).await } else { WsClient::open(&app.base).await };
            for message in messages {
                send(&mut socket, message).await;
            }
            assert_eq!(socket.closed().await, 4502, "{what}, greeted: {greeted}");
        }
    }
}

fn no_text_messages(bytes_max: usize) -> Vec<(&'static str, Vec<Message>)> {
    let half = "x".repeat(bytes_max - 10);
    vec![
        ("over the limit", vec![Message::text("x".repeat(bytes_max + 1))]),
        (
            "over the limit in fragments",
            vec![
                part(half.clone(), Data::Text, false),
                part(half.clone(), Data::Continue, false),
                part(half, Data::Continue, true),
            ],
        ),
        ("binary", vec![Message::Binary(vec![1, 2, 3].into())]),
        ("binary in fragments", vec![part([1], Data::Binary, false), part([2], Data::Continue, true)]),
        ("invalid UTF-8", vec![part([b'{', 0xff, 0xfe], Data::Text, true)]),
        ("invalid UTF-8 in fragments", vec![part([b'{', 0xff], Data::Text, false), part([0xfe], Data::Continue, true)]),
        ("a continuation of nothing", vec![part("x", Data::Continue, true)]),
    ]
}

#[actix_rt::test]
async fn a_message_in_fragments_is_one_message() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let text = json!({ "type": "message.post", "id": 90, "room_id": room, "client_id": "c", "content": "häfen ⚓" })
        .to_string();
    let bytes = text.as_bytes();
    // Cut inside of a character as well.
    let cut = text.find('⚓').unwrap() + 1;
    for (range, opcode, last) in
        [(0..9, Data::Text, false), (9..cut, Data::Continue, false), (cut..bytes.len(), Data::Continue, true)]
    {
        send(&mut socket, part(&bytes[range], opcode, last)).await;
    }
    assert_eq!(socket.answer(90).await["seq"], 1);
    assert_eq!(socket.event().await["message"]["content"], "häfen ⚓");
}

#[actix_rt::test]
async fn what_is_no_command_is_answered_and_too_much_of_it_ends_the_socket() {
    let app = TestApp::with(|config| config.sessions.bad_frames_max = 20).await;
    let ada = app.sign_up("ada").await;
    let mut socket = app.connect(&ada).await;
    let deep = format!(r#"{{"type":"message.post","id":7,"parts":{}"#, "[".repeat(60_000));
    let texts = [
        "",
        "{",
        "[]",
        "null",
        "7",
        r#""hello""#,
        "[{\"type\":\"ping\",\"id\":1}]",
        "{}",
        r#"{"type":5,"id":1}"#,
        r#"{"type":"ping","id":-1}"#,
        r#"{"type":"ping","id":1.5}"#,
        r#"{"type":"ping","id":"1"}"#,
        r#"{"type":"ping","id":18446744073709551616}"#,
        r#"{"type":"ping","id":1,"id":2}"#,
        r#"{"type":"ping","id":1} {"type":"ping","id":2}"#,
        r#"{"type":"message.post","id":1,"content":"\ud800"}"#,
        deep.as_str(),
    ];
    for text in texts {
        socket.send_text(text).await;
        let answer = socket.frame().await.unwrap();
        let shown = &text[..text.len().min(60)];
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("protocol.invalid_frame")), "{shown}");
        assert_eq!(answer["retry"], "never");
        assert!(answer["message"].as_str().is_some_and(|message| message.len() > 20), "{answer}");
    }
    socket.send_text(r#"{"type":"no.such","id":3}"#).await;
    let answer = socket.frame().await.unwrap();
    assert_eq!((&answer["re"], &answer["code"]), (&json!(3), &json!("protocol.unknown_type")));
    // The largest id there is comes back whole.
    socket.send_text(r#"{"type":"ping","id":18446744073709551615}"#).await;
    assert_eq!(socket.frame().await.unwrap()["re"], json!(u64::MAX));
    // Commands of a later version are no reason to hang up, however many.
    for _ in 0..40 {
        assert_eq!(socket.ask(json!({ "type": "no.such" })).await["code"], "protocol.unknown_type");
    }
    for _ in 0..20 {
        socket.send_text("nonsense").await;
    }
    assert_eq!(socket.closed().await, 4502);
}

#[actix_rt::test]
async fn wrong_fields_are_named_and_nothing_is_written() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = app.connect(&ada).await;
    let right = json!({ "type": "message.post", "room_id": room, "client_id": "c", "content": "x" });
    let with = |field: &str, value: Value| {
        let mut command = right.clone();
        command[field] = value;
        command
    };
    let without = |field: &str| {
        let mut command = right.clone();
        command.as_object_mut().unwrap().remove(field);
        command
    };
    for (command, code, word) in [
        (without("room_id"), "protocol.invalid_frame", "room_id"),
        (without("client_id"), "protocol.invalid_frame", "client_id"),
        (without("content"), "chat.invalid", "content"),
        (with("room_id", json!("nonsense")), "protocol.invalid_frame", "message.post"),
        (with("room_id", json!(7)), "protocol.invalid_frame", "message.post"),
        (with("content", json!(7)), "protocol.invalid_frame", "message.post"),
        (with("content", json!("a\0b")), "chat.invalid", "content"),
        (with("client_id", json!("a\0b")), "chat.invalid", "client_id"),
        (with("client_id", json!("")), "chat.invalid", "client_id"),
        (with("client_id", json!("x".repeat(65))), "chat.invalid", "client_id"),
        (with("kind", json!("system")), "chat.invalid", "kind"),
        (with("kind", json!("a\0")), "chat.invalid", "kind"),
        (with("parts", json!([{ "text": "a\0b" }])), "chat.invalid", "parts"),
        (with("parts", json!([{ "a\0": 1 }])), "chat.invalid", "parts"),
        (with("parts", json!([1])), "chat.invalid", "parts"),
        (with("parts", json!({})), "protocol.invalid_frame", "message.post"),
        (with("content", json!("x".repeat(32_769))), "chat.content_too_large", "32768"),
        (with("reply_to", json!("0190a000-0000-7000-8000-000000000000")), "chat.reply_not_found", "reply"),
        (with("room_id", json!("0190a000-0000-7000-8000-000000000000")), "chat.room_not_found", "room"),
    ] {
        let answer = socket.ask(command.clone()).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!(code)), "{command} {answer}");
        assert!(answer["message"].as_str().unwrap().contains(word), "{answer}");
        assert_eq!(answer["retry"], "never");
    }
    // Odd, but fine: everything that Postgres can keep comes back as it was.
    let odd = with("parts", json!([{ "deep": { "\\u0001": [[[["\u{1}", -1.5e10, u64::MAX, "\u{10ffff}"]]]] } }]));
    assert_eq!(socket.ask(odd).await["seq"], 1);
    let event = socket.event().await;
    assert_eq!(event["message"]["parts"][0]["deep"]["\\u0001"][0][0][0][3], "\u{10ffff}");
}

#[actix_rt::test]
async fn seqs_and_limits_out_of_range_do_no_harm() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    for n in 1..=3 {
        app.post(&ada, &room, &format!("c{n}"), "x").await;
    }
    let mut socket = app.connect(&ada).await;
    for (after, limit, expected) in [
        (json!(i64::MIN), json!(200), vec![1, 2, 3]),
        (json!(-1), json!(usize::MAX), vec![1, 2, 3]),
        (json!(0), json!(0), vec![1]),
        (json!(2), json!(1), vec![3]),
        (json!(3), json!(5), vec![]),
    ] {
        let answer =
            socket.ask(json!({ "type": "room.catch_up", "room_id": room, "after": after, "limit": limit })).await;
        assert_eq!(seqs(answer["events"].as_array().unwrap()), expected, "{answer}");
        assert_eq!(answer["last_seq"], 3);
    }
    for after in [json!(9_223_372_036_854_775_808_u64), json!(1.5), json!("1"), Value::Null] {
        let answer = socket.ask(json!({ "type": "room.catch_up", "room_id": room, "after": after })).await;
        assert_eq!(answer["code"], "protocol.invalid_frame");
    }
}

#[actix_rt::test]
async fn other_peoples_rooms_look_like_rooms_that_are_not_there() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.sign_up("ada").await, app.sign_up("eve").await);
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "c1", "secret").await;
    let (mut socket, ready) = app.resume(&eve, json!({ &room: 0 })).await;
    assert_eq!(ready["rooms"], json!([]));
    let absent = "0190a000-0000-7000-8000-000000000000";
    for command in [
        json!({ "type": "message.post", "client_id": "x", "content": "x" }),
        json!({ "type": "room.catch_up", "after": 0 }),
        json!({ "type": "receipt.mark", "read_seq": 1 }),
    ] {
        let mut answers = Vec::new();
        for id in [room.as_str(), absent] {
            let mut command = command.clone();
            command["room_id"] = json!(id);
            let mut answer = socket.ask(command).await;
            answer["re"] = Value::Null;
            answers.push(answer);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0]["code"], "chat.room_not_found");
    }
    app.post(&ada, &room, "c2", "more").await;
    assert_eq!(socket.ask(json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_rt::test]
async fn commands_before_hello_and_a_second_hello_are_answered_and_harmless() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = WsClient::open(&app.base).await;
    let early = socket.post(&room, "c1", "too early").await;
    assert_eq!(early["code"], "protocol.hello_first");
    assert_eq!(socket.hello(&ada.token, json!({})).await["type"], "ready");
    assert_eq!(socket.hello(&ada.token, json!({})).await["code"], "protocol.already_greeted");
    assert_eq!(socket.post(&room, "c1", "in time").await["seq"], 1);
    assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [1]);
}

#[actix_rt::test]
async fn what_is_pipelined_behind_hello_waits_for_it() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    let mut socket = WsClient::open(&app.base).await;
    let hello = socket.send(json!({ "type": "hello", "token": ada.token })).await;
    let post = socket.send(json!({ "type": "message.post", "room_id": room, "client_id": "c", "content": "x" })).await;
    assert_eq!(socket.answer(hello).await["type"], "ready");
    assert_eq!(socket.answer(post).await["seq"], 1);
}

#[actix_rt::test]
async fn a_hello_that_resumes_thousands_of_strange_rooms_is_told_of_each_and_goes_on() {
    let app = TestApp::start().await;
    let ada = app.sign_up("ada").await;
    let room = app.group(&[&ada]).await;
    app.post(&ada, &room, "c1", "x").await;
    let mut rooms = json!({ &room: 0 });
    for n in 1..10_000_u128 {
        rooms[uuid::Uuid::from_u128(n).to_string()] = json!(n as i64);
    }
    let (mut socket, ready) = app.resume(&ada, rooms).await;
    let refused = ready["resume_refused"].as_array().unwrap();
    assert!(refused.len() == 9_999 && refused.iter().all(|entry| entry["reason"] == "not_a_member"));
    assert_eq!(seqs(&socket.events_of_room(&room, 1).await), [1]);
    // What is no resume at all is a wrong field of this command, and no reason to hang up either.
    let mut socket = WsClient::open(&app.base).await;
    for resume in [json!([]), json!("all"), json!(7), json!([{ &room: 0 }])] {
        assert_eq!(socket.hello(&ada.token, resume).await["code"], "protocol.invalid_frame");
    }
    assert_eq!(socket.hello(&ada.token, json!({ &room: 0 })).await["type"], "ready");
}
