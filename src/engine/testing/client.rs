//! A WebSocket client that speaks the public protocol and nothing else.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// No test waits longer for one frame: a bound for failures, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub struct WsClient {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Events that came while an answer was awaited.
    events: VecDeque<Value>,
    /// Answers that came while something else was awaited.
    answers: HashMap<u64, Value>,
}

impl WsClient {
    /// Connects; nothing is said yet.
    pub async fn open(base: &str) -> Self {
        Self::try_open(base).await.unwrap()
    }

    /// The same to an engine that may be away.
    pub async fn try_open(base: &str) -> Result<Self, Error> {
        let url = format!("{}/api/v1/ws", base.replacen("http", "ws", 1));
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket, next_id: 1, events: VecDeque::new(), answers: HashMap::new() })
    }

    /// Says hello and returns the answer, whatever it is.
    pub async fn hello(&mut self, token: &str, resume: Value) -> Value {
        self.ask(json!({ "type": "hello", "token": token, "resume": resume })).await
    }

    /// Sends a command with a new id and returns that id.
    pub async fn send(&mut self, mut command: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        command["id"] = json!(id);
        self.send_text(&command.to_string()).await;
        id
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.try_send_text(text).await.unwrap();
    }

    /// The same to an engine that may be gone.
    pub async fn try_send_text(&mut self, text: &str) -> Result<(), Error> {
        self.socket.send(Message::text(text)).await
    }

    /// Sends a command and returns its answer; events that come before it are kept for [`WsClient::event`].
    pub async fn ask(&mut self, command: Value) -> Value {
        let id = self.send(command).await;
        self.answer(id).await
    }

    /// The answer to command `id`.
    pub async fn answer(&mut self, id: u64) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            let frame = self.frame().await.unwrap_or_else(|code| panic!("closed with {code} instead of an answer"));
            self.keep(frame);
        }
    }

    fn keep(&mut self, frame: Value) {
        match frame["re"].as_u64() {
            Some(re) => assert!(self.answers.insert(re, frame).is_none(), "{re} was answered twice"),
            None if frame["type"] == "heartbeat" => {}
            None => self.events.push_back(frame),
        }
    }

    /// Posts a message and returns the answer.
    pub async fn post(&mut self, room: &str, client_id: &str, content: &str) -> Value {
        self.ask(json!({ "type": "message.post", "room_id": room, "client_id": client_id, "content": content })).await
    }

    /// Sends all of these as fast as the socket takes them, reading all the while; the answers in the order of the
    /// commands, and what else was heard goes to [`WsClient::event`].
    pub async fn burst(&mut self, commands: Vec<Value>) -> Vec<Value> {
        let first = self.next_id;
        self.next_id += commands.len() as u64;
        let ids: Vec<u64> = (first..self.next_id).collect();
        let (mut sink, mut stream) = (&mut self.socket).split();
        let sending = async {
            for (mut command, id) in commands.into_iter().zip(&ids) {
                command["id"] = json!(id);
                sink.feed(Message::text(command.to_string())).await.unwrap();
            }
            sink.flush().await.unwrap();
        };
        let mut answers = HashMap::new();
        let events = &mut self.events;
        let receiving = async {
            while answers.len() < ids.len() {
                let message = tokio::time::timeout(PATIENCE, stream.next()).await.expect("an answer in time");
                let Some(Ok(Message::Text(text))) = message else { panic!("no answer but {message:?}") };
                let frame: Value = serde_json::from_str(&text).unwrap();
                match frame["re"].as_u64() {
                    Some(re) => assert!(answers.insert(re, frame).is_none(), "{re} was answered twice"),
                    None => events.push_back(frame),
                }
            }
        };
        futures_util::future::join(sending, receiving).await;
        ids.iter().map(|id| answers.remove(id).unwrap()).collect()
    }

    /// Posts all of these in one go, each under its content as client id; the answers in that order.
    pub async fn post_all(&mut self, room: &str, contents: impl IntoIterator<Item = String>) -> Vec<Value> {
        let post = |content: String| json!({ "type": "message.post", "room_id": room, "client_id": content, "content": content });
        self.burst(contents.into_iter().map(post).collect()).await
    }

    /// Everything in the room after `after`, page by page, as a client would ask for it.
    pub async fn catch_up(&mut self, room: &str, mut after: i64, limit: usize) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let ask = json!({ "type": "room.catch_up", "room_id": room, "after": after, "limit": limit });
            let page = self.ask(ask).await;
            assert_eq!(page["type"], "ok", "{page}");
            let items = page["events"].as_array().unwrap();
            assert!(items.len() <= limit);
            events.extend_from_slice(items);
            after = events.last().map_or(after, |event| event["seq"].as_i64().unwrap());
            if page["more"] == json!(false) {
                assert_eq!(page["last_seq"], json!(after));
                return events;
            }
        }
    }

    /// The next frame that is no answer and no heartbeat.
    pub async fn event(&mut self) -> Value {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let frame = self.frame().await.unwrap_or_else(|code| panic!("closed with {code} instead of an event"));
            self.keep(frame);
        }
    }

    /// The same, if there is one within this time.
    pub async fn event_within(&mut self, time: Duration) -> Option<Value> {
        tokio::time::timeout(time, self.event()).await.ok()
    }

    /// What has been heard and not been asked for.
    pub fn heard(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events).into()
    }

    /// The next event of this type; others are skipped.
    pub async fn event_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The next `count` durable events of a room.
    pub async fn events_of_room(&mut self, room: &str, count: usize) -> Vec<Value> {
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            let event = self.event().await;
            assert_ne!(event["type"], "room.lagged", "use `follow` where a backlog may be shed");
            if event["room_id"] == room && event.get("seq").is_some() {
                events.push(event);
            }
        }
        events
    }

    /// A room's events from 1 to `last`, with holes closed by catching up, as a client does; and how often the engine
    /// asked for that.
    pub async fn follow(&mut self, room: &str, last: i64) -> (Vec<Value>, usize) {
        let (mut heard, mut lagged): (Vec<Value>, usize) = (Vec::new(), 0);
        let newest = |heard: &[Value]| heard.last().map_or(0, |event| event["seq"].as_i64().unwrap());
        while newest(&heard) < last {
            let event = self.event().await;
            if event["room_id"] != room {
                continue;
            }
            if event["type"] == "room.lagged" {
                lagged += 1;
                let missed = self.catch_up(room, newest(&heard), 200).await;
                heard.extend(missed);
            } else if event["seq"].as_i64().is_some_and(|seq| seq > newest(&heard)) {
                heard.push(event);
            }
        }
        (heard, lagged)
    }

    /// The next frame as it comes, or the close code.
    pub async fn frame(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(close)))) => return Err(close.code.into()),
                // 1006: ended without a close frame.
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(1006),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads until the close code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.frame().await {
                return code;
            }
        }
    }
}

/// The `seq` of each event.
pub fn seqs(events: &[Value]) -> Vec<i64> {
    events.iter().filter_map(|event| event["seq"].as_i64()).collect()
}

/// The text of each message.
pub fn contents(events: &[Value]) -> Vec<String> {
    let text = |event: &Value| event["message"]["content"].as_str().map(str::to_owned);
    events.iter().filter_map(text).collect()
}
