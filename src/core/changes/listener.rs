//! The actor that hears of changes, and what follows from them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use bytestring::ByteString;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use super::Change;
use super::space_news::{self, SpaceNews};
use crate::accounts::{Auth, AuthError};
use crate::jobs::JobsHandle;
use crate::publish::{Class, Publish, Topic};
use crate::rooms::wire::encode;
use crate::rooms::{RoomMemory, Rooms};
use crate::sessions::Hubs;
use crate::wire::close;
use parlance_foundation::ids::UserId;
use parlance_foundation::storage::{Listener, Storage};
use parlance_foundation::supervision::Supervised;

/// The channel that the triggers tell of changes on.
const CHANNEL: &str = "parlance_changes";

/// Pause before listening is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How often the listener looks whether the database is the one that it was.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Who has to know of changes. Cheap to clone.
#[derive(Clone)]
pub struct Reactions {
    pub auth: Auth,
    pub rooms: Rooms,
    pub memory: RoomMemory,
    pub hubs: Hubs,
    pub jobs: JobsHandle,
}

impl Reactions {
    fn trust(&self, heard: bool) {
        self.auth.trust_memory(heard);
        self.memory.trust(heard);
        metrics::gauge!("parlance_changes_heard").set(f64::from(u8::from(heard)));
    }

    /// The log is not the one that it was: nothing that is kept of it is right, and every client reads anew. First the
    /// rooms, which keep a card as they end, then the memory, then the sockets: a hello under way reads what is, or is
    /// found and comes back.
    async fn begin_anew(&self) {
        self.rooms.reopen_all().await;
        self.trust(true);
        self.hubs.close_all(close::UNAVAILABLE);
    }

    /// Does what follows from a change; whether that is known. If not, anything may have changed.
    fn to(&self, told: &str, spaces: &SpaceNews) -> bool {
        match told.parse() {
            Ok(Change::User(user)) => self.auth.user_changed(user),
            Ok(Change::Closed(user)) => self.close(user),
            Ok(Change::SignedOut(family, reason)) => self.auth.sign_out_heard(family, reason),
            Ok(Change::Identity(user)) => self.part_from_issuer(user),
            Ok(Change::Joined(room, parties)) => self.rooms.members_changed(room, parties, true),
            // The listener itself looks, and begins anew.
            Ok(Change::Epoch) => {}
            Ok(Change::Left(room, parties)) => self.rooms.members_changed(room, parties, false),
            Ok(Change::Invitation(user, updated)) => self.tell(user, encode(&updated)),
            Ok(Change::Space(change)) => spaces.take(change),
            Ok(Change::Accounts) => return false,
            Err(unknown) => {
                tracing::warn!(error = %unknown, "everything that is kept of Postgres is forgotten");
                return false;
            }
        }
        true
    }

    /// All devices of the user hear it.
    fn tell(&self, user: UserId, frame: ByteString) {
        self.hubs.publish(Topic::User(user), frame, Class::Must);
    }

    /// First the memory, then the sockets: a hello under way finds one or is found by the other.
    fn close(&self, user: UserId) {
        self.auth.user_changed(user);
        self.hubs.end_user(user);
    }

    /// Whoever came by an outside issuer's token comes back as whoever that token stands for now, if anybody.
    fn part_from_issuer(&self, user: UserId) {
        self.auth.identities_changed();
        self.hubs.end_outside(user);
    }

    /// Ends here what ended unheard, also what left no trace: every connected session is looked up again. One that is
    /// being greeted asks Postgres once more after it can be found here, or knows only what was read after this began.
    async fn make_up(&self) -> Result<(), AuthError> {
        self.auth.make_up().await?;
        let shut_out = self.auth.shut_out_among(&self.hubs.admitted().await).await?;
        shut_out.users.into_iter().for_each(|user| self.close(user));
        shut_out.families.into_iter().for_each(|family| self.hubs.end_family(family));
        shut_out.outside.into_iter().for_each(|user| self.part_from_issuer(user));
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
    /// On this database, as last counted.
    engines: Cell<i64>,
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
        let (spaces, waiting) = SpaceNews::new();
        let (storage, hubs) = (self.storage.clone(), self.reactions.hubs.clone());
        let ear = Ear {
            storage: self.storage.clone(),
            reactions: self.reactions.clone(),
            heard: Rc::clone(&self.heard),
            spaces,
        };
        ctx.spawn(async move { ear.listen_for_good().await }.into_actor(self));
        ctx.spawn(async move { space_news::tell(waiting, &storage, &hubs).await }.into_actor(self));
    }
}

impl Supervised for ChangeListener {
    fn report(&self) -> serde_json::Value {
        json!({
            "listens": self.heard.listens.get(),
            "last": *self.heard.last.borrow(),
            "engines_on_database": self.heard.engines.get(),
        })
    }
}

parlance_foundation::supervised!(ChangeListener);

/// The listening itself: a future of the actor, so that its panic is the actor's.
struct Ear {
    storage: Storage,
    reactions: Reactions,
    heard: Rc<Heard>,
    spaces: SpaceNews,
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
        // Before anything of it is kept: this may not be the database that it was.
        let is_other = self.storage.check_epoch().await?;
        self.reactions.make_up().await?;
        self.count_engines().await?;
        self.reactions.rooms.finish_departures(&self.storage).await?;
        let _hearing = Hearing::begin(self);
        if is_other {
            self.begin_anew().await;
        }
        self.hear(&mut listener).await
    }

    /// Said last: what fails before is done with the next try.
    async fn begin_anew(&self) {
        self.reactions.begin_anew().await;
        self.storage.epoch_begun();
    }

    /// Two engines on one database do no harm, but each may be meant to be the only one.
    async fn count_engines(&self) -> Result<(), sqlx::Error> {
        let engines = self.storage.engines_listening().await?;
        metrics::gauge!("parlance_engines_on_database").set(f64::from(u32::try_from(engines).unwrap_or(u32::MAX)));
        if self.heard.engines.replace(engines) != engines && engines > 1 {
            tracing::warn!(
                engines,
                "more than one engine runs on this database: nothing is lost or doubled by it, but rooms that both \
                 serve are slow, and who is connected to one hears late what is posted through another. If one of them \
                 was left over, stop it"
            );
        }
        Ok(())
    }

    /// Until no more can be heard. Looks now and then whether it would hear, and whether the database is the one that it
    /// was: tables that were replaced tell nobody.
    async fn hear(&self, listener: &mut Listener) -> Result<std::convert::Infallible, AuthError> {
        let mut look = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Waiting for what is told may be cut short: it loses nothing.
            let told = tokio::select! {
                told = listener.next() => Some(told?),
                _ = look.tick() => None,
            };
            if told.is_none() {
                listener.ask().await?;
            }
            if told.as_deref().is_none_or(|told| told.parse() == Ok(Change::Epoch)) {
                if self.storage.check_epoch().await? {
                    self.begin_anew().await;
                }
                self.count_engines().await?;
            }
            let Some(told) = told else { continue };
            if !self.reactions.to(&told, &self.spaces) {
                // Forgotten first, so that nobody who is greeted meanwhile is so from what was known before.
                self.reactions.trust(true);
                self.reactions.make_up().await?;
            }
            if matches!(told.parse(), Ok(Change::Closed(_))) {
                // They may have been deleted, and may have owned groups: `rooms.pass_ownership` was enqueued with it.
                self.reactions.jobs.wake();
            }
            self.heard.last.replace(told);
        }
    }
}
