//! What rooms said goes to whom it concerns, and is held against the log on its way.

use std::sync::Arc;

use parlance::ids::UserId;
use parlance::order::Page;
use parlance::order::{RowBody, Watermark};
use parlance::publish::{Delivery, Topic};
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{Changed, Posted};
use serde::Deserialize;
use uuid::Uuid;

use super::actions::short;
use super::check::{Failure, Invariant};
use super::hub::Stage;
use super::plan::{Broken, Fault};
use super::voice::{Answered, Said};
use super::world::{Ask, World};
use super::{index_of, room_id, room_index};

#[derive(Deserialize)]
struct Receipt {
    user_id: UserId,
    delivered_seq: i64,
    read_seq: i64,
}

impl World {
    /// Passes on what was said; the first promise that was broken so far, if any.
    pub fn settle(&mut self) -> Result<(), Failure> {
        for said in self.engine.voice.take() {
            self.pass_on(said, true);
        }
        for said in self.rival.voice.take() {
            self.pass_on(said, false);
        }
        match self.postgres.failures.is_empty() {
            true => Ok(()),
            false => Err(self.postgres.failures.remove(0)),
        }
    }

    fn pass_on(&mut self, said: Said, has_hubs: bool) {
        match said {
            Said::Deliver(delivery) => {
                self.check_delivery(&delivery);
                let delivery = Arc::new(delivery);
                for hub in self.hubs.iter_mut().filter(|_| has_hubs) {
                    hub.deliver(Arc::clone(&delivery), self.now);
                }
            }
            Said::Publish(publication) => {
                let Topic::Room(room) = publication.topic else { return };
                if !has_hubs {
                    return;
                }
                for frame in publication.frames.iter() {
                    self.check_receipt(room_index(room), &frame.text);
                }
                for hub in &mut self.hubs {
                    hub.publish(publication.clone());
                }
            }
            Said::Answer(ask, answered) => self.answer(ask, answered),
            Said::Loaded(room, marks) if has_hubs => self.check_loaded_marks(room, &marks),
            Said::Loaded(..) => {}
        }
    }

    fn check_delivery(&mut self, delivery: &Delivery) {
        let room = index_of(delivery.order);
        for (seq, frame) in (delivery.first_seq..).zip(delivery.frames.iter()) {
            if !self.postgres.rooms[room].told.is_one(seq, frame) {
                self.fail(Invariant::SeenIsCommitted, format!("{seq} of room {room} is shown and not in the log"));
            }
        }
    }

    fn check_receipt(&mut self, room: usize, frame: &str) {
        let Ok(receipt) = serde_json::from_str::<Receipt>(frame) else { return };
        let told = self.told_marks.entry((room, receipt.user_id.into())).or_default();
        let now = (receipt.delivered_seq, receipt.read_seq);
        if is_behind(now, *told) {
            let detail = format!("{} in room {room}: {now:?} after {told:?}", short(receipt.user_id));
            self.postgres.failures.push(Failure::new(Invariant::MarksOnlyGrow, detail));
        }
        *told = now;
    }

    /// Only where marks may have been lost does a room begin with less than it told.
    fn check_loaded_marks(&mut self, room: usize, loaded: &[Watermark]) {
        for mark in loaded {
            let now = (mark.delivered_seq, mark.read_seq);
            let Some(told) = self.told_marks.get_mut(&(room, mark.party)) else { continue };
            if !is_behind(now, *told) {
                continue;
            }
            if !self.lost_marks.contains(&room) {
                let detail = format!("{} in room {room}: {now:?} is loaded, {told:?} was told", mark.party);
                self.postgres.failures.push(Failure::new(Invariant::MarksOnlyGrow, detail));
            }
            *told = (told.0.min(now.0), told.1.min(now.1));
        }
    }

