//! A device against a server that says what a test wants it to.

use std::rc::Rc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Device, Watcher};
use crate::client::handshake::shake_hands;
use crate::client::{Person, RoomKey};

const ROOM: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

/// What a device reported, in words, as it happens.
struct Ears(mpsc::UnboundedSender<String>);

impl Watcher for Ears {
    fn arrived(&self, _: &[u8], _: Instant) {}
    fn out_of_order(&self, _: RoomKey, seq: u64, expected: u64) {
        self.0.send(format!("{seq} rather than {expected}")).unwrap();
    }
    fn ended(&self, code: Option<u16>) {
        self.0.send(format!("ended {code:?}")).unwrap();
    }
    fn broken(&self, what: String) {
        self.0.send(what).unwrap();
    }
}

/// The server's end of one connection.
struct Line(TcpStream);

impl Line {
    /// Takes a connection and its hello, and answers with one room; what the device resumes from in it.
    async fn take(listener: &TcpListener, last_seq: u64) -> (Self, Option<u64>) {
        let (line, hello) = Self::greet(listener, json!({ "rooms": [{ "id": ROOM, "last_seq": last_seq }] })).await;
        (line, hello["resume"][ROOM.to_string()].as_u64())
    }

    /// Takes a connection and its hello, which is returned, and answers with these fields.
    async fn greet(listener: &TcpListener, mut ready: Value) -> (Self, Value) {
        let mut line = Self(shake_hands(listener).await);
        let hello = line.hear().await;
        ready["type"] = json!("ready");
        ready["heartbeat_ms"] = json!(25_000);
        line.say(&ready).await;
        (line, hello)
    }

    /// The next text frame. The mask of our clients is zero.
    async fn hear(&mut self) -> Value {
        let stream = &mut self.0;
        loop {
            let (first, len) = (stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap() & 0x7F);
            let len = if len == 126 { usize::from(stream.read_u16().await.unwrap()) } else { usize::from(len) };
            let mut payload = vec![0; len + 4];
            stream.read_exact(&mut payload).await.unwrap();
            if first == 0x81 {
                return serde_json::from_slice(&payload[4..]).unwrap();
            }
        }
    }

    async fn say(&mut self, frame: &Value) {
        let text = frame.to_string();
        let mut bytes = vec![0x81, 126];
        bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
        self.0.write_all(&bytes).await.unwrap();
    }

    async fn event(&mut self, room: Uuid, seq: u64) {
        self.say(&json!({ "type": "message.posted", "room_id": room, "seq": seq })).await;
    }

    async fn close(mut self, code: u16) {
        let [high, low] = code.to_be_bytes();
        self.0.write_all(&[0x88, 2, high, low]).await.unwrap();
    }
}

/// A device that is connected to a server where its room is at `last_seq`.
async fn connected(last_seq: u64) -> (Rc<Device>, mpsc::UnboundedReceiver<String>, TcpListener, Line) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, reports) = mpsc::unbounded_channel();
    let person = Person { id: Uuid::from_u128(7), token: "t".to_owned() };
    let device = Device::new(person, listener.local_addr().unwrap(), Rc::new(Ears(sender)));
    let ((line, resumed), done) = tokio::join!(Line::take(&listener, last_seq), device.connect());
    done.unwrap();
    assert_eq!(resumed, None);
    (device, reports, listener, line)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// Asks until the device has had time to read what was said: an answer comes after everything before it.
async fn heard(device: &Rc<Device>, line: &mut Line) {
    let asked = async {
        let ping = line.hear().await;
        line.say(&json!({ "type": "pong", "re": ping["id"] })).await;
    };
    let (answer, ()) = tokio::join!(device.command("ping", ""), asked);
    answer.unwrap();
}

#[test]
fn a_connection_that_the_engine_ends_is_reported_and_resumed() {
    run(async {
        let (device, mut reports, listener, mut line) = connected(5).await;
        line.event(ROOM, 6).await;
        line.close(4003).await;
        assert_eq!(reports.recv().await.unwrap(), "ended Some(4003)");
        let (mut line, resumed) = Line::take(&listener, 8).await;
        assert_eq!(resumed, Some(6));
        line.event(ROOM, 7).await;
        line.event(ROOM, 8).await;
        // Its connection is the new one only once it has read `ready`.
        while device.last_seq(ROOM) != Some(8) {
            tokio::task::yield_now().await;
        }
        assert_eq!(device.places()[&ROOM], 8);
        assert!(reports.try_recv().is_err(), "nothing else to report");
    });
}

#[test]
fn one_that_it_ends_itself_is_not_reported() {
    run(async {
        let (device, mut reports, listener, line) = connected(5).await;
        let (back, (mut again, _)) = tokio::join!(device.come_back(), Line::take(&listener, 5));
        back.unwrap();
        drop(line);
        heard(&device, &mut again).await;
        assert!(reports.try_recv().is_err());
        assert!(device.is_connected());
    });
}

