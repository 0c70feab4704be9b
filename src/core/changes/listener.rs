//! The actor that hears of changes, and passes them on.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Hears, Known, NotNow};
use parlance_foundation::storage::{Listener, Storage};
use parlance_foundation::supervision::Supervised;

/// The channel that the triggers tell of changes on.
const CHANNEL: &str = "parlance_changes";

/// The listener's own topic: the log is not the one that it was.
const EPOCH: &str = "epoch";

/// Pause before listening is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Topics that nobody hears of which the log says so.
const UNHEARD_MAX: usize = 16;

/// How often the listener looks whether the database is the one that it was.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// All who hear, in their order. Cheap to clone.
#[derive(Clone)]
struct Hearers {
    all: Arc<[Arc<dyn Hears>]>,
    /// By topic, as places in `all`.
    by_topic: Arc<HashMap<&'static str, Vec<usize>>>,
    unheard: Rc<RefCell<HashSet<String>>>,
}

impl Hearers {
    fn new(all: Vec<Arc<dyn Hears>>) -> Self {
        let mut by_topic: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (place, one) in all.iter().enumerate() {
            for topic in one.topics() {
                by_topic.entry(topic).or_default().push(place);
            }
        }
        Self { all: all.into(), by_topic: Arc::new(by_topic), unheard: Rc::default() }
    }

    fn trust(&self, listens: bool) {
        self.all.iter().for_each(|one| one.trust(listens));
        metrics::gauge!("parlance_changes_heard").set(f64::from(u8::from(listens)));
    }

    async fn make_up(&self) -> Result<(), NotNow> {
        for one in self.all.iter() {
            one.make_up().await?;
        }
        Ok(())
    }

    async fn begin_anew(&self) {
        for one in self.all.iter() {
            one.begin_anew().await;
        }
    }

    /// Says once a topic that a trigger tells of what nobody hears: its name is wrong, or a newer version's.
    fn note_unheard(&self, topic: &str) {
        let mut unheard = self.unheard.borrow_mut();
        if unheard.len() < UNHEARD_MAX && unheard.insert(topic.to_owned()) {
            tracing::warn!(topic, "Postgres tells of changes that this version does not know");
        }
    }

    /// Tells all who hear the topic. Those of them of whom anything may have changed make up for it.
    async fn tell(&self, told: &str) -> Result<(), NotNow> {
        let (topic, rest) = told.split_once(' ').unwrap_or((told, ""));
        let hearers = self.by_topic.get(topic);
        if hearers.is_none() && topic != EPOCH {
            self.note_unheard(topic);
        }
        let hearing = hearers.into_iter().flatten().filter_map(|place| self.all.get(*place));
        let unsure: Vec<_> = hearing.filter(|one| one.heard(topic, rest) == Known::Anything).collect();
        if !unsure.is_empty() {
            tracing::warn!(told, "a change that says not what has changed: what is kept of it is forgotten");
        }
        // Forgotten first, so that nobody who is greeted meanwhile is so from what was known before.
        unsure.iter().for_each(|one| one.trust(true));
        for one in unsure {
            one.make_up().await?;
        }
        Ok(())
    }
}

/// See the module.
pub struct ChangeListener {
    storage: Storage,
    hearers: Hearers,
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
    /// A listener that begins when it starts. Who is told first stands first.
    pub fn new(storage: Storage, hearers: Vec<Arc<dyn Hears>>) -> Self {
        Self { storage, hearers: Hearers::new(hearers), heard: Rc::default() }
    }
}

impl Actor for ChangeListener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for beside in self.hearers.all.iter().filter_map(|one| Arc::clone(one).beside()) {
            ctx.spawn(beside.into_actor(self));
        }
        let ear = Ear { storage: self.storage.clone(), hearers: self.hearers.clone(), heard: Rc::clone(&self.heard) };
        ctx.spawn(async move { ear.listen_for_good().await }.into_actor(self));
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
    hearers: Hearers,
    heard: Rc<Heard>,
}

/// While this lives, what is kept in memory is trusted.
struct Hearing<'a>(&'a Ear);

impl<'a> Hearing<'a> {
    fn begin(ear: &'a Ear) -> Self {
        ear.hearers.trust(true);
        ear.heard.listens.set(true);
        Self(ear)
    }
}

// Also runs while a panic unwinds: nothing in here may panic.
impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        self.0.heard.listens.set(false);
        self.0.hearers.trust(false);
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
    async fn listen(&self) -> Result<std::convert::Infallible, NotNow> {
        let mut listener = self.storage.listen(CHANNEL).await?;
        // Before anything of it is kept: this may not be the database that it was.
        let is_other = self.storage.check_epoch().await?;
        self.hearers.make_up().await?;
        self.count_engines().await?;
        let _hearing = Hearing::begin(self);
        if is_other {
            self.begin_anew().await;
        }
        self.hear(&mut listener).await
    }

    /// Said last: what fails before is done with the next try.
    async fn begin_anew(&self) {
        self.hearers.begin_anew().await;
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
    async fn hear(&self, listener: &mut Listener) -> Result<std::convert::Infallible, NotNow> {
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
            if told.as_deref().is_none_or(|told| told.split(' ').next() == Some(EPOCH)) {
                if self.storage.check_epoch().await? {
                    self.begin_anew().await;
                }
                self.count_engines().await?;
            }
            let Some(told) = told else { continue };
            self.hearers.tell(&told).await?;
            self.heard.last.replace(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::changes::{Later, now};

    /// Notes what it is told to do.
    struct Notes {
        topics: &'static [&'static str],
        said: Arc<Mutex<Vec<String>>>,
    }

    impl Hears for Notes {
        fn topics(&self) -> &'static [&'static str] {
            self.topics
        }

        fn heard(&self, topic: &str, rest: &str) -> Known {
            self.said.lock().unwrap().push(format!("{}: {topic} {rest}", self.topics.len()));
            if rest == "?" { Known::Anything } else { Known::Yes }
        }

        fn trust(&self, listens: bool) {
            self.said.lock().unwrap().push(format!("{}: trust {listens}", self.topics.len()));
        }

        fn make_up(&self) -> Later<'_, Result<(), NotNow>> {
            self.said.lock().unwrap().push(format!("{}: make up", self.topics.len()));
            now(Ok(()))
        }
    }

    #[actix_rt::test]
    async fn everybody_hears_their_topics_and_whoever_is_unsure_makes_up_for_it() {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = |topics| Arc::new(Notes { topics, said: Arc::clone(&said) }) as Arc<dyn Hears>;
        let hearers = Hearers::new(vec![notes(&["boats"]), notes(&["birds", "boats"])]);
        for told in ["birds 1 2", "boats", "stars 7", "", "birds ?", "boats ?"] {
            hearers.tell(told).await.unwrap();
        }
        let (one, two) = (["1: trust true", "2: trust true"], ["1: make up", "2: make up"]);
        let both = [&["1: boats ?", "2: boats ?"][..], &one, &two].concat();
        let heard =
            [&["2: birds 1 2", "1: boats ", "2: boats ", "2: birds ?", "2: trust true", "2: make up"][..], &both];
        assert_eq!(*said.lock().unwrap(), heard.concat());
    }
}
