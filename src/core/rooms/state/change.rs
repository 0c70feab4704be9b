//! Changes of a room and of who is in it: who may make them, and what they become. Pure.
//!
//! Invariant: a change that was made already is not made again. Whoever did not hear the answer may ask once more: what is
//! so is left as it is, and what waits for its commit is waited for.

use std::sync::Arc;

use super::{Decision, Departure, RoomState, SentKey};
use crate::order::{CoreChange, EventRow, RowBody};
use crate::rooms::error::ChatError;
use crate::rooms::kinds::Naming;
use crate::rooms::permissions::{Action, Role, in_channels, outranks};
use crate::rooms::store::WriteChange;
use crate::rooms::wire;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::{Party, PartyKind};

/// A change to the room itself or to who is in it. Who of a team's people is meant, whoever asks has looked up.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    AddMember {
        party: Party,
        role: Role,
        /// Of a team: its people. Of one that is in the room already those come in who are not.
        people: Vec<UserId>,
    },
    RemoveMember {
        party: Party,
        /// Of a team: those who came with it.
        people: Vec<UserId>,
        /// Of these, those who stay, since another team of theirs is in the room as well.
        stay: Vec<(UserId, TeamId)>,
    },
    SetRole {
        party: Party,
        role: Role,
        /// Of a team: those who came with it.
        people: Vec<UserId>,
    },
    /// Absent: unchanged. An empty text clears it.
    Describe { name: Option<String>, topic: Option<String> },
}

impl Change {
    /// Adds one person.
    pub fn add(user: UserId, role: Role) -> Self {
        Self::AddMember { party: user.into(), role, people: Vec::new() }
    }

    /// Takes one person out.
    pub fn remove(user: UserId) -> Self {
        Self::RemoveMember { party: user.into(), people: Vec::new(), stay: Vec::new() }
    }

    /// Gives one person a role.
    pub fn set_role(user: UserId, role: Role) -> Self {
        Self::SetRole { party: user.into(), role, people: Vec::new() }
    }

    /// Whom it is about.
    pub fn party(&self) -> Option<Party> {
        match self {
            Self::AddMember { party, .. } | Self::RemoveMember { party, .. } | Self::SetRole { party, .. } => {
                Some(*party)
            }
            Self::Describe { .. } => None,
        }
    }
}

/// A change that somebody wants made: as it was asked for, so that it can be decided again.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedChange {
    pub by: Party,
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
    /// Somebody came into a team that is in the room, or left one: whoever runs the team decides.
    OfTeam,
}

impl RoomState {
    /// The event that a change becomes, if `by` may make it.
    pub fn decide_change(&self, id: uuid::Uuid, wanted: &WantedChange) -> Result<Decision, ChatError> {
        let WantedChange { by, right, client_id, change } = wanted;
        let (by, right) = (*by, *right);
        // The author's own: whoever has left since by this very change is told so.
        let key = client_id.clone().map(|client_id| SentKey { by: Some(by), is_message: false, client_id });
        if let Some(first) = key.and_then(|key| self.sent.get(&key)) {
            return if self.is_repeated(first, change) { Ok(first.decision()) } else { Err(ChatError::KeyReused) };
        }
        if let Some(settled) = self.settled(by, right, change)? {
            return Ok(settled);
        }
        let event = EventRow { client_id: client_id.clone(), ..self.event_of(id, by, change)? };
        Ok(Decision::Write(RowBody::Event(event)))
    }