    fn answer(&mut self, ask: u64, answered: Answered) {
        if self.plan.is_broken(Broken::LoseAReply) && matches!(answered, Answered::Marked(Ok(Some(_)))) {
            return;
        }
        let Some(asked) = self.asks.remove(&ask) else {
            return self.fail(Invariant::AnsweredOnce, format!("#{ask} is answered again: {answered:?}"));
        };
        match (asked, answered) {
            (Ask::Post { room, user, client_id, from }, Answered::Posted(result)) => {
                let error = result.as_ref().err().map(ToString::to_string);
                self.note(|| format!("#{ask} ({client_id}) is answered: {}", error.as_deref().unwrap_or("ok")));
                if let Ok(posted) = &result {
                    self.check_acknowledged(room, user, &client_id, posted);
                }
                self.sent(ask, user, &client_id, from, &result);
            }
            (Ask::Act(acting), Answered::Acted(acted)) => self.acted(ask, acting, acted),
            (Ask::Change { room }, Answered::Changed(result)) => {
                let error = result.as_ref().err().map(ToString::to_string);
                self.note(|| format!("#{ask} is answered: {}", error.as_deref().unwrap_or("ok")));
                if !self.counts.faults.contains_key(&Fault::SecondOwner) {
                    // With one, a write may pass whose forerunner was fenced: the fence compares places, and the other
                    // engine may have written just as many rows. What it then does to members may be impossible.
                    self.is_over_for_good(&result);
                }
                if let Ok(Changed { row: Some(row), .. }) = result
                    && self.postgres.table(room_id(room)).row(row.seq).is_none_or(|there| there.id() != row.id())
                {
                    self.fail(Invariant::AcknowledgedIsThere, format!("a change at {} of room {room}", row.seq));
                }
            }
            (Ask::Mark { from: (hub, key) }, Answered::Marked(_)) => {
                let frame = format!("{{\"type\":\"ok\",\"re\":{ask}}}").into();
                self.hubs[hub].answer(key, frame);
            }
            (Ask::Resume { place, user, room }, Answered::Page(result)) => self.page(place, user, room, result, true),
            (Ask::Page { place, user, room }, Answered::Page(result)) => self.page(place, user, room, result, false),
            (asked, answered) => self.fail(Invariant::AnsweredOnce, format!("{answered:?} to {asked:?}")),
        }
    }

    /// Tells whoever sent something what became of it.
    pub fn sent<T>(
        &mut self,
        ask: u64,
        user: UserId,
        client_id: &str,
        from: Option<(usize, u64)>,
        result: &Result<T, ChatError>,
    ) {
        let is_over = self.is_over_for_good(result);
        match from {
            Some((hub, key)) => {
                self.is_over.insert(ask, is_over);
                let frame = format!("{{\"type\":\"ok\",\"re\":{ask}}}").into();
                self.hubs[hub].answer(key, frame);
            }
            None if result.is_ok() => {
                for device in self.devices.iter_mut().filter(|device| device.user == user) {
                    device.sendings.retain(|sending| sending.client_id != client_id);
                }
            }
            None => {}
        }
    }

    /// Whether asking again is of no use. A refusal by Postgres is a defect of the engine: nobody sends impossible rows.
    fn is_over_for_good<T>(&mut self, result: &Result<T, ChatError>) -> bool {
        if matches!(result, Err(ChatError::Refused)) {
            self.fail(Invariant::NothingImpossible, "Postgres refused a row".into());
        }
        !matches!(result, Err(ChatError::Busy | ChatError::Unavailable | ChatError::Restarted))
    }

    fn check_acknowledged(&mut self, room: usize, user: UserId, client_id: &str, posted: &Posted) {
        let place = (posted.row.seq, posted.row.id());
        let there = self.postgres.rooms[room].row(place.0);
        let is_there = there.is_some_and(|row| {
            let is_same = matches!(&row.body, RowBody::Message(message)
                if message.sender == Some(user.into()) && message.client_id.as_deref() == Some(client_id));
            is_same && row.id() == place.1
        });
        if !is_there {
            self.fail(Invariant::AcknowledgedIsThere, format!("{client_id} at {} of room {room}", place.0));
        }
        self.is_answered_alike(room, user, client_id, place);
    }

    pub fn is_answered_alike(&mut self, room: usize, user: UserId, client_id: &str, place: (i64, Uuid)) {
        let first = *self.acknowledged.entry((room, user, client_id.to_owned())).or_insert(place);
        if first != place {
            self.fail(Invariant::SameAnswer, format!("{client_id}: first {first:?}, then {place:?}"));
        }
    }

    fn page(
        &mut self,
        (hub, key): (usize, u64),
        user: UserId,
        room: usize,
        result: Result<Option<Page>, ChatError>,
        is_resume: bool,
    ) {
        if let Ok(Some(page)) = &result {
            self.check_page(user, room, page);
        }
        let Some(socket) = self.hubs[hub].sockets.get_mut(&key) else { return };
        let reading =
            if is_resume { socket.reading.as_mut() } else { socket.answering.as_mut().map(|(_, reading)| reading) };
        if let Some(reading) = reading {
            reading.stage = match result {
                Ok(Some(page)) if reading.after <= page.last_seq => Stage::Read(Ok(page)),
                Ok(_) => Stage::Deep,
                Err(error) => Stage::Read(Err(error)),
            };
        }
    }
}

/// Whether marks (delivered, read) fall behind others in any way.
pub fn is_behind(marks: (i64, i64), others: (i64, i64)) -> bool {
    marks.0 < others.0 || marks.1 < others.1
}
