//! Faults end: everything must come to rest, and then be as promised.

use std::collections::BTreeSet;

use parlance::rooms::state::RoomState;

use super::check::{Failure, Invariant};
use super::client::Sending;
use super::edits::Wish;
use super::passing::is_behind;
use super::postgres::Table;
use super::world::World;
use super::{HUBS, ROOMS, SHARDS, index_of, room_id};

/// Far more than any run needs.
const ROUNDS_MAX: usize = 3_000;

impl World {
    /// Ends all faults, lets everything finish, says one last thing in each room, and looks at what is there.
    pub fn end(&mut self) -> Result<(), Failure> {
        self.note(|| "faults end".to_owned());
        self.is_over_with_faults = true;
        self.postgres.is_away = false;
        self.hubs.iter_mut().for_each(|hub| hub.is_busy = false);
        self.devices.iter_mut().for_each(|device| device.is_slow = false);
        // A room that another owner wrote to last does not know, until it writes.
        self.come_to_rest(0, |world| world.rival.is_idle(&world.postgres))?;
        while self.end_late_commit(true) {}
        self.say_a_last_word();
        self.come_to_rest(1, Self::is_at_rest)?;
        self.check_logs()?;
        self.check_devices()?;
        for room in 0..ROOMS {
            self.check_memory(room, true)?;
        }
        Ok(())
    }

    fn come_to_rest(&mut self, part: usize, is_at_rest: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let mut rng = self.plan.rng(self.plan.steps + part);
        for _ in 0..ROUNDS_MAX {
            self.pass(100);
            for _ in 0..4 {
                for room in 0..ROOMS {
                    self.engine.step(room, &mut self.postgres, self.now, &mut rng);
                    self.rival.step(room, &mut self.postgres, self.now, &mut rng);
                }
                for device in 0..self.devices.len() {
                    self.advance_device(device, &mut rng);
                    self.advance_socket(device, &mut rng);
                }
                for hub in 0..HUBS {
                    self.hubs[hub].step(&mut self.postgres);
                    self.hubs[hub].try_again(self.now, 0);
                }
                for shard in 0..SHARDS {
                    self.settle_shard(shard);
                }
                self.go_on(false, 0);
                self.go_on(true, 0);
                self.engine.hear(&self.postgres);
                self.rival.hear(&self.postgres);
                self.settle()?;
            }
            if is_at_rest(self) {
                return Ok(());
            }
        }
        Err(Failure::new(Invariant::Quiescent, self.unrest()))
    }

    fn settle_shard(&mut self, shard: usize) {
        for engine in [&mut self.engine, &mut self.rival] {
            if let Some(persister) = engine.persisters.get_mut(shard) {
                persister.step(&mut self.postgres, self.now, super::persister::Fate::Commits);
            }
        }
    }

    fn is_at_rest(&self) -> bool {
        self.engine.is_idle(&self.postgres)
            && self.rival.is_idle(&self.postgres)
            && self.hubs.iter().all(|hub| hub.is_idle())
            && self.devices.iter().all(|device| device.is_idle())
    }

    fn unrest(&self) -> String {
        let devices: Vec<usize> = (0..self.devices.len()).filter(|device| !self.devices[*device].is_idle()).collect();
        let hubs: Vec<usize> = (0..HUBS).filter(|hub| !self.hubs[*hub].is_idle()).collect();
        let rooms: Vec<_> = self.engine.rooms.values().map(|host| host.life.phase()).collect();
        format!(
            "devices {devices:?} and hubs {hubs:?} are not at rest; the engine is: {}, its rooms are {rooms:?}; the other is: {}",
            self.engine.is_idle(&self.postgres),
            self.rival.is_idle(&self.postgres)
        )
    }

    fn say_a_last_word(&mut self) {
        for room in 0..ROOMS {
            let members = &self.postgres.rooms[room].members;
            if let Some(device) = self.devices.iter_mut().find(|device| members.contains_key(&device.user.into())) {
                device.sendings.push_back(Sending {
                    client_id: format!("last-{room}"),
                    room,
                    wish: Wish::Post,
                    asked: None,
                });
            }
        }
    }

    fn check_logs(&self) -> Result<(), Failure> {
        if let Some((ask, asked)) = self.asks.iter().min_by_key(|(ask, _)| **ask) {
            return Err(Failure::new(Invariant::AnsweredOnce, format!("#{ask} has no answer: {asked:?}")));
        }
        for (room, table) in self.postgres.rooms.iter().enumerate() {
            if !table.rows.iter().map(|row| row.seq).eq(1..=table.last_seq()) {
                return Err(Failure::new(Invariant::NoHoles, format!("room {room}")));
            }
        }
        for ((room, _, client_id), (seq, id)) in &self.acknowledged {
            if self.postgres.rooms[*room].row(*seq).is_none_or(|row| row.id() != *id) {
                let detail = format!("{client_id} at {seq} of room {room}");
                return Err(Failure::new(Invariant::AcknowledgedIsThere, detail));
            }
        }
        Ok(())
    }

