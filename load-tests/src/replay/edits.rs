//! Editing and deleting messages: what devices want, and what they are answered. Decided by the engine's own actions.

use std::sync::Arc;

use parlance::ids::{MessageId, UserId};
use parlance::messaging::edits::{Delete, Edit};
use parlance::order::Page;
use parlance::rooms::action::may_be;
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{Act, Acted, Command, Posted};
use parlance::rooms::{Right, RoomAction, WantedAction};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::actions::short;
use super::check::Invariant;
use super::client::{Device, Sending};
use super::doors::Door;
use super::voice::Answered;
use super::world::{Ask, SENDINGS_MAX, World};

/// Messages that somebody thinks of at a time: so few that changes of one message meet.
const FEW: usize = 3;
/// The number of those who change what is gone.
const LATE: u32 = 9;

/// What a device sends.
#[derive(Clone, Debug)]
pub enum Wish {
    Post,
    Act(Deed),
}

/// What it wants done to a message.
#[derive(Clone, Debug)]
pub enum Deed {
    Edit(MessageId, String),
    Delete(MessageId),
}

/// What a message says: found nowhere else, and of any length.
pub fn text(client_id: &str, number: u64) -> String {
    format!("[{client_id}]{}", "x".repeat(usize::try_from(number % 97).unwrap_or(0)))
}

/// An edit or a deletion on its way.
#[derive(Clone, Debug)]
pub struct Acting {
    pub room: usize,
    pub user: UserId,
    pub client_id: String,
    pub deed: Deed,
    /// The session that waits; `None`: the other engine was asked, for nobody.
    pub from: Option<(usize, u64)>,
}

impl Acting {
    fn wanted(&self) -> WantedAction {
        let (by, client_id, action) = (self.user.into(), Some(self.client_id.clone()), self.deed.action());
        WantedAction { by, right: Right::Own, client_id, action, target: None }
    }
}

impl Deed {
    fn message(&self) -> MessageId {
        match self {
            Self::Edit(message, _) | Self::Delete(message) => *message,
        }
    }

    fn action(&self) -> Arc<dyn RoomAction> {
        match self.clone() {
            Self::Edit(message_id, content) => Arc::new(Edit { message_id, content, parts: None }),
            Self::Delete(message_id) => Arc::new(Delete { message_id }),
        }
    }
}

impl World {
    /// Somebody wants a message that they have otherwise or gone: most often their own, and as often an old one as a new.
    pub fn want_to_change_a_message(&mut self, rng: &mut ChaCha8Rng) {
        let index = rng.random_range(0..self.devices.len());
        let (own, new) = (rng.random_bool(0.7), rng.random_bool(0.5));
        let pick = rng.random_range(0..1_000);
        let kind = rng.random_range(0..=LATE);
        let device = &mut self.devices[index];
        if device.sendings.len() >= SENDINGS_MAX {
            return;
        }
        let mut wanted = wanted(device, own, kind == LATE);
        if new {
            wanted.drain(..wanted.len().saturating_sub(FEW));
        }
        wanted.truncate(FEW);
        let Some(((room, message), content)) = wanted.get(pick % wanted.len().max(1)).cloned() else { return };
        device.sent += 1;
        let client_id = format!("e{index}-{}", device.sent);
        let deed = match kind {
            0..2 => Deed::Delete(message),
            // It is so already, as far as this device knows.
            2 => Deed::Edit(message, content),
            _ => Deed::Edit(message, text(&client_id, pick as u64)),
        };
        device.sendings.push_back(Sending {
            client_id: client_id.clone(),
            room,
            wish: Wish::Act(deed.clone()),
            asked: None,
        });
        self.note(|| format!("device {index} wants {client_id} in room {room}: {deed:?}"));
    }

    /// Asks the room for it.
    pub fn act(&mut self, device: usize, sending: Sending, deed: Deed, from: Option<(usize, u64)>) -> u64 {
        let (ask, user) = (self.number(), self.devices[device].user);
        let Sending { client_id, room, .. } = sending;
        let whose = if from.is_some() { "room" } else { "the other owner of room" };
        self.note(|| format!("device {device} asks {whose} {room} for {client_id} (#{ask})"));
        if let Deed::Delete(message) = &deed {
            self.deleting.insert(*message);
        }
        let acting = Acting { room, user, client_id, deed, from };
        let engine = if from.is_some() { &mut self.engine } else { &mut self.rival };
        let (wanted, reply) = (acting.wanted(), engine.voice.reply(ask, Answered::Acted));
        engine.send(room, Command::Act(Act { wanted, reply }));
        self.asks.insert(ask, Ask::Act(acting));
        ask
    }

