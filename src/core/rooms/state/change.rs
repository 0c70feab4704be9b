//! Changes of a room and of who is in it: who may make them, and what they become. Pure.
//!
//! Invariant: a change that was made already is not made again. Whoever did not hear the answer may ask once more: what is
//! so is left as it is, and what waits for its commit is waited for.

use std::sync::Arc;

use super::{Decision, Departure, RoomState, SentKey};
use crate::order::{CoreChange, EventRow, RowBody};
use crate::rooms::error::ChatError;
use crate::rooms::permissions::{Action, Role, RoomKind, in_channels, outranks};
use crate::rooms::store::WriteChange;
use crate::rooms::wire;
use parlance_foundation::ids::UserId;

/// A change to the room itself or to who is in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    AddMember {
        user_id: UserId,
        role: Role,
    },
    RemoveMember {
        user_id: UserId,
    },
    SetRole {
        user_id: UserId,
        role: Role,
    },
    /// Absent: unchanged. An empty text clears it.
    Describe {
        name: Option<String>,
        topic: Option<String>,
    },
}

/// A change that somebody wants made: as it was asked for, so that it can be decided again.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedChange {
    pub by: UserId,
    pub right: Right,
    /// The author's own id for it: sent again, it is the first one.
    pub client_id: Option<String>,
    pub change: Change,
}

/// By what right somebody changes a room, beside what they are in it. Whoever asks has looked it up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Right {
    /// None but that.
    #[default]
    Own,
    /// What they are in the space of the channel.
    OfSpace(Role),
    /// The person who is added has been invited, or is one of the two of a direct room.
    Invited,
    /// The last owner was deleted with their account, and the next one takes over.
    Inherited,
}

impl RoomState {
    /// The event that a change becomes, if `by` may make it.
    pub fn decide_change(&self, id: uuid::Uuid, wanted: &WantedChange) -> Result<Decision, ChatError> {
        let WantedChange { by, right, client_id, change } = wanted;
        let (by, right) = (*by, *right);
        // The author's own: whoever has left since by this very change is told so.
        let key = client_id.as_ref().map(|client_id| SentKey { by, is_message: false, client_id: client_id.clone() });
        if let Some(first) = key.and_then(|key| self.sent.get(&key)) {
            return if self.is_repeated(first, change) { Ok(first.decision()) } else { Err(ChatError::KeyReused) };
        }
        if let Some(settled) = self.settled(by, right, change)? {
            return Ok(settled);
        }
        let by_whom = Some(by);
        let (event, change) = match change {
            Change::AddMember { user_id, role } => {
                if self.members.len() >= self.limits.members_max {
                    return Err(ChatError::RoomFull(self.limits.members_max));
                }
                let (user_id, role) = (*user_id, *role);
                let told = wire::MemberAdded { member: wire::EventMember { user_id, role } };
                (EventRow::new(id, by_whom, &told), CoreChange::MemberAdded { user_id, role })
            }
            Change::RemoveMember { user_id } => {
                let user_id = *user_id;
                let told = wire::MemberRemoved { user_id };
                (EventRow::new(id, by_whom, &told), CoreChange::MemberRemoved { user_id, is_out: false })
            }
            Change::SetRole { user_id, role } => {
                let (user_id, role) = (*user_id, *role);
                let told = wire::MemberRoleChanged { user_id, role };
                (EventRow::new(id, by_whom, &told), CoreChange::RoleChanged { user_id, role })
            }
            Change::Describe { name, topic } => {
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let told = wire::RoomUpdated { name: name.clone(), topic: topic.clone() };
                (EventRow::new(id, by_whom, &told), CoreChange::Described { name, topic })
            }
        };
        let event = EventRow { client_id: client_id.clone(), ..event };
        Ok(Decision::Write(RowBody::Event(written(event, change))))
    }

    /// The event that tells of somebody who is out already.
    pub fn departed(departure: &Departure) -> RowBody {
        let Departure { id, user_id, by, .. } = *departure;
        let event = EventRow::new(id, Some(by), &wire::MemberRemoved { user_id });
        RowBody::Event(written(event, CoreChange::MemberRemoved { user_id, is_out: true }))
    }

    /// Whether the order is about to tell that they are out already.
    pub fn is_departing(&self, user: UserId) -> bool {
        self.waits_for(
            |change| matches!(change, CoreChange::MemberRemoved { user_id, is_out: true } if *user_id == user),
        )
        .is_some()
    }

    /// What the room will be called when this is done.
    fn described_by(&self, name: Option<&String>, topic: Option<&String>) -> (Option<String>, Option<String>) {
        let name = name.cloned().or_else(|| self.name.clone()).filter(|name| !name.is_empty());
        let topic = topic.cloned().or_else(|| self.topic.clone()).filter(|topic| !topic.is_empty());
        (name, topic)
    }

