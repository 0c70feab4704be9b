//! The session as an actor: its beginning, its end, and the frames of its socket in between.
//!
//! The WebSocket is ours down to the bytes, frames aside (`actix_http::ws`): a connection under `actix-web-actors` or
//! `actix-ws` keeps the HTTP dispatcher and its buffers for as long as it lives, where this one keeps a task and a link.

use std::rc::Rc;
use std::time::Instant;

use actix::{Actor, ActorContext, AsyncContext, Context, StreamHandler};
use actix_http::ws::{CloseReason, Frame, Item, Parser, ProtocolError};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Bytes, BytesMut};

use super::hub::Seat;
use super::incoming::Incoming;
use super::link::Link;
use super::reader::Reader;
use super::session::{SessionParts, UserSession};
use crate::wire::close;

/// Starts a session on a connection that HTTP has let go; `already` was read with the request.
pub fn begin(parts: &Rc<SessionParts>, seat: Seat, socket: TcpStream, already: &[u8]) {
    let socket = Rc::new(socket);
    let key = parts.hub.borrow_mut().next_key();
    let link = Link::new(key, Rc::clone(parts), Rc::clone(&socket));
    let incoming = Incoming::new(&parts.hellos);
    let frames = Reader::new(socket, Rc::clone(&parts.read_buffer), already, Rc::clone(&incoming));
    let mut context = Context::new();
    context.add_stream(frames);
    let task = actix_rt::spawn(context.into_future(UserSession::new(Rc::clone(&link), seat, incoming)));
    link.attach(task.abort_handle());
}

impl Actor for UserSession {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
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

impl StreamHandler<Result<Frame, ProtocolError>> for UserSession {
    fn handle(&mut self, frame: Result<Frame, ProtocolError>, ctx: &mut Self::Context) {
        self.parts.frames_in.increment(1);
        match frame {
            Ok(Frame::Close(reason)) => self.part(reason, ctx),
            // What it sends before it takes our close is for nobody.
            _ if self.link.is_closing() => {}
            Ok(Frame::Text(text)) => self.hear_bytes(&text, ctx),
            Ok(Frame::Continuation(item)) => self.assemble(item, ctx),
            Ok(Frame::Ping(payload)) => {
                self.link.heard_at.set(Instant::now());
                self.link.answer_ping(&payload);
            }
            Ok(Frame::Pong(_)) => self.link.heard_at.set(Instant::now()),
            Ok(Frame::Binary(_)) => self.close(close::PROTOCOL_ERROR),
            Err(_) if self.incoming.is_refused() => self.close(close::UNAVAILABLE),
            Err(error) => {
                let (session_id, device_id) = (self.link.session, self.link.device_id());
                tracing::debug!(%error, %session_id, device_id, "a client broke the protocol");
                self.close(close::PROTOCOL_ERROR);
            }
        }
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        tracing::debug!(session_id = %self.link.session, device_id = self.link.device_id(), "a client has said its last");
        self.send_batch();
        ctx.stop();
    }
}

impl UserSession {
    fn hear_bytes(&mut self, text: &[u8], ctx: &mut Context<Self>) {
        match std::str::from_utf8(text) {
            Ok(text) => self.hear(text, ctx),
            Err(_) => self.close(close::PROTOCOL_ERROR),
        }
    }

    /// The client leaves, or answers our close. What waits for it leaves as far as the connection takes it at once.
    fn part(&mut self, reason: Option<CloseReason>, ctx: &mut Context<Self>) {
        self.send_batch();
        self.parts.flusher.flush(&self.link, Instant::now());
        if !self.link.said_goodbye()
            && !self.link.is_blocked()
            && let Some(socket) = self.link.socket()
        {
            let mut echo = BytesMut::new();
            Parser::write_close(&mut echo, reason, false);
            // It has said its last: whether it hears ours makes no difference.
            let _ = socket.try_write(&echo);
        }
        ctx.stop();
    }

    /// Puts a fragmented text together; the whole obeys the same bound as one frame.
    fn assemble(&mut self, item: Item, ctx: &mut Context<Self>) {
        let whole = match item {
            Item::FirstText(part) => {
                self.fragments = Some(BytesMut::from(&*part));
                None
            }
            Item::Continue(part) if self.append(&part) => None,
            Item::Last(part) if self.append(&part) => self.fragments.take(),
            Item::FirstBinary(_) | Item::Continue(_) | Item::Last(_) => return self.close(close::PROTOCOL_ERROR),
        };
        if let Some(whole) = whole {
            self.hear_bytes(&whole, ctx);
        }
    }

    fn append(&mut self, part: &Bytes) -> bool {
        let max = self.incoming.bytes_max();
        match &mut self.fragments {
            Some(parts) if parts.len() + part.len() <= max => {
                parts.extend_from_slice(part);
                true
            }
            _ => false,
        }
    }
}
