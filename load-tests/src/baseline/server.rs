//! The broadcaster: connections spread over threads, frames encoded once, writes coalesced.
//!
//! It speaks enough of the protocol for the scenarios: hello (whose token names the rooms that the connection listens
//! to), message.post, and nothing else. What it sends has the bytes of what an engine would send.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context;
use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::room::{Frame, Rooms};
use crate::client::text_field;

const READ_BYTES: usize = 64 * 1024;
/// Messages that one thread takes before it writes.
const BATCH_MAX: usize = 256;

/// Serves until the process is killed. Prints the port.
pub async fn serve(threads: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut lanes = Vec::new();
    let mut doors = Vec::new();
    for _ in 0..threads.max(1) {
        let (broadcast, deliveries) = mpsc::unbounded_channel::<Frame>();
        let (door, connections) = mpsc::unbounded_channel::<std::net::TcpStream>();
        lanes.push(broadcast);
        doors.push((door, deliveries, connections));
    }
    let rooms = Arc::new(Rooms::new(lanes));
    let mut ways = Vec::new();
    for (door, deliveries, connections) in doors {
        ways.push(door);
        let rooms = Arc::clone(&rooms);
        std::thread::spawn(move || run_thread(rooms, deliveries, connections));
    }
    println!("{}", listener.local_addr()?.port());
    for index in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let way = ways.get(index % ways.len()).context("at least one thread")?;
        way.send(stream.into_std()?).context("a thread ended")?;
    }
    Ok(())
}

/// What a thread knows of its connections.
#[derive(Default)]
struct Local {
    listeners: HashMap<u128, Vec<Rc<Connection>>>,
}

struct Connection {
    stream: TcpStream,
    /// Bytes that wait for the socket.
    out: RefCell<Vec<u8>>,
}

fn run_thread(
    rooms: Arc<Rooms>,
    deliveries: mpsc::UnboundedReceiver<Frame>,
    mut connections: mpsc::UnboundedReceiver<std::net::TcpStream>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let local = Rc::new(RefCell::new(Local::default()));
    LocalSet::new().block_on(&runtime, async move {
        tokio::task::spawn_local(deliver(Rc::clone(&local), deliveries));
        while let Some(stream) = connections.recv().await {
            let (local, rooms) = (Rc::clone(&local), Arc::clone(&rooms));
            tokio::task::spawn_local(async move {
                // A connection that breaks ends alone.
                let _ = converse(stream, &local, &rooms).await;
            });
        }
    });
}

/// Writes whatever has come to every listener, one write each.
async fn deliver(local: Rc<RefCell<Local>>, mut deliveries: mpsc::UnboundedReceiver<Frame>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut due: Vec<Rc<Connection>> = Vec::new();
    while deliveries.recv_many(&mut batch, BATCH_MAX).await > 0 {
        for frame in batch.drain(..) {
            let local = local.borrow();
            for connection in local.listeners.get(&frame.room).into_iter().flatten() {
                let mut out = connection.out.borrow_mut();
                if out.is_empty() {
                    due.push(Rc::clone(connection));
                }
                out.extend_from_slice(&frame.bytes);
            }
        }
        for connection in due.drain(..) {
            connection.flush();
        }
        // Whoever has something to say is heard in between.
        tokio::task::yield_now().await;
    }
}

