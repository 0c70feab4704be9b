//! The door to a room's actions: it looks up what the room lacks, and asks again.
//!
//! Mirrors `rooms/doors.rs`, where each of these is a task: whose turn it is, what was done before, the target, the room.

use parlance::ids::MessageId;
use parlance::rooms::WantedAction;
use parlance::rooms::action::may_be;
use parlance::rooms::error::ChatError;
use parlance::rooms::mailbox::{Act, Acted, Command, Posted};

use super::plan::Broken;
use super::voice::Answered;
use super::world::{Ask, World};

/// As in the engine.
const READS_MAX: usize = 5;
const TURNS: u128 = 64;

/// An action that its room could not answer at once.
pub struct Door {
    pub ask: u64,
    room: usize,
    wanted: WantedAction,
    reads: usize,
    stage: Stage,
}

enum Stage {
    /// It waits for its turn, with the room's first answer.
    Waits(Result<Acted, ChatError>),
    /// The room has answered.
    Answered(Result<Acted, ChatError>),
    /// The room was asked again.
    Asked,
}

impl Door {
    pub fn new(ask: u64, room: usize, wanted: WantedAction, acted: Result<Acted, ChatError>) -> Self {
        Self { ask, room, wanted, reads: 0, stage: Stage::Waits(acted) }
    }

    pub fn answered(&mut self, acted: Result<Acted, ChatError>) {
        self.stage = Stage::Answered(acted);
    }

    fn turn(&self) -> Option<u128> {
        self.wanted.action.target().map(|MessageId(id)| id.as_u128() % TURNS)
    }
}

type Done = Result<Option<Posted>, ChatError>;

impl World {
    /// One of the doors of an engine goes on by a step.
    pub fn go_on(&mut self, of_rival: bool, pick: usize) {
        let engine = if of_rival { &mut self.rival } else { &mut self.engine };
        if engine.doors.is_empty() {
            return;
        }
        let index = pick % engine.doors.len();
        let is_first = {
            let turn = engine.doors[index].turn();
            engine.doors[..index].iter().all(|earlier| earlier.turn() != turn)
        };
        let mut door = engine.doors.remove(index);
        match self.step_door(of_rival, is_first, &mut door) {
            None => {
                let engine = if of_rival { &mut self.rival } else { &mut self.engine };
                engine.doors.insert(index, door);
            }
            Some(done) => {
                if let Some(Ask::Act(acting)) = self.asks.remove(&door.ask) {
                    self.has_acted(door.ask, &acting, done);
                }
            }
        }
    }

    /// `None`: it is not done yet.
    fn step_door(&mut self, of_rival: bool, is_first: bool, door: &mut Door) -> Option<Done> {
        match std::mem::replace(&mut door.stage, Stage::Asked) {
            Stage::Waits(acted) if !is_first => {
                door.stage = Stage::Waits(acted);
                None
            }
            Stage::Waits(_) if self.postgres.is_away => Some(Err(ChatError::Unavailable)),
            Stage::Waits(acted) => {
                door.stage = Stage::Answered(acted);
                self.done_before(door)
            }
            Stage::Asked => None,
            Stage::Answered(Ok(Acted::Done(posted))) => Some(Ok(Some(posted))),
            Stage::Answered(Ok(Acted::Settled)) => Some(Ok(None)),
            Stage::Answered(Ok(Acted::Needs(_))) if door.reads == READS_MAX => Some(Err(ChatError::Busy)),
            Stage::Answered(Ok(Acted::Needs(_))) if self.postgres.is_away => Some(Err(ChatError::Unavailable)),
            Stage::Answered(Ok(Acted::Needs(message))) => {
                let Some(mut target) = self.postgres.target(door.room, message) else {
                    return Some(Err(ChatError::MessageNotFound));
                };
                if self.plan.is_broken(Broken::TrustAnOldTarget) {
                    target.as_of = i64::MAX;
                }
                door.reads += 1;
                self.counts.looked_up += 1;
                door.wanted.target = Some(target);
                let engine = if of_rival { &mut self.rival } else { &mut self.engine };
                let (wanted, reply) = (door.wanted.clone(), engine.voice.reply(door.ask, Answered::Acted));
                engine.send(door.room, Command::Act(Act { wanted, reply }));
                None
            }
            // These rooms are in no space, whose roles could allow it all the same.
            Stage::Answered(Err(error)) => Some(Err(error)),
        }
    }

    /// What was done under this client id, further back than the room remembers.
    fn done_before(&self, door: &Door) -> Option<Done> {
        let key = (Some(door.wanted.by), door.wanted.client_id.clone()?);
        let first = self.postgres.sent_before(door.room, &[key]).into_iter().next()?;
        Some(match may_be(door.wanted.action.as_ref(), &first) {
            true => Ok(Some(Posted { row: first.into(), repeated: true })),
            false => Err(ChatError::KeyReused),
        })
    }
}
