//! What goes wrong.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::hub::{Greeting, Hub};
use super::plan::Fault;
use super::rooms::Engine;
use super::voice::Said;
use super::world::World;
use super::{HUBS, ROOMS, SHARDS, room_index};

impl World {
    pub fn go_wrong(&mut self, rng: &mut ChaCha8Rng) {
        const FAULTS: [Fault; 13] = [
            Fault::Outage,
            Fault::RoomCrash,
            Fault::RoomRelease,
            Fault::PersisterCrash,
            Fault::HubCrash,
            Fault::EngineCrash,
            Fault::SecondOwner,
            Fault::BusyHub,
            Fault::SlowReader,
            Fault::Disconnect,
            Fault::Impatience,
            Fault::LateCommit,
            Fault::Departure,
        ];
        let fault = FAULTS[rng.random_range(0..FAULTS.len())];
        let pick = rng.random_range(0..1_000);
        // Those that end most of what is under way are rarer.
        let is_rare = matches!(fault, Fault::EngineCrash | Fault::PersisterCrash | Fault::HubCrash) && pick % 5 > 0;
        if self.plan.has(fault) && !is_rare && self.inject(fault, pick) {
            *self.counts.faults.entry(fault).or_default() += 1;
            self.note(|| format!("fault: {}", fault.name()));
        }
    }

    /// Does it, unless there is nothing to do it to.
    fn inject(&mut self, fault: Fault, pick: usize) -> bool {
        let (room, device) = (pick % ROOMS, pick % self.devices.len());
        match fault {
            Fault::Outage => self.postgres.is_away = !self.postgres.is_away,
            Fault::RoomCrash => return self.engine.crash_room(room),
            Fault::RoomRelease if self.is_something_brief() => return false,
            Fault::RoomRelease => {
                self.lost_marks.insert(room);
                return self.engine.release(room);
            }
            Fault::PersisterCrash => self.crash_persister(pick % SHARDS),
            Fault::HubCrash => self.crash_hub(pick % HUBS),
            Fault::EngineCrash => self.crash_engine(pick.is_multiple_of(2)),
            Fault::SecondOwner => return self.send_to_rival(device),
            Fault::BusyHub => {
                let hub = &mut self.hubs[pick % HUBS];
                hub.is_busy = !hub.is_busy;
            }
            Fault::SlowReader => self.devices[device].is_slow = !self.devices[device].is_slow,
            Fault::Disconnect => return self.disconnect(device),
            Fault::Impatience => self.devices[device].sendings.iter_mut().for_each(|sending| sending.asked = None),
            Fault::LateCommit => return self.end_late_commit(pick.is_multiple_of(2)),
            Fault::Departure => {
                let (user, id) = (self.users[pick % self.users.len()], self.number());
                return !self.postgres.is_away && self.postgres.depart(room, user, id);
            }
            Fault::FailedCommit | Fault::LostAnswer => return false,
        }
        true
    }

    /// What never lasts as long as the idle minutes after which a room is let go: a greeting, a statement, or news of who
    /// came and went on its way.
    fn is_something_brief(&self) -> bool {
        let mut sockets = self.hubs.iter().flat_map(|hub| hub.sockets.values());
        sockets.any(|socket| {
            matches!(socket.greeting, Greeting::Listed(_) | Greeting::Read(_) | Greeting::Compared { .. })
        }) || !self.postgres.late.is_empty()
            || !self.engine.has_heard_all(&self.postgres)
    }

    /// A statement that was given up commits after all, or never.
    pub fn end_late_commit(&mut self, commits: bool) -> bool {
        let Some(statement) = self.postgres.late.pop_front() else { return false };
        if commits {
            self.lost_marks.extend(statement.marks.iter().map(|(room, _)| room_index(*room)));
            let _ = self.postgres.commit(&statement);
            self.note(|| "Postgres commits what was given up".to_owned());
        }
        true
    }

    fn crash_persister(&mut self, shard: usize) {
        self.lost_marks.extend((0..ROOMS).filter(|room| room % SHARDS == shard));
        if let Some(persister) = self.engine.persisters.get_mut(shard) {
            self.postgres.late.extend(persister.under_way());
            persister.crash();
        }
    }

    fn crash_hub(&mut self, hub: usize) {
        self.hubs[hub] = Hub::default();
        for device in self.devices.iter_mut().filter(|device| device.place.is_some_and(|(at, _)| at == hub)) {
            device.disconnected();
        }
    }

    fn crash_engine(&mut self, commits: bool) {
        for shard in 0..SHARDS {
            self.crash_persister(shard);
        }
        self.engine.rooms.clear();
        for door in std::mem::take(&mut self.engine.doors) {
            self.asks.remove(&door.ask);
        }
        // An engine takes longer to start than a statement to end.
        while self.end_late_commit(commits) {}
        // Nobody is left to hear what the dying say; but their replies count as given.
        for said in self.engine.voice.take() {
            if let Said::Answer(ask, _) = said {
                self.asks.remove(&ask);
            }
        }
        self.engine = Engine::new(&self.config, &self.clock, &self.plan, &self.postgres);
        self.engine.finish_departures(&self.postgres);
        for hub in 0..HUBS {
            self.crash_hub(hub);
        }
    }

    pub fn disconnect(&mut self, device: usize) -> bool {
        let Some((hub, key)) = self.devices[device].place else { return false };
        self.hubs[hub].sockets.remove(&key);
        self.devices[device].disconnected();
        true
    }
}
