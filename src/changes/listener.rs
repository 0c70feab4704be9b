//! The actor that hears of changes, and what follows from them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::Change;
use crate::auth::{Auth, AuthError};
use crate::chat::{RoomMemory, Rooms};
use crate::clock::Clock;
use crate::ids::UserId;
use crate::sessions::Hubs;
use crate::storage::{SILENCE_AT_MOST, Storage};
use crate::supervision::Supervised;

/// The channel that the triggers tell of changes on.
const CHANNEL: &str = "parlance_changes";

/// Pause before listening is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How far the clock that stamps a change, an operator's or another engine's, may be behind ours.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// Who has to know of changes. Cheap to clone.
#[derive(Clone)]
pub struct Reactions {
    pub auth: Auth,
    pub rooms: Rooms,
    pub memory: RoomMemory,
    pub hubs: Hubs,
}

impl Reactions {
    fn trust(&self, heard: bool) {
        self.auth.trust_memory(heard);
        self.memory.trust(heard);
        metrics::gauge!("parlance_changes_heard").set(f64::from(u8::from(heard)));
    }

    fn to(&self, told: &str) {
        match told.parse() {
            Ok(Change::User(user)) => self.auth.user_changed(user),
            Ok(Change::Closed(user)) => self.close(user),
            Ok(Change::SignedOut(family, reason)) => self.auth.sign_out_heard(family, reason),
            Ok(Change::Identities) => self.auth.identities_changed(),
            Ok(Change::Joined(room, users)) => self.rooms.members_changed(room, users, true),
            Ok(Change::Left(room, users)) => self.rooms.members_changed(room, users, false),
            Err(unknown) => {
                tracing::warn!(error = %unknown, "everything that is kept of Postgres is forgotten");
                self.trust(true);
            }
        }
    }

    /// First the memory, then the sockets: a hello under way finds one or is found by the other.
    fn close(&self, user: UserId) {
        self.auth.user_changed(user);
        self.hubs.end_user(user);
    }
}

/// See the module.
pub struct ChangeListener {
    storage: Storage,
    clock: Clock,
    reactions: Reactions,
    heard: Rc<Heard>,
}

/// What the actor says of itself.
#[derive(Default)]
struct Heard {
    listens: Cell<bool>,
    /// The last change, as it was told.
    last: RefCell<String>,
}

impl ChangeListener {
    /// A listener that begins when it starts.
    pub fn new(storage: Storage, clock: Clock, reactions: Reactions) -> Self {
        Self { storage, clock, reactions, heard: Rc::default() }
    }
}

impl Actor for ChangeListener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let ear = Ear {
            storage: self.storage.clone(),
            clock: self.clock.clone(),
            reactions: self.reactions.clone(),
            heard: Rc::clone(&self.heard),
        };
        ctx.spawn(async move { ear.listen_for_good().await }.into_actor(self));
    }
}

impl Supervised for ChangeListener {
    fn report(&self) -> serde_json::Value {
        json!({ "listens": self.heard.listens.get(), "last": *self.heard.last.borrow() })
    }
}

crate::supervised!(ChangeListener);

/// The listening itself: a future of the actor, so that its panic is the actor's.
struct Ear {
    storage: Storage,
    clock: Clock,
    reactions: Reactions,
    heard: Rc<Heard>,
}

/// While this lives, what is kept in memory is trusted.
struct Hearing<'a>(&'a Ear);

impl<'a> Hearing<'a> {
    fn begin(ear: &'a Ear) -> Self {
        ear.reactions.trust(true);
        ear.heard.listens.set(true);
        Self(ear)
    }
}

// Also runs while a panic unwinds: nothing in here may panic.
impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        self.0.heard.listens.set(false);
        self.0.reactions.trust(false);
    }
}

impl Ear {
    async fn listen_for_good(&self) {
        let mut deaf_since = self.clock.now();
        loop {
            let Err(error) = self.listen(&mut deaf_since).await;
            tracing::warn!(%error, "changes in Postgres are not heard; nothing is kept of it until they are");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Listens until that fails.
    async fn listen(&self, deaf_since: &mut DateTime<Utc>) -> Result<std::convert::Infallible, AuthError> {
        let mut listener = self.storage.listen(CHANNEL).await?;
        // Sockets may have been greeted before or meanwhile that should have ended.
        for user in self.reactions.auth.make_up_since(*deaf_since - CLOCKS_APART).await? {
            self.reactions.close(user);
        }
        let hearing = Hearing::begin(self);
        let error = loop {
            match listener.next().await {
                Ok(told) => {
                    self.reactions.to(&told);
                    self.heard.last.replace(told);
                }
                Err(error) => break error,
            }
        };
        *deaf_since = self.clock.now() - SILENCE_AT_MOST;
        drop(hearing);
        Err(error.into())
    }
}
