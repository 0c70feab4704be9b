//! What Postgres tells engines of who came and went, whoever wrote it: a statement that was given up as well.
//!
//! Mirrors the triggers of `migrations/*_changes.sql`, `changes/listener.rs` and `Rooms::members_changed`.

use std::sync::{Arc, Mutex, PoisonError};

use parlance::ids::UserId;
use parlance::order::CoreChange;
use parlance::party::Party;
use parlance::rooms::LiveCard;
use parlance::rooms::mailbox::{Command, CompareMembers, Reply};

use super::postgres::Postgres;

/// Somebody came into a room or left it.
#[derive(Clone, Copy)]
pub struct MemberChange {
    pub room: usize,
    party: Party,
    is_member: bool,
}

impl MemberChange {
    pub fn of(room: usize, change: &CoreChange) -> impl Iterator<Item = Self> {
        let is_member = match change {
            CoreChange::MemberAdded { .. } => Some(true),
            CoreChange::MemberRemoved { is_out: false, .. } => Some(false),
            _ => None,
        };
        change.parties().filter_map(move |party| Some(Self { room, party, is_member: is_member? }))
    }

    /// They left the space.
    pub fn departed(room: usize, user: UserId) -> Self {
        Self { room, party: user.into(), is_member: false }
    }
}

/// An engine's ear.
#[derive(Default)]
pub struct Listener {
    /// How many of all changes it has heard.
    heard: usize,
    /// Those that a room could not look at.
    again: Arc<Mutex<Vec<MemberChange>>>,
}

impl Listener {
    /// One that hears what is told from now on.
    pub fn new(postgres: &Postgres) -> Self {
        Self { heard: postgres.changes.len(), ..Self::default() }
    }

    /// What an engine has to look at next.
    pub fn next(&mut self, postgres: &Postgres) -> Option<MemberChange> {
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner).pop();
        again.or_else(|| {
            let change = postgres.changes.get(self.heard).filter(|_| !postgres.is_away)?;
            self.heard += 1;
            Some(*change)
        })
    }

    /// What the room is asked, if anything: an open one without somebody who came looks for itself, and any may have people
    /// listen to it who left. `card`: of the open room.
    pub fn question(&self, change: MemberChange, card: Option<&LiveCard>) -> Option<Command> {
        let is_told = change.is_member
            && card.is_none_or(|card| card.read(|card| card.facts().is_member(change.party)) == Some(true));
        if is_told {
            return None;
        }
        let again = Arc::clone(&self.again);
        let reply = Reply::new(move |looked| {
            if looked.is_err_and(|error| error.is_passing()) {
                again.lock().unwrap_or_else(PoisonError::into_inner).push(change);
            }
        });
        Some(Command::Compare(CompareMembers { parties: vec![change.party], are_members: change.is_member, reply }))
    }

    pub fn is_idle(&self, postgres: &Postgres) -> bool {
        self.heard == postgres.changes.len() && self.again.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
