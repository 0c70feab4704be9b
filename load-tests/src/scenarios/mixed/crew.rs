//! The people of a mixed run: their devices, what they have under way, and how it went.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::acts::{ACTS, KeyRing, Outcome};
use super::watch::Watch;
use crate::client::{Accounts, Device, Person, Town, Watcher, run_name};
use crate::engine::Target;
use crate::measure::{Meter, Progress};

/// Acts under way at once; past it the generator is the one that cannot keep up.
const UNDER_WAY_MAX: u64 = 20_000;
const CONNECT_PARALLEL: usize = 64;
/// People who come and go in channels, and who make direct rooms. With more of them, most of what a large organisation
/// hears would be said in channels, and it would take hours until all direct rooms are there.
const GOERS_MAX: usize = 200;
/// Of new groups, and of new spaces: one for so many people is kept.
const PEOPLE_A_GATHERING: usize = 50;
const GATHERINGS_MIN: usize = 2;

/// A group or space that was made during the run.
pub struct Gathering {
    pub id: Uuid,
    pub maker: Rc<Device>,
    /// Whom they took along.
    pub others: Vec<Uuid>,
    /// In a space: for the same people.
    pub channel: Option<Uuid>,
}

/// Those that nobody touches at the moment, oldest first.
pub type Gatherings = RefCell<VecDeque<Gathering>>;

/// How many acts went how, and what they sent.
#[derive(Default)]
pub struct Tally {
    pub done: Cell<u64>,
    pub refused: Cell<u64>,
    pub later: Cell<u64>,
    pub away: Cell<u64>,
    pub nothing: Cell<u64>,
    /// Fields, each behind its call.
    pub fields: RefCell<BTreeSet<(&'static str, &'static str)>>,
}

/// Everybody.
pub struct Crew {
    pub devices: Vec<Rc<Device>>,
    pub accounts: Accounts,
    pub town: Town,
    /// A space, and the channels in it that people join and leave.
    pub space: Uuid,
    pub channels: Vec<Uuid>,
    pub groups: Gatherings,
    pub spaces: Gatherings,
    /// By room: the message that somebody of us posted last.
    pub newest: RefCell<HashMap<Uuid, Uuid>>,
    /// Accounts with a password.
    pub newcomers: RefCell<Vec<String>>,
    /// Others with one, each used by one act at a time.
    pub keys: KeyRing,
    /// Who may do what only admins may; on an engine that runs already nobody of ours does.
    pub admin: Option<Person>,
    pub address: SocketAddr,
    pub meter: Rc<Meter>,
    pub tally: Tally,
    pub watch: Rc<Watch>,
    under_way: Cell<u64>,
    /// Tells the newcomers of this run from those of others on the same engine.
    pub run_name: String,
}

impl Crew {
    /// Makes the space and its channels, and connects everybody.
    pub async fn assemble(
        target: &Target,
        accounts: Accounts,
        town: Town,
        meter: Rc<Meter>,
    ) -> anyhow::Result<Rc<Self>> {
        let watch = Rc::new(Watch::of(&meter));
        let watcher = || Rc::clone(&watch) as Rc<dyn Watcher>;
        let device = |person: &Person| Device::new(person.clone(), target.address, watcher());
        let devices: Vec<Rc<Device>> = town.people.iter().map(device).collect();
        let admin = admin_of(target, &accounts, town.people.len()).await?;
        let (space, channels) = accounts.space(&town.people, GOERS_MAX).await?;
        let progress = Progress::of("devices", devices.len() as u64);
        for some in devices.chunks(CONNECT_PARALLEL) {
            for connected in futures_util::future::join_all(some.iter().map(Device::connect)).await {
                connected?;
            }
            progress.add(some.len() as u64);
        }
        Ok(Rc::new(Self {
            devices,
            accounts,
            town,
            space,
            channels,
            groups: RefCell::default(),
            spaces: RefCell::default(),
            newest: RefCell::default(),
            newcomers: RefCell::default(),
            keys: KeyRing::default(),
            admin,
            address: target.address,
            meter,
            tally: Tally::default(),
            watch,
            under_way: Cell::new(0),
            run_name: run_name(),
        }))
    }

    /// How many rooms and spaces are made by who makes the space and its channels, and how many people they add.
    pub fn made_with_space(users: usize) -> (usize, usize) {
        let (channels, people) = Accounts::made_with_channels(users.min(GOERS_MAX));
        (1 + channels, users + people)
    }