    /// The room's answer, which may be none yet: then its door goes on.
    pub fn acted(&mut self, ask: u64, acting: Acting, acted: Result<Acted, ChatError>) {
        let engine = if acting.from.is_some() { &mut self.engine } else { &mut self.rival };
        let door = engine.doors.iter_mut().find(|door| door.ask == ask);
        match (door, acted) {
            (Some(door), acted) => door.answered(acted),
            (None, Ok(Acted::Done(posted))) => return self.has_acted(ask, &acting, Ok(Some(posted))),
            (None, Err(error)) if error.is_passing() => return self.has_acted(ask, &acting, Err(error)),
            (None, acted) => engine.doors.push(Door::new(ask, acting.room, acting.wanted(), acted)),
        }
        self.asks.insert(ask, Ask::Act(acting));
    }

    /// What became of an edit or a deletion.
    pub fn has_acted(&mut self, ask: u64, acting: &Acting, result: Result<Option<Posted>, ChatError>) {
        let Acting { room, user, client_id, from, .. } = acting;
        let error = result.as_ref().err().map(ToString::to_string);
        self.note(|| format!("#{ask} ({client_id}) is answered: {}", error.as_deref().unwrap_or("ok")));
        let wrong = match &result {
            Ok(Some(posted)) => self.is_not_done(acting, posted),
            Ok(None) => self.is_not_so(acting).map(str::to_owned),
            Err(error) => self.is_no_reason(acting, error),
        };
        if let Some(wrong) = wrong {
            self.fail(Invariant::ActedAsAnswered, format!("{client_id} of {} in room {room}: {wrong}", short(*user)));
        }
        self.sent(ask, *user, client_id, *from, &result);
    }

    /// Why what was answered is not what was asked for.
    fn is_not_done(&mut self, acting: &Acting, posted: &Posted) -> Option<String> {
        let Acting { room, user, client_id, .. } = acting;
        let (row, action) = (&posted.row, acting.deed.action());
        let is_there = self.postgres.rooms[*room].row(row.seq).is_some_and(|there| there.id() == row.id());
        if !is_there {
            self.fail(Invariant::AcknowledgedIsThere, format!("{client_id} at {} of room {room}", row.seq));
        }
        if row.client_key() == Some((Some((*user).into()), client_id)) {
            self.is_answered_alike(*room, *user, client_id, (row.seq, row.id()));
            return (!may_be(action.as_ref(), row)).then(|| format!("{} was another change", row.seq));
        }
        // Somebody else's change that was on its way makes it so.
        (row.touches() != action.target()).then(|| format!("{} is of another message", row.seq))
    }

    /// Why it is not so already.
    fn is_not_so(&self, acting: &Acting) -> Option<&'static str> {
        let table = &self.postgres.rooms[acting.room];
        let is_so = match &acting.deed {
            Deed::Edit(message, content) => table.told.has_said(*message, content),
            Deed::Delete(message) => table.message(*message)?.deleted_at.is_some(),
        };
        (!is_so).then_some("it is not so")
    }

    /// Why it should not have been refused.
    fn is_no_reason(&self, acting: &Acting, error: &ChatError) -> Option<String> {
        let there = self.postgres.rooms[acting.room].message(acting.deed.message())?;
        let is_true = match error {
            ChatError::OfFeature(problem) => match problem.code {
                "message.not_yours" => there.sender != Some(acting.user.into()),
                // By a deletion that is on its way as well, whether or not it arrives.
                "message.deleted" => there.deleted_at.is_some() || self.deleting.contains(&there.id),
                _ => false,
            },
            ChatError::MessageNotFound | ChatError::KeyReused => false,
            _ => true,
        };
        (!is_true).then(|| format!("it was refused: {error}"))
    }

    /// A page tells each place as it is by the page's own end.
    pub fn check_forms(&mut self, room: usize, page: &Page) {
        let first = page.next_after + 1 - i64::try_from(page.frames.len()).unwrap_or(0);
        for (seq, frame) in (first..).zip(&page.frames) {
            let right = self.postgres.rooms[room].told.as_of(seq, page.last_seq);
            if right != Some(frame) {
                let detail = format!("{seq} of room {room}, as of {}, is {frame} instead of {right:?}", page.last_seq);
                self.fail(Invariant::PresentForm, detail);
            }
        }
    }
}

/// What a device may want to change, with what it says, the oldest first. Of what is gone nothing more is wanted, but by
/// those who are too late.
fn wanted(device: &Device, own: bool, is_late: bool) -> Vec<((usize, MessageId), String)> {
    let theirs = device.held.messages().filter(|(_, form)| !own || form.sender == device.user);
    let wanted = theirs.filter(|(_, form)| is_late || !form.is_deleted);
    let mut wanted: Vec<_> = wanted.map(|(place, form)| (place, form.content.clone())).collect();
    // Ids rise with time, in whichever room.
    wanted.sort_unstable_by_key(|((_, id), _)| *id);
    wanted
}
