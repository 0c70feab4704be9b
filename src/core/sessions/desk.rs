//! A session as commands see it, and the commands that are its own.
//!
//! Its own need more than a desk: `hello` makes the session what it is, `auth.renew` changes by what it lives, `ping` is
//! answered in every phase.

use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use bytestring::ByteString;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::hub::{self, Hub};
use super::session::{Phase, UserSession};
use super::wire::{Hello, Ping, Pong, Ready, Renew, Renewed};
use crate::commands::{Answers, Batch, Listed, Session, Then, Way};
use crate::wire::asyncapi::CommandDoc;
use crate::wire::{self, Answer, BadFrame, Heard};
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;
use parlance_foundation::supervision::{ActorHandle, after_what_has_come};

/// The sessions' own commands.
pub const COMMANDS: &[Listed<OwnRun>] = &[
    own::<Hello, Ready>(
        "hello",
        "The first frame, within 5 s: who connects, and what it has already; what was missed follows the answer",
        &[
            "protocol.already_greeted",
            "auth.token_invalid",
            "auth.token_expired",
            "auth.account_disabled",
            "limits.sockets",
        ],
    ),
    own::<Ping, Pong>("ping", "Are you there?", &[]),
    own::<Renew, Renewed>(
        "auth.renew",
        "Another token of the same person, before the session's own has run out",
        &["auth.token_invalid", "auth.token_expired", "auth.account_disabled", "auth.another_user"],
    ),
];

/// Reads the body and does what it asks.
pub type OwnRun = fn(&mut UserSession, &Heard<'_>, &mut Context<UserSession>) -> Result<(), BadFrame>;

trait Own: DeserializeOwned + ToSchema {
    fn run(self, re: Option<u64>, session: &mut UserSession, ctx: &mut Context<UserSession>);
}

const fn own<C: Own, A: Answer>(
    kind: &'static str,
    summary: &'static str,
    errors: &'static [&'static str],
) -> Listed<OwnRun> {
    let run: OwnRun = |session, heard, ctx| {
        heard.body::<C>()?.run(heard.re, session, ctx);
        Ok(())
    };
    Listed { doc: CommandDoc::of::<C, A>(kind, summary, errors), run }
}

impl Own for Hello {
    fn run(self, re: Option<u64>, session: &mut UserSession, ctx: &mut Context<UserSession>) {
        if matches!(session.phase, Phase::Greeting) {
            return session.greet(re, self, ctx);
        }
        if session.at_desk(ctx).admit(re).is_some() {
            let detail = "This connection has said hello already.";
            session.say(wire::error(re, &Problem::conflict("protocol.already_greeted", detail)));
        }
    }
}

impl Own for Ping {
    fn run(self, re: Option<u64>, session: &mut UserSession, _: &mut Context<UserSession>) {
        session.say(Pong {}.encode(re));
    }
}

impl Own for Renew {
    fn run(self, re: Option<u64>, session: &mut UserSession, ctx: &mut Context<UserSession>) {
        if let Some(user) = session.at_desk(ctx).admit(re) {
            session.renew(re, user, self, ctx);
        }
    }
}

impl UserSession {
    pub(super) fn obey_own(
        &mut self,
        index: usize,
        heard: &Heard<'_>,
        ctx: &mut Context<Self>,
    ) -> Result<(), BadFrame> {
        // Indexes come from the same list.
        COMMANDS.get(index).map_or(Ok(()), |command| (command.run)(self, heard, ctx))
    }

    /// The session as commands see it.
    pub(super) fn at_desk<'a>(&'a mut self, ctx: &'a mut Context<Self>) -> AtDesk<'a> {
        AtDesk { session: self, ctx }
    }
}

/// A session while it handles one frame.
pub struct AtDesk<'a> {
    session: &'a mut UserSession,
    ctx: &'a mut Context<UserSession>,
}

impl Session for AtDesk<'_> {
    fn admit(&mut self, re: Option<u64>) -> Option<UserId> {
        let session = &self.session;
        let Phase::Ready(user) = session.phase else {
            let detail = "Say hello first: {\"type\":\"hello\",\"id\":1,\"token\":\"…\"}.";
            session.say(wire::error(re, &Problem::unauthorized("protocol.hello_first", detail)));
            return None;
        };
        if session.link.inflight.get() >= session.parts.config.inflight_commands_max {
            let detail = "Too many commands of this connection await their answer. Wait for some, then send it again.";
            session.say(wire::error(re, &Problem::busy(100).saying(detail)));
            return None;
        }
        Some(user)
    }

    fn say(&mut self, frame: ByteString) {
        self.session.say(frame);
    }

    fn await_answer(&mut self) -> Way {
        let link = &self.session.link;
        link.inflight.set(link.inflight.get() + 1);
        Way { door: std::sync::Arc::clone(&self.session.parts.answers), session: link.key }
    }

    fn leave_with(&mut self, batch: Rc<dyn Batch>) {
        match &self.session.batch {
            Some(waiting) if Rc::ptr_eq(waiting, &batch) => return,
            Some(_) => self.session.send_batch(),
            None => after_what_has_come(self.ctx, |session, _| session.send_batch()),
        }
        self.session.batch = Some(batch);
    }

    fn wait(&mut self, future: LocalBoxFuture<'static, Then>) {
        self.session.send_batch();
        let future = future.into_actor(self.session);
        self.ctx.wait(future.map(|go_on, session, ctx| go_on(&mut session.at_desk(ctx))));
    }

    fn answer_page(&mut self, frame: LocalBoxFuture<'static, ByteString>) {
        let link = Rc::clone(&self.session.link);
        let bytes_max = self.session.parts.config.outbox_bytes_max / 2;
        link.inflight.set(link.inflight.get() + 1);
        actix_rt::spawn(async move {
            let _turn = link.room_for_a_page(bytes_max).await;
            link.answer(frame.await);
        });
    }
}

/// Answers come through the hub, after what was delivered before them.
impl Answers for ActorHandle<Hub> {
    fn answer(&self, session: u64, frame: ByteString) {
        hub::answer(self, session, frame);
    }
}