    /// Lets somebody do something.
    pub fn begin(self: &Rc<Self>, act: usize, who: usize, due: Instant, random: u64) {
        Meter::count(&self.meter.sent, 1);
        if self.under_way.get() >= UNDER_WAY_MAX {
            return self.watch.complain("the generator could not keep up: lower --rate or --burst".to_owned());
        }
        self.under_way.set(self.under_way.get() + 1);
        let crew = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let Some(what) = ACTS.get(act) else { return };
            match (what.run)(Rc::clone(&crew), who, due, random, what.calls).await {
                Ok(outcome) => crew.count(act, outcome, due),
                Err(error) => crew.watch.complain(format!("{}: {error:#}", what.name)),
            }
            crew.under_way.set(crew.under_way.get() - 1);
        });
    }

    /// Only what was done says how long it takes: a refusal is quick.
    fn count(&self, act: usize, outcome: Outcome, due: Instant) {
        let counter = match outcome {
            Outcome::Done => {
                self.meter.record(act + 1, due.elapsed());
                &self.tally.done
            }
            Outcome::Refused => &self.tally.refused,
            Outcome::Later => {
                Meter::count(&self.meter.refused, 1);
                &self.tally.later
            }
            Outcome::Away => &self.tally.away,
            Outcome::Nothing => &self.tally.nothing,
        };
        Meter::count(counter, 1);
    }

    /// Those who come and go.
    pub fn goers(&self) -> &[Rc<Device>] {
        self.devices.get(..GOERS_MAX).unwrap_or(&self.devices)
    }

    /// One of the two whom this one of them writes to alone.
    pub fn friend_of(&self, goer: usize, which: usize) -> Option<Uuid> {
        let people = &self.town.people;
        people.get((goer + 1 + which) % people.len().max(1)).map(|person| person.id)
    }

    /// Makes every direct room that there will be: they are for good, and would grow in number for minutes.
    pub async fn befriend(&self) -> anyhow::Result<()> {
        let pairs = (0..self.goers().len()).flat_map(|goer| [(goer, 0), (goer, 1)]);
        let make = async |(goer, which): (usize, usize)| {
            let (goer, friend) = (self.goers().get(goer), self.friend_of(goer, which));
            let (Some(goer), Some(friend)) = (goer, friend) else { return Ok(()) };
            let body = json!({ "kind": "direct", "member_ids": [friend] });
            self.accounts.call(Method::POST, "/api/v1/rooms", &goer.person.token, Some(body)).await.map(drop)
        };
        self.accounts.all(pairs.collect(), make).await.map(drop)
    }

    /// Any of these; whoever takes it puts it back.
    pub fn take_any(&self, gatherings: &Gatherings, random: u64) -> Option<Gathering> {
        let mut gatherings = gatherings.borrow_mut();
        let place = usize::try_from(random.rotate_right(16)).unwrap_or(0) % gatherings.len().max(1);
        gatherings.remove(place)
    }

    /// The oldest, while there are more than are kept.
    pub fn take_oldest(&self, gatherings: &Gatherings) -> Option<Gathering> {
        let mut gatherings = gatherings.borrow_mut();
        let kept = (self.devices.len() / PEOPLE_A_GATHERING).max(GATHERINGS_MIN);
        if gatherings.len() > kept { gatherings.pop_front() } else { None }
    }

    pub fn how_it_goes(&self) -> String {
        let (received, errors) = (self.meter.received.get(), self.meter.errors.get());
        format!(
            "{} done, {} under way, {received} received, {errors} errors",
            self.tally.done.get(),
            self.under_way.get()
        )
    }

    /// Waits until nothing is under way.
    pub async fn settle(&self, patience: Duration) {
        let begun = Instant::now();
        while self.under_way.get() > 0 && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if self.under_way.get() > 0 {
            self.watch.complain(format!("{} acts did not end", self.under_way.get()));
        }
    }

    /// Everybody says good-bye.
    pub async fn disband(&self) {
        futures_util::future::join_all(self.devices.iter().map(|device| device.leave())).await;
    }
}

/// One more account, which is made an admin.
async fn admin_of(target: &Target, accounts: &Accounts, index: usize) -> anyhow::Result<Option<Person>> {
    let Some(own) = &target.own else { return Ok(None) };
    let admin = accounts.somebody(index).await?;
    own.make_admin(&accounts.name(index)).await?;
    Ok(Some(admin))
}