    fn event_of(&self, id: uuid::Uuid, by: Party, change: &Change) -> Result<EventRow, ChatError> {
        let is_in = |user: &UserId| self.facts.is_member(Party::User(*user));
        let by = Some(by);
        Ok(match change {
            Change::AddMember { party, role, people } => {
                let people: Vec<UserId> = people.iter().copied().filter(|user| !is_in(user)).collect();
                let more = people.len() + usize::from(party.team().is_none());
                if self.facts.members.count() + more > self.limits.members_max {
                    return Err(ChatError::RoomFull(self.limits.members_max));
                }
                // What a team is in the room holds for those who come later.
                let role = self.facts.role(*party).unwrap_or(*role);
                let told = wire::MemberAdded { member: wire::EventMember::new(*party, role), people: people.clone() };
                written(EventRow::new(id, by, &told), CoreChange::MemberAdded { party: *party, role, people })
            }
            Change::RemoveMember { party, people, stay } => {
                let goes = |user: &UserId| is_in(user) && stay.iter().all(|(stays, _)| stays != user);
                let people: Vec<UserId> = people.iter().copied().filter(goes).collect();
                let told = wire::MemberRemoved::new(*party, people.clone());
                let (party, stay) = (*party, stay.clone());
                written(EventRow::new(id, by, &told), CoreChange::MemberRemoved { party, is_out: false, people, stay })
            }
            Change::SetRole { party, role, people } => {
                let people: Vec<UserId> = people.iter().copied().filter(is_in).collect();
                let told = wire::MemberRoleChanged::new(*party, *role, people.clone());
                let change = CoreChange::RoleChanged { party: *party, role: *role, people };
                written(EventRow::new(id, by, &told), change)
            }
            Change::Describe { name, topic } => {
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let told = wire::RoomUpdated { name: name.clone(), topic: topic.clone() };
                written(EventRow::new(id, by, &told), CoreChange::Described { name, topic })
            }
        })
    }

    /// The event that tells of somebody who is out already.
    pub fn departed(departure: &Departure) -> RowBody {
        let Departure { id, user_id, by, .. } = *departure;
        let party = Party::User(user_id);
        let event = EventRow::new(id, Some(by.into()), &wire::MemberRemoved::new(party, Vec::new()));
        RowBody::Event(written(event, CoreChange::removed(user_id, true)))
    }

    /// Whether the order is about to tell that they are out already.
    pub fn is_departing(&self, user: UserId) -> bool {
        self.waits_for(|change| match change {
            CoreChange::MemberRemoved { party, is_out: true, .. } => *party == Party::User(user),
            _ => false,
        })
        .is_some()
    }

    /// What the room will be called when this is done.
    fn described_by(&self, name: Option<&String>, topic: Option<&String>) -> (Option<String>, Option<String>) {
        let name = name.cloned().or_else(|| self.facts.name.clone()).filter(|name| !name.is_empty());
        let topic = topic.cloned().or_else(|| self.facts.topic.clone()).filter(|topic| !topic.is_empty());
        (name, topic)
    }

