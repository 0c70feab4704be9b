//! The WebSocket itself: the only file that names `actix-web-actors`, which upstream has deprecated.
//!
//! It was measured against its successor `actix-ws` and costs less here. What it does not do, this file and its
//! neighbours add: bounds (an actor whose socket is blocked is not polled, so what waits for it waits in its outbox),
//! whole messages out of fragments, and an end to peers that take nothing (`TCP_USER_TIMEOUT`).

use std::any::Any;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, StreamHandler, WrapFuture};
use actix_http::ws::Item;
use actix_web::rt::net::TcpStream;
use actix_web::web::{Bytes, BytesMut, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use actix_web_actors::ws::{
    CloseCode as WsCloseCode, CloseReason, Message, ProtocolError, WebsocketContext, WsResponseBuilder,
};

use super::link::Link;
use super::outbox::Outbox;
use super::session::{Drain, SessionParts, UserSession};
use crate::wire::close::{self, CloseCode};

/// Bytes handed to the connection at once: enough for writes to coalesce, little enough for the rest to stay sheddable.
const DRAIN_BYTES: usize = 64 * 1024;

/// The context of a session: an actor's, with a socket.
pub type SocketContext = WebsocketContext<UserSession>;

/// The parts of a message that comes in several frames.
#[derive(Default)]
pub struct Fragments(Option<BytesMut>);

/// Run for each accepted TCP connection.
pub fn prepare_connection(connection: &dyn Any, stalled_socket_ms: u32) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    // actix-web does not set it for these connections; without it, p99 was 45 ms.
    let nodelay = stream.set_nodelay(true);
    let timeout =
        socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_millis(stalled_socket_ms.into())));
    if let Err(error) = nodelay.and(timeout) {
        tracing::debug!(%error, "a connection ended before it began");
    }
}

/// `GET /api/v1/ws`: the realtime connection. See the AsyncAPI document for what is said on it.
pub async fn upgrade(
    request: HttpRequest,
    payload: Payload,
    parts: Data<LocalParts>,
) -> Result<HttpResponse, actix_web::Error> {
    let parts = Rc::clone(&parts.0);
    let config = &parts.config;
    let key = parts.hub.borrow_mut().next_key();
    let link = Link::new(key, Outbox::new(config.outbox_bytes_max, config.outbox_bytes_limit));
    let frame_bytes_max = config.frame_bytes_max;
    let session = UserSession::new(parts, link);
    // Room for the longest message twice: one being understood, one on its way.
    let payload = session.meter.limit(payload, 2 * frame_bytes_max);
    WsResponseBuilder::new(session, &request, payload).frame_size(frame_bytes_max).start()
}

/// [`SessionParts`] for the app of one worker thread.
pub struct LocalParts(pub Rc<SessionParts>);

impl Actor for UserSession {
    type Context = SocketContext;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.link.attach(ctx.address());
        self.parts.hub.borrow_mut().connect(&self.link);
        metrics::gauge!("parlance_sockets").increment(1.0);
    }

    // Also runs while a panic unwinds: nothing in here may panic.
    fn stopped(&mut self, _: &mut Self::Context) {
        if let Ok(mut hub) = self.parts.hub.try_borrow_mut() {
            hub.disconnect(&self.link);
        }
        self.link.detach();
        metrics::gauge!("parlance_sockets").decrement(1.0);
        if self.link.ready.get() {
            metrics::gauge!("parlance_sessions").decrement(1.0);
        }
    }
}

impl Handler<Drain> for UserSession {
    type Result = ();

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) {
        self.drain(ctx);
    }
}

impl UserSession {
    /// Hands the connection what waits. Runs only while the connection takes bytes: a blocked socket leaves everything
    /// in the outbox.
    fn drain(&mut self, ctx: &mut SocketContext) {
        self.link.awake();
        let frames = self.link.with_quietly(|outbox| outbox.take(DRAIN_BYTES));
        if !frames.is_empty() {
            let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
            metrics::counter!("parlance_frames_out_total").increment(frames.len() as u64);
            metrics::counter!("parlance_bytes_out_total").increment(bytes as u64);
            self.link.spoke_at.set(Instant::now());
            for frame in frames {
                ctx.text(frame);
            }
            self.link.drained.notify_waiters();
        }
        if let Some(code) = self.link.with_quietly(|outbox| outbox.closing()) {
            return hang_up(code, ctx);
        }
        self.read_if_behind();
        if !self.link.with_quietly(|outbox| outbox.is_empty()) {
            // Not at once, which would empty the outbox into the connection: when the connection asks for more.
            let later = tokio::task::yield_now().into_actor(self);
            ctx.spawn(later.map(|(), session, ctx| session.drain(ctx)));
        }
    }
}

fn payload_len(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Continuation(
            Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes) | Item::Last(bytes),
        ) => bytes.len(),
        Message::Close(_) | Message::Nop => 0,
    }
}

fn hang_up(code: CloseCode, ctx: &mut SocketContext) {
    metrics::counter!("parlance_closes_total", "code" => code.code.to_string()).increment(1);
    ctx.close(Some(CloseReason { code: WsCloseCode::Other(code.code), description: Some(code.reason.to_owned()) }));
    ctx.stop();
}

impl StreamHandler<Result<Message, ProtocolError>> for UserSession {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        metrics::counter!("parlance_frames_in_total").increment(1);
        self.meter.understood(message.as_ref().map_or(0, payload_len));
        match message {
            Ok(Message::Text(text)) => self.hear(&text, ctx),
            Ok(Message::Continuation(item)) => self.assemble(item, ctx),
            Ok(Message::Ping(payload)) => {
                self.link.heard_at.set(Instant::now());
                ctx.pong(&payload);
            }
            Ok(Message::Pong(_)) => self.link.heard_at.set(Instant::now()),
            Ok(Message::Nop) => {}
            Ok(Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(Message::Binary(_)) => self.close(close::PROTOCOL_ERROR),
            Err(error) => {
                tracing::debug!(%error, "a client broke the protocol");
                hang_up(close::PROTOCOL_ERROR, ctx);
            }
        }
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

impl UserSession {
    /// Puts a fragmented text together; the whole obeys the same bound as one frame.
    fn assemble(&mut self, item: Item, ctx: &mut SocketContext) {
        let whole = match item {
            Item::FirstText(part) => {
                self.fragments.0 = Some(BytesMut::from(&*part));
                None
            }
            Item::Continue(part) if self.append(&part) => None,
            Item::Last(part) if self.append(&part) => self.fragments.0.take(),
            Item::FirstBinary(_) | Item::Continue(_) | Item::Last(_) => return self.close(close::PROTOCOL_ERROR),
        };
        let Some(whole) = whole else { return };
        match std::str::from_utf8(&whole) {
            Ok(text) => self.hear(text, ctx),
            Err(_) => self.close(close::PROTOCOL_ERROR),
        }
    }

    fn append(&mut self, part: &Bytes) -> bool {
        let max = self.parts.config.frame_bytes_max;
        match &mut self.fragments.0 {
            Some(parts) if parts.len() + part.len() <= max => {
                parts.extend_from_slice(part);
                true
            }
            _ => false,
        }
    }
}
