//! The people of a mixed run: their devices, what they have under way, and what went wrong.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use uuid::Uuid;

use super::acts::{ACTS, Outcome};
use crate::client::{Accounts, Device, RoomKey, Town, Watcher, run_name, text_field};
use crate::engine::Target;
use crate::measure::{Meter, Progress};
use crate::report::Report;

/// Kinds of complaint that are told apart in the report.
const COMPLAINTS_MAX: usize = 20;
/// Acts under way at once; past it the generator is the one that cannot keep up.
const UNDER_WAY_MAX: u64 = 20_000;
const CONNECT_PARALLEL: usize = 64;

/// Everybody.
pub struct Crew {
    pub devices: Vec<Rc<Device>>,
    pub accounts: Accounts,
    pub town: Town,
    /// A space, and the channels in it that people join and leave.
    pub space: Uuid,
    pub channels: Vec<Uuid>,
    /// Groups that were made during the run, oldest first: who made each, and whom they took along.
    pub new_groups: RefCell<VecDeque<(Uuid, Rc<Device>, Uuid)>>,
    pub meter: Rc<Meter>,
    under_way: Cell<u64>,
    order: Rc<Order>,
    complaints: RefCell<BTreeMap<String, u64>>,
    /// Tells the newcomers of this run from those of others on the same engine.
    pub run_name: String,
}

/// What all devices report.
struct Order {
    meter: Rc<Meter>,
    content: Finder<'static>,
    broken: RefCell<Vec<String>>,
    lagged: Cell<u64>,
}

impl Watcher for Order {
    fn arrived(&self, frame: &[u8], at: Instant) {
        Meter::count(&self.meter.received, 1);
        let due = text_field(frame, &self.content).and_then(|text| text.get(..16));
        let due = due.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
        if let Some(due) = due {
            self.meter.record(0, Duration::from_nanos(self.meter.nanos(at).saturating_sub(due)));
        }
    }

    fn out_of_order(&self, room: RoomKey, seq: u64, expected: u64) {
        Meter::count(&self.meter.errors, 1);
        let mut broken = self.broken.borrow_mut();
        if broken.len() < COMPLAINTS_MAX {
            broken.push(format!("room {}: seq {seq} came where {expected} was next", Uuid::from_u128(room)));
        }
    }

    fn lagged(&self) {
        self.lagged.set(self.lagged.get() + 1);
    }
}

impl Crew {
    /// Makes the space and its channels, and connects everybody.
    pub async fn assemble(
        target: &Target,
        accounts: Accounts,
        town: Town,
        meter: Rc<Meter>,
    ) -> anyhow::Result<Rc<Self>> {
        let order = Rc::new(Order {
            meter: Rc::clone(&meter),
            content: Finder::new("\"content\":\""),
            broken: RefCell::default(),
            lagged: Cell::new(0),
        });
        let watcher = || Rc::clone(&order) as Rc<dyn Watcher>;
        let devices: Vec<Rc<Device>> =
            town.people.iter().map(|person| Device::new(person.clone(), target.address, watcher())).collect();
        let (space, channels) = accounts.space(&town.people).await?;
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
            new_groups: RefCell::default(),
            meter,
            under_way: Cell::new(0),
            order,
            complaints: RefCell::default(),
            run_name: run_name(),
        }))
    }

    /// Lets somebody do something.
    pub fn begin(self: &Rc<Self>, act: usize, who: usize, due: Instant, random: u64) {
        Meter::count(&self.meter.sent, 1);
        if self.under_way.get() >= UNDER_WAY_MAX {
            return self.complain_of("the generator could not keep up: lower --rate".to_owned());
        }
        self.under_way.set(self.under_way.get() + 1);
        let crew = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let Some(what) = ACTS.get(act) else { return };
            match (what.run)(Rc::clone(&crew), who, due, random).await {
                Ok(Outcome::Done) => crew.meter.record(act + 1, due.elapsed()),
                Ok(Outcome::Later) => Meter::count(&crew.meter.refused, 1),
                Ok(Outcome::Nothing) => {}
                Err(error) => crew.complain_of(format!("{}: {error:#}", what.name)),
            }
            crew.under_way.set(crew.under_way.get() - 1);
        });
    }

    fn complain_of(&self, what: String) {
        Meter::count(&self.meter.errors, 1);
        let mut complaints = self.complaints.borrow_mut();
        if complaints.len() < COMPLAINTS_MAX || complaints.contains_key(&what) {
            *complaints.entry(what).or_default() += 1;
        }
    }

    pub fn how_it_goes(&self) -> String {
        let (received, errors) = (self.meter.received.get(), self.meter.errors.get());
        format!(
            "{} done, {} under way, {received} received, {errors} errors",
            self.meter.sent.get(),
            self.under_way.get()
        )
    }

    /// Whoever only listens says a word now and then.
    pub async fn keep_alive(&self) {
        for device in &self.devices {
            device.keep_alive().await;
        }
    }

    /// Waits until nothing is under way.
    pub async fn settle(&self, patience: Duration) {
        let begun = Instant::now();
        while self.under_way.get() > 0 && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if self.under_way.get() > 0 {
            self.complain_of(format!("{} acts did not end", self.under_way.get()));
        }
    }

    /// Puts what went wrong into the report.
    pub fn complain(&self, report: &mut Report) {
        for (what, times) in self.complaints.borrow().iter() {
            report.fail(format!("{times} ×: {what}"));
        }
        for broken in self.order.broken.borrow().iter() {
            report.fail(broken.clone());
        }
    }

    /// Everybody says good-bye and leaves the rooms.
    pub async fn disband(&self, target: &Target) -> anyhow::Result<()> {
        futures_util::future::join_all(self.devices.iter().map(|device| device.leave())).await;
        self.town.leave(&self.accounts, target).await
    }
}