    /// Whether `by` may make the change; if so, and there is nothing to do any more, that.
    fn settled(&self, by: Party, right: Right, change: &Change) -> Result<Option<Decision>, ChatError> {
        match change {
            Change::AddMember { party, role, people } => {
                self.may_add(by, right, *party, *role)?;
                let Some(own) = self.facts.role(*party) else { return Ok(None) };
                let are_all_in = people.iter().all(|user| self.facts.is_member(Party::User(*user)));
                Ok(are_all_in.then(|| self.waiting_or(Some(own), |change| change.is_about(*party))))
            }
            Change::RemoveMember { party, .. } => {
                self.may_remove(by, right, *party)?;
                let about = |change: &CoreChange| change.is_about(*party);
                Ok((!self.facts.is_member(*party)).then(|| self.waiting_or(None, about)))
            }
            Change::SetRole { party, role, .. } => {
                let own = self.facts.role(*party);
                let about = |change: &CoreChange| change.is_about(*party);
                if right == Right::Inherited {
                    // Not by the one who is gone, of whose going the room may not have heard yet.
                    let is_owned = self.others_own(by);
                    own.ok_or(ChatError::NotAMember)?;
                    return Ok((is_owned || !self.needs_owner()).then(|| self.waiting_or(own, about)));
                }
                // Whoever has stepped down may have lost the right to do so.
                if by != *party || own != Some(*role) {
                    self.may_set_role(by, right, *party, *role)?;
                }
                Ok((own == Some(*role)).then(|| self.waiting_or(own, about)))
            }
            Change::Describe { name, topic } => {
                self.acting(by, right, Action::Describe)?;
                if self.facts.kind.rules().naming == Naming::Always && name.as_ref().is_some_and(String::is_empty) {
                    return Err(ChatError::Invalid { field: "name", wanted: "must not be empty in a channel".into() });
                }
                let (name, topic) = self.described_by(name.as_ref(), topic.as_ref());
                let describes = |change: &CoreChange| matches!(change, CoreChange::Described { .. });
                Ok(((name, topic) == (self.facts.name.clone(), self.facts.topic.clone()))
                    .then(|| self.waiting_or(None, describes)))
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
    pub(super) fn acting(&self, by: Party, right: Right, action: Action) -> Result<Role, ChatError> {
        let own = self.facts.role(by);
        let of_space = match right {
            Right::OfSpace(role) => in_channels(role),
            Right::Own | Right::Invited | Right::Inherited | Right::OfTeam => None,
        };
        self.allow(own.max(of_space).ok_or(ChatError::RoomNotFound)?, action)
    }

    fn may_add(&self, by: Party, right: Right, party: Party, role: Role) -> Result<(), ChatError> {
        require_person(party, role)?;
        let joins = match right {
            Right::Own | Right::Inherited => false,
            // A guest of the space is a guest in its channels.
            Right::OfSpace(own) => by == party && role <= own.min(Role::Member),
            Right::Invited => true,
            Right::OfTeam => return if self.facts.is_member(party) { Ok(()) } else { Err(ChatError::NotAMember) },
        };
        if joins {
            return Ok(());
        }
        let own = self.acting(by, right, Action::AddMember)?;
        if outranks(own, role) { Ok(()) } else { Err(ChatError::NotAllowed) }
    }

    fn may_remove(&self, by: Party, right: Right, party: Party) -> Result<(), ChatError> {
        let target = self.facts.role(party);
        if right == Right::OfTeam {
            return Ok(());
        }
        if by == party {
            // Whoever is out may leave once more.
            let Some(role) = target else { return Ok(()) };
            self.allow(role, Action::Leave)?;
            return if role == Role::Owner && self.is_last_owner(party) { Err(ChatError::LastOwner) } else { Ok(()) };
        }
        let own = self.acting(by, right, Action::RemoveMember)?;
        if target.is_none_or(|target| outranks(own, target)) { Ok(()) } else { Err(ChatError::NotAllowed) }
    }

    fn may_set_role(&self, by: Party, right: Right, party: Party, role: Role) -> Result<(), ChatError> {
        require_person(party, role)?;
        let own = self.acting(by, right, Action::SetRole)?;
        let target = self.facts.role(party).ok_or(ChatError::NotAMember)?;
        // An admin may step down, which is acting on an equal: oneself.
        let acts = outranks(own, target) || by == party;
        if !acts || (!outranks(own, role) && by != party) || role > own {
            return Err(ChatError::NotAllowed);
        }
        // Also when alone: a room without an owner could never get one again.
        if self.needs_owner() && target == Role::Owner && role != Role::Owner && !self.others_own(party) {
            return Err(ChatError::LastOwner);
        }
        Ok(())
    }

    /// The owners and admins of a space act in its channels: those can do without owners of their own.
    fn needs_owner(&self) -> bool {
        self.facts.space_id.is_none()
    }

    fn is_last_owner(&self, party: Party) -> bool {
        // The last person may always leave: an empty room needs no owner.
        self.needs_owner() && !self.others_own(party) && self.facts.people().nth(1).is_some()
    }

    fn others_own(&self, party: Party) -> bool {
        self.facts.members.iter().any(|(one, member)| *one != party && member.role == Role::Owner)
    }
}

/// A room is owned by people, of whom there is always somebody to ask.
fn require_person(party: Party, role: Role) -> Result<(), ChatError> {
    if role == Role::Owner && party.kind() != PartyKind::User {
        return Err(ChatError::Invalid {
            field: "role",
            wanted: "an owner is a person; `admin` is the most here".into(),
        });
    }
    Ok(())
}

/// The event with what the core reads in it, which is also what it writes besides.
fn written(event: EventRow, change: CoreChange) -> EventRow {
    EventRow { change: Some(change), effects: vec![Arc::new(WriteChange)], ..event }
}
