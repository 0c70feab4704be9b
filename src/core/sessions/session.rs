//! One connected device. Thin shell: frames in, commands to whoever takes them, answers out.
//!
//! Life: *greeting* until hello is accepted, then *ready*. The socket's own trade is in `socket.rs`, what commands see of the
//! session in `desk.rs`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use actix_web::web::BytesMut;

use super::config::{MESSAGE_BYTES_MAX, SessionsConfig};
use super::flusher::Flusher;
use super::hub::{LocalHub, Seat};
use super::incoming::{Hellos, Incoming};
use super::link::Link;
use super::reader::ReadBuffer;
use super::resumption::{self, Resumption};
use super::wire::{Hello, Ready};
use crate::accounts::wire::Device;
use crate::accounts::{Auth, AuthError, Caller, input};
use crate::commands::{Answers, Batch, Commands, Place};
use crate::limits::Limits;
use crate::order::OrderSources;
use crate::rooms::config::ChatConfig;
use crate::rooms::error::ChatError;
use crate::rooms::{Entrance, ListingMax, Lobby, Rooms, store};
use crate::wire::close::{self, CloseCode};
use crate::wire::{self, Answer, BadFrame, Resume};
use parlance_foundation::clock::Clock;
use parlance_foundation::ids::{RoomId, UserId};
use parlance_foundation::problem::Problem;
use parlance_foundation::storage::Storage;

/// A room's id and a seq in a hello, with what JSON puts around them.
const RESUMED_ROOM_BYTES: usize = 64;

/// What every session of a thread needs from the engine.
pub struct SessionParts {
    pub config: Arc<SessionsConfig>,
    pub chat: Arc<ChatConfig>,
    pub clock: Clock,
    pub auth: Auth,
    pub storage: Storage,
    pub rooms: Rooms,
    /// Where each kind of order that a session follows is read.
    pub orders: OrderSources,
    pub lobby: Lobby,
    pub limits: Limits,
    pub hub: LocalHub,
    /// The same hub, for answers that come from other threads.
    pub answers: Arc<dyn Answers>,
    pub commands: Commands,
    pub flusher: Rc<Flusher>,
    pub read_buffer: Rc<ReadBuffer>,
    pub hellos: Rc<Hellos>,
    pub frames_in: metrics::Counter,
    /// Sockets that this thread takes on.
    pub connections_max: usize,
}

/// The bounds of what clients send: a hello that resumes every room that a person may be in is understood.
pub fn hellos(sessions: &SessionsConfig, chat: &ChatConfig) -> Rc<Hellos> {
    let resume = chat.rooms_per_user_max.saturating_mul(RESUMED_ROOM_BYTES);
    let usual = sessions.frame_bytes_max;
    Hellos::new(usual, usual.saturating_add(resume).min(MESSAGE_BYTES_MAX))
}

/// See the module.
pub struct UserSession {
    pub(super) parts: Rc<SessionParts>,
    pub(super) link: Rc<Link>,
    /// The parts of a message that comes in several frames.
    pub(super) fragments: Option<BytesMut>,
    /// Commands of what is being heard in one go wait in here, and leave in one go.
    pub(super) batch: Option<Rc<dyn Batch>>,
    pub(super) phase: Phase,
    bad_frames: u32,
    pub(super) incoming: Rc<Incoming>,
    _seat: Seat,
}

#[derive(Clone, Copy)]
pub(super) enum Phase {
    Greeting,
    Ready(UserId),
}

impl UserSession {
    pub fn new(link: Rc<Link>, seat: Seat, incoming: Rc<Incoming>) -> Self {
        let parts = Rc::clone(&link.parts);
        let (batch, phase) = (None, Phase::Greeting);
        Self { parts, link, fragments: None, batch, phase, bad_frames: 0, incoming, _seat: seat }
    }

    /// One whole text frame of the client.
    pub(super) fn hear(&mut self, text: &str, ctx: &mut Context<Self>) {
        self.link.heard_at.set(Instant::now());
        match self.obey(text, ctx) {
            Ok(()) => self.bad_frames = 0,
            Err(bad) => {
                self.say(wire::error(bad.re, &bad.problem));
                self.bad_frames += u32::from(bad.garbage);
                if self.bad_frames >= self.parts.config.bad_frames_max {
                    self.close(close::PROTOCOL_ERROR);
                }
            }
        }
    }