    fn check_devices(&self) -> Result<(), Failure> {
        for (index, device) in self.devices.iter().enumerate() {
            let mine = self
                .postgres
                .rooms
                .iter()
                .enumerate()
                .filter(|(_, table)| table.members.contains_key(&device.user.into()));
            for (room, table) in mine.clone() {
                device.held.is_as_in(room, table).map_err(|detail| {
                    Failure::new(Invariant::FormsAgree, format!("device {index}, room {room}: {detail}"))
                })?;
                let last = device.views.get(&room).map(|view| view.last);
                if last != Some(table.last_seq()) {
                    let detail = format!("device {index} has {last:?} of {} in room {room}", table.last_seq());
                    return Err(Failure::new(Invariant::EveryoneArrives, detail));
                }
            }
            let is_mine = |room: &usize| self.postgres.rooms[*room].members.contains_key(&device.user.into());
            if let Some(room) = device.views.keys().find(|room| !is_mine(room) && !device.left.contains(room)) {
                let detail = format!("device {index} is out of room {room}, and nobody told it");
                return Err(Failure::new(Invariant::LeavingIsTold, detail));
            }
            let Some(socket) = device.place.and_then(|(hub, key)| self.hubs[hub].sockets.get(&key)) else { continue };
            let mine: BTreeSet<usize> = mine.map(|(room, _)| room).collect();
            let followed: BTreeSet<usize> = socket.outbox.orders().map(index_of).collect();
            if mine != followed || mine != socket.listens {
                let detail = format!("device {index} follows {followed:?} and is in {mine:?}");
                return Err(Failure::new(Invariant::MembersOnly, detail));
            }
        }
        Ok(())
    }

    /// A room with nothing under way is what its log says.
    pub fn check_memory(&self, room: usize, is_ended: bool) -> Result<(), Failure> {
        let Some(host) = self.engine.rooms.get(&room) else { return Ok(()) };
        let Some(state) = host.life.state().filter(|_| host.life.phase() == "ready") else { return Ok(()) };
        let table = &self.postgres.rooms[room];
        let wrong = |what: &str| Err(Failure::new(Invariant::MemoryIsTheLog, format!("room {room}: {what}")));
        if state.committed_seq() > table.last_seq() {
            return wrong("it is ahead");
        }
        let is_told = table.departures.is_empty();
        if is_ended && !is_told {
            return wrong("it does not tell who left");
        }
        if !is_told || state.pending_len() > 0 || state.committed_seq() < table.last_seq() {
            // Where nobody is left to say a last word, it does not hear of what another owner wrote.
            let is_spoken_in = self.devices.iter().any(|device| table.members.contains_key(&device.user.into()));
            return if is_ended && is_spoken_in { wrong("it is not at its end") } else { Ok(()) };
        }
        if is_ended {
            self.replay(room, state)?;
        }
        if table.rows.iter().any(|row| state.recent(row.id()).is_some_and(|known| known != *row)) {
            return wrong("another form of a row");
        }
        if state.facts().members.parties() != table.members.len() {
            return wrong("other members");
        }
        if state.described() != (table.name.as_deref(), table.topic.as_deref()) {
            return wrong("another name or topic");
        }
        for (user, member) in &table.members {
            let Some(seen) = state.facts().members.get(user) else { return wrong("a member is missing") };
            if seen.role != member.role {
                return wrong("another role");
            }
            let kept = (member.delivered_seq, member.read_seq);
            if is_ended && !self.lost_marks.contains(&room) {
                if is_behind((seen.delivered_seq, seen.read_seq), kept) {
                    return wrong("its read marks are behind");
                }
                if self.told_marks.get(&(room, *user)).is_some_and(|told| is_behind(kept, *told)) {
                    return Err(Failure::new(
                        Invariant::MarksOnlyGrow,
                        format!("room {room}: a mark that was told is not kept"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// From its beginning, row by row.
    fn replay(&self, room: usize, state: &RoomState) -> Result<(), Failure> {
        let table = &self.postgres.rooms[room];
        let mut replayed = Table::new(table.founders.clone());
        for row in &table.rows {
            if let Some(change) = row.change() {
                replayed.apply(row.seq, change);
            }
        }
        let roles = |table: &Table| table.members.iter().map(|(user, member)| (*user, member.role)).collect::<Vec<_>>();
        let is_same = roles(&replayed) == roles(table)
            && (&replayed.name, &replayed.topic) == (&table.name, &table.topic)
            && state.id == room_id(room);
        if is_same { Ok(()) } else { Err(Failure::new(Invariant::MemoryIsTheLog, format!("room {room}, replayed"))) }
    }
}
