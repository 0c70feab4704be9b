//! A client on a device, as the protocol asks it to be: it remembers the last seq of each room, catches up when it is
//! told that it lags, and sends again under the same client id until it has an answer.
//!
//! It also holds the engine to what it promises each socket: per room, seq by seq, and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parlance::ids::{RoomId, UserId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::check::{Failure, Invariant};
use super::edits::Wish;
use super::held::Held;
use super::postgres::Postgres;
use super::room_index;

/// What a device knows of a room.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// It has everything up to here.
    pub last: i64,
    /// It was told of more than it was sent.
    pub target: i64,
}

/// Something that the device wants to be rid of: a message, or a change of one.
#[derive(Clone, Debug)]
pub struct Sending {
    pub client_id: String,
    pub room: usize,
    pub wish: Wish,
    /// Under which number it was sent, and when.
    pub asked: Option<(u64, i64)>,
}

/// See the module.
pub struct Device {
    pub user: UserId,
    /// Its socket: which hub, which key.
    pub place: Option<(usize, u64)>,
    pub is_slow: bool,
    pub views: BTreeMap<usize, View>,
    /// Of these, the rooms that it knows to have left.
    pub left: BTreeSet<usize>,
    /// Per room, the seq that this socket must bring next.
    expected: BTreeMap<usize, i64>,
    /// Where the room goes on instead, when `room.joined` came for one that it knew already: it may have left and come
    /// back, or `ready` and the news of its coming have crossed.
    restarts: BTreeMap<usize, i64>,
    /// Rooms that were not resumed and go on at `expected` or later: it had more of them than `ready` says that there is.
    later: BTreeSet<usize>,
    /// What it has of messages.
    pub held: Held,
    pub sendings: VecDeque<Sending>,
    /// The page that it waits for: number, room, after which seq.
    pub paging: Option<(u64, usize, i64)>,
    pub sent: usize,
}

#[derive(Deserialize)]
struct Heard<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    room_id: Option<RoomId>,
    seq: Option<i64>,
    last_seq: Option<i64>,
    re: Option<u64>,
    room: Option<Summary>,
    #[serde(default)]
    rooms: Vec<Summary>,
    #[serde(default)]
    resume_refused: Vec<Refused>,
    #[serde(borrow, default)]
    events: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Summary {
    id: RoomId,
    last_seq: i64,
}

#[derive(Deserialize)]
struct Refused {
    room_id: RoomId,
    reason: String,
}

#[derive(Deserialize)]
struct Event {
    seq: i64,
    #[serde(rename = "type")]
    kind: String,
    user_id: Option<UserId>,
    member: Option<Member>,
    /// Of a team.
    #[serde(default)]
    people: Vec<UserId>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    user_id: Option<UserId>,
}

impl Device {
    pub fn new(user: UserId) -> Self {
        Self {
            user,
            place: None,
            is_slow: false,
            views: BTreeMap::new(),
            left: BTreeSet::new(),
            expected: BTreeMap::new(),
            restarts: BTreeMap::new(),
            later: BTreeSet::new(),
            held: Held::default(),
            sendings: VecDeque::new(),
            paging: None,
            sent: 0,
        }
    }

    /// Its socket is gone. What it has stays; what it had asked for is asked again.
    pub fn disconnected(&mut self) {
        self.place = None;
        self.paging = None;
        for sending in &mut self.sendings {
            sending.asked = None;
        }
    }

    /// The engine denied it a page of this room: it is out of it.
    pub fn denied(&mut self, room: usize) {
        self.left.insert(room);
        if let Some(view) = self.views.get_mut(&room) {
            view.target = view.last;
        }
    }

    /// The room for which a page is due, and after which seq.
    pub fn behind(&self) -> Option<(usize, i64)> {
        let (room, view) = self.views.iter().find(|(_, view)| view.last < view.target)?;
        self.paging.is_none().then_some((*room, view.last))
    }