impl Connection {
    /// Writes what the socket takes; the rest goes when it is writable.
    fn flush(self: &Rc<Self>) {
        let mut out = self.out.borrow_mut();
        match self.stream.try_write(&out) {
            Ok(sent) => drop(out.drain(..sent)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // Whoever reads from it notices that it is gone.
            Err(_) => out.clear(),
        }
        if !out.is_empty() {
            self.flush_later();
        }
    }

    fn flush_later(self: &Rc<Self>) {
        let connection = Rc::clone(self);
        tokio::task::spawn_local(async move {
            if connection.stream.writable().await.is_ok() {
                connection.flush();
            }
        });
    }

    fn say(self: &Rc<Self>, text: &str) {
        let mut out = self.out.borrow_mut();
        super::room::frame_into(&mut out, text);
        drop(out);
        self.flush();
    }
}

async fn converse(stream: std::net::TcpStream, local: &RefCell<Local>, rooms: &Rooms) -> anyhow::Result<()> {
    let mut stream = TcpStream::from_std(stream)?;
    let mut bytes = Vec::with_capacity(1024);
    while memchr::memmem::find(&bytes, b"\r\n\r\n").is_none() {
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "closed");
    }
    // The one key that the harness uses, and its answer (RFC 6455, section 1.3).
    stream
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .await?;
    let connection = Rc::new(Connection { stream, out: RefCell::default() });
    let mut inbox = Vec::new();
    let ended = listen(&connection, &mut inbox, local, rooms).await;
    for listeners in local.borrow_mut().listeners.values_mut() {
        listeners.retain(|known| !Rc::ptr_eq(known, &connection));
    }
    ended
}

async fn listen(
    connection: &Rc<Connection>,
    inbox: &mut Vec<u8>,
    local: &RefCell<Local>,
    rooms: &Rooms,
) -> anyhow::Result<()> {
    let fields = Fields::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        connection.stream.readable().await?;
        match connection.stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => inbox.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        let mut used = 0;
        while let Some((opcode, payload, whole)) = client_frame(inbox.get(used..).unwrap_or_default()) {
            used += whole;
            match opcode {
                1 => obey(payload, &fields, connection, local, rooms)?,
                8 => return Ok(()),
                _ => {}
            }
        }
        inbox.drain(..used);
    }
}

/// The harness masks with zeros, so the payload is as it is.
fn client_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (header, len) = match bytes.get(1)? & 0x7F {
        126 => (8, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (14, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (6, usize::from(short)),
    };
    Some((bytes.first()? & 0x0F, bytes.get(header..header + len)?, header + len))
}

struct Fields {
    kind: Finder<'static>,
    token: Finder<'static>,
    room: Finder<'static>,
    client_id: Finder<'static>,
    content: Finder<'static>,
    id: Finder<'static>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            kind: Finder::new("\"type\":\""),
            token: Finder::new("\"token\":\""),
            room: Finder::new("\"room_id\":\""),
            client_id: Finder::new("\"client_id\":\""),
            content: Finder::new("\"content\":\""),
            id: Finder::new("\"id\":"),
        }
    }
}

fn obey(
    payload: &[u8],
    fields: &Fields,
    connection: &Rc<Connection>,
    local: &RefCell<Local>,
    rooms: &Rooms,
) -> anyhow::Result<()> {
    let text = |field| text_field(payload, field).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    match text(&fields.kind) {
        "hello" => {
            let mut places = Vec::new();
            for room in text(&fields.token).split(',').filter_map(|id| uuid::Uuid::parse_str(id).ok()) {
                local.borrow_mut().listeners.entry(room.as_u128()).or_default().push(Rc::clone(connection));
                places.push(format!("{{\"id\":\"{room}\",\"last_seq\":{}}}", rooms.last_seq(room)));
            }
            let (id, places) = (uuid::Uuid::now_v7(), places.join(","));
            connection
                .say(&format!("{{\"type\":\"ready\",\"re\":1,\"user\":{{\"id\":\"{id}\"}},\"rooms\":[{places}]}}"));
        }
        "message.post" => {
            let room = uuid::Uuid::parse_str(text(&fields.room)).context("a room")?;
            let answer = rooms.post(room, text(&fields.client_id), text(&fields.content));
            let from = fields.id.find(payload).map_or(0, |at| at + fields.id.needle().len());
            let digits = payload.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
            let re: String = digits.map(|digit| char::from(*digit)).collect();
            connection.say(&answer.ok(&re));
        }
        _ => {}
    }
    Ok(())
}