    fn obey(&mut self, text: &str, ctx: &mut Context<Self>) -> Result<(), BadFrame> {
        let heard = wire::decode(text)?;
        let parts = Rc::clone(&self.parts);
        match parts.commands.find(&heard)? {
            Place::Own(index) => self.obey_own(index, &heard, ctx),
            Place::Of { feature, index } => parts.commands.run(feature, index, &heard, &mut self.at_desk(ctx)),
        }
    }

    /// Says something to the client.
    pub(super) fn say(&self, frame: bytestring::ByteString) {
        self.link.with(|outbox| outbox.push(frame));
    }

    /// Says why and closes, once everything before has left.
    pub(super) fn close(&self, code: CloseCode) {
        self.link.close(code);
    }

    pub(super) fn greet(&mut self, re: Option<u64>, hello: Hello, ctx: &mut Context<Self>) {
        let (parts, link) = (Rc::clone(&self.parts), Rc::clone(&self.link));
        // A wrong field is answered, and the client may say hello again.
        let device = match device_of(&hello) {
            Ok(device) => device,
            Err(problem) => return self.say(wire::error(re, &problem)),
        };
        if let Some(device) = device {
            link.come_from(device);
        }
        // It came in time, however long the answer takes.
        link.heard_hello.set(true);
        // What was said so far leaves now; what comes from here on, after `ready`.
        parts.flusher.flush(&link, Instant::now());
        link.holding.set(true);
        let greeting = async move { greet(&parts, &link, hello).await };
        // The client's next commands wait until it is greeted.
        ctx.wait(greeting.into_actor(self).map(move |greeted, session, _| {
            session.link.holding.set(false);
            match greeted {
                Ok(greeted) => session.become_ready(re, greeted),
                Err(problem) => session.refuse(re, &problem),
            }
        }));
    }

    fn refuse(&mut self, re: Option<u64>, problem: &Problem) {
        tracing::debug!(session_id = %self.link.session, device_id = self.link.device_id(), code = problem.code, "a hello was refused");
        let code = match problem.status.as_u16() {
            500.. => close::UNAVAILABLE,
            429 => close::TOO_MANY_SOCKETS,
            400 => close::PROTOCOL_ERROR,
            _ => close::BAD_TOKEN,
        };
        self.say(wire::error(re, problem));
        self.close(code);
    }

    fn become_ready(&mut self, re: Option<u64>, greeted: Greeted) {
        let Greeted { caller, ready, followed, behind } = greeted;
        if self.link.is_closing() {
            return;
        }
        self.phase = Phase::Ready(caller.user_id);
        self.link.ready.set(true);
        self.incoming.greeted();
        metrics::gauge!("parlance_sessions").increment(1.0);
        let (session_id, device_id) = (self.link.session, self.link.device_id());
        tracing::debug!(%session_id, user_id = %caller.user_id, device_id, "a session is ready");
        note_device(&self.parts, &self.link, &caller);
        self.link.with(|outbox| {
            // Before what was heard while the rooms were read; what was missed is read after it.
            outbox.push_ready(ready.encode(re));
            for (room, next) in behind {
                outbox.follow_behind(room.into(), next);
            }
        });
        self.link.with(|outbox| {
            for room in followed {
                // What was committed after the rooms were read and before they were listened to.
                if let Some(latest) = self.parts.rooms.latest_seq(room) {
                    outbox.announce(room.into(), latest);
                }
            }
        });
    }

    /// Sends what waits to leave; also before the session ends: what it has heard goes where it was meant to.
    pub(super) fn send_batch(&mut self) {
        if let Some(batch) = self.batch.take() {
            batch.send();
        }
    }
}

/// What a hello says of its device, by the same rules as a sign-in.
fn device_of(hello: &Hello) -> Result<Option<Device>, Problem> {
    let Some(device) = &hello.device else { return Ok(None) };
    let said = Device { id: device.id.clone(), name: device.name.clone() };
    Ok(Some(input::device(Some(&said)).map_err(AuthError::from)?))
}

