//! The actor that hears of changes, and what follows from them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use serde_json::json;

use super::Change;
use crate::auth::{Auth, AuthError};
use crate::chat::wire::encode;
use crate::chat::{RoomMemory, Rooms};
use crate::ids::UserId;
use crate::sessions::Hubs;
use crate::storage::Storage;
use crate::supervision::Supervised;

/// The channel that the triggers tell of changes on.
const CHANNEL: &str = "parlance_changes";

/// Pause before listening is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

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

    /// Does what follows from a change; whether that is known. If not, anything may have changed.
    fn to(&self, told: &str) -> bool {
        match told.parse() {
            Ok(Change::User(user)) => self.auth.user_changed(user),
            Ok(Change::Closed(user)) => self.close(user),
            Ok(Change::SignedOut(family, reason)) => self.auth.sign_out_heard(family, reason),
            Ok(Change::Identities) => self.auth.identities_changed(),
            Ok(Change::Joined(room, users)) => self.rooms.members_changed(room, users, true),
            Ok(Change::Left(room, users)) => self.rooms.members_changed(room, users, false),
            Ok(Change::Invitation(user, updated)) => self.hubs.tell_user(user, encode(&updated)),
            Ok(Change::Accounts) => return false,
            Err(unknown) => {
                tracing::warn!(error = %unknown, "everything that is kept of Postgres is forgotten");
                return false;
            }
        }
        true
    }

    /// First the memory, then the sockets: a hello under way finds one or is found by the other.
    fn close(&self, user: UserId) {
        self.auth.user_changed(user);
        self.hubs.end_user(user);
    }

    /// Ends here what ended unheard, also what left no trace: every connected session is looked up again. One that is
    /// being greeted asks Postgres once more after it can be found here, or knows only what was read after this began.
    async fn make_up(&self) -> Result<(), AuthError> {
        self.auth.make_up().await?;
        let connected = self.hubs.connected().await;
        let (users, families) = (Vec::from_iter(connected.users), Vec::from_iter(connected.families));
        let (closed, ended) = self.auth.closed_among(&users, &families).await?;
        closed.into_iter().for_each(|user| self.close(user));
        ended.into_iter().for_each(|family| self.hubs.end_family(family));
        Ok(())
    }
}

/// See the module.
pub struct ChangeListener {
    storage: Storage,
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
    pub fn new(storage: Storage, reactions: Reactions) -> Self {
        Self { storage, reactions, heard: Rc::default() }
    }
}

impl Actor for ChangeListener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let ear =
            Ear { storage: self.storage.clone(), reactions: self.reactions.clone(), heard: Rc::clone(&self.heard) };
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
        loop {
            let Err(error) = self.listen().await;
            tracing::warn!(%error, "changes in Postgres are not heard; nothing is kept of it until they are");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Listens until that fails.
    async fn listen(&self) -> Result<std::convert::Infallible, AuthError> {
        let mut listener = self.storage.listen(CHANNEL).await?;
        self.reactions.make_up().await?;
        self.reactions.rooms.finish_departures(&self.storage).await?;
        let _hearing = Hearing::begin(self);
        loop {
            let told = listener.next().await?;
            if !self.reactions.to(&told) {
                // Forgotten first, so that nobody who is greeted meanwhile is so from what was known before.
                self.reactions.trust(true);
                self.reactions.make_up().await?;
            }
            self.heard.last.replace(told);
        }
    }
}