    pub fn is_idle(&self) -> bool {
        self.place.is_some() && self.sendings.is_empty() && self.paging.is_none() && self.behind().is_none()
    }

    /// One frame; returns the number of the command that it answers.
    pub fn hear(&mut self, frame: &str, postgres: &Postgres) -> Result<Option<u64>, Failure> {
        let heard: Heard<'_> = serde_json::from_str(frame)
            .map_err(|error| Failure::new(Invariant::SeenIsCommitted, format!("{error} in {frame}")))?;
        let room = heard.room_id.map(room_index);
        match (heard.kind, room, heard.seq) {
            ("ready", ..) => self.greeted(&heard.rooms, &heard.resume_refused)?,
            ("room.joined", ..) => heard.room.iter().for_each(|room| self.joined(room_index(room.id), room.last_seq)),
            ("room.lagged", Some(room), _) => self.lagged(room, heard.last_seq.unwrap_or(0))?,
            ("receipt.updated", ..) => {}
            ("ok" | "error", ..) => {
                if let (Some((ask, room, after)), Some(events)) = (self.paging, &heard.events)
                    && heard.re == Some(ask)
                {
                    self.paged(room, after, events, heard.last_seq.unwrap_or(0), postgres)?;
                }
                return Ok(heard.re);
            }
            (_, Some(room), Some(seq)) => self.event(room, seq, frame, postgres)?,
            _ => return Err(Failure::new(Invariant::SeenIsCommitted, format!("nobody sends {frame}"))),
        }
        Ok(None)
    }

    fn greeted(&mut self, rooms: &[Summary], refused: &[Refused]) -> Result<(), Failure> {
        let known = std::mem::take(&mut self.views);
        self.expected.clear();
        self.restarts.clear();
        self.later.clear();
        self.left.clear();
        for Summary { id, last_seq } in rooms {
            let (room, last_seq) = (room_index(*id), *last_seq);
            let is_refused = refused.iter().any(|refused| refused.room_id == *id);
            let (view, next) = match known.get(&room).map(|view| view.last) {
                None => (View { last: last_seq, target: last_seq }, last_seq + 1),
                Some(last) if is_refused => (View { last, target: last_seq.max(last + 1) }, last_seq + 1),
                // It may have more than the room has heard of: Postgres has it.
                Some(last) => (View { last, target: last }, last + 1),
            };
            if is_refused && view.last > last_seq {
                self.later.insert(room);
            }
            self.views.insert(room, view);
            self.expected.insert(room, next);
        }
        known.into_keys().try_for_each(|room| self.is_resumed_or_named(room, refused))
    }

    /// Nobody puts back a log here, so that no device is ahead of it.
    fn is_resumed_or_named(&self, room: usize, refused: &[Refused]) -> Result<(), Failure> {
        let is_here = self.views.contains_key(&room);
        let refused = refused.iter().find(|refused| room_index(refused.room_id) == room);
        let wrong = match refused.map(|refused| &*refused.reason) {
            None if is_here => return Ok(()),
            Some("not_a_member") if !is_here => return Ok(()),
            Some("too_many") if is_here => return Ok(()),
            None => "nothing was said of it".to_owned(),
            Some(reason) => format!("it was refused as {reason}"),
        };
        Err(Failure::new(Invariant::ResumedOrNamed, format!("{} came back to room {room}: {wrong}", self.user.0)))
    }

    fn joined(&mut self, room: usize, last_seq: i64) {
        self.left.remove(&room);
        if let Some(expected) = self.expected.get(&room)
            && *expected != last_seq + 1
        {
            self.restarts.insert(room, last_seq + 1);
        }
        self.expected.entry(room).or_insert(last_seq + 1);
        let view = self.views.entry(room).or_insert(View { last: last_seq, target: last_seq });
        view.target = view.target.max(last_seq);
    }