/// The sign-in learns what it did not know of its device. Hardly ever anything: clients say the same when they sign in.
fn note_device(parts: &SessionParts, link: &Link, caller: &Caller) {
    let (Some(family), Some(device)) = (caller.family_id, link.device()) else { return };
    if parts.auth.knows_device(family, device) {
        return;
    }
    let (auth, user, device) = (parts.auth.clone(), caller.user_id, device.clone());
    // Not waited for: nothing of the session depends on it, and the next hello says it again.
    actix_rt::spawn(async move {
        if let Err(error) = auth.note_device(user, family, &device).await {
            tracing::debug!(%error, "what a device is called was not written down");
        }
    });
}

/// What a hello led to.
struct Greeted {
    caller: Caller,
    ready: Ready,
    /// All rooms of the user, listed in `ready` or not.
    followed: Vec<RoomId>,
    /// Those that are resumed, each with the seq that is missing first.
    behind: Vec<(RoomId, i64)>,
}

/// Checks the token, listens, and only then reads: nothing falls between.
async fn greet(parts: &SessionParts, link: &Rc<Link>, hello: Hello) -> Result<Greeted, Problem> {
    let begun = Instant::now();
    let (caller, user) = parts.auth.verify_person(&hello.token).await?;
    link.occupy(parts.limits.connect(caller.user_id)?);
    link.live_by(&caller);
    parts.hub.borrow_mut().greet(link, caller.user_id);
    // Signed out or disabled between the check and the listening: asked again, now that we listen.
    parts.auth.verify(&hello.token).await?;
    // Read after listening as well: when it changes, whoever listens is sent away.
    let epoch = parts.storage.epoch().current();
    let max = ListingMax { rooms: parts.config.ready_rooms_max, bytes: parts.config.ready_bytes_max };
    let Entrance { mut listed, others } = parts.lobby.enter(caller.user_id, max).await?;
    let mut followed: Vec<(RoomId, i64)> = listed.iter().map(|room| (room.id, room.last_seq)).chain(others).collect();
    let rooms_truncated = followed.len() > listed.len();
    let is_same_log = hello.epoch.is_none_or(|known| known.parse().is_ok_and(|known: uuid::Uuid| known == epoch));
    if is_same_log {
        know_what_is_ahead(parts, &hello.resume, &mut followed).await?;
    }
    // From here to `ready` nothing is waited for.
    let left = follow_all(parts, link, &mut followed);
    listed.retain(|room| !left.contains(&room.id));
    let Resumption { behind, refused } = match is_same_log {
        true => Resumption::plan(hello.resume, followed.iter().copied(), parts.config.resume_rooms_max),
        false => Resumption::of_another_epoch(hello.resume),
    };
    let ready = Ready {
        session_id: link.session,
        user: Arc::unwrap_or_clone(user),
        heartbeat_ms: parts.config.heartbeat_ms,
        expires_at: caller.expires_at,
        epoch,
        rooms: listed,
        rooms_truncated,
        resume_refused: refused,
    };
    metrics::histogram!("parlance_hello_seconds").record(begun.elapsed().as_secs_f64());
    Ok(Greeted { caller, ready, followed: followed.into_iter().map(|(room, _)| room).collect(), behind })
}

/// A client may have read in Postgres what its room has not shown yet. It goes on from there: it is not of another log.
async fn know_what_is_ahead(
    parts: &SessionParts,
    asked: &Resume,
    followed: &mut [(RoomId, i64)],
) -> Result<(), ChatError> {
    let ahead: Vec<RoomId> = resumption::ahead(asked, followed).collect();
    if ahead.is_empty() {
        return Ok(());
    }
    let newest = store::last_seqs(&parts.storage, &ahead).await?;
    for (room, last_seq) in followed {
        if let Some(newest) = newest.get(room) {
            *last_seq = (*last_seq).max(*newest);
        }
    }
    Ok(())
}

/// Follows these rooms from behind their newest seq, without those that the user was heard to leave meanwhile: they are
/// taken out and returned.
fn follow_all(parts: &SessionParts, link: &Rc<Link>, rooms: &mut Vec<(RoomId, i64)>) -> Vec<RoomId> {
    let left = link.with(|outbox| {
        let left = rooms.extract_if(.., |(room, last_seq)| !outbox.follow((*room).into(), *last_seq + 1));
        let left = left.map(|(room, _)| room).collect();
        outbox.greeted();
        left
    });
    let mut hub = parts.hub.borrow_mut();
    for (room, _) in rooms.iter() {
        hub.listen(link, (*room).into());
    }
    left
}