#[test]
fn what_was_shed_is_read_again_however_often_it_is_refused() {
    run(async {
        let (device, mut reports, listener, mut line) = connected(5).await;
        line.say(&json!({ "type": "room.lagged", "room_id": ROOM, "last_seq": 9 })).await;
        let asked = line.hear().await;
        assert_eq!((&asked["type"], &asked["after"]), (&json!("room.catch_up"), &json!(5)));
        let busy = json!({ "type": "error", "re": asked["id"], "code": "engine.busy", "retry": "later" });
        line.say(&busy).await;
        let asked = line.hear().await;
        assert_eq!(asked["after"], 5, "it asks again");
        let events = [6, 7].map(|seq| json!({ "seq": seq }));
        line.say(&json!({ "type": "ok", "re": asked["id"], "events": events })).await;
        let asked = line.hear().await;
        assert_eq!(asked["after"], 7);
        assert_eq!((device.last_seq(ROOM), device.places()[&ROOM]), (Some(9), 7));
        line.close(4000).await;
        let (_line, resumed) = Line::take(&listener, 9).await;
        assert_eq!(resumed, Some(7), "it resumes from where it has everything");
        assert_eq!(reports.recv().await.unwrap(), "ended Some(4000)");
    });
}

#[test]
fn a_room_that_it_may_not_read_any_more_is_left() {
    run(async {
        let (device, mut reports, listener, mut line) = connected(5).await;
        for last_seq in [9, 11] {
            line.say(&json!({ "type": "room.lagged", "room_id": ROOM, "last_seq": last_seq })).await;
            let asked = line.hear().await;
            let denied = json!({ "type": "error", "re": asked["id"], "code": "chat.room_not_found", "retry": "never" });
            line.say(&denied).await;
            heard(&device, &mut line).await;
            assert!(device.places().is_empty());
            assert!(reports.try_recv().is_err());
        }
        line.say(&json!({ "type": "room.joined", "room": { "id": ROOM, "last_seq": 12 } })).await;
        line.event(ROOM, 13).await;
        heard(&device, &mut line).await;
        assert_eq!(device.places()[&ROOM], 13);
        line.close(4000).await;
        let (_line, resumed) = Line::take(&listener, 13).await;
        assert_eq!(resumed, Some(13));
        assert_eq!(reports.recv().await.unwrap(), "ended Some(4000)");
    });
}

#[test]
fn an_event_of_a_room_that_it_was_not_told_of_is_a_failure() {
    run(async {
        let (device, mut reports, _listener, mut line) = connected(5).await;
        line.say(&json!({ "type": "room.joined", "room": { "id": Uuid::from_u128(3), "last_seq": 1 } })).await;
        line.event(Uuid::from_u128(3), 2).await;
        line.event(OTHER, 4).await;
        line.event(OTHER, 5).await;
        line.event(ROOM, 7).await;
        heard(&device, &mut line).await;
        let first = reports.try_recv().unwrap();
        assert!(first.contains("was not told to be in"), "{first}");
        assert_eq!(reports.try_recv().unwrap(), "7 rather than 6");
        assert!(reports.try_recv().is_err());
    });
}

#[test]
fn it_says_of_which_log_what_it_has_is() {
    run(async {
        let (device, _reports, listener, _line) = connected(5).await;
        for known in [Value::Null, json!(OTHER)] {
            let ready = json!({ "epoch": OTHER, "rooms": [{ "id": ROOM, "last_seq": 5 }] });
            let (back, (_line, hello)) = tokio::join!(device.come_back(), Line::greet(&listener, ready));
            back.unwrap();
            assert_eq!(hello["epoch"], known);
        }
    });
}

#[test]
fn what_is_not_resumed_is_read_anew_and_only_for_two_reasons() {
    run(async {
        let here = json!([{ "id": ROOM, "last_seq": 9 }]);
        let refused = |reason| json!([{ "room_id": ROOM, "reason": reason }]);
        for (rooms, refused, has, report) in [
            (&here, json!([]), Some(5), None),
            (&here, refused("too_many"), Some(9), None),
            (&json!([]), refused("not_a_member"), None, None),
            (&here, refused("not_a_member"), Some(9), Some("refused as not_a_member")),
            (&here, refused("ahead"), Some(9), Some("refused as ahead")),
            (&here, refused("epoch"), Some(9), Some("refused as epoch")),
            (&json!([]), json!([]), None, Some("neither resumed nor refused")),
        ] {
            let (device, mut reports, listener, _line) = connected(5).await;
            let ready = json!({ "epoch": OTHER, "rooms": rooms, "resume_refused": refused });
            let (back, _line) = tokio::join!(device.come_back(), Line::greet(&listener, ready));
            back.unwrap();
            assert_eq!(device.places().get(&ROOM).copied(), has, "{refused}");
            let said = reports.try_recv().ok();
            assert_eq!(said.is_some(), report.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().contains(report.unwrap_or_default()));
        }
    });
}