    /// Whether `by` may make the change; if so, and there is nothing to do any more, that.
    fn settled(&self, by: UserId, right: Right, change: &Change) -> Result<Option<Decision>, ChatError> {
        match change {
            Change::AddMember { user_id, role } => {
                self.may_add(by, right, *user_id, *role)?;
                let Some(member) = self.members.get(user_id) else { return Ok(None) };
                Ok(Some(self.waiting_or(Some(member.role), |change| change.user() == Some(*user_id))))
            }
            Change::RemoveMember { user_id } => {
                self.may_remove(by, right, *user_id)?;
                let about = |change: &CoreChange| change.user() == Some(*user_id);
                Ok((!self.members.contains_key(user_id)).then(|| self.waiting_or(None, about)))
            }
            Change::SetRole { user_id, role } => {
                let own = self.members.get(user_id).map(|member| member.role);
                let about = |change: &CoreChange| change.user() == Some(*user_id);
                if right == Right::Inherited {
                    // Not by the one who is gone, of whose going the room may not have heard yet.
                    let is_owned = self.others_own(by);
                    own.ok_or(ChatError::NotAMember)?;
                    return Ok((is_owned || !self.needs_owner()).then(|| self.waiting_or(own, about)));
                }
                // Whoever has stepped down may have lost the right to do so.
                if by != *user_id || own != Some(*role) {
                    self.may_set_role(by, right, *user_id, *role)?;
                }
                Ok((own == Some(*role)).then(|| self.waiting_or(own, about)))
            }
            Change::Describe { name, topic } => {
                self.acting(by, right, Action::Describe)?;
                if self.kind == RoomKind::Channel && name.as_ref().is_some_and(String::is_empty) {
                    return Err(ChatError::Invalid { field: "name", wanted: "must not be empty in a channel".into() });
                }
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let describes = |change: &CoreChange| matches!(change, CoreChange::Described { .. });
                Ok(((name, topic) == (self.name.clone(), self.topic.clone())).then(|| self.waiting_or(None, describes)))
            }
        }
    }

    /// That it is so already, once the last change that it follows from is committed: of a person, whichever was the last
    /// about them.
    fn waiting_or(&self, role: Option<Role>, made_so: impl Fn(&CoreChange) -> bool) -> Decision {
        self.waits_for(made_so).map_or(Decision::Settled(role), Decision::Waiting)
    }

    /// The ticket of the newest such change that waits for its commit.
    fn waits_for(&self, is_meant: impl Fn(&CoreChange) -> bool) -> Option<u64> {
        let meant = self.pending.iter().rev().find(|pending| pending.row.change().is_some_and(&is_meant));
        meant.map(|pending| pending.ticket)
    }

    /// The role in which `by` acts, if it allows `action`: their own here, or what their role in the space makes them.
    fn acting(&self, by: UserId, right: Right, action: Action) -> Result<Role, ChatError> {
        let own = self.members.get(&by).map(|member| member.role);
        let of_space = match right {
            Right::OfSpace(role) => in_channels(role),
            Right::Own | Right::Invited | Right::Inherited => None,
        };
        self.allow(own.max(of_space).ok_or(ChatError::RoomNotFound)?, action)
    }

    fn may_add(&self, by: UserId, right: Right, user: UserId, role: Role) -> Result<(), ChatError> {
        let joins = match right {
            Right::Own | Right::Inherited => false,
            // A guest of the space is a guest in its channels.
            Right::OfSpace(own) => by == user && role <= own.min(Role::Member),
            Right::Invited => true,
        };
        if joins {
            return Ok(());
        }
        let own = self.acting(by, right, Action::AddMember)?;
        if outranks(own, role) { Ok(()) } else { Err(ChatError::NotAllowed) }
    }

    fn may_remove(&self, by: UserId, right: Right, user: UserId) -> Result<(), ChatError> {
        let target = self.members.get(&user).map(|member| member.role);
        if by == user {
            // Whoever is out may leave once more.
            let Some(role) = target else { return Ok(()) };
            self.allow(role, Action::Leave)?;
            return if role == Role::Owner && self.is_last_owner(user) { Err(ChatError::LastOwner) } else { Ok(()) };
        }
        let own = self.acting(by, right, Action::RemoveMember)?;
        if target.is_none_or(|target| outranks(own, target)) { Ok(()) } else { Err(ChatError::NotAllowed) }
    }

    fn may_set_role(&self, by: UserId, right: Right, user: UserId, role: Role) -> Result<(), ChatError> {
        let own = self.acting(by, right, Action::SetRole)?;
        let target = self.members.get(&user).ok_or(ChatError::NotAMember)?.role;
        // An admin may step down, which is acting on an equal: oneself.
        let acts = outranks(own, target) || by == user;
        if !acts || (!outranks(own, role) && by != user) || role > own {
            return Err(ChatError::NotAllowed);
        }
        // Also when alone: a room without an owner could never get one again.
        if self.needs_owner() && target == Role::Owner && role != Role::Owner && !self.others_own(user) {
            return Err(ChatError::LastOwner);
        }
        Ok(())
    }

    /// The owners and admins of a space act in its channels: those can do without owners of their own.
    fn needs_owner(&self) -> bool {
        self.space_id.is_none()
    }

    fn is_last_owner(&self, user: UserId) -> bool {
        // The last person may always leave: an empty room needs no owner.
        self.needs_owner() && !self.others_own(user) && self.members.len() > 1
    }

    fn others_own(&self, user: UserId) -> bool {
        self.members.iter().any(|(id, member)| *id != user && member.role == Role::Owner)
    }
}

/// The event with what the core reads in it, which is also what it writes besides.
fn written(event: EventRow, change: CoreChange) -> EventRow {
    EventRow { change: Some(change), effects: vec![Arc::new(WriteChange)], ..event }
}