    fn lagged(&mut self, room: usize, last_seq: i64) -> Result<(), Failure> {
        let expected = self.expected.entry(room).or_insert(0);
        let is_restart = self.restarts.remove(&room).is_some_and(|seq| seq <= last_seq + 1);
        if last_seq + 1 < *expected && !is_restart {
            let detail = format!("room {room} lagged to {last_seq} after {}", *expected - 1);
            return Err(Failure::new(Invariant::OnceADevice, detail));
        }
        *expected = last_seq + 1;
        let view = self.views.entry(room).or_default();
        view.target = view.target.max(last_seq);
        Ok(())
    }

    fn event(&mut self, room: usize, seq: i64, frame: &str, postgres: &Postgres) -> Result<(), Failure> {
        is_in_the_log(room, seq, frame, postgres)?;
        if !postgres.rooms[room].may_see(self.user, seq) {
            return Err(Failure::new(Invariant::MembersOnly, format!("{seq} of room {room} came after it had left")));
        }
        let Some(expected) = self.expected.get_mut(&room) else {
            return Err(Failure::new(Invariant::MembersOnly, format!("{seq} of room {room}, which nobody announced")));
        };
        if self.restarts.remove(&room) == Some(seq) || (self.later.remove(&room) && seq > *expected) {
            *expected = seq;
        }
        if seq != *expected {
            let invariant = if seq < *expected { Invariant::OnceADevice } else { Invariant::GapFree };
            return Err(Failure::new(invariant, format!("room {room}: {seq} comes where {expected} is due")));
        }
        *expected += 1;
        self.held.hear(room, frame);
        self.has(room, &understood(frame)?);
        Ok(())
    }

    fn has(&mut self, room: usize, event: &Event) {
        let seq = event.seq;
        let is_of_team = event.people.contains(&self.user);
        match &*event.kind {
            "member.removed" if event.user_id == Some(self.user) || is_of_team => _ = self.left.insert(room),
            "member.added"
                if event.member.as_ref().is_some_and(|member| member.user_id == Some(self.user)) || is_of_team =>
            {
                self.left.remove(&room);
            }
            _ => {}
        }
        let view = self.views.entry(room).or_default();
        if seq == view.last + 1 {
            view.last = seq;
        }
        // One that lags gets this again with its pages.
        view.target = view.target.max(seq);
    }

    fn paged(
        &mut self,
        room: usize,
        after: i64,
        events: &[&RawValue],
        last_seq: i64,
        postgres: &Postgres,
    ) -> Result<(), Failure> {
        for (index, event) in events.iter().enumerate() {
            let due = after + 1 + index as i64;
            let frame = event.get();
            let event = understood(frame)?;
            if event.seq != due {
                let detail = format!("a page of room {room} after {after} has {} where {due} is due", event.seq);
                return Err(Failure::new(Invariant::GapFree, detail));
            }
            is_in_the_log(room, event.seq, frame, postgres)?;
            self.held.hear(room, frame);
            self.has(room, &event);
        }
        if let Some(view) = self.views.get_mut(&room) {
            // Nothing came: there is no more until it is told of more.
            view.target = if events.is_empty() { view.last } else { view.target.max(last_seq) };
        }
        Ok(())
    }
}

fn understood(frame: &str) -> Result<Event, Failure> {
    serde_json::from_str(frame).map_err(|error| Failure::new(Invariant::SeenIsCommitted, format!("{error} in {frame}")))
}

fn is_in_the_log(room: usize, seq: i64, frame: &str, postgres: &Postgres) -> Result<(), Failure> {
    let table = &postgres.rooms[room];
    match table.row(seq) {
        Some(_) if table.told.is_one(seq, frame) => Ok(()),
        Some(_) => Err(Failure::new(Invariant::SeenIsCommitted, format!("{seq} of room {room} is another row"))),
        None => Err(Failure::new(Invariant::SeenIsCommitted, format!("{seq} of room {room} is not committed"))),
    }
}
