//! A session goes on: `auth.renew` brings another token of its person before the one that it lives by has run out.
//!
//! Invariant: a session is found by whoever ends the sign-in that it lives by, and what ended just before it was found
//! there is noticed here.

use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use chrono::{DateTime, Utc};

use super::link::Link;
use super::session::{SessionParts, UserSession};
use super::wire::{Renew, Renewed};
use crate::accounts::AuthError;
use crate::wire::{self, Answer, close};
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;

/// When to send a renewal again that came while another one was looked at.
const TRY_AGAIN_MS: u64 = 1_000;

impl UserSession {
    /// Its other commands go on meanwhile: an issuer's keys may take a while.
    pub(super) fn renew(&self, re: Option<u64>, user: UserId, command: Renew, ctx: &mut Context<Self>) {
        if self.link.renewing.replace(true) {
            let detail = "Another token of this connection is being looked at. Wait for that answer.";
            return self.say(wire::error(re, &Problem::busy(TRY_AGAIN_MS).saying(detail)));
        }
        self.link.inflight.set(self.link.inflight.get() + 1);
        let (parts, link) = (Rc::clone(&self.parts), Rc::clone(&self.link));
        let renewing = async move { renew(&parts, &link, user, &command.token).await };
        ctx.spawn(renewing.into_actor(self).map(move |renewed, session, _| {
            session.link.renewing.set(false);
            session.link.answer(match renewed {
                Ok(expires_at) => Renewed { expires_at }.encode(re),
                Err(problem) => wire::error(re, &problem),
            });
        }));
    }
}

/// A token that is refused, or cannot be checked now, changes nothing: the session lives by the one that it has.
async fn renew(parts: &SessionParts, link: &Rc<Link>, user: UserId, token: &str) -> Result<DateTime<Utc>, Problem> {
    let caller = parts.auth.verify(token).await?;
    if caller.user_id != user {
        let detail = "This token is somebody else's. Open a connection of its own with it.";
        return Err(Problem::forbidden("auth.another_user", detail));
    }
    link.live_by(&caller);
    match parts.auth.verify(token).await {
        // It ended in between: as if the sign-out had come a moment later, when it finds the session by itself.
        Err(ended @ (AuthError::TokenInvalid | AuthError::AccountDisabled)) => {
            link.close(close::SIGNED_OUT);
            Err(ended.into())
        }
        _ => Ok(caller.expires_at),
    }
}
